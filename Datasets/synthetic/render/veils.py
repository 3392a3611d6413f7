"""Drawn over a rendered frame: netting and clear walls, cables and tubes.

World frame: metres, z = 0 is what people lie on, z up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from Datasets.geometry.camera import project
from Datasets.synthetic.places.bed import Camera, Scene
from Datasets.synthetic.places.solids import Box, viewing_rays, window_of
from Datasets.synthetic.render.studio import Shot

RADIUS_PX = (0.8, 24.0)
"""Thinner cables would be dotted, thicker ones, close to the camera, too many pixels."""
OVER_M = 0.001
"""How much nearer than a surface something must be to lie over it."""


@dataclass(frozen=True)
class Veil:
    """A thin upright or level box that one sees through.

    Attributes:
        centre, half: metres, in the axes of the place.
        colour: linear RGB.
        share: how much of what is behind it it hides, 0 to 1.
    """

    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    colour: tuple[float, float, float]
    share: float


@dataclass(frozen=True)
class Tube:
    """A cable or a tube.

    Attributes:
        points: (n, 3) its course in the world, metres.
        radius_m: half of its thickness.
        colour: linear RGB.
    """

    points: Float[np.ndarray, "n 3"]
    radius_m: float
    colour: Float[np.ndarray, "3"]


def hang(veils: Sequence[Veil], scene: Scene, shot: Shot) -> Shot:
    """Draw see-through walls, the farthest first; people behind them stay people."""
    camera, light = scene.camera, _light(scene)
    rays, linear = viewing_rays(camera), shot.linear.copy()
    away = [np.linalg.norm(np.array(veil.centre) - camera.position) for veil in veils]
    for number in np.argsort(away)[::-1]:
        veil = veils[number]
        box = Box(np.array(veil.centre, dtype=float), np.array(veil.half, dtype=float), 0.0, 0)
        window = window_of(camera, box)
        shape = shot.depth_m[window].shape
        if not np.prod(shape):
            continue
        reach = box.entry(camera.position, rays[window].reshape(-1, 3)).reshape(shape)
        share = np.where(reach < shot.depth_m[window] - OVER_M, veil.share, 0.0)[..., None]
        linear[window] += (share * (np.array(veil.colour) * light - linear[window])).astype(
            np.float32
        )
    return replace(shot, linear=linear)


def lead(tubes: Sequence[Tube], scene: Scene, shot: Shot) -> Shot:
    """Draw cables and tubes; what they hide of people is no longer theirs."""
    linear, depth, person = shot.linear.copy(), shot.depth_m.copy(), shot.person.copy()
    for tube in tubes:
        pixel, away, rim = _drawn(tube, scene.camera)
        nearer = away < depth.ravel()[pixel] - OVER_M
        pixel, away, rim = pixel[nearer], away[nearer], rim[nearer]
        order = np.argsort(-away, kind="stable")  # the nearest is written last
        pixel, away, rim = pixel[order], away[order], rim[order]
        shade = (0.35 + 0.65 * np.sqrt(np.clip(1 - rim**2, 0, 1)))[:, None]
        linear.reshape(-1, 3)[pixel] = shade * tube.colour * _light(scene)
        depth.ravel()[pixel], person.ravel()[pixel] = away, -1
    return Shot(linear, depth, person)


def _drawn(tube: Tube, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flat indices of the pixels a tube covers, its depth there, and the distance from its middle.

    The last is a share of the radius; a pixel may come several times.
    """
    seen = camera.to_camera(_dense(tube, camera))
    seen = seen[seen[:, 2] > 0.1]
    if not seen.size:
        return np.empty(0, int), np.empty(0), np.empty(0)
    points = project(seen, camera.intrinsics)
    radius = np.clip(tube.radius_m * camera.intrinsics[0, 0] / seen[:, 2], *RADIUS_PX)
    most = int(np.ceil(radius.max()))
    steps = np.stack(np.meshgrid(*[np.arange(-most, most + 1)] * 2), axis=-1).reshape(-1, 1, 2)
    cells = np.round(points) + steps
    rim = np.linalg.norm(cells - points, axis=-1) / radius
    inside = (rim <= 1) & (cells >= 0).all(-1) & (cells < np.array(camera.size)).all(-1)
    cells = cells[inside].astype(int)
    away = np.broadcast_to(seen[:, 2] - tube.radius_m, rim.shape)[inside]
    return cells[:, 1] * camera.size[0] + cells[:, 0], away, rim[inside]


def _dense(tube: Tube, camera: Camera) -> np.ndarray:
    """A smooth course, in steps of half a pixel or, where it is thick, a fraction of that."""
    points = tube.points
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1) + 1e-6)]
    away = max(float(np.median(camera.to_camera(points)[:, 2])), 0.2)
    step = max(0.5 * away / camera.intrinsics[0, 0], 0.3 * tube.radius_m)
    count = min(int(along[-1] / step), 4000) + 2
    return CubicSpline(along, points)(np.linspace(0, along[-1], count))


def _light(scene: Scene) -> Float[np.ndarray, "3"]:
    """Linear RGB of what a white thing shows that faces everywhere."""
    return scene.ambient + 0.5 * sum(light.colour for light in scene.lights)

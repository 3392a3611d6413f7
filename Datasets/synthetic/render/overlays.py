"""Drawn over a rendered frame: netting and clear walls, cables and tubes.

World frame: metres, z up; people lie on z = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from Datasets.geometry.camera import project
from Datasets.synthetic.places.background import Background
from Datasets.synthetic.places.camera import PlacedCamera
from Datasets.synthetic.places.furniture import Tube, Veil
from Datasets.synthetic.places.solids import Box, window_of
from Datasets.synthetic.render.renderer import Rendering

RADIUS_PX = (0.8, 24.0)
"""Thinner cables would be dotted, thicker ones, close to the camera, too many pixels."""
OVER_M = 0.001
"""How much nearer than a surface an overlay must be to hide it."""


def draw_veils(veils: Sequence[Veil], background: Background, frame: Rendering) -> Rendering:
    """Draw see-through walls, the farthest first; pixels of people behind them stay theirs."""
    camera, light, linear = background.camera, _light_on_white(background), frame.linear.copy()
    rays = camera.rays()
    away = [np.linalg.norm(np.array(veil.centre) - camera.position) for veil in veils]
    for number in np.argsort(away)[::-1]:
        veil = veils[number]
        box = Box(np.array(veil.centre, dtype=float), np.array(veil.half, dtype=float), 0.0, 0)
        window = window_of(camera, box)
        shape = frame.depth_m[window].shape
        reach = box.entry(camera.position, rays[window].reshape(-1, 3)).reshape(shape)
        share = np.where(reach < frame.depth_m[window] - OVER_M, veil.share, 0.0)[..., None]
        change = share * (np.array(veil.colour) * light - linear[window])
        linear[window] += change.astype(np.float32)
    return replace(frame, linear=linear)


def draw_tubes(tubes: Sequence[Tube], background: Background, frame: Rendering) -> Rendering:
    """Draw cables and tubes; pixels of people that they hide are no longer theirs."""
    linear, depth, person = frame.linear.copy(), frame.depth_m.copy(), frame.person.copy()
    for tube in tubes:
        pixel, away, rim = _covered(tube, background.camera)
        nearer = away < depth.ravel()[pixel] - OVER_M
        pixel, away, rim = pixel[nearer], away[nearer], rim[nearer]
        order = np.argsort(-away, kind="stable")  # the nearest is written last
        pixel, away, rim = pixel[order], away[order], rim[order]
        shade = (0.35 + 0.65 * np.sqrt(np.clip(1 - rim**2, 0, 1)))[:, None]
        linear.reshape(-1, 3)[pixel] = shade * tube.colour * _light_on_white(background)
        depth.ravel()[pixel], person.ravel()[pixel] = away, -1
    return Rendering(linear, depth, person)


def _covered(tube: Tube, camera: PlacedCamera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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


def _dense(tube: Tube, camera: PlacedCamera) -> np.ndarray:
    """A smooth course in steps of half a pixel, or in longer ones where the tube is thick."""
    points = tube.points
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1) + 1e-6)]
    away = max(float(np.median(camera.to_camera(points)[:, 2])), 0.2)
    step = max(0.5 * away / camera.intrinsics[0, 0], 0.3 * tube.radius_m)
    count = min(int(along[-1] / step), 4000) + 2
    return CubicSpline(along, points)(np.linspace(0, along[-1], count))


def _light_on_white(background: Background) -> Float[np.ndarray, "3"]:
    """Linear RGB of a white thing, averaged over the directions that it may face."""
    return background.ambient + 0.5 * sum(light.colour for light in background.lights)

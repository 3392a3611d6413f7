"""A place while it is built, and the scene that comes of it: painted, bumpy, shaded and lit.

World frame: metres, the floor is z = 0, z up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from Datasets.synthetic.places import surfaces
from Datasets.synthetic.places.bed import Camera, Light, Scene, ShadowMaps
from Datasets.synthetic.places.sheets import noise
from Datasets.synthetic.places.solids import (
    Plane,
    Solid,
    View,
    length,
    look,
    pixels_of,
    reaching,
    unit,
)
from Datasets.synthetic.places.surfaces import Painter, paint

SHADE_STEP = 4
FINE_M = 0.004
"""Surfaces of which pixels mostly cover more than this are averaged over samples."""
SAMPLES = np.array([[-0.26, -0.17], [0.24, 0.19]])
"""Where in a pixel, in pixels from its centre."""
TOUCH_M = 0.25


@dataclass
class Setting:
    """Planes and solids of a place, and the painters of each material."""

    planes: list[Plane] = field(default_factory=list)
    solids: list[Solid] = field(default_factory=list)
    painters: list[tuple[Painter, ...]] = field(default_factory=list)

    def material(self, painters: tuple[Painter, ...]) -> int:
        """Number of a new material that one of some painters will paint."""
        self.painters.append(painters)
        return len(self.painters) - 1

    def plane(self, point, normal, painters: tuple[Painter, ...]) -> None:
        """Add a wall, floor or ceiling."""
        point, normal = np.array(point, dtype=float), np.array(normal, dtype=float)
        self.planes.append(Plane(point, normal / np.linalg.norm(normal), self.material(painters)))


def light_up(
    rng: np.random.Generator,
    camera: Camera,
    setting: Setting,
    lights: Sequence[Light],
    ambient: Float[np.ndarray, "3"],
    sky: Float[np.ndarray, "height width 3"] | None = None,
) -> Scene:
    """Paint what the camera sees and let furniture shade it.

    Args:
        rng: source of randomness.
        camera: where from.
        setting: what is there.
        lights: distant ones.
        ambient: linear RGB of the light from everywhere.
        sky: linear RGB of what shows where nothing is; None indoors.
    """
    view = look(camera, setting.planes, setting.solids)
    albedo, normals = _painted(rng, view, setting)
    albedo = albedo * (_corners(view, setting) * _touching(camera, view, setting))[..., None]
    if sky is not None:
        bright = ambient + 0.5 * sum(light.colour for light in lights)
        away = length(view.point - camera.position)
        haze = 1 - np.exp(-away / rng.uniform(60, 300))[..., None]
        albedo = albedo + haze * (sky[0].mean(axis=0) / bright - albedo)
        albedo = np.where((view.material < 0)[..., None], sky / bright, albedo)
    shares = [_light_share(view, light, setting.solids) for light in lights]
    if sky is None:
        shares = [share * _pool(rng, view) for share in shares]
    return Scene(
        camera=camera,
        lights=tuple(lights),
        ambient=ambient,
        ground=view.point,
        albedo=albedo,
        normals=normals,
        pattern=f"{len(setting.planes)} planes, {len(setting.solids)} solids",
        shadows=ShadowMaps(size=640, span_m=5.0, bias_m=0.025, margin_px=max(camera.size)),
        lit=np.stack(shares),
    )


def _painted(rng: np.random.Generator, view: View, setting: Setting):
    """Albedo (height, width, 3), and normals with the bumps of each material."""
    across, down = _steps(view, axis=1), _steps(view, axis=0)
    albedo, normals = np.full(view.normal.shape, 0.5), view.normal.copy()
    flat = view.material.ravel()
    for number, painters in enumerate(setting.painters):
        seen = np.flatnonzero(flat == number)
        if seen.size == 0:
            continue
        xy = view.local.reshape(-1, 2)[seen][:, None]
        right, below = across[seen][:, None], down[seen][:, None]
        if np.median((np.abs(right) + np.abs(below))[::20]) > FINE_M:
            xy = xy + SAMPLES[:, :1] * right + SAMPLES[:, 1:] * below
        albedo.reshape(-1, 3)[seen], painter = paint(rng, painters, xy)
        tilt, period = surfaces.RELIEF.get(painter, (0.0, 1.0))
        if tilt:
            first, second = (noise(rng, xy[:, 0], period) for _ in range(2))
            bumps = np.stack([first, second, -0.7 * (first + second)], axis=-1)
            normals.reshape(-1, 3)[seen] = unit(normals.reshape(-1, 3)[seen] + tilt * bumps)
    return albedo, normals


def _steps(view: View, axis: int) -> Float[np.ndarray, "pixel 2"]:
    """How far apart on the surface neighbouring pixels are; 0 across edges."""
    step = np.diff(view.local, axis=axis, append=np.take(view.local, [-1], axis=axis))
    other = np.diff(view.material, axis=axis, append=np.take(view.material, [-1], axis=axis)) != 0
    far = np.abs(step) > 0.5
    jump = other | far[..., 0] | far[..., 1]
    return np.where(jump[..., None], 0.0, step).reshape(-1, 2)


def _corners(view: View, setting: Setting) -> Float[np.ndarray, "height width"]:
    """Less light where walls, floor and ceiling meet, and on what stands close to them."""
    share = np.ones(view.material.shape, dtype=np.float32)
    points = view.point.astype(np.float32)
    for plane in setting.planes:
        away = points @ plane.normal.astype(np.float32) - np.float32(plane.point @ plane.normal)
        darker = 0.32 / (1 + (away / 0.22) ** 2)
        share *= np.where(view.material == plane.material, 1.0, 1 - darker)
    return share


def _touching(camera: Camera, view: View, setting: Setting) -> Float[np.ndarray, "height width"]:
    """Less light on walls and floor close to what stands on or at them."""
    share = np.ones(view.material.size)
    flat, points = view.material.ravel(), view.point.reshape(-1, 3)
    of_planes = np.isin(flat, [plane.material for plane in setting.planes])
    for solid in setting.solids:
        if solid.half.max() < 0.04 or solid.half[2] < 0.01:
            continue
        near = pixels_of(camera, replace(solid, half=solid.half + TOUCH_M))
        near = near[of_planes[near]]
        outside = np.abs(solid.to_local(points[near] - solid.centre)) - solid.half
        away = length(np.maximum(outside, 0.0))
        share[near] *= 1 - 0.5 * np.exp(-away / 0.06)
    return np.maximum(share, 0.3).reshape(view.material.shape)


def _light_share(view: View, light: Light, solids: Sequence[Solid]) -> np.ndarray:
    """Share (height, width) of a light that gets past the furniture, softened."""
    coarse = view.point[::SHADE_STEP, ::SHADE_STEP]
    large = [s for s in solids if s.shades and np.median(s.half) > 0.03 and s.half[2] > 0.01]
    clear = reaching(coarse.reshape(-1, 3), light.towards, large).reshape(coarse.shape[:2])
    fine = np.repeat(np.repeat(clear.astype(np.float32), SHADE_STEP, 0), SHADE_STEP, 1)
    fine = gaussian_filter(fine[: view.point.shape[0], : view.point.shape[1]], 2.5)
    return 0.15 + 0.85 * np.where(view.material < 0, 1.0, fine)


def _pool(rng: np.random.Generator, view: View) -> Float[np.ndarray, "height width"]:
    """Share of a light that is near by: brighter in one part of a room."""
    middle, width = rng.uniform([-2, -2, 0], [2, 2, 2]), rng.uniform(1.2, 3.5)
    return 0.5 + 0.7 * np.exp(-((length(view.point - middle) / width) ** 2) / 2)

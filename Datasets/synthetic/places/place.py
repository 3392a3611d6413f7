"""A place while it is built, and the picture of it: painted, bumpy, shaded and lit.

World frame: metres, z up; the people stand or lie on z = 0, around the origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from Datasets.synthetic.places import surfaces
from Datasets.synthetic.places.background import Background, Light, ShadowMaps
from Datasets.synthetic.places.camera import PlacedCamera
from Datasets.synthetic.places.furniture import Part, Piece
from Datasets.synthetic.places.sheets import noise
from Datasets.synthetic.places.solids import (
    Box,
    Hits,
    Plane,
    Solid,
    cast_rays,
    length,
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
Circle = tuple[np.ndarray, float]
"""(x, y) and radius, metres."""


@dataclass
class Place:
    """Planes and solids around people, and the painters of each material.

    Attributes:
        rng: source of randomness.
        camera: from where the place is seen.
        radius_m: the people are within this distance of the origin.
        floor_m: height of the floor.
        planes: walls, floor and ceiling.
        solids: furniture and other things that stand or hang there.
        painters: per material, those of which one paints it.
    """

    rng: np.random.Generator
    camera: PlacedCamera
    radius_m: float = 0.0
    floor_m: float = 0.0
    planes: list[Plane] = field(default_factory=list)
    solids: list[Solid] = field(default_factory=list)
    painters: list[tuple[Painter, ...]] = field(default_factory=list)

    def material(self, painters: tuple[Painter, ...]) -> int:
        """Number of a new material that one of some painters will paint."""
        self.painters.append(painters)
        return len(self.painters) - 1

    def add_plane(self, point, normal, painters: tuple[Painter, ...]) -> None:
        """Add a wall, floor or ceiling."""
        point, normal = np.array(point, dtype=float), np.array(normal, dtype=float)
        self.planes.append(Plane(point, normal / np.linalg.norm(normal), self.material(painters)))

    def add(
        self,
        centre,
        half,
        painters: tuple[Painter, ...] | int,
        yaw: float = 0.0,
        solid: type[Solid] = Box,
    ) -> None:
        """Add a solid of a new material, or of the one with a number; see ``Solid``."""
        number = painters if isinstance(painters, int) else self.material(painters)
        centre, half = np.array(centre, dtype=float), np.array(half, dtype=float)
        self.solids.append(solid(centre, half, yaw, number))

    def piece(self, parts: Sequence[Part], spot: np.ndarray, yaw: float) -> list[Solid]:
        """Solids, not yet added, of a piece at (x, y, z), metres, turned by ``yaw``, radians."""
        c, s = np.cos(yaw), np.sin(yaw)
        painters = {part.made_of: part.painters for part in parts}
        numbers = {made_of: self.material(some) for made_of, some in painters.items()}
        solids = []
        for (x, y, z), half, made_of, _, solid in parts:
            centre = np.array([spot[0] + c * x - s * y, spot[1] + s * x + c * y, spot[2] + z])
            solids.append(solid(centre, np.array(half, dtype=float), yaw, numbers[made_of]))
        return solids

    def furnish(
        self,
        spots: Sequence[tuple[np.ndarray, float]],
        free: Sequence[Circle],
        pieces: Sequence[Piece],
    ) -> None:
        """Put a random piece of furniture on every spot where it leaves some circles free.

        Args:
            spots: (x, y), metres, and turn, radians.
            free: circles that stay empty.
            pieces: one of them is drawn for each spot.
        """
        for spot, yaw in spots:
            parts = pieces[int(self.rng.integers(len(pieces)))](self.rng)
            solids = self.piece(parts, np.append(spot, self.floor_m), yaw)
            if not any(_overlaps(solid, *circle) for solid in solids for circle in free):
                self.solids += solids


def _overlaps(solid: Solid, middle: np.ndarray, radius: float) -> bool:
    """Whether a solid's footprint touches a circle."""
    local = solid.to_local(np.append(middle, 0.0) - solid.centre)[:2]
    outside = np.maximum(np.abs(local) - solid.half[:2], 0.0)
    return bool(np.linalg.norm(outside) < radius)


def paint_background(
    place: Place,
    lights: Sequence[Light],
    ambient: Float[np.ndarray, "3"],
    sky: Float[np.ndarray, "height width 3"] | None = None,
) -> Background:
    """Paint a place as its camera sees it, shaded by its solids.

    Args:
        place: with the camera.
        lights: distant ones.
        ambient: linear RGB of the ambient light.
        sky: linear RGB of pixels without a surface; None indoors.
    """
    rng, camera = place.rng, place.camera
    hits = cast_rays(camera, place.planes, place.solids)
    albedo, normals = _painted(place, hits)
    albedo = albedo * _shade(place, hits)[..., None]
    if sky is not None:
        bright = ambient + 0.5 * sum(light.colour for light in lights)
        away = length(hits.point - camera.position)
        haze = 1 - np.exp(-away / rng.uniform(60, 300))[..., None]
        albedo = albedo + haze * (sky[0].mean(axis=0) / bright - albedo)
        albedo = np.where((hits.material < 0)[..., None], sky / bright, albedo)
    shares = [_light_share(hits, light, place.solids) for light in lights]
    if sky is None:
        shares = [share * _falloff(rng, hits) for share in shares]
    return Background(
        camera=camera,
        lights=tuple(lights),
        ambient=ambient,
        ground=hits.point,
        albedo=albedo,
        normals=normals,
        shadows=ShadowMaps(size=640, span_m=5.0, bias_m=0.025, margin_px=max(camera.size)),
        lit=np.stack(shares),
    )


def _painted(place: Place, hits: Hits) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (height, width, 3), and normals with the bumps of each material."""
    rng, across, down = place.rng, _steps(hits, axis=1), _steps(hits, axis=0)
    albedo, normals = np.full(hits.normal.shape, 0.5), hits.normal.copy()
    flat = hits.material.ravel()
    for number, painters in enumerate(place.painters):
        seen = np.flatnonzero(flat == number)
        if seen.size == 0:
            continue
        xy = hits.local.reshape(-1, 2)[seen][:, None]
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


def _steps(hits: Hits, axis: int) -> Float[np.ndarray, "pixel 2"]:
    """How far apart on the surface neighbouring pixels are; 0 across edges."""
    step, other = (
        np.diff(values, axis=axis, append=np.take(values, [-1], axis=axis))
        for values in (hits.local, hits.material)
    )
    jump = (other != 0) | (np.abs(step) > 0.5).any(axis=-1)
    return np.where(jump[..., None], 0.0, step).reshape(-1, 2)


def _shade(place: Place, hits: Hits) -> Float[np.ndarray, "height width"]:
    """Less ambient light in corners of walls, floor and ceiling, and close to solids on them."""
    corners = np.ones(hits.material.shape, dtype=np.float32)
    points = hits.point.astype(np.float32)
    for plane in place.planes:
        away = points @ plane.normal.astype(np.float32) - np.float32(plane.point @ plane.normal)
        darker = 0.32 / (1 + (away / 0.22) ** 2)
        corners *= np.where(hits.material == plane.material, 1.0, 1 - darker)
    contact, points = np.ones(hits.material.size), hits.point.reshape(-1, 3)
    of_planes = np.isin(hits.material.ravel(), [plane.material for plane in place.planes])
    for solid in place.solids:
        if solid.half.max() < 0.04 or solid.half[2] < 0.01:
            continue
        near = pixels_of(place.camera, replace(solid, half=solid.half + TOUCH_M))
        near = near[of_planes[near]]
        outside = np.abs(solid.to_local(points[near] - solid.centre)) - solid.half
        contact[near] *= 1 - 0.5 * np.exp(-length(np.maximum(outside, 0.0)) / 0.06)
    return corners * np.maximum(contact, 0.3).reshape(corners.shape)


def _light_share(hits: Hits, light: Light, solids: Sequence[Solid]) -> np.ndarray:
    """Share (height, width) of a light that is not blocked by solids, softened."""
    coarse = hits.point[::SHADE_STEP, ::SHADE_STEP]
    large = [s for s in solids if s.shades and np.median(s.half) > 0.03 and s.half[2] > 0.01]
    clear = reaching(coarse.reshape(-1, 3), light.towards, large).reshape(coarse.shape[:2])
    fine = np.repeat(np.repeat(clear.astype(np.float32), SHADE_STEP, 0), SHADE_STEP, 1)
    fine = gaussian_filter(fine[: hits.point.shape[0], : hits.point.shape[1]], 2.5)
    return 0.15 + 0.85 * np.where(hits.material < 0, 1.0, fine)


def _falloff(rng: np.random.Generator, hits: Hits) -> Float[np.ndarray, "height width"]:
    """Share of a light that is near by: brighter in one part of a room."""
    middle, width = rng.uniform([-2, -2, 0], [2, 2, 2]), rng.uniform(1.2, 3.5)
    return 0.5 + 0.7 * np.exp(-((length(hits.point - middle) / width) ** 2) / 2)

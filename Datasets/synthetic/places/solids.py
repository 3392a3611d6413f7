"""Planes and simple solids, and the rays of a camera that hit them.

World frame: metres, the floor is z = 0, z up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from Datasets.geometry.camera import project
from Datasets.synthetic.places.camera import PlacedCamera

FAR_M = 80.0
_TINY = 1e-9


@dataclass(frozen=True)
class Solid(ABC):
    """A convex body that may be turned about the vertical.

    Attributes:
        centre: (3,) metres.
        half: (3,) half of its width, depth and height, metres.
        yaw: turn about the vertical, radians.
        material: number of its material.
    """

    centre: Float[np.ndarray, "3"]
    half: Float[np.ndarray, "3"]
    yaw: float
    material: int

    shades = True
    """Whether it blocks light."""

    @abstractmethod
    def crossing(self, start: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where lines enter and leave, in lengths of ``along``; entering after leaving is a miss.

        Args:
            start: (..., 3) point of the line in the body's axes, from its centre.
            along: (..., 3) direction in the body's axes.
        """

    @abstractmethod
    def surface(self, offset: Float[np.ndarray, "n 3"]) -> tuple[np.ndarray, np.ndarray]:
        """Normals (n, 3), in the body's axes, and coordinates (n, 2), metres, of surface points."""

    def to_local(self, vectors: np.ndarray) -> np.ndarray:
        """World directions (..., 3) in the body's axes."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return vectors @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])

    def to_world(self, vectors: np.ndarray) -> np.ndarray:
        """Directions (..., 3) in the body's axes, in the world."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return vectors @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])

    def entry(self, origin: np.ndarray, rays: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n"]:
        """Distance, in ray lengths, at which rays enter; inf for none."""
        near, far = self.crossing(self.to_local(origin - self.centre), self.to_local(rays))
        return np.where((far > near) & (near > 1e-3), near, np.inf)

    def at(self, points: Float[np.ndarray, "n 3"]) -> tuple[np.ndarray, np.ndarray]:
        """World normals (n, 3) and surface coordinates (n, 2) of points on it, metres."""
        normals, local = self.surface(self.to_local(points - self.centre))
        return self.to_world(normals), local


class Box(Solid):
    """A cuboid."""

    def crossing(self, start, along):
        """See ``Solid``."""
        near, far = -np.inf, np.inf
        for axis in range(3):
            first, second = _slab(start[..., axis], along[..., axis], self.half[axis])
            near, far = np.maximum(near, first), np.minimum(far, second)
        return near, far

    def surface(self, offset):
        """See ``Solid``."""
        axis = np.abs(offset / self.half).argmax(axis=1)
        rows = np.arange(len(offset))
        normals = np.zeros_like(offset)
        normals[rows, axis] = np.sign(offset[rows, axis])
        shown = np.stack([np.where(axis == 0, 1, 0), np.where(axis == 2, 1, 2)], axis=-1)
        return normals, offset[rows[:, None], shown]


class Bars(Box):
    """Upright square bars side by side along the longer side of a thin box."""

    shades = False
    apart, thick = 0.085, 0.018

    def entry(self, origin, rays):
        """See ``Solid``."""
        near, far = self.crossing(self.to_local(origin - self.centre), self.to_local(rays))
        reach = np.where((far > near) & (near > 1e-3), near, np.inf)
        hit = np.flatnonzero(np.isfinite(reach))
        points = (origin + rays[hit] * at[hit, None] for at in (near, far))
        start, end = (self._count(self.to_local(point - self.centre)) for point in points)
        # Counted in bars from the first one's edge: a bar ends where the fraction passes ``share``.
        share = self.thick / self._step
        ahead = np.where(end > start, np.ceil(start) - start, start - np.floor(start) - share)
        ahead = np.where(start % 1.0 < share, 0.0, ahead)
        travel = np.abs(end - start)
        part = ahead / np.maximum(travel, _TINY)
        reach[hit] = np.where(ahead <= travel, near[hit] + part * (far[hit] - near[hit]), np.inf)
        return reach

    def surface(self, offset):
        """See ``Solid``."""
        normals, local = super().surface(offset)
        inside = (np.abs(offset) < 0.999 * self.half).all(axis=1)
        past, share = self._count(offset[inside]) % 1.0, self.thick / self._step
        normals[inside] = 0.0
        facing = np.where((past > share / 2) & (past < (1 + share) / 2), 1.0, -1.0)
        normals[inside, int(np.argmax(self.half[:2]))] = facing
        return normals, local

    @property
    def _step(self) -> float:
        length_m = 2 * self.half[:2].max()
        return length_m / max(round(length_m / self.apart), 1)

    def _count(self, offset: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n"]:
        """Number of bars before a point, metres from the middle of the box."""
        along = offset[:, int(np.argmax(self.half[:2]))]
        return (along + self.half[:2].max() + self.thick / 2) / self._step


class Ball(Solid):
    """An ellipsoid."""

    def crossing(self, start, along):
        """See ``Solid``."""
        return _round(start / self.half, along / self.half)

    def surface(self, offset):
        """See ``Solid``."""
        return unit(offset / self.half**2), _around(offset, self.half)


class Foliage(Ball):
    """An ellipsoid of leaves, ragged at its rim."""

    def entry(self, origin, rays):
        """See ``Solid``."""
        reach = super().entry(origin, rays)
        hit = np.flatnonzero(np.isfinite(reach))
        offset = self.to_local(origin + rays[hit] * reach[hit, None] - self.centre)
        facing = -np.einsum("ij,ij->i", unit(self.to_local(rays[hit])), self.surface(offset)[0])
        x, y, z = 9.0 * (offset / self.half).T + 5.0 * self.centre[:, None]
        rough = np.sin(x + 2 * np.sin(1.7 * z)) * np.sin(y + 2 * np.sin(2.3 * x))
        rough = rough + np.sin(2.9 * z + y)
        reach[hit[facing < 0.28 * (1 + rough)]] = np.inf
        return reach


class Drum(Solid):
    """An upright elliptic cylinder."""

    def crossing(self, start, along):
        """See ``Solid``."""
        radii = self.half[:2]
        near, far = _round(start[..., :2] / radii, along[..., :2] / radii)
        first, second = _slab(start[..., 2], along[..., 2], self.half[2])
        return np.maximum(near, first), np.minimum(far, second)

    def surface(self, offset):
        """See ``Solid``."""
        level = (np.abs(offset[:, 2]) > 0.999 * self.half[2])[:, None]
        side = offset / [*self.half[:2] ** 2, np.inf]
        end = np.stack([0 * offset[:, 2], 0 * offset[:, 2], offset[:, 2]], axis=1)
        local = np.where(level, offset[:, :2], _around(offset, self.half))
        return unit(np.where(level, end, side)), local


@dataclass(frozen=True)
class Plane:
    """An endless wall, floor or ceiling, seen only from the side that its normal points to.

    Attributes:
        point: (3,) a point of it, metres; surface coordinates count from here.
        normal: (3,) unit vector.
        material: number of its material.
    """

    point: Float[np.ndarray, "3"]
    normal: Float[np.ndarray, "3"]
    material: int

    def entry(self, origin: np.ndarray, rays: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n"]:
        """See ``Solid``."""
        facing = rays @ self.normal
        reach = ((self.point - origin) @ self.normal) / np.minimum(facing, -_TINY)
        return np.where((facing < -1e-6) & (reach > 1e-3), reach, np.inf)

    def at(self, points: Float[np.ndarray, "n 3"]) -> tuple[np.ndarray, np.ndarray]:
        """See ``Solid``; the second coordinate points upwards on walls."""
        offset, normal = points - self.point, self.normal
        helper = np.array([0, 0, 1.0]) if abs(normal[2]) < 0.9 else np.array([0, 1.0, 0])
        right = np.cross(helper, normal)
        right /= np.linalg.norm(right)
        local = np.stack([offset @ right, offset @ np.cross(normal, right)], axis=-1)
        return np.broadcast_to(normal, offset.shape), local


@dataclass(frozen=True)
class Hits:
    """The first surface on the viewing ray of every pixel.

    Attributes:
        point: (height, width, 3) metres, world; ``FAR_M`` away where nothing is.
        normal: (height, width, 3) unit, towards the viewer's side.
        local: (height, width, 2) metres on the surface, to paint patterns by.
        material: (height, width) number, -1 where nothing is.
    """

    point: Float[np.ndarray, "height width 3"]
    normal: Float[np.ndarray, "height width 3"]
    local: Float[np.ndarray, "height width 2"]
    material: Int[np.ndarray, "height width"]


def cast_rays(camera: PlacedCamera, planes: Sequence[Plane], solids: Sequence[Solid]) -> Hits:
    """Find the nearest surface of every pixel."""
    rays = camera.rays().reshape(-1, 3)
    distance, normal = np.full(len(rays), FAR_M), -unit(rays)
    local, material = np.zeros((len(rays), 2)), np.full(len(rays), -1)
    surfaces: list[Plane | Solid] = [*planes, *solids]
    for surface in surfaces:
        inside = pixels_of(camera, surface) if isinstance(surface, Solid) else slice(None)
        reach = surface.entry(camera.position, rays[inside])
        hit = reach < distance[inside]
        index = np.flatnonzero(hit) if isinstance(inside, slice) else inside[hit]
        distance[index], material[index] = reach[hit], surface.material
        points = camera.position + rays[index] * distance[index, None]
        normal[index], local[index] = surface.at(points)
    point = camera.position + rays * distance[:, None]
    shape = (camera.size[1], camera.size[0], -1)
    normal, local = normal.reshape(shape), local.reshape(shape)
    return Hits(point.reshape(shape), normal, local, material.reshape(shape[:2]))


def reaching(
    points: Float[np.ndarray, "n 3"], towards: np.ndarray, solids: Sequence[Solid]
) -> Bool[np.ndarray, "n"]:
    """Whether a distant light in the direction ``towards`` reaches points past the solids."""
    clear = np.ones(len(points), dtype=bool)
    for solid in solids:
        start = solid.to_local(points + 1e-3 * towards - solid.centre)
        near, far = solid.crossing(start, solid.to_local(towards))
        clear &= ~((far > near) & (far > 2e-3))
    return clear


def length(vectors: Float[np.ndarray, "*shape 3"]) -> Float[np.ndarray, "*shape"]:
    """Length of each vector."""
    return np.sqrt(np.einsum("...i,...i->...", vectors, vectors))


def unit(vectors: Float[np.ndarray, "*shape 3"]) -> Float[np.ndarray, "*shape 3"]:
    """Vectors of length 1 in the same directions."""
    return vectors / np.maximum(length(vectors), _TINY)[..., None]


def _slab(start, along, half: float) -> tuple[np.ndarray, np.ndarray]:
    """Where lines enter and leave the layer between -half and half."""
    along = np.where(np.abs(along) < _TINY, _TINY, along)
    first, second = (-half - start) / along, (half - start) / along
    return np.minimum(first, second), np.maximum(first, second)


def _round(start, along) -> tuple[np.ndarray, np.ndarray]:
    """Where lines enter and leave the unit ball; entering at inf for a miss."""
    square = np.maximum(np.einsum("...i,...i->...", along, along), _TINY)
    middle = np.einsum("...i,...i->...", start, along)
    inner = middle * middle - square * (np.einsum("...i,...i->...", start, start) - 1)
    root = np.sqrt(np.maximum(inner, 0))
    return np.where(inner > 0, (-middle - root) / square, np.inf), (-middle + root) / square


def _around(offset: np.ndarray, half: np.ndarray) -> Float[np.ndarray, "n 2"]:
    """Metres around the vertical, and up."""
    along = np.arctan2(offset[:, 1], offset[:, 0]) * half[:2].mean()
    return np.stack([along, offset[:, 2]], axis=-1)


def pixels_of(camera: PlacedCamera, solid: Solid) -> Int[np.ndarray, "n"]:
    """Flat indices of the pixels that a solid may cover."""
    width, height = camera.size
    return np.arange(width * height).reshape(height, width)[window_of(camera, solid)].ravel()


def window_of(camera: PlacedCamera, solid: Solid) -> tuple[slice, slice]:
    """Rows and columns of the pixels that a solid may cover; empty where it is not in view."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    seen = camera.to_camera(solid.centre + solid.to_world(signs * solid.half))
    if (seen[:, 2] < 0.05).all():
        return slice(0, 0), slice(0, 0)
    low, high = np.zeros(2, dtype=int), np.array(camera.size)
    if (seen[:, 2] > 0.05).all():
        pixels = project(seen, camera.intrinsics)
        low = np.clip(np.floor(pixels.min(axis=0)), 0, high).astype(int)
        high = np.clip(np.ceil(pixels.max(axis=0)) + 1, low, high).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])

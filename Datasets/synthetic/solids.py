"""Rays from a camera to planes and boxes: what stands behind people, pixel by pixel.

World frame: metres, the floor is z = 0, z up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from Datasets.geometry.camera import project
from Datasets.synthetic.scene import Camera

FAR_M = 80.0


@dataclass(frozen=True)
class Box:
    """A cuboid that may be turned about the vertical.

    Attributes:
        centre: (3,) metres.
        half: (3,) half of its width, depth and height, metres.
        yaw: turn about the vertical, radians.
        material: number of what it is made of.
    """

    centre: Float[np.ndarray, "3"]
    half: Float[np.ndarray, "3"]
    yaw: float
    material: int

    def to_local(self, vectors: np.ndarray) -> np.ndarray:
        """World directions (..., 3) in the box's axes."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return vectors @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])

    def corners(self) -> Float[np.ndarray, "8 3"]:
        """World positions of the corners."""
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return self.centre + (signs * self.half) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])

    def entry(self, origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where rays (n, 3) enter the box: distance in ray lengths, inf for none, and the axis."""
        start, along = self.to_local(origin - self.centre), self.to_local(rays)
        along = np.where(np.abs(along) < 1e-9, 1e-9, along)
        first, second = (-self.half - start) / along, (self.half - start) / along
        enter = np.minimum(first, second)
        axis = enter.argmax(axis=-1)
        near, far = enter.max(axis=-1), np.maximum(first, second).min(axis=-1)
        return np.where((far > near) & (near > 1e-3), near, np.inf), axis


@dataclass(frozen=True)
class Plane:
    """An endless wall, floor or ceiling, seen only from the side that its normal points to.

    Attributes:
        point: (3,) a point of it, metres.
        normal: (3,) unit vector.
        material: number of what it is made of.
    """

    point: Float[np.ndarray, "3"]
    normal: Float[np.ndarray, "3"]
    material: int


@dataclass(frozen=True)
class View:
    """What every pixel sees.

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


def look(camera: Camera, planes: list[Plane], boxes: list[Box]) -> View:
    """Find the nearest surface of every pixel."""
    rays = viewing_rays(camera).reshape(-1, 3)
    distance = np.full(len(rays), FAR_M)
    normal = -rays / np.linalg.norm(rays, axis=1, keepdims=True)
    local, material = np.zeros((len(rays), 2)), np.full(len(rays), -1)
    for plane in planes:
        facing = rays @ plane.normal
        reach = ((plane.point - camera.position) @ plane.normal) / np.minimum(facing, -1e-9)
        hit = (facing < -1e-6) & (reach > 1e-3) & (reach < distance)
        distance[hit], normal[hit], material[hit] = reach[hit], plane.normal, plane.material
        local[hit] = on_plane(camera.position + rays[hit] * reach[hit, None], plane.normal)
    for box in boxes:
        inside = _pixels_of(camera, box)
        if inside.size == 0:
            continue
        reach, axis = box.entry(camera.position, rays[inside])
        hit = reach < distance[inside]
        index, reach, axis = inside[hit], reach[hit], axis[hit]
        distance[index], material[index] = reach, box.material
        normal[index], local[index] = _on_box(
            box, camera.position + rays[index] * reach[:, None], axis
        )
    shape = (camera.size[1], camera.size[0])
    point = camera.position + rays * distance[:, None]
    return View(
        point.reshape(*shape, 3),
        normal.reshape(*shape, 3),
        local.reshape(*shape, 2),
        material.reshape(shape),
    )


def viewing_rays(camera: Camera) -> Float[np.ndarray, "height width 3"]:
    """Direction per pixel in the world, of length 1 along the optical axis."""
    x, y = np.meshgrid(np.arange(camera.size[0]), np.arange(camera.size[1]))
    pixels = np.stack([x, y, np.ones_like(x)], axis=-1)
    return pixels @ np.linalg.inv(camera.intrinsics).T @ camera.rotation


def on_plane(points: np.ndarray, normal: np.ndarray) -> Float[np.ndarray, "n 2"]:
    """Coordinates (n, 2) on a plane: along it and, on walls, upwards."""
    helper = np.array([0, 0, 1.0]) if abs(normal[2]) < 0.9 else np.array([0, 1.0, 0])
    right = np.cross(helper, normal)
    right /= np.linalg.norm(right)
    return np.stack([points @ right, points @ np.cross(normal, right)], axis=-1)


def reaching(points: np.ndarray, towards: np.ndarray, boxes: list[Box]) -> Bool[np.ndarray, "n"]:
    """Whether a distant light in the direction ``towards`` reaches points (n, 3) past the boxes."""
    clear = np.ones(len(points), dtype=bool)
    for box in boxes:
        start = box.to_local(points + 1e-3 * towards - box.centre)
        along = box.to_local(towards)
        along = np.where(np.abs(along) < 1e-9, 1e-9, along)
        first, second = (-box.half - start) / along, (box.half - start) / along
        near = np.minimum(first, second).max(axis=-1)
        far = np.maximum(first, second).min(axis=-1)
        clear &= ~((far > near) & (far > 2e-3))
    return clear


def _on_box(box: Box, points: np.ndarray, axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World normals and surface coordinates of points on a box's faces."""
    offset = box.to_local(points - box.centre)
    rows = np.arange(len(points))
    faces = np.zeros((len(points), 3))
    faces[rows, axis] = np.sign(offset[rows, axis])
    c, s = np.cos(box.yaw), np.sin(box.yaw)
    normals = faces @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
    across = np.where(axis == 0, 1, 0)
    upward = np.where(axis == 2, 1, 2)
    return normals, np.stack([offset[rows, across], offset[rows, upward]], axis=-1)


def _pixels_of(camera: Camera, box: Box) -> Int[np.ndarray, "n"]:
    """Flat indices of the pixels that a box may cover."""
    seen = camera.to_camera(box.corners())
    width, height = camera.size
    if (seen[:, 2] < 0.05).all():
        return np.empty(0, dtype=int)
    low, high = np.zeros(2), np.array([width - 1, height - 1])
    if (seen[:, 2] > 0.05).all():
        pixels = project(seen, camera.intrinsics)
        low = np.clip(np.floor(pixels.min(axis=0)), 0, high + 1)
        high = np.clip(np.ceil(pixels.max(axis=0)), -1, high)
    x, y = np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1)
    return (y[:, None] * width + x).astype(int).ravel()

"""A pinhole camera in the world, and how cameras are aimed.

World frame: metres, z up; the floor, or the bed, is z = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from Datasets.geometry.camera import intrinsics_from_fov


@dataclass(frozen=True)
class PlacedCamera:
    """A pinhole camera in the world.

    Attributes:
        intrinsics: (3, 3) pixels.
        size: (width, height).
        rotation: (3, 3) world axes to camera axes (x right, y down, z forward).
        position: (3,) metres, world.
    """

    intrinsics: Float[np.ndarray, "3 3"]
    size: tuple[int, int]
    rotation: Float[np.ndarray, "3 3"]
    position: Float[np.ndarray, "3"]

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) to camera-frame points, metres."""
        return (np.asarray(points) - self.position) @ self.rotation.T

    def stepped_back(self, factor: float) -> PlacedCamera:
        """The same view from ``factor`` times the distance to its aim on the plane z = 0."""
        aim = self.position - self.rotation[2] * self.position[2] / self.rotation[2, 2]
        return replace(self, position=aim + factor * (self.position - aim))

    def rays(self) -> Float[np.ndarray, "height width 3"]:
        """Viewing direction per pixel in the world, of length 1 along the optical axis."""
        x, y = np.meshgrid(np.arange(self.size[0]), np.arange(self.size[1]))
        pixels = np.stack([x, y, np.ones_like(x)], axis=-1)
        return pixels @ np.linalg.inv(self.intrinsics).T @ self.rotation

    def bed_points(self) -> Float[np.ndarray, "height width 3"]:
        """Where the viewing ray of every pixel meets the plane z = 0, metres, world."""
        rays = self.rays()
        distance = -self.position[2] / np.minimum(rays[..., 2], -1e-6)
        return self.position + rays * distance[..., None]


def rotation_towards(
    position: Float[np.ndarray, "3"], aim: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3 3"]:
    """Axes (right, down, forward) of a level camera at ``position`` that looks at ``aim``."""
    forward = (aim - position) / np.linalg.norm(aim - position)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def look_at_bed(
    rng: np.random.Generator,
    intrinsics: np.ndarray,
    size: tuple[int, int],
    distance: tuple[float, float],
    tilt_degrees: float,
) -> PlacedCamera:
    """Place a camera above the origin, looking down at it with a random tilt.

    Args:
        rng: source of randomness.
        intrinsics: (3, 3) pixels.
        size: (width, height).
        distance: range of metres from the aimed point.
        tilt_degrees: largest tilt from straight down, about either axis.
    """
    tilt = np.radians(rng.uniform(-tilt_degrees, tilt_degrees, 2))
    down = np.array([np.sin(tilt[0]), np.sin(tilt[1]), -1.0])
    down /= np.linalg.norm(down)
    right = np.array([1.0, 0, 0]) - down[0] * down
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(down, right), down])
    aim = np.array([rng.normal(0, 0.02), rng.normal(0, 0.02), 0.03])
    return PlacedCamera(intrinsics, size, rotation, aim - down * rng.uniform(*distance))


def look_at_people(
    rng: np.random.Generator,
    size: tuple[int, int],
    target: Float[np.ndarray, "3"],
    extent_m: float,
    elevation_degrees: tuple[float, float] = (-5.0, 50.0),
    closeness: tuple[float, float] = (1.0, 2.2),
    azimuth_degrees: tuple[float, float] = (0.0, 360.0),
) -> PlacedCamera:
    """Place a camera around people so that they are in the picture.

    Args:
        rng: source of randomness.
        size: (width, height) pixels.
        target: middle of the people, metres.
        extent_m: how much around it must fit into the shorter side at ``closeness`` 1.
        elevation_degrees: range of the angle from which the camera looks down.
        closeness: range of distances over the one at which ``extent_m`` just fits.
        azimuth_degrees: range of the direction, from the people, in which the camera stands.
    """
    intrinsics = intrinsics_from_fov(size, rng.uniform(35, 80))
    fitting = extent_m / 2 * intrinsics[0, 0] / (min(size) / 2)
    distance = fitting * rng.uniform(*closeness)
    elevation = np.radians(rng.uniform(*elevation_degrees))
    yaw = rng.uniform(*np.radians(azimuth_degrees))
    away = np.array([np.cos(yaw) * np.cos(elevation), np.sin(yaw) * np.cos(elevation), 0])
    away[2] = np.sin(elevation)
    position = target + distance * away
    position[2] = max(position[2], 0.15)
    right, down, forward = rotation_towards(position, target + rng.normal(0, 0.06 * extent_m, 3))
    roll = np.radians(rng.normal(0, 5))
    turned = np.cos(roll) * right + np.sin(roll) * down
    rotation = np.stack([turned, np.cross(forward, turned), forward])
    return PlacedCamera(intrinsics, size, rotation, position)

"""The place: a camera over a bed, lights, and sheets with patterns and folds.

World frame: metres, the bed is z = 0, z up. A scene stands still for a whole sequence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from Datasets.synthetic.places.sheets import sheet_albedo


@dataclass(frozen=True)
class Camera:
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

    def stepped_back(self, factor: float) -> Camera:
        """The same view from ``factor`` times the distance to where it looks on the bed."""
        aim = self.position - self.rotation[2] * self.position[2] / self.rotation[2, 2]
        return replace(self, position=aim + factor * (self.position - aim))

    def bed_points(self) -> Float[np.ndarray, "height width 3"]:
        """Where the viewing ray of every pixel meets the bed, metres, world."""
        x, y = np.meshgrid(np.arange(self.size[0]), np.arange(self.size[1]))
        pixels = np.stack([x, y, np.ones_like(x)], axis=-1)
        rays = pixels @ np.linalg.inv(self.intrinsics).T @ self.rotation
        distance = -self.position[2] / np.minimum(rays[..., 2], -1e-6)
        return self.position + rays * distance[..., None]


@dataclass(frozen=True)
class Light:
    """A distant light: direction towards it (unit, world), linear RGB, shadows' blur in metres."""

    towards: Float[np.ndarray, "3"]
    colour: Float[np.ndarray, "3"]
    softness: float


@dataclass(frozen=True)
class ShadowMaps:
    """How finely bodies are drawn from the lights.

    Attributes:
        size: pixels of a map's side.
        span_m: what that side covers, metres, around the origin.
        bias_m: slack against a surface's shadow on itself.
        margin_px: how far from a body its shadow is looked for in the image.
        raised: bodies may also stand lower than z = 0, beside what others lie on.
    """

    size: int = 224
    span_m: float = 1.15
    bias_m: float = 0.010
    margin_px: int = 90
    raised: bool = False


@dataclass(frozen=True)
class Scene:
    """Everything but the people.

    Attributes:
        camera: the camera.
        lights: one to three lights.
        ambient: linear RGB of the light from everywhere.
        ground: (height, width, 3) the point of the background that each pixel shows, metres, world.
        albedo: (height, width, 3) linear RGB of the background.
        normals: (height, width, 3) unit normals of the background, world.
        pattern: what the background shows, for the record.
        shadows: how shadows of bodies are drawn.
        lit: (light, height, width) share of each light that reaches the empty background, or None
            when nothing but bodies casts shadows.
    """

    camera: Camera
    lights: tuple[Light, ...]
    ambient: Float[np.ndarray, "3"]
    ground: Float[np.ndarray, "height width 3"]
    albedo: Float[np.ndarray, "height width 3"]
    normals: Float[np.ndarray, "height width 3"]
    pattern: str
    shadows: ShadowMaps = ShadowMaps()
    lit: Float[np.ndarray, "light height width"] | None = None


def make_scene(rng: np.random.Generator, camera: Camera) -> Scene:
    """Furnish a bed and light it at random."""
    ground = camera.bed_points()
    albedo, pattern = sheet_albedo(rng, ground[..., :2])
    lights = draw_lights(rng)
    ambient = temperature(rng.uniform(4500, 9000)) * rng.uniform(0.18, 0.5)
    normals = _fold_normals(rng, ground[..., :2])
    return Scene(camera, lights, ambient, ground, albedo, normals, pattern)


def look_at_bed(
    rng: np.random.Generator,
    intrinsics: np.ndarray,
    size: tuple[int, int],
    distance: tuple[float, float],
    tilt_degrees: float,
) -> Camera:
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
    return Camera(intrinsics, size, rotation, aim - down * rng.uniform(*distance))


def temperature(kelvin: float) -> np.ndarray:
    """Rough linear RGB of a black body, green at 1."""
    warm = np.clip((6500 - kelvin) / 4000, -1, 1)
    return np.array([1 + 0.35 * warm, 1.0, 1 - 0.45 * warm])


def draw_lights(rng: np.random.Generator) -> tuple[Light, ...]:
    """One to three lights from above."""
    count = int(rng.choice([1, 2, 3], p=[0.45, 0.35, 0.2]))
    shares = rng.dirichlet(np.full(count, 1.5)) * rng.uniform(0.55, 1.0)
    lights = []
    for share in shares:
        elevation, azimuth = np.radians(rng.uniform(32, 88)), rng.uniform(0, 2 * np.pi)
        towards = np.array(
            [
                np.cos(elevation) * np.cos(azimuth),
                np.cos(elevation) * np.sin(azimuth),
                np.sin(elevation),
            ]
        )
        colour = temperature(rng.uniform(2800, 8000)) * share
        lights.append(Light(towards, colour, rng.uniform(0.006, 0.03)))
    return tuple(lights)


def _fold_normals(rng: np.random.Generator, xy: Float[np.ndarray, "height width 2"]) -> np.ndarray:
    """Normals of a sheet with long creases, soft waves and a fine weave."""
    height = np.zeros(xy.shape[:2])
    warp = gaussian_filter(rng.normal(size=xy.shape[:2]), rng.uniform(15, 40))
    warp *= rng.uniform(0.01, 0.05) / max(np.abs(warp).max(), 1e-9)
    for _ in range(int(rng.integers(2, 14))):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.5, 0.5)
        across = xy[..., 0] * np.cos(angle) + xy[..., 1] * np.sin(angle) - offset + warp
        along = xy[..., 1] * np.cos(angle) - xy[..., 0] * np.sin(angle)
        window = np.exp(-(((along - rng.uniform(-0.4, 0.4)) / rng.uniform(0.08, 0.5)) ** 2))
        width = rng.uniform(0.004, 0.03)
        height += rng.uniform(0.1, 0.35) * width * np.exp(-((across / width) ** 2)) * window
    waves = gaussian_filter(rng.normal(size=xy.shape[:2]), rng.uniform(8, 25))
    height += waves * rng.uniform(0.0, 0.004) / max(waves.std(), 1e-9)
    pixel = np.abs(xy[1:, :, 1] - xy[:-1, :, 1]).mean()
    slope_y, slope_x = np.gradient(height, pixel)
    normals = np.stack([-slope_x, slope_y, np.ones_like(height)], axis=-1)
    return normals / np.linalg.norm(normals, axis=-1, keepdims=True)

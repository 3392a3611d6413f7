"""Sheets and blankets over somebody in bed: a height field that hides, shades and insulates.

World frame: metres, the mattress is z = 0, z up, the head lies towards +y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import warp as wp
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.places.bed import Camera, Scene
from Datasets.synthetic.places.sheets import cloth
from Datasets.synthetic.places.solids import viewing_rays
from Datasets.synthetic.render import depth as render

STEP_M = 0.008
HALF_M = (0.9, 1.3)
ROUNDS = 6


@dataclass(frozen=True)
class Cover:
    """One kind of cover.

    Attributes:
        reach_m: how far it bridges hollows.
        soften_m: how much it rounds shapes.
        thickness_m: added height.
        folds_m: height of its folds.
        lets: range of the share of warmth that comes through.
    """

    reach_m: float
    soften_m: float
    thickness_m: float
    folds_m: float
    lets: tuple[float, float]


THIN = Cover(0.02, 0.012, 0.002, 0.006, (0.5, 0.75))
THICK = Cover(0.06, 0.035, 0.02, 0.014, (0.3, 0.5))


@dataclass(frozen=True)
class Draped:
    """A cover that lies over a body.

    Attributes:
        height: (row, column) metres over the mattress; rows go from +y to -y.
        inside: (row, column) true where the cover is.
        folds: (row, column) height of the folds alone, metres.
        lets: share of warmth that comes through.
        pattern: seed of its print.
    """

    height: Float[np.ndarray, "row column"]
    inside: Bool[np.ndarray, "row column"]
    folds: Float[np.ndarray, "row column"]
    lets: float
    pattern: int

    def at(self, values: np.ndarray, xy: np.ndarray, order: int = 1) -> np.ndarray:
        """Values of a grid at metres (..., 2); the edge's beyond it."""
        column, row = (xy[..., 0] + HALF_M[0]) / STEP_M, (HALF_M[1] - xy[..., 1]) / STEP_M
        return map_coordinates(values.astype(float), [row, column], order=order, mode="nearest")


def drape(rng: np.random.Generator, kind: Cover, world: Float[np.ndarray, "vertex 3"]) -> Draped:
    """Lay a cover over a body, up to somewhere between the waist and the chin."""
    body = _height_map(world)
    reach = 2 * int(kind.reach_m / STEP_M) + 1
    height = gaussian_filter(maximum_filter(body, reach), kind.soften_m / STEP_M)
    folds = _folds(rng, body.shape) * kind.folds_m
    height = np.maximum(height, body) + kind.thickness_m + np.maximum(folds, -kind.thickness_m)
    rows = HALF_M[1] - np.arange(body.shape[0]) * STEP_M
    columns = np.arange(body.shape[1]) * STEP_M - HALF_M[0]
    head, root = world[:, 1].max(), np.median(world[:, 1])
    top = head - (head - root) * rng.uniform(0.28, 0.62)
    slant = rng.normal(0, 0.06)
    wave = gaussian_filter(rng.normal(size=body.shape[1]), 12)
    wave *= 0.02 / max(np.abs(wave).max(), 1e-9)
    hem = top + slant * columns + wave
    side = rng.uniform(0.5, 0.75, 2)
    inside = (rows[:, None] < hem) & (columns > -side[0]) & (columns < side[1])
    return Draped(height, inside, folds, rng.uniform(*kind.lets), int(rng.integers(2**31)))


def _height_map(world: np.ndarray) -> np.ndarray:
    """Height (row, column) of the body's top over the mattress, 0 beside it."""
    size = (int(2 * HALF_M[0] / STEP_M) + 1, int(2 * HALF_M[1] / STEP_M) + 1)
    screen = np.column_stack(
        [(world[:, 0] + HALF_M[0]) / STEP_M, (HALF_M[1] - world[:, 1]) / STEP_M, world[:, 2]]
    )
    _, top = render.rasterise(screen, wp.array(bodies.rig().faces, dtype=wp.vec3i), size)
    return np.clip(top.numpy(), 0, None)


def _folds(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Creases between -1 and 1 in a few directions."""
    y, x = np.mgrid[: shape[0], : shape[1]] * STEP_M
    total = gaussian_filter(rng.normal(size=shape), 5)
    total *= 0.5 / np.abs(total).max()
    for _ in range(int(rng.integers(3, 10))):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(0, 2.5)
        bend = gaussian_filter(rng.normal(size=shape), 30)
        bend *= 0.08 / np.abs(bend).max()
        across = x * np.cos(angle) + y * np.sin(angle) - offset + bend
        total += rng.uniform(0.3, 1.0) * np.exp(-((across / rng.uniform(0.01, 0.04)) ** 2))
    return np.clip(total, -1, 1.5)


@dataclass(frozen=True)
class Seen:
    """A cover from a camera: where it is, (height, width), and its point and depth there."""

    mask: Bool[np.ndarray, "height width"]
    point: Float[np.ndarray, "height width 3"]
    depth_m: Float[np.ndarray, "height width"]


def see(draped: Draped, camera: Camera) -> Seen:
    """Find the cover's surface along every viewing ray of a camera that looks down."""
    rays = viewing_rays(camera)
    height = np.zeros(rays.shape[:2])
    for _ in range(ROUNDS):
        distance = (height - camera.position[2]) / np.minimum(rays[..., 2], -1e-6)
        point = camera.position + rays * distance[..., None]
        height = draped.at(draped.height, point[..., :2])
    mask = draped.at(draped.inside, point[..., :2]) > 0.5
    return Seen(mask, point, camera.to_camera(point)[..., 2])


def lay_over(linear: np.ndarray, draped: Draped, seen: Seen, scene: Scene) -> np.ndarray:
    """Paint the cover over a rendered frame (height, width, 3) of linear RGB."""
    down, right = np.gradient(draped.height, STEP_M)
    slope_x, slope_y = draped.at(right, seen.point[..., :2]), -draped.at(down, seen.point[..., :2])
    normal = np.stack([-slope_x, -slope_y, np.ones_like(slope_x)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    albedo, _ = cloth(np.random.default_rng(draped.pattern), seen.point[..., :2])
    light = scene.ambient * (0.7 + 0.3 * normal[..., 2:])
    for lamp in scene.lights:
        light = light + lamp.colour * np.clip(normal @ lamp.towards, 0, None)[..., None]
    # Just outside the hem the cover shades what it lies on.
    shade = gaussian_filter(seen.mask.astype(float), 5.0)[..., None]
    below = linear * (1 - 0.35 * shade)
    return np.where(seen.mask[..., None], albedo * light, below)


def insulate(celsius: np.ndarray, room: float, draped: Draped, seen: Seen) -> np.ndarray:
    """Temperatures with the cover on: less, spread out, uneven along folds."""
    spread = gaussian_filter(celsius, 0.012 * celsius.shape[0])
    folds = draped.at(draped.folds, seen.point[..., :2])
    lets = draped.lets * np.clip(1 - 14 * np.abs(folds), 0.55, 1)
    return np.where(seen.mask, room + lets * (spread - room), celsius)

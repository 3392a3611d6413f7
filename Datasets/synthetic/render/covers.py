"""Sheets and blankets, over a person or crumpled: height fields, seen and painted by a camera.

World frame: metres, z up; people lie on z = 0 and, under a cover, along y, the head towards +y.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import warp as wp
from jaxtyping import Bool, Float, Int
from scipy.ndimage import binary_dilation, gaussian_filter, map_coordinates, maximum_filter

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import weight_of
from Datasets.synthetic.places.background import Background
from Datasets.synthetic.places.camera import PlacedCamera
from Datasets.synthetic.places.sheets import cloth
from Datasets.synthetic.render import depth
from Datasets.synthetic.render.overlays import OVER_M
from Datasets.synthetic.render.renderer import Rendering

STEP_M, HALF_M = 0.008, (0.9, 1.3)
"""Step of the grid, and half of its width and length."""
COLUMNS = np.arange(round(2 * HALF_M[0] / STEP_M) + 1) * STEP_M - HALF_M[0]
ROWS = HALF_M[1] - np.arange(round(2 * HALF_M[1] / STEP_M) + 1) * STEP_M
"""x of the grid's columns and y of its rows, which go from +y to -y."""
SHAPE = (len(ROWS), len(COLUMNS))
LEAST_M = 0.006
"""Least height of a blanket."""
SHADE_PX = 16
"""How far around a blanket its shade reaches, pixels."""
ITERATIONS = 6
"""Fixed-point steps that find a cover from above."""
LEVELS, HALVINGS = 24, 3
"""Steps down in which rays look for a blanket, and how often the last is halved."""


@dataclass(frozen=True)
class CoverKind:
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


THIN = CoverKind(0.02, 0.012, 0.002, 0.006, (0.5, 0.75))
THICK = CoverKind(0.06, 0.035, 0.02, 0.014, (0.3, 0.5))


@dataclass(frozen=True)
class Cover:
    """A cover that lies somewhere.

    Attributes:
        height: (row, column) metres over z = 0.
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

    def at(self, values: np.ndarray, xy: np.ndarray) -> np.ndarray:
        """Values of a grid at metres (..., 2); the edge's beyond it."""
        column, row = (xy[..., 0] + HALF_M[0]) / STEP_M, (HALF_M[1] - xy[..., 1]) / STEP_M
        return map_coordinates(values.astype(float), [row, column], order=1, mode="nearest")

    def within(self, half_m: tuple[float, float]) -> Cover:
        """The same, cut off at a rectangle of this half width and length around the origin."""
        on = (np.abs(ROWS) < half_m[1])[:, None] & (np.abs(COLUMNS) < half_m[0])
        return replace(self, inside=self.inside & on)


def drape(rng: np.random.Generator, kind: CoverKind, world: Float[np.ndarray, "vertex 3"]) -> Cover:
    """Lay a cover over a body, up to somewhere between the waist and the chin."""
    body = _height_map(world)
    reach = 2 * int(kind.reach_m / STEP_M) + 1
    height = gaussian_filter(maximum_filter(body, reach), kind.soften_m / STEP_M)
    folds = _folds(rng) * kind.folds_m
    height = np.maximum(height, body) + kind.thickness_m + np.maximum(folds, -kind.thickness_m)
    head, root = world[:, 1].max(), np.median(world[:, 1])
    top = head - (head - root) * rng.uniform(0.28, 0.62)
    slant = rng.normal(0, 0.06)
    wave = gaussian_filter(rng.normal(size=SHAPE[1]), 12)
    wave *= 0.02 / max(np.abs(wave).max(), 1e-9)
    side = rng.uniform(0.5, 0.75, 2)
    inside = (ROWS[:, None] < top + slant * COLUMNS + wave) & (-side[0] < COLUMNS)
    inside &= side[1] > COLUMNS
    return Cover(height, inside, folds, rng.uniform(*kind.lets), int(rng.integers(2**31)))


def _height_map(world: np.ndarray) -> np.ndarray:
    """Height (row, column) of the body's top over the mattress, 0 beside it."""
    x, y = (world[:, 0] + HALF_M[0]) / STEP_M, (HALF_M[1] - world[:, 1]) / STEP_M
    faces: wp.array = wp.array(bodies.rig().faces, dtype=wp.vec3i)
    _, top = depth.rasterise(np.column_stack([x, y, world[:, 2]]), faces, SHAPE[::-1])
    return np.clip(top.numpy(), 0, None)


def _folds(rng: np.random.Generator) -> np.ndarray:
    """Creases between -1 and 1.5 in a few directions."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] * STEP_M
    total = gaussian_filter(rng.normal(size=SHAPE), 5)
    total *= 0.5 / np.abs(total).max()
    for _ in range(int(rng.integers(3, 10))):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(0, 2.5)
        bend = gaussian_filter(rng.normal(size=SHAPE), 30)
        bend *= 0.08 / np.abs(bend).max()
        across = x * np.cos(angle) + y * np.sin(angle) - offset + bend
        total += rng.uniform(0.3, 1.0) * np.exp(-((across / rng.uniform(0.01, 0.04)) ** 2))
    return np.clip(total, -1, 1.5)


def tuck_in(
    rng: np.random.Generator,
    kind: CoverKind,
    world: Float[np.ndarray, "vertex 3"],
    half_m: tuple[float, float],
) -> Cover:
    """Lay a blanket over a body that leaves its head free.

    Args:
        rng: source of randomness.
        kind: how thick it is.
        world: the body, metres.
        half_m: half of the width and length of the bed, where the blanket ends.
    """
    cover = drape(rng, kind, world).within(half_m)
    chin = world[weight_of(("head",)) > 0.8, 1].min()
    below = cover.inside & (ROWS[:, None] < chin)
    return replace(cover, height=np.maximum(cover.height, LEAST_M), inside=below)


def crumpled(
    rng: np.random.Generator, middle: tuple[float, float], half_m: tuple[float, float]
) -> Cover:
    """A blanket that lies crumpled around a point, with nothing under it.

    Args:
        rng: source of randomness.
        middle: (x, y), metres.
        half_m: half of the width and length of the bed, where the blanket ends.
    """
    folds = gaussian_filter(rng.normal(size=SHAPE), rng.uniform(1.5, 3.0))
    lumps = gaussian_filter(rng.normal(size=SHAPE), rng.uniform(5, 10))
    lumps, folds = lumps / lumps.std(), folds / folds.std()
    ragged = gaussian_filter(rng.normal(size=SHAPE), 9)
    y, x = ROWS[:, None] - middle[1], COLUMNS - middle[0]
    size, turn = rng.uniform(0.12, 0.34, 2), rng.uniform(0, np.pi)
    c, s = np.cos(turn), np.sin(turn)
    away = (np.abs(c * x + s * y) / size[0]) ** 4 + (np.abs(c * y - s * x) / size[1]) ** 4
    away = away + 0.35 * ragged / ragged.std()
    rise = np.clip(1.2 - away, 0, 1)
    height = rise**0.5 * (0.014 + rng.uniform(0.015, 0.07) * np.clip(lumps + 0.5, 0, None))
    height = np.maximum(height + rise * rng.uniform(0.002, 0.006) * folds, LEAST_M)
    return Cover(height, away < 1, folds, 0.0, int(rng.integers(2**31))).within(half_m)


@dataclass(frozen=True)
class VisibleCover:
    """A cover from a camera: where it is, (height, width), and its point and depth there."""

    mask: Bool[np.ndarray, "height width"]
    point: Float[np.ndarray, "height width 3"]
    depth_m: Float[np.ndarray, "height width"]


def seen_from_above(cover: Cover, camera: PlacedCamera) -> VisibleCover:
    """Find the cover's surface along every viewing ray of a camera that looks down."""
    rays = camera.rays()
    height = np.zeros(rays.shape[:2])
    for _ in range(ITERATIONS):
        distance = (height - camera.position[2]) / np.minimum(rays[..., 2], -1e-6)
        point = camera.position + rays * distance[..., None]
        height = cover.at(cover.height, point[..., :2])
    mask = cover.at(cover.inside, point[..., :2]) > 0.5
    return VisibleCover(mask, point, camera.to_camera(point)[..., 2])


def seen_from(cover: Cover, camera: PlacedCamera) -> VisibleCover:
    """Find a cover from anywhere above it, also where folds hide one another."""
    rays = camera.rays()
    shape, rays = rays.shape[:2], rays.reshape(-1, 3)
    # Beside the blanket there is nothing, so that its rim has a side.
    solid = np.where(binary_dilation(cover.inside), cover.height, -1.0)
    top = min(float(solid.max()) + 1e-3, camera.position[2] - 0.02)
    point, mask = camera.position + rays, np.zeros(len(rays), dtype=bool)
    hit = np.flatnonzero(rays[:, 2] < -1e-3)
    if top > 0 and hit.size:
        hit = hit[_over_cover(cover, camera.position, rays[hit], top)]
        met, where = _first_hits(solid, camera.position, rays[hit], top)
        hit = hit[met]
        point[hit] = where
        rim = gaussian_filter(cover.inside.astype(float), 1.2)
        mask[hit] = cover.at(rim, where[:, :2]) > 0.5
    away = camera.to_camera(point)[:, 2]
    return VisibleCover(mask.reshape(shape), point.reshape(*shape, 3), away.reshape(shape))


def _at_height(origin: np.ndarray, rays: np.ndarray, height) -> Float[np.ndarray, "ray 3"]:
    """Points where rays from one origin are at heights."""
    return origin + rays * ((height - origin[2]) / rays[:, 2])[:, None]


def _over_cover(
    cover: Cover, origin: np.ndarray, rays: np.ndarray, top: float
) -> Bool[np.ndarray, "ray"]:
    """Whether rays pass the cover's rectangle between ``top`` and the ground."""
    rows, columns = (np.flatnonzero(cover.inside.any(axis=k)) for k in (1, 0))
    if not rows.size:
        return np.zeros(len(rays), dtype=bool)
    low = np.array([COLUMNS[columns[0]], ROWS[rows[-1]]]) - STEP_M
    high = np.array([COLUMNS[columns[-1]], ROWS[rows[0]]]) + STEP_M
    first, last = (_at_height(origin, rays, height)[:, :2] for height in (top, 0.0))
    return ((np.maximum(first, last) >= low) & (np.minimum(first, last) <= high)).all(axis=1)


def _first_hits(
    solid: Float[np.ndarray, "row column"], origin: np.ndarray, rays: np.ndarray, top: float
) -> tuple[Int[np.ndarray, "n"], Float[np.ndarray, "n 3"]]:
    """Which downward rays meet a height field that is all below ``top``, and where."""

    def below(some: np.ndarray) -> np.ndarray:
        x, y, _ = _at_height(origin, rays[some], height[some]).T
        column = np.rint((x + HALF_M[0]) / STEP_M).astype(int)
        row = np.rint((HALF_M[1] - y) / STEP_M).astype(int)
        on = (column >= 0) & (row >= 0) & (column < SHAPE[1]) & (row < SHAPE[0])
        return on & (solid[np.where(on, row, 0), np.where(on, column, 0)] >= height[some])

    height, step = np.full(len(rays), top), top / LEVELS
    free, hit = np.arange(len(rays)), [np.empty(0, int)]
    for _ in range(LEVELS):
        height[free] -= step
        inside = below(free)
        hit.append(free[inside])
        free = free[~inside]
    met = np.concatenate(hit)
    for _ in range(HALVINGS):
        step /= 2
        height[met] += np.where(below(met), step, -step)
    return met, _at_height(origin, rays[met], height[met])


def lay_over(
    linear: np.ndarray, cover: Cover, seen: VisibleCover, background: Background
) -> np.ndarray:
    """Paint the cover over a rendered frame (height, width, 3) of linear RGB."""
    down, right = np.gradient(cover.height, STEP_M)
    slope_x, slope_y = cover.at(right, seen.point[..., :2]), -cover.at(down, seen.point[..., :2])
    normal = np.stack([-slope_x, -slope_y, np.ones_like(slope_x)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    albedo = cloth(np.random.default_rng(cover.pattern), seen.point[..., :2])
    light = background.ambient * (0.7 + 0.3 * normal[..., 2:])
    for lamp in background.lights:
        light = light + lamp.colour * np.clip(normal @ lamp.towards, 0, None)[..., None]
    # Just outside the hem the cover shades the bed.
    shade = gaussian_filter(seen.mask.astype(float), 5.0)[..., None]
    return np.where(seen.mask[..., None], albedo * light, linear * (1 - 0.35 * shade))


def draw_cover(cover: Cover, background: Background, frame: Rendering) -> Rendering:
    """Draw a cover over a frame; pixels of people that it hides are no longer theirs."""
    seen = seen_from(cover, background.camera)
    over = seen.mask & (seen.depth_m > 0.05) & (seen.depth_m < frame.depth_m - OVER_M)
    if not over.any():
        return frame
    rows, columns = (np.flatnonzero(over.any(axis=k)) for k in (1, 0))
    part = tuple(slice(max(k[0] - SHADE_PX, 0), k[-1] + SHADE_PX + 1) for k in (rows, columns))
    shown = VisibleCover(over[part], seen.point[part], seen.depth_m[part])
    linear = frame.linear.copy()
    linear[part] = lay_over(linear[part], cover, shown, background)
    depth_m = np.where(over, seen.depth_m, frame.depth_m)
    return Rendering(linear, depth_m, np.where(over, -1, frame.person))

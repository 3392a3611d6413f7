"""Blankets of infants: over somebody, or left lying, seen from any side and drawn over a frame.

World frame: metres, z = 0 is what people lie on, z up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import binary_dilation, gaussian_filter

from Datasets.synthetic.people.body import weight_of
from Datasets.synthetic.places import covers
from Datasets.synthetic.places.bed import Camera, Scene
from Datasets.synthetic.places.covers import HALF_M, STEP_M, Cover, Draped, Seen
from Datasets.synthetic.places.solids import viewing_rays
from Datasets.synthetic.render.studio import Shot
from Datasets.synthetic.render.veils import OVER_M

LEAST_M = 0.006
"""Least height of a blanket."""
SHADE_PX = 16
"""How far around a blanket its shade reaches, pixels."""
LEVELS, HALVINGS = 24, 3
"""In how many steps down a blanket is looked for, and how often the last is halved."""


def tuck_in(
    rng: np.random.Generator,
    kind: Cover,
    world: Float[np.ndarray, "vertex 3"],
    half_m: tuple[float, float],
) -> Draped:
    """Lay a blanket over somebody whose head lies towards +y.

    Args:
        rng: source of randomness.
        kind: how thick it is.
        world: the body, metres.
        half_m: half of the width and length of what they lie on; a blanket ends there.

    Returns:
        The blanket, which leaves the head free.
    """
    draped = covers.drape(rng, kind, world)
    height = np.maximum(draped.height, LEAST_M)
    chin = world[weight_of(("head",)) > 0.8, 1].min()
    rows = HALF_M[1] - np.arange(height.shape[0])[:, None] * STEP_M
    return replace(
        draped, height=height, inside=draped.inside & _on(draped, half_m) & (rows < chin)
    )


def heap(
    rng: np.random.Generator, middle: tuple[float, float], half_m: tuple[float, float]
) -> Draped:
    """A blanket that lies crumpled around a point, with nobody under it.

    Args:
        rng: source of randomness.
        middle: (x, y), metres.
        half_m: half of the width and length of what it lies on.
    """
    shape = [round(2 * half / STEP_M) + 1 for half in HALF_M[::-1]]
    folds = gaussian_filter(rng.normal(size=shape), rng.uniform(1.5, 3.0))
    lumps = gaussian_filter(rng.normal(size=shape), rng.uniform(5, 10))
    lumps, folds = lumps / lumps.std(), folds / folds.std()
    ragged = gaussian_filter(rng.normal(size=shape), 9)
    y = HALF_M[1] - np.arange(shape[0])[:, None] * STEP_M - middle[1]
    x = np.arange(shape[1]) * STEP_M - HALF_M[0] - middle[0]
    size, turn = rng.uniform(0.12, 0.34, 2), rng.uniform(0, np.pi)
    c, s = np.cos(turn), np.sin(turn)
    away = (np.abs(c * x + s * y) / size[0]) ** 4 + (np.abs(c * y - s * x) / size[1]) ** 4
    away = away + 0.35 * ragged / ragged.std()
    rise = np.clip(1.2 - away, 0, 1)
    height = rise**0.5 * (0.014 + rng.uniform(0.015, 0.07) * np.clip(lumps + 0.5, 0, None))
    height = height + rise * rng.uniform(0.002, 0.006) * folds
    draped = Draped(np.maximum(height, LEAST_M), away < 1, folds, 0.0, int(rng.integers(2**31)))
    return replace(draped, inside=draped.inside & _on(draped, half_m))


def _on(draped: Draped, half_m: tuple[float, float]) -> np.ndarray:
    """Where a cover lies on something of this size around the origin."""
    rows = HALF_M[1] - np.arange(draped.height.shape[0]) * STEP_M
    columns = np.arange(draped.height.shape[1]) * STEP_M - HALF_M[0]
    return (np.abs(rows) < half_m[1])[:, None] & (np.abs(columns) < half_m[0])


@dataclass(frozen=True)
class _Sight:
    """A blanket along the viewing rays of a camera.

    Attributes:
        solid: (row, column) height of the blanket, -1 where it is not.
        origin: (3,) of all rays.
        rays: (ray, 3) that go down.
    """

    solid: Float[np.ndarray, "row column"]
    origin: Float[np.ndarray, "3"]
    rays: Float[np.ndarray, "ray 3"]

    def meet(
        self, some: Int[np.ndarray, "n"], height: Float[np.ndarray, "n"]
    ) -> Float[np.ndarray, "n 3"]:
        """Points where some rays are at heights."""
        rays = self.rays[some]
        return self.origin + rays * ((height - self.origin[2]) / rays[:, 2])[:, None]

    def under(
        self, some: Int[np.ndarray, "n"], height: Float[np.ndarray, "n"]
    ) -> Bool[np.ndarray, "n"]:
        """Whether some rays are in the blanket at heights."""
        x, y, _ = self.meet(some, height).T
        column = np.rint((x + HALF_M[0]) / STEP_M).astype(int)
        row = np.rint((HALF_M[1] - y) / STEP_M).astype(int)
        limits = self.solid.shape
        on = (column >= 0) & (row >= 0) & (column < limits[1]) & (row < limits[0])
        return on & (self.solid[np.where(on, row, 0), np.where(on, column, 0)] >= height)

    def hits(self, top: float) -> tuple[Int[np.ndarray, "n"], Float[np.ndarray, "n"]]:
        """Which rays meet the blanket, and at what height; ``top`` is above all of it."""
        height, step = np.full(len(self.rays), top), top / LEVELS
        free, hit = np.arange(len(self.rays)), [np.empty(0, int)]
        for _ in range(LEVELS):
            height[free] -= step
            inside = self.under(free, height[free])
            hit.append(free[inside])
            free = free[~inside]
        met = np.concatenate(hit)
        for _ in range(HALVINGS):
            step /= 2
            height[met] += np.where(self.under(met, height[met]), step, -step)
        return met, height[met]


def see(draped: Draped, camera: Camera) -> Seen:
    """Find a blanket from anywhere above it, also where folds hide one another."""
    rays = viewing_rays(camera)
    shape, rays = rays.shape[:2], rays.reshape(-1, 3)
    # Beside the blanket there is nothing, so that its rim has a side.
    solid = np.where(binary_dilation(draped.inside), draped.height, -1.0)
    top = min(float(solid.max()) + 1e-3, camera.position[2] - 0.02)
    point = camera.position + rays
    mask, candidates = np.zeros(len(rays), dtype=bool), np.flatnonzero(rays[:, 2] < -1e-3)
    if top > 0 and candidates.size:
        candidates = candidates[_towards(draped, camera.position, rays[candidates], top)]
        sight = _Sight(solid, camera.position, rays[candidates])
        met, height = sight.hits(top)
        hit = candidates[met]
        point[hit] = sight.meet(met, height)
        rim = gaussian_filter(draped.inside.astype(float), 1.2)
        mask[hit] = draped.at(rim, point[hit, :2]) > 0.5
    away = camera.to_camera(point)[:, 2]
    return Seen(mask.reshape(shape), point.reshape(*shape, 3), away.reshape(shape))


def _towards(
    draped: Draped, origin: np.ndarray, rays: np.ndarray, top: float
) -> Bool[np.ndarray, "ray"]:
    """Whether rays come over the blanket's rectangle between ``top`` and the ground."""
    rows, columns = (np.flatnonzero(draped.inside.any(axis=k)) for k in (1, 0))
    if not rows.size:
        return np.zeros(len(rays), dtype=bool)
    low = np.array([columns[0] * STEP_M - HALF_M[0], HALF_M[1] - rows[-1] * STEP_M]) - STEP_M
    high = np.array([columns[-1] * STEP_M - HALF_M[0], HALF_M[1] - rows[0] * STEP_M]) + STEP_M
    first, last = (
        origin[:2] + rays[:, :2] * ((height - origin[2]) / rays[:, 2])[:, None]
        for height in (top, 0.0)
    )
    over = (np.maximum(first, last) >= low) & (np.minimum(first, last) <= high)
    return over.all(axis=1)


def spread(draped: Draped, scene: Scene, shot: Shot) -> Shot:
    """Draw a cover; what it hides of people is no longer theirs."""
    seen = see(draped, scene.camera)
    over = seen.mask & (seen.depth_m > 0.05) & (seen.depth_m < shot.depth_m - OVER_M)
    if not over.any():
        return shot
    rows, columns = (np.flatnonzero(over.any(axis=k)) for k in (1, 0))
    part = tuple(slice(max(k[0] - SHADE_PX, 0), k[-1] + SHADE_PX + 1) for k in (rows, columns))
    shown = Seen(over[part], seen.point[part], seen.depth_m[part])
    linear = shot.linear.copy()
    linear[part] = covers.lay_over(linear[part], draped, shown, scene)
    depth = np.where(over, seen.depth_m, shot.depth_m)
    return Shot(linear, depth, np.where(over, -1, shot.person))

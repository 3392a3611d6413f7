"""Who is in a picture: bodies of all ages, and what they wear."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape
from Datasets.synthetic.people.clothing import (
    Garment,
    Look,
    Material,
    SurfaceCoordinates,
    colour,
    dress,
    surface_coordinates,
    wear,
)

AGES = {
    "infant": (-1 / 3, 0.03),
    "toddler": (0.06, 0.2),
    "child": (0.22, 0.5),
    "adult": (0.52, 0.85),
    "elder": (0.85, 1.0),
}
"""Range of anny's age: -1/3 newborn, 0 baby, 1/3 child, 2/3 young adult, 1 old."""


@dataclass(frozen=True)
class Build:
    """Ranges of a group's phenotype in anny's units; see ``make_shape``."""

    age: tuple[float, float]
    muscle: tuple[float, float] = (0.2, 0.85)
    weight: tuple[float, float] = (0.2, 0.95)


LYING_INFANT = Build((-1 / 3, 0.0), (0.3, 0.7), (0.35, 1.0))
"""A newborn to six-month-old."""

LEAST_UNLIKE = 0.16
"""Least ``unlikeness`` of cloth and skin."""


def draw_body(rng: np.random.Generator, build: Build) -> BodyShape:
    """Make a body of a build."""
    phenotype = {
        "age": rng.uniform(*build.age),
        "gender": rng.random(),
        "muscle": rng.uniform(*build.muscle),
        "weight": rng.uniform(*build.weight),
        "height": rng.uniform(0.2, 0.8),
        "proportions": rng.random(),
        **dict(zip(("african", "asian", "caucasian"), rng.dirichlet(np.ones(3)), strict=True)),
    }
    return bodies.make_shape(phenotype)


def draw_person(rng: np.random.Generator, age: str) -> BodyShape:
    """Make a body of a group of ``AGES``."""
    return draw_body(rng, Build(AGES[age]))


def dress_person(rng: np.random.Generator, shape: BodyShape, age: str) -> Look:
    """Clothe a body: from a nappy upwards on the small, trunk and hips always on the grown."""
    if age in ("infant", "toddler"):
        look = dress(rng, shape)
        return replace(look, materials=tuple(unlike_skin(rng, look, m) for m in look.materials))
    where = surface_coordinates(shape)
    scale = shape.heads[:, 2].max() - shape.heads[0][2]
    look = wear(rng, shape, where, _outfit(rng, where, scale))
    cloth = [replace(m, period_m=m.period_m * rng.uniform(1.0, 3.0)) for m in look.materials]
    cloth = tuple(unlike_skin(rng, look, m) for m in cloth)
    return replace(look, materials=cloth, face=_with_hair(rng, shape, where, scale, look.face))


def unlike_skin(rng: np.random.Generator, look: Look, cloth: Material) -> Material:
    """Cloth of which no colour can be taken for the wearer's skin."""
    while min(unlikeness(tone, look.skin) for tone in cloth.colours) < LEAST_UNLIKE:
        cloth = replace(cloth, colours=np.stack([colour(rng), colour(rng)]))
    return cloth


def unlikeness(first: np.ndarray, second: np.ndarray) -> float:
    """How far two linear RGB colours are apart, 0 to 1, as a picture shows them."""
    return float(np.abs(np.sqrt(first) - np.sqrt(second)).max())


def _outfit(
    rng: np.random.Generator, where: SurfaceCoordinates, scale: float
) -> list[Garment | None]:
    """Trousers, top, shoes and hat; trousers reach over the hips and the top over the waist."""
    thigh = 0.3 * scale
    off_arms = (-0.05 - where.arm) * thigh
    cuff = rng.choice([rng.uniform(0.42, 0.85), rng.uniform(1.2, 1.75), 1.88], p=[0.3, 0.15, 0.55])
    waist = rng.uniform(0.12, 0.26) * scale
    legs = np.minimum(np.minimum(waist - where.height, (cuff - where.leg) * thigh), off_arms)
    trousers: Garment = ("trousers", legs, rng.uniform(0.002, 0.016))
    sleeve = rng.choice([0.05, rng.uniform(0.25, 0.7), 1.88], p=[0.15, 0.4, 0.45])
    neck = (rng.uniform(-0.1, 0.12) - where.head) * 0.3 * scale
    top = np.minimum(neck, (sleeve - where.arm) * thigh)
    gown = rng.random() < 0.12
    hem = rng.uniform(0.35, 1.1) if gown else rng.uniform(-0.12, 0.08)
    below = (hem - where.leg) * thigh if gown else where.height - hem * scale
    shirt: Garment = ("gown" if gown else "top", np.minimum(top, below), rng.uniform(0.003, 0.022))
    feet = (where.leg - rng.choice([1.75, 1.93])) * thigh
    shoes: Garment | None = ("shoes", feet, rng.uniform(0.003, 0.01))
    if rng.random() < 0.2:
        shoes = None
    line = (where.head - rng.uniform(0.68, 0.78)) * 0.3 * scale
    hat: Garment | None = ("hat", line, rng.uniform(0.004, 0.012)) if rng.random() < 0.12 else None
    return [trousers, shirt, shoes, hat]


def _with_hair(
    rng: np.random.Generator,
    shape: BodyShape,
    where: SurfaceCoordinates,
    scale: float,
    face: np.ndarray,
) -> np.ndarray:
    """Marks of the face with short, long or no hair."""
    style = rng.choice(3, p=[0.08, 0.52, 0.4])
    back = shape.vertices[:, 1] - shape.heads[bodies.rig().index("head")][1]
    line = rng.uniform(0.55, 0.66)
    scalp = (where.head - line) * 5 + back / scale * 5
    if style == 2:
        long = np.minimum((where.head - rng.uniform(-0.1, 0.25)) * 6, (back / scale - 0.01) * 30)
        scalp = np.maximum(scalp, long)
    hair = 0.0 if style == 0 else rng.uniform(0.85, 1.0)
    return np.column_stack([face[:, :3], hair * np.clip(scalp, 0, 1)])

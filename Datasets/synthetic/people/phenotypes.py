"""Groups of people by age and build, and bodies drawn from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from Datasets.synthetic.people.body import BodyShape, make_shape

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
    return make_shape(phenotype)


def draw_person(rng: np.random.Generator, age: str) -> BodyShape:
    """Make a body of a group of ``AGES``."""
    return draw_body(rng, Build(AGES[age]))

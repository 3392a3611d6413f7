"""Groups of people by age and build, and bodies drawn from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from Datasets.synthetic.people.body import BodyShape, make_shape
from Datasets.synthetic.people.proportions import (
    WEEKS_PER_YEAR,
    draw_length_m,
    draw_proportions,
)
from Datasets.synthetic.people.resizing import resize

AGES = {
    "infant": (0.0, 1.0),
    "toddler": (1.0, 3.0),
    "child": (3.0, 12.0),
    "adult": (18.0, 60.0),
    "elder": (60.0, 90.0),
}
"""Range of years."""

SMIL_SHARE = 0.5
"""Share of infants and toddlers whose joints lie as SMIL has them."""

_LENGTH_OF_ANNY = (
    (0.51, 0.575, 0.624, 0.674, 0.803, 1.114, 1.409),
    (-1 / 3, -0.2, -0.1, 0.0, 0.06, 0.2, 1 / 3),
)
"""Lengths of anny's median bodies in metres, and its ages, of children."""
_YEARS_OF_ANNY = (12, 18, 25, 90), (0.42, 0.58, 2 / 3, 1.0)


@dataclass(frozen=True)
class Build:
    """Years of a group, and ranges of its phenotype in anny's units; see ``make_shape``."""

    years: tuple[float, float]
    muscle: tuple[float, float] = (0.2, 0.85)
    weight: tuple[float, float] = (0.2, 0.95)


LYING_INFANT = Build((0.0, 30 / WEEKS_PER_YEAR), (0.3, 0.7), (0.35, 1.0))
"""An infant of up to 30 weeks, which does not turn over yet, or hardly."""


def draw_body(rng: np.random.Generator, build: Build) -> BodyShape:
    """Draw age, length, shape and proportions of a body of a build."""
    age_weeks = rng.uniform(*build.years) * WEEKS_PER_YEAR
    length_m = draw_length_m(rng, age_weeks)
    phenotype = {
        "age": anny_age(age_weeks, length_m),
        "gender": rng.random(),
        "muscle": rng.uniform(*build.muscle),
        "weight": rng.uniform(*build.weight),
        "height": 0.5,
        "proportions": rng.random(),
        **dict(zip(("african", "asian", "caucasian"), rng.dirichlet(np.ones(3)), strict=True)),
    }
    smil = age_weeks < AGES["toddler"][1] * WEEKS_PER_YEAR and rng.random() < SMIL_SHARE
    shape = resize(make_shape(phenotype), draw_proportions(rng, age_weeks, smil), length_m)
    return replace(shape, age_weeks=age_weeks, joint_places="SMIL-like" if smil else "bone heads")


def draw_person(rng: np.random.Generator, age: str) -> BodyShape:
    """Make a body of a group of ``AGES``."""
    return draw_body(rng, Build(AGES[age]))


def anny_age(age_weeks: float, length_m: float) -> float:
    """The age of anny's that looks like it: of children by their length, then by their years."""
    years = age_weeks / WEEKS_PER_YEAR
    if years < _YEARS_OF_ANNY[0][0]:
        return float(np.interp(length_m, *_LENGTH_OF_ANNY))
    return float(np.interp(years, *_YEARS_OF_ANNY))

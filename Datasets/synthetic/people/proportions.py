"""How long and how proportioned people are at an age: length, and lengths of bones to the trunk.

Lengths are medians of both sexes: the WHO growth standards to five years, the WHO reference to
eighteen. The ranges of proportions are wide on purpose and independent of one another, since real
infants differ and so do the conventions of where a joint lies. Those of infants contain what fits
of a body model to real infants show (MINI-RGBD: upper arm .33, elbow to fingers .47, thigh .44,
shank .56, hips .26, shoulders .66 of the trunk) and what anthropometers measure (AnthroKids, 1977);
those of adults are segment shares of stature (Drillis & Contini, 1966).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

WEEKS_PER_YEAR = 365.25 / 7
LENGTH_SPREAD = 0.042
"""Standard deviation of the length of one age over its median."""

_LENGTHS = np.array(
    [[0.0, 0.495], [1 / 12, 0.542], [2 / 12, 0.578], [0.25, 0.606], [4 / 12, 0.630],
     [5 / 12, 0.649], [0.5, 0.667], [0.75, 0.711], [1.0, 0.749], [1.5, 0.815], [2.0, 0.868],
     [3.0, 0.956], [5.0, 1.097], [8.0, 1.270], [10.0, 1.380], [12.0, 1.500], [15.0, 1.655],
     [18.0, 1.697], [60.0, 1.690], [90.0, 1.640]]
).T  # fmt: skip
"""Years, and median crown-heel length in metres."""


@dataclass(frozen=True)
class Proportions:
    """Distances between joints of a body at rest, each over the trunk (neck to mid-hip).

    Attributes:
        upper_arm: shoulder to elbow.
        elbow_fingers: elbow to the knuckle of the middle finger, in a straight line.
        thigh, shank: hip to knee, knee to ankle.
        hip_width, shoulder_width: left to right joint.
        shoulder_height: mid-shoulder over mid-hip, along the trunk.
        neck_nose: neck to nose.
        head: circumference of the head.
        hand, foot: length from wrist to finger tip, from heel to toe.
        girth: thickness of trunk and limbs over that of the body model, no ratio to the trunk.
        hip_drop: how far the hip joint lies below the body model's.
    """

    upper_arm: float
    elbow_fingers: float
    thigh: float
    shank: float
    hip_width: float
    shoulder_width: float
    shoulder_height: float
    neck_nose: float
    head: float
    hand: float
    foot: float
    girth: float
    hip_drop: float


_YEARS = np.array([0.0, 1.0, 3.0, 8.0, 18.0])
_RANGES = {
    # years:          0             1             3             8             18
    "upper_arm": ((0.28, 0.52), (0.31, 0.56), (0.38, 0.56), (0.44, 0.57), (0.49, 0.59)),
    "elbow_fingers": ((0.40, 0.68), (0.43, 0.80), (0.50, 0.74), (0.55, 0.70), (0.58, 0.68)),
    "thigh": ((0.40, 0.61), (0.41, 0.78), (0.52, 0.82), (0.64, 0.82), (0.71, 0.83)),
    "shank": ((0.43, 0.67), (0.45, 0.78), (0.54, 0.80), (0.66, 0.82), (0.72, 0.84)),
    "hip_width": ((0.21, 0.40), (0.21, 0.44), (0.24, 0.43), (0.27, 0.41), (0.28, 0.40)),
    "shoulder_width": ((0.57, 0.77), (0.56, 0.76), (0.56, 0.74), (0.58, 0.74), (0.61, 0.74)),
    "shoulder_height": ((0.80, 0.95), (0.80, 0.95), (0.80, 0.92), (0.81, 0.88), (0.81, 0.86)),
    "neck_nose": ((0.36, 0.55), (0.36, 0.52), (0.36, 0.48), (0.34, 0.41), (0.31, 0.36)),
    "head": ((1.80, 2.00), (1.73, 1.91), (1.43, 1.58), (1.17, 1.28), (0.98, 1.07)),
    "hand": ((0.32, 0.38), (0.31, 0.37), (0.32, 0.37), (0.32, 0.37), (0.32, 0.36)),
    "foot": ((0.41, 0.48), (0.40, 0.47), (0.41, 0.48), (0.44, 0.50), (0.45, 0.50)),
    "girth": ((0.78, 0.98), (1.00, 1.22), (0.94, 1.08), (0.95, 1.02), (0.97, 1.02)),
    "hip_drop": ((0.00, 0.02), (0.00, 0.02), (0.00, 0.02), (0.00, 0.01), (0.00, 0.01)),
}
"""Lowest and highest value by age; ages between are interpolated. Those of ``head`` and ``girth``
give heads and, around mid-arm and chest (.21 and .60 to .66 of the length of infants), bodies as
thick as the WHO standards have them."""

SMIL_HIPS = {"hip_width": (0.0, 0.5), "hip_drop": (2.0, 5.0)}
"""Where hips lie as SMIL has them, closer and lower: the part of the range that is drawn from."""


def median_length_m(age_weeks: float) -> float:
    """Median crown-heel length of an age."""
    return float(np.interp(age_weeks / WEEKS_PER_YEAR, *_LENGTHS))


def draw_length_m(rng: np.random.Generator, age_weeks: float) -> float:
    """A length of someone of an age, within 2.5 standard deviations of the median."""
    return median_length_m(age_weeks) * (1 + LENGTH_SPREAD * np.clip(rng.normal(), -2.5, 2.5))


def ranges(age_weeks: float) -> dict[str, tuple[float, float]]:
    """Lowest and highest value of every proportion at an age."""
    year = age_weeks / WEEKS_PER_YEAR
    low, high = (
        {name: float(np.interp(year, _YEARS, [row[k] for row in rows]))
         for name, rows in _RANGES.items()}
        for k in (0, 1)
    )  # fmt: skip
    return {name: (low[name], high[name]) for name in _RANGES}


def draw_proportions(rng: np.random.Generator, age_weeks: float, smil: bool = False) -> Proportions:
    """Draw every proportion on its own, evenly over the range of the age.

    Args:
        rng: source of randomness.
        age_weeks: age.
        smil: hip joints where SMIL has them; see ``SMIL_HIPS``.
    """
    values = {}
    of_age = ranges(age_weeks)
    for field in fields(Proportions):
        low, high = of_age[field.name]
        part = rng.uniform(*(SMIL_HIPS.get(field.name, (0.0, 1.0)) if smil else (0.0, 1.0)))
        values[field.name] = low + part * (high - low)
    return Proportions(**values)

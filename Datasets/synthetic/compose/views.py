"""From where people are photographed: cameras as parents hold them, by posture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from Datasets.synthetic.people.body import Posed


@dataclass(frozen=True)
class View:
    """Where cameras are around a posture.

    Attributes:
        elevation_degrees: least, likeliest and largest angle from which they look down.
        aside_degrees: deviation of their direction from the one that shows the face best.
        anywhere: share of cameras in any direction.
    """

    elevation_degrees: tuple[float, float, float]
    aside_degrees: float = 45.0
    anywhere: float = 0.2


LYING = View((15.0, 60.0, 88.0), 60.0, 0.35)
LOW = View((0.0, 20.0, 65.0), 50.0)
UPRIGHT = View((-2.0, 14.0, 55.0))
VIEWS: dict[str, View] = {
    "supine": LYING,
    "on the side": View((10.0, 45.0, 85.0), 60.0, 0.3),
    "prone": View((2.0, 25.0, 80.0), 55.0),
    "all fours": LOW,
    "sitting": View((0.0, 18.0, 62.0), 45.0),
    "squatting": LOW,
    "kneeling": LOW,
}
"""By family of postures; others are ``UPRIGHT``."""


def draw_view(rng: np.random.Generator, posed: Posed) -> tuple[float, float]:
    """Choose elevation and azimuth of a camera that looks at a person, degrees.

    Args:
        rng: source of randomness.
        posed: one posture; the azimuth counts from the world's x axis.
    """
    view = VIEWS.get(posed.kind, UPRIGHT)
    elevation = rng.triangular(*view.elevation_degrees)
    front = facing(posed)
    azimuth = np.degrees(np.arctan2(front[1], front[0])) + rng.normal(0, view.aside_degrees)
    return elevation, rng.uniform(-180, 180) if rng.random() < view.anywhere else azimuth


def facing(posed: Posed) -> np.ndarray:
    """Direction (x, y) in which a camera sees a face the right way up.

    Ahead of people who are upright, at the feet of the supine and at the head of the prone.
    """
    front, along = posed.turn[0] @ [0.0, -1.0, 0.0], posed.turn[0] @ [0.0, 0.0, 1.0]
    return (front - front[2] * along)[:2]

"""From where people are photographed: cameras as parents hold them, by posture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from Datasets.synthetic.people import body as bodies
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
    anywhere: float = 0.15


TRIES, LEAST_DEGREES = 6, 38.0
"""How often a view is drawn until it is at least so far from the line of the trunk."""
LYING = View((15.0, 60.0, 88.0), 60.0, 0.2)
LOW = View((0.0, 20.0, 65.0), 50.0)
UPRIGHT = View((-2.0, 14.0, 55.0))
VIEWS: dict[str, View] = {
    "supine": LYING,
    "on the side": View((10.0, 45.0, 85.0), 60.0, 0.2),
    "prone": View((2.0, 16.0, 60.0), 45.0),
    "all fours": LOW,
    "sitting": View((0.0, 18.0, 62.0), 45.0),
    "squatting": LOW,
    "kneeling": LOW,
}
"""By family of postures; others are ``UPRIGHT``."""


def draw_view(rng: np.random.Generator, posed: Posed) -> tuple[float, float]:
    """Choose elevation and azimuth of a camera that looks at a person, degrees.

    Few people photograph along a trunk, from the crown or over the soles.

    Args:
        rng: source of randomness.
        posed: one posture; the azimuth counts from the world's x axis.
    """
    view = VIEWS.get(posed.kind, UPRIGHT)
    front = np.degrees(np.arctan2(*facing(posed)[::-1]))
    anywhere = rng.random() < view.anywhere
    for _ in range(TRIES):
        elevation = rng.triangular(*view.elevation_degrees)
        aside = rng.uniform(-180, 180) if anywhere else rng.normal(0, view.aside_degrees)
        if anywhere or foreshortened(posed, elevation, front + aside) > LEAST_DEGREES:
            break
    return elevation, front + aside


def foreshortened(posed: Posed, elevation: float, azimuth: float) -> float:
    """Angle between the trunk and the line of sight, 90 where it is seen in full length."""
    up, around = np.radians([elevation, azimuth])
    sight = [np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)]
    trunk = posed.place[bodies.rig().index("neck01")] - posed.place[0]
    along = abs(trunk @ sight) / max(np.linalg.norm(trunk), 1e-9)
    return float(np.degrees(np.arccos(np.clip(along, 0, 1))))


def facing(posed: Posed) -> np.ndarray:
    """Direction (x, y) in which a camera sees a face the right way up.

    Ahead of heads that are upright or lie on a cheek, at the feet of the supine, and beyond the
    crown of those who look at the floor.
    """
    head = posed.turn[bodies.rig().index("head")]
    front, along = head @ [0.0, -1.0, 0.0], head @ [0.0, 0.0, 1.0]
    return (front - front[2] * along)[:2]

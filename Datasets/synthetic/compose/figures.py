"""Figures: clothed bodies in a posture, people as well as dolls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape, Posed
from Datasets.synthetic.people.clothing import Look
from Datasets.synthetic.people.outfits import dress_person
from Datasets.synthetic.people.phenotypes import draw_person
from Datasets.synthetic.people.postures import draw_posture
from Datasets.synthetic.places.rooms import Seat


@dataclass(frozen=True)
class Figure:
    """A clothed body in a posture.

    Attributes:
        age: a key of ``AGES``, or ``DOLL``.
        shape, look, posed: its body, clothes and posture.
    """

    age: str
    shape: BodyShape
    look: Look
    posed: Posed

    @property
    def size_m(self) -> float:
        """Root to crown at rest, metres."""
        return float(self.shape.heads[:, 2].max() - self.shape.heads[0][2])

    @property
    def reach_m(self) -> float:
        """Radius that it needs, metres; hands and feet of neighbours may cross."""
        away = np.linalg.norm(self.posed.place[:, :2], axis=1)
        return float(np.quantile(away, 0.85)) + 0.06

    @property
    def seat(self) -> Seat:
        """A seat up to just under its hips."""
        pelvis = self.posed.place[0]
        return pelvis[:2], 0.26 * self.size_m, max(pelvis[2] - 0.13 * self.size_m, 0.05)

    def at(self, bone: str) -> Float[np.ndarray, "3"]:
        """World position of a bone's head, metres."""
        return self.posed.place[bodies.rig().index(bone)]

    def moved(self, x: float, y: float) -> Figure:
        """The same figure elsewhere on the floor, shifted by metres."""
        return replace(self, posed=self.posed.moved(x, y))

    def headed(self, degrees: float) -> Figure:
        """Turned so that the head of a lying figure points there; 90 is +y."""
        head = self.at("head") - self.posed.place[0]
        if head[2] > 0.7 * np.linalg.norm(head):
            return self
        now = np.degrees(np.arctan2(head[1], head[0]))
        return replace(self, posed=self.posed.moved(0.0, 0.0, degrees - now))

    def surface(self) -> Float[np.ndarray, "vertex 3"]:
        """Clothed vertices in the world, metres."""
        return bodies.skin(self.shape, self.posed.turn, self.posed.place, self.look.vertices)

    def top(self, xy: np.ndarray, radius_m: float) -> float:
        """Height of its surface around a point, 0 beside it, metres."""
        world = self.surface()
        near = np.linalg.norm(world[:, :2] - xy, axis=1) < radius_m
        return float(world[near, 2].max(initial=0.0))

    def joints(self) -> Float[np.ndarray, "25 3"]:
        """The ``infant`` joints in the world, metres."""
        return bodies.infant_joints(self.shape, self.posed.turn[None], self.posed.place[None])[0]


def draw_figure(rng: np.random.Generator, age: str, kind: str | None = None) -> Figure:
    """Draw a clothed person in a posture, around the origin."""
    shape = draw_person(rng, age)
    look = dress_person(rng, shape, age)
    return Figure(age, shape, look, draw_posture(rng, shape, age, kind))


def side_by_side(
    figures: Sequence[Figure], apart: tuple[float, float] = (0.0, 0.45)
) -> list[Figure]:
    """Place figures side by side so that they do not stand in one another.

    Args:
        figures: around the origin; the first stays there.
        apart: range of the free space between neighbours, metres.
    """
    placed: list[Figure] = []
    taken: list[tuple[np.ndarray, float]] = []
    for number, figure in enumerate(figures):
        away = np.array([np.cos(2.4 * number), np.sin(2.4 * number)])
        reach, step = figure.reach_m, 0.0
        while any(np.linalg.norm(step * away - s) < reach + r + apart[0] for s, r in taken):
            step += 0.06
        if taken:
            step += apart[1] * (np.sin(37.7 * number) * 0.5 + 0.5)
        taken.append((step * away, reach))
        placed.append(figure.moved(*taken[-1][0]))
    return placed

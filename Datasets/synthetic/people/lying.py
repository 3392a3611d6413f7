"""How an infant lies: on its back, side or front or rolling, and how its trunk moves.

World frame: metres, the bed is the plane z = 0 with z up, the head towards +y before yaw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape, weight_of
from Datasets.synthetic.people.limbs import euler
from Datasets.synthetic.people.signals import bouts, choose, log_uniform, noise, smooth, waypoints

SUPINE = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Body axes (left, back, head) to world axes of an infant on its back, head towards +y."""

SINK_M = 0.006
"""How deep the lowest point of trunk and head lies in the bed."""

TRUNK_PARTS = (("root", "pelvis", "spine", "clavicle", "shoulder", "breast"), ("neck", "head"))
"""First parts of the names of bones whose flesh lies on the bed."""


class Lying(NamedTuple):
    """A way to lie: ``roll`` is the range of the roll about the long axis, degrees, 0 on the back;
    ``sway`` of its standard deviation; ``rolling`` whether it changes within the range.
    """

    share: float
    roll: tuple[float, float]
    sway: tuple[float, float]
    rolling: bool = False


LYING = {
    "supine": Lying(0.80, (-10, 10), (1, 8)),
    "side": Lying(0.06, (60, 100), (3, 10)),
    "prone": Lying(0.07, (165, 195), (2, 7)),
    "rolling": Lying(0.07, (0, 180), (3, 8), True),
}


@dataclass(frozen=True)
class Trunk:
    """The trunk over time.

    Attributes:
        lying: a name of ``LYING``.
        root: (frame, 3, 3) body to world axes.
        rotations: of spine and neck.
        drift: (frame, 2) metres along the bed.
        roll: (frame,) degrees, 0 on the back.
    """

    lying: str
    root: Float[np.ndarray, "frame 3 3"]
    rotations: dict[str, Float[np.ndarray, "frame 3 3"]]
    drift: Float[np.ndarray, "frame 2"]
    roll: Float[np.ndarray, "frame"]


def move_trunk(
    rng: np.random.Generator,
    clock: Float[np.ndarray, "frame"],
    kicks: Float[np.ndarray, "frame 2"],
    trunk_m: float,
    lying: str | None = None,
) -> Trunk:
    """Draw how the trunk lies and moves.

    Args:
        rng: source of randomness.
        clock: seconds of movement.
        kicks: (frame, 2) thrusts of the left and the right leg, about -1 to 1, which shift, roll
            and bend the trunk.
        trunk_m: length of the trunk, metres.
        lying: a name of ``LYING``; drawn if not given.
    """
    lying = lying or choose(rng, {name: row.share for name, row in LYING.items()})
    both, apart = kicks.sum(axis=1), kicks[:, 0] - kicks[:, 1]
    yield_ = rng.uniform(0.1, 1.6)
    roll = _roll(rng, clock, LYING[lying]) + 4 * yield_ * apart
    lift = bouts(rng, clock, log_uniform(rng, 8, 60), (1, 4), 0.8) * rng.uniform(5, 28)
    pitch = lift + rng.uniform(1, 7) * noise(rng, clock, (0.1, 0.6)) + 2.5 * yield_ * both
    twist = rng.uniform(2, 10) * noise(rng, clock, (0.03, 0.2)) + 2 * yield_ * apart
    # Lower-case axes are fixed: roll about the long axis first, then a slow turn on the bed.
    pitch = pitch * np.cos(np.radians(roll))
    root = euler("yxz", roll, -pitch, twist) @ SUPINE
    slide = log_uniform(rng, 0.02, 0.16) * _wander(rng, clock, (0.02, 0.12))
    slide += rng.uniform(0.01, 0.03) * _wander(rng, clock, (0.3, 1.2))
    push = yield_ * np.stack([0.015 * apart, 0.035 * both], axis=1)
    return Trunk(lying, root, _spine_and_neck(rng, clock, roll), trunk_m * (slide + push), roll)


def _wander(rng: np.random.Generator, clock: np.ndarray, hertz: tuple[float, float]) -> np.ndarray:
    return np.stack([noise(rng, clock, hertz) for _ in range(2)], axis=1)


def _roll(rng: np.random.Generator, clock: np.ndarray, row: Lying) -> np.ndarray:
    """Degrees about the long axis."""
    side = rng.choice([-1.0, 1.0])
    sway = rng.uniform(*row.sway) * noise(rng, clock, (0.05, 0.4))
    if row.rolling:

        def targets():
            while True:
                yield rng.uniform(*row.roll, size=1)

        return side * waypoints(rng, clock, targets(), (1.0, 4.0), (0.5, 4.0))[:, 0] + sway
    to_side = bouts(rng, clock, log_uniform(rng, 15, 300), (1.5, 5), 1.0) * rng.uniform(15, 55)
    return side * (rng.uniform(*row.roll) + to_side) + sway


def _spine_and_neck(
    rng: np.random.Generator, clock: np.ndarray, roll: np.ndarray
) -> dict[str, np.ndarray]:
    """Spine bending and twisting, and the head turning to the sides."""
    side, twist = (rng.uniform(2, 10) * noise(rng, clock, (0.08, 0.5)) for _ in range(2))
    curl = rng.uniform(-4, 12) + rng.uniform(2, 6) * noise(rng, clock, (0.08, 0.5))
    rotations = {bone: euler("xyz", curl / 4, side / 4, twist / 4) for bone in bodies.SPINE}
    middle, width = rng.normal(0, 13), rng.uniform(8, 30)

    def targets():
        while True:
            yield np.array([rng.normal(middle, width), rng.normal(0, 7)])

    turn, nod = waypoints(rng, clock, targets(), (0.5, 1.8), (0.5, 6.0)).T
    # On its front an infant lies on a cheek, or lifts its head.
    prone = np.clip((np.abs(roll) - 100) / 50, 0, 1)
    turn = (1 - prone) * np.clip(turn, -75, 75) + prone * np.sign(middle) * 68
    nod = nod + rng.normal(2, 7) + rng.uniform(2, 6) * noise(rng, clock, (0.1, 0.8)) - 14 * prone
    tilt = rng.normal(0, 6) + rng.uniform(2, 7) * noise(rng, clock, (0.1, 0.5))
    neck = euler("xyz", nod / 4, tilt / 4, turn / 4)
    return rotations | {bone: neck for bone in bodies.NECK}


def rest_on_bed(
    shape: BodyShape,
    turn: Float[np.ndarray, "frame bone 3 3"],
    place: Float[np.ndarray, "frame bone 3"],
    times: Float[np.ndarray, "frame"],
) -> Float[np.ndarray, "frame"]:
    """Height, metres, by which a body rises so that trunk and head lie ``SINK_M`` in the bed."""
    chosen = _outline(shape.vertices)
    weights = bodies.rig().weights[chosen].toarray()
    used = np.flatnonzero(weights.sum(axis=0) > 0)
    weights, points = weights[:, used], shape.vertices[chosen]
    up = turn[:, used, 2]
    offset = place[:, used, 2] - np.einsum("fbj,bj->fb", up, shape.heads[used])
    lowest = (np.einsum("vb,fbj,vj->fv", weights, up, points, optimize=True)) + offset @ weights.T
    return smooth(-lowest.min(axis=1), times, 0.1) - SINK_M


def _outline(vertices: Float[np.ndarray, "vertex 3"]) -> np.ndarray:
    """Indices of the vertices of trunk and head that stand out most, in many directions."""
    chosen = []
    for part in TRUNK_PARTS:
        own = np.flatnonzero(weight_of(part) > 0.6)
        chosen.append(own[np.argmax(vertices[own] @ _directions(90).T, axis=0)])
    return np.unique(np.concatenate(chosen))


def _directions(count: int) -> np.ndarray:
    """Unit vectors (count, 3) spread evenly over the sphere (Fibonacci spiral)."""
    z = 1 - 2 * (np.arange(count) + 0.5) / count
    angle = np.pi * (1 + 5**0.5) * np.arange(count)
    return np.stack([np.cos(angle) * np.sqrt(1 - z**2), np.sin(angle) * np.sqrt(1 - z**2), z], 1)

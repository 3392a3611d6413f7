"""How an infant lies: on its back, side or front or rolling, and how its trunk moves.

World frame: metres, the bed is the plane z = 0 with z up, the head towards +y before yaw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.activity import Activity
from Datasets.synthetic.people.body import BodyShape, weight_of
from Datasets.synthetic.people.limbs import euler
from Datasets.synthetic.people.signals import bouts, choose, log_uniform, noise, smooth, waypoints

SUPINE = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Body axes (left, back, head) to world axes of an infant on its back, head towards +y."""

SINK_M = 0.006
"""How deep the lowest point of trunk and head lies in the bed."""

LOWER, UPPER, HEAD = (
    ("root", "pelvis", "spine05"),
    ("spine", "clavicle", "shoulder"),
    ("neck", "head"),
)
"""First parts of the names of the bones whose flesh lies on the bed."""

BALLS = ("upperarm01.L", "upperarm01.R", "upperleg01.L", "upperleg01.R")
BALL_RADIUS_M = 0.022
"""Bones at whose heads the flesh of shoulders and hips begins, and how thick it is at least."""

MOST_NOD = 40.0
"""Degrees by which the neck bends at most to lay the head on the bed."""


class Lying(NamedTuple):
    """A way to lie.

    ``roll`` is the range of the roll about the long axis, degrees, 0 on the back; ``sway`` that of
    its standard deviation; ``rolling`` says that it changes within the range.
    """

    share: float
    roll: tuple[float, float]
    sway: tuple[float, float]
    rolling: bool = False


LYING = {
    "supine": Lying(0.80, (-10, 10), (0.5, 8)),
    "side": Lying(0.06, (60, 100), (3, 10)),
    "prone": Lying(0.07, (165, 195), (2, 7)),
    "rolling": Lying(0.07, (0, 180), (3, 8), True),
}


@dataclass(frozen=True)
class Trunk:
    """The trunk over time, as it would move if the bed did not hold it.

    Attributes:
        lying: a name of ``LYING``.
        roll, twist: (frame,) degrees about the long axis, 0 on the back, and about the vertical.
        lift: (frame,) degrees by which the pelvis comes off the bed.
        head_lift: (frame,) the same for the head.
        rotations: of spine and neck.
        drift: (frame, 2) metres along the bed.
    """

    lying: str
    roll: Float[np.ndarray, "frame"]
    twist: Float[np.ndarray, "frame"]
    lift: Float[np.ndarray, "frame"]
    head_lift: Float[np.ndarray, "frame"]
    rotations: dict[str, Float[np.ndarray, "frame 3 3"]]
    drift: Float[np.ndarray, "frame 2"]


def move_trunk(
    rng: np.random.Generator,
    activity: Activity,
    kicks: Float[np.ndarray, "frame 2"],
    trunk_m: float,
    lying: str | None = None,
) -> Trunk:
    """Draw how the trunk lies and moves.

    Args:
        rng: source of randomness.
        activity: of the infant.
        kicks: (frame, 2) thrusts of the left and the right leg, about -1 to 1, which shift, roll
            and lift the trunk.
        trunk_m: length of the trunk, metres.
        lying: a name of ``LYING``; drawn if not given.
    """
    lying = lying or choose(rng, {name: row.share for name, row in LYING.items()})
    clock, awake = activity.clock(rng), 1 - activity.rest
    both, apart = kicks.sum(axis=1), kicks[:, 0] - kicks[:, 1]
    pliant = 1.6 * rng.beta(0.4, 1.2)
    roll = _roll(rng, clock, LYING[lying]) + 4 * pliant * apart
    lift = bouts(rng, clock, log_uniform(rng, 5, 80), (1, 4), 0.7) * rng.uniform(5, 32)
    lift += rng.uniform(0, 6) * np.abs(noise(rng, clock, (0.1, 0.6))) + 3 * pliant * np.abs(both)
    head_lift = bouts(rng, clock, log_uniform(rng, 8, 100), (0.6, 3), 0.5) * rng.uniform(3, 25)
    lift, head_lift = awake * lift, awake * head_lift
    twist = rng.uniform(1, 10) * noise(rng, clock, (0.03, 0.2)) + 2 * pliant * apart
    slide = log_uniform(rng, 0.006, 0.2) * _wander(rng, clock, (0.02, 0.12))
    slide += log_uniform(rng, 0.003, 0.03) * _wander(rng, clock, (0.3, 1.2))
    push = pliant * np.stack([0.015 * apart, 0.035 * both], axis=1)
    spine = _spine_and_neck(rng, clock, roll)
    return Trunk(lying, roll, twist, lift, head_lift, spine, trunk_m * (slide + push))


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
    to_side = bouts(rng, clock, log_uniform(rng, 10, 300), (1.5, 5), 1.0) * rng.uniform(15, 55)
    return side * (rng.uniform(*row.roll) + to_side) + sway


def _spine_and_neck(
    rng: np.random.Generator, clock: np.ndarray, roll: np.ndarray
) -> dict[str, np.ndarray]:
    """Spine bending and twisting, and the head turning to the sides."""
    side, twist = (rng.uniform(2, 10) * noise(rng, clock, (0.08, 0.5)) for _ in range(2))
    curl = rng.uniform(-4, 12) + rng.uniform(2, 6) * noise(rng, clock, (0.08, 0.5))
    rotations = {bone: euler("xyz", curl / 4, side / 4, twist / 4) for bone in bodies.SPINE}
    middle, width = rng.normal(0, 7), log_uniform(rng, 4, 36)
    longest_s = log_uniform(rng, 0.6, 8)

    def targets():
        while True:
            yield np.array([rng.normal(middle, width), rng.normal(0, 7)])

    turn, nod = waypoints(rng, clock, targets(), (0.4, 1.6), (0.2, longest_s)).T
    # On its front an infant lies on a cheek, or lifts its head.
    prone = np.clip((np.abs(roll) - 100) / 50, 0, 1)
    turn = (1 - prone) * np.clip(turn, -75, 75) + prone * np.sign(middle) * 68
    nod = nod + rng.normal(2, 7) + rng.uniform(2, 6) * noise(rng, clock, (0.1, 0.8))
    tilt = rng.normal(0, 6) + rng.uniform(2, 7) * noise(rng, clock, (0.1, 0.5))
    neck = euler("xyz", 0 * nod, tilt / 4, turn / 4)
    rotations |= {bone: neck for bone in bodies.NECK}
    return rotations | {"head": euler("xyz", nod, tilt / 4, turn / 4)}


def lay_down(
    shape: BodyShape, trunk: Trunk, times: Float[np.ndarray, "frame"]
) -> tuple[Float[np.ndarray, "frame 3 3"], Float[np.ndarray, "frame 3"], dict[str, np.ndarray]]:
    """Let pelvis, back and head lie on the bed, but for what the infant lifts.

    Returns:
        Rotation of the root to the world, its position in metres, and rotations of spine and neck.
    """
    flat = np.concatenate([trunk.drift, np.zeros((len(times), 1))], axis=1)
    rotations = dict(trunk.rotations)
    root = euler("yxz", trunk.roll, 0 * trunk.roll, trunk.twist) @ SUPINE
    turn, place = bodies.forward_kinematics(shape, rotations, root, flat)
    lower, upper = (lowest(shape, part, turn, place) for part in (LOWER, UPPER))
    apart = np.linalg.norm(place[:, bodies.rig().index("spine02")] - flat, axis=1)
    pitch = np.degrees(np.arctan2(smooth(upper - lower, times, 0.1), apart)) + trunk.lift
    root = euler("yxz", trunk.roll, -pitch, trunk.twist) @ SUPINE
    turn, place = bodies.forward_kinematics(shape, rotations, root, flat)
    trunk_low = np.minimum(*(lowest(shape, part, turn, place) for part in (LOWER, UPPER)))
    gap = lowest(shape, HEAD, turn, place) - trunk_low
    along = place[:, bodies.rig().index("head")] - place[:, bodies.rig().index("neck01")]
    size = np.linalg.norm(shape.face_points[5] - shape.heads[bodies.rig().index("neck01")])
    angle = np.degrees(np.arctan2(smooth(gap, times, 0.1), 0.6 * size))
    angle = np.radians(np.clip(trunk.head_lift - angle, -MOST_NOD, MOST_NOD))
    axis = np.stack([along[:, 1], -along[:, 0], np.zeros_like(angle)], axis=1)
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    own = np.einsum("fji,fj->fi", turn[:, bodies.rig().index("spine01")], axis)
    bend = Rotation.from_rotvec(own * angle[:, None] / (len(bodies.NECK) - 1)).as_matrix()
    for bone in bodies.NECK[:-1]:
        rotations[bone] = bend @ rotations[bone]
    turn, place = bodies.forward_kinematics(shape, rotations, root, flat)
    parts = [lowest(shape, part, turn, place) for part in (LOWER, UPPER, HEAD)]
    balls = place[:, [bodies.rig().index(bone) for bone in BALLS], 2] - BALL_RADIUS_M
    depth = np.min([*parts, *balls.T], axis=0)
    flat[:, 2] = np.maximum(smooth(-depth, times, 0.1) - SINK_M, -depth - 2 * SINK_M)
    return root, flat, rotations


def lowest(
    shape: BodyShape, part: tuple[str, ...], turn: np.ndarray, place: np.ndarray
) -> Float[np.ndarray, "frame"]:
    """Height of the lowest point of a part of the body, metres."""
    own = np.flatnonzero(weight_of(part) > 0.6)
    chosen = own[np.unique(np.argmax(shape.vertices[own] @ _directions(60).T, axis=0))]
    weights = bodies.rig().weights[chosen].toarray()
    used = np.flatnonzero(weights.sum(axis=0) > 0)
    weights, points = weights[:, used], shape.vertices[chosen]
    up = turn[:, used, 2]
    offset = place[:, used, 2] - np.einsum("fbj,bj->fb", up, shape.heads[used])
    height = np.einsum("vb,fbj,vj->fv", weights, up, points, optimize=True) + offset @ weights.T
    return height.min(axis=1)


def _directions(count: int) -> np.ndarray:
    """Unit vectors (count, 3) spread evenly over the sphere (Fibonacci spiral)."""
    z = 1 - 2 * (np.arange(count) + 0.5) / count
    angle = np.pi * (1 + 5**0.5) * np.arange(count)
    return np.stack([np.cos(angle) * np.sqrt(1 - z**2), np.sin(angle) * np.sqrt(1 - z**2), z], 1)

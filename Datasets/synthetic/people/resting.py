"""Bodies in any pose brought to rest on the mattress, limbs out of it and hands out of the trunk.

World frame: metres, the mattress is the plane z = 0, z up.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.ndimage import maximum_filter1d

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import SIDES, BodyShape, Posed
from Datasets.synthetic.people.contact import lift_from_trunk
from Datasets.synthetic.people.joint_limits import (
    Rotations,
    limbs_of,
    swings,
    within_limits,
)
from Datasets.synthetic.people.limbs import Limb, arm
from Datasets.synthetic.people.lying import HEAD, LOWER, SINK_M, UPPER, lowest
from Datasets.synthetic.people.signals import smooth

GIVING_WAY = ("lowerarm01", "wrist", "lowerleg01", "foot")
"""Joints for which an arm or a leg gives way to the mattress."""

YIELDING = 0.5
"""How far it does, per angle from straight down: a limb that stands upright holds the body up."""

CLEARANCE_M = dict.fromkeys(GIVING_WAY, 0.020) | {"finger3-1": 0.012, "toe2-1": 0.010}
"""Of joints over the mattress."""

CONTACT_ROUNDS = 2


def rest_on_bed(
    shape: BodyShape,
    rotations: Rotations,
    root: Float[np.ndarray, "frame 3 3"],
    times: Float[np.ndarray, "frame"],
    floor: Float[np.ndarray, "frame 2"] | None = None,
) -> Posed:
    """Let a body in given poses lie on the mattress.

    Args:
        shape: the body.
        rotations: of its bones; brought into the joint limits.
        root: body axes to world axes.
        times: seconds of the frames.
        floor: where the root is over the mattress, metres; None leaves it at the origin.
    """
    rotations = within_limits(shape, rotations)
    position = np.zeros((len(times), 3))
    if floor is not None:
        position[:, :2] = floor
    turn, place = bodies.forward_kinematics(shape, rotations, root, position)
    low = np.min([lowest(shape, part, turn, place) for part in (LOWER, UPPER, HEAD)], axis=0)
    position[:, 2] = smooth(-low, times, 0.1) - SINK_M
    for _ in range(CONTACT_ROUNDS):
        turn, place = bodies.forward_kinematics(shape, rotations, root, position)
        for limb in (arm(shape, side) for side in SIDES):
            end = place[:, _joint("wrist", limb.side)]
            target = end + lift_from_trunk(shape, limb.side, turn, place, times)
            rotations |= _swung(limb, rotations, turn, place, end, target)
    for _ in range(CONTACT_ROUNDS):
        yielding = _giving_way(shape, rotations, root, position)
        _, place = bodies.forward_kinematics(shape, yielding, root, position)
        position[:, 2] += _envelope(_sunk(place), times)
    return Posed(*bodies.forward_kinematics(shape, yielding, root, position))


def _giving_way(
    shape: BodyShape, rotations: Rotations, root: np.ndarray, position: np.ndarray
) -> Rotations:
    """Limbs turned about hip and shoulder, away from the mattress."""
    for limb, _ in limbs_of(shape):
        for joint in GIVING_WAY[:2] if limb.upper.startswith("upperarm") else GIVING_WAY[2:]:
            turn, place = bodies.forward_kinematics(shape, rotations, root, position)
            base, point = place[:, limb.base], place[:, _joint(joint, limb.side)]
            away, clearance = point - base, CLEARANCE_M[joint]
            length = np.linalg.norm(away, axis=1)
            lowest = np.clip((base[:, 2] - clearance) / length, -1, 1)
            angle = np.arccos(np.clip(-away[:, 2] / length, -1, 1))
            raised = np.clip(np.arccos(lowest), angle, (1 + YIELDING) * angle)
            flat = np.linalg.norm(away[:, :2], axis=1)
            level = (length * np.sin(raised) / np.maximum(flat, 1e-9))[:, None]
            target = base + np.column_stack([away[:, :2] * level, -length * np.cos(raised)])
            rotations = rotations | _swung(limb, rotations, turn, place, point, target)
    return rotations


def _sunk(place: Float[np.ndarray, "frame bone 3"]) -> Float[np.ndarray, "frame"]:
    """How far the deepest joint of a limb is below where it may be, metres."""
    lacks = [
        clearance - place[:, _joint(name, side), 2]
        for name, clearance in CLEARANCE_M.items()
        for side in SIDES
    ]
    return np.maximum(np.max(lacks, axis=0), 0)


def _envelope(heights: np.ndarray, times: np.ndarray) -> Float[np.ndarray, "frame"]:
    """Smooth and hardly anywhere below."""
    step = times[1] - times[0] if len(times) > 1 else np.inf
    return smooth(maximum_filter1d(heights, 2 * int(0.15 / step) + 1), times, 0.08)


def _joint(name: str, side: str) -> int:
    return bodies.rig().index(f"{name}.{side}")


def _swung(limb: Limb, rotations: Rotations, turn, place, point, target) -> Rotations:
    """The upper bone turned so that a point of the limb goes towards a target."""
    frame, base = turn[:, limb.frame], place[:, limb.base]
    local = [np.einsum("fji,fj->fi", frame, end - base) for end in (point, target)]
    return {limb.upper: swings(*local) @ rotations[limb.upper]}

"""Poses of other skeletons on our bodies: bone by bone the same orientation, mesh and joints alike.

Axes of the others: x to the body's left, y to its head, z to its front, at rest in a T-pose.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import SIDES, BodyShape
from Datasets.synthetic.people.joint_limits import Rotations, unit
from Datasets.synthetic.people.limbs import arm, leg

TO_BODY = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
"""From those axes to the body frame (x left, y back, z head)."""


def world_turns(
    parents: tuple[int, ...], turns: Float[np.ndarray, "frame joint 3 3"]
) -> Float[np.ndarray, "frame joint 3 3"]:
    """Turns about the parent, accumulated; parents come before their children."""
    found = turns.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            found[:, joint] = found[:, parent] @ turns[:, joint]
    return found


def on_our_bones(
    shape: BodyShape,
    turns: Float[np.ndarray, "frame joint 3 3"],
    joints: Mapping[str, int],
    thighs: float = 0.0,
) -> tuple[Rotations, Float[np.ndarray, "frame 3 3"]]:
    """Rotations of our bones that hold the orientations of another skeleton.

    Args:
        shape: the body.
        turns: orientations of its joints relative to its rest, in its axes.
        joints: per bone of ours, the joint whose orientation it takes.
        thighs: how far its thighs are apart at rest, degrees from straight down.

    Returns:
        Rotations for ``forward_kinematics``, and that of the root in body axes.
    """
    rests, bones, parents = _alignments(shape, thighs), bodies.rig().bones, bodies.rig().parents
    held: dict[int, np.ndarray] = {}
    rotations: Rotations = {}
    for number, (bone, parent) in enumerate(zip(bones, parents, strict=True)):
        if bone in joints:
            own = TO_BODY @ turns[:, joints[bone]] @ TO_BODY.T @ rests.get(bone, np.eye(3))
            if parent >= 0:
                rotations[bone] = held[parent].transpose(0, 2, 1) @ own
            held[number] = own
        else:
            held[number] = held[parent]
    return rotations, held[0]


def _alignments(shape: BodyShape, thighs: float) -> dict[str, np.ndarray]:
    """Rotations of our limbs, at rest, to the T-pose; hands go with the forearm, feet stay."""
    found = {}
    out, down = np.sin(np.radians(thighs)), -np.cos(np.radians(thighs))
    for side in SIDES:
        limb = arm(shape, side)
        stretched = _frame(np.array([limb.sign, 0, 0]), np.array([0, 0, -limb.sign]))
        found[limb.upper] = stretched @ _frame(limb.upper_rest, limb.hinge).T
        found[limb.lower] = stretched @ _frame(limb.lower_rest, limb.hinge).T
        found[f"wrist.{side}"] = found[limb.lower]
        limb = leg(shape, side)
        standing = _frame(np.array([limb.sign * out, 0, down]), np.array([1.0, 0, 0]))
        found[limb.upper] = standing @ _frame(limb.upper_rest, limb.hinge).T
        found[limb.lower] = standing @ _frame(limb.lower_rest, limb.hinge).T
    return found


def _frame(along: np.ndarray, axis: np.ndarray) -> Float[np.ndarray, "3 3"]:
    """Right-handed axes: the first along a bone, the second near its hinge."""
    x = unit(along)
    y = unit(axis - (axis @ x) * x)
    return np.stack([x, y, np.cross(x, y)], axis=1)

"""Keep limbs out of the bed, the trunk and the head."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape, weight_of
from Datasets.synthetic.people.limbs import Limb, aim_limb
from Datasets.synthetic.people.signals import smooth

HAND_BONES = ("wrist", "finger3-1", "finger3-3", "lowerarm02")
HAND_RADIUS = 0.014


def above_bed(
    target: Float[np.ndarray, "frame 3"], clearance: float, times: Float[np.ndarray, "frame"]
) -> Float[np.ndarray, "frame 3"]:
    """Lift a path to ``clearance`` metres above the bed, without a corner where it lands."""
    lack = np.maximum(clearance - target[:, 2], 0)
    lift = np.maximum(smooth(lack, times, 0.06), lack)
    return target + np.stack([np.zeros_like(lift), np.zeros_like(lift), lift], axis=1)


def clear_of_trunk(
    shape: BodyShape,
    limb: Limb,
    wrist: Float[np.ndarray, "frame 3"],
    pole: Float[np.ndarray, "frame 3"],
    pose: Callable[[dict[str, np.ndarray]], tuple[np.ndarray, np.ndarray]],
    times: Float[np.ndarray, "frame"],
    rounds: int,
) -> Float[np.ndarray, "frame 3"]:
    """Shift the path of a wrist so that forearm and hand come out of trunk and head.

    ``pose`` is forward kinematics with further rotations of bones, ``rounds`` how often the arm is
    solved and its depth measured; for ``wrist`` and ``pole`` see ``aim_limb``.
    """
    rest = pose({})
    for _ in range(rounds):
        turn, place = pose(aim_limb(limb, wrist, pole, *rest))
        wrist = wrist + lift_from_trunk(shape, limb.side, turn, place, times)
    return wrist


def lift_from_trunk(
    shape: BodyShape,
    side: str,
    turn: Float[np.ndarray, "frame bone 3 3"],
    place: Float[np.ndarray, "frame bone 3"],
    times: Float[np.ndarray, "frame"],
) -> Float[np.ndarray, "frame 3"]:
    """Shift (world, metres) of a wrist that takes its forearm and hand out of trunk and head.

    Trunk and head are ellipsoids measured on the body at rest; the deepest point of the hand sets
    the shift.
    """
    shift = np.zeros((len(times), 3))
    trunk, centre, radii = _ellipsoid(shape, "spine03", ("root", "pelvis", "spine", "clavicle"))
    # A trunk is closer to a barrel than to an ellipsoid: longer and wider than what is measured.
    barrel = trunk, centre, radii * [1.12, 1.12, 1.35]
    for carrier, centre, radii in (barrel, _ellipsoid(shape, "head", ("head", "eye"))):
        frame = turn[:, carrier]
        origin = place[:, carrier] + frame @ (centre - shape.heads[carrier])
        for bone in HAND_BONES:
            point = place[:, bodies.rig().index(f"{bone}.{side}")]
            local = np.einsum("fji,fj->fi", frame, point - origin)
            push = np.einsum("fij,fj->fi", frame, push_out(local, radii + HAND_RADIUS))
            deeper = np.linalg.norm(push, axis=1) > np.linalg.norm(shift, axis=1)
            shift = np.where(deeper[:, None], push, shift)
    return smooth(shift, times, 0.05)


def push_out(
    points: Float[np.ndarray, "frame 3"], radii: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "frame 3"]:
    """Displacement of points in an ellipsoid to its surface, towards the front where it is deep.

    >>> push_out(np.array([[0.0, -0.5, 0.0], [2.0, 0.0, 0.0]]), np.ones(3)).round(3).tolist()
    [[0.0, -0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    scaled = points / radii + np.array([0.0, -0.15, 0.0])
    depth = np.linalg.norm(points / radii, axis=1)
    surface = scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-9) * radii
    return np.where((depth < 1)[:, None], surface - points, 0.0)


def _ellipsoid(shape: BodyShape, carrier: str, bones: tuple[str, ...]):
    """Carrying bone, centre and radii (metres, body frame) of the flesh around some bones."""
    own = weight_of(bones) > 0.6
    low, high = np.quantile(shape.vertices[own], [0.02, 0.98], axis=0)
    return bodies.rig().index(carrier), (low + high) / 2, (high - low) / 2

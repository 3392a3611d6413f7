"""Weak 3D poses of infants in photos: joints alone, taken as directions of our bones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.readers.base import load_npz
from Datasets.skeletons import LSP_14
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.between_poses import between_poses
from Datasets.synthetic.people.body import NECK, SIDES, SPINE, BodyShape
from Datasets.synthetic.people.joint_limits import Rotations, swing_to, unit
from Datasets.synthetic.people.limbs import aim_limb, arm, leg
from Datasets.synthetic.people.smpl_kinematics import FROM_ABOVE
from Engine.errors import DataError

POSES = 40
"""Poses that one infant moves between."""

LIMBS = tuple(
    (f"{upper}01.{side}", f"{lower}01.{side}")
    for upper, lower in (("upperarm", "lowerarm"), ("upperleg", "lowerleg"))
    for side in SIDES
)
TRUNK = ("root", *SPINE, *NECK)
AT_ANY_HEIGHT = 5.0
"""Metres over the bed of a body whose limbs are posed before it lies down."""


def read_weak_poses(path: Path) -> Float[np.ndarray, "pose 14 3"]:
    """Read npz with ``joints_m`` (pose, 14, 3): LSP's joints, x right, y down, z forward.

    Raises:
        DataError: the file is missing, damaged or of another layout.
    """
    advice = "give an npz of joints_m"
    joints = load_npz(path, "weak poses", ("joints_m",), advice)["joints_m"].astype(np.float64)
    if joints.ndim != 3 or joints.shape[1:] != (len(LSP_14), 3) or not len(joints):
        raise DataError(f"weak poses: {path} holds no poses of 14 joints; {advice}")
    if not np.isfinite(joints).all():
        raise DataError(f"weak poses: {path} holds a joint that is not finite; {advice}")
    return joints


def weak_movement(
    rng: np.random.Generator,
    shape: BodyShape,
    times: Float[np.ndarray, "frame"],
    joints_m: Float[np.ndarray, "pose 14 3"],
) -> tuple[Rotations, Float[np.ndarray, "frame 3 3"]]:
    """From one weak pose to the next similar one, every limb in its own time.

    Returns:
        Rotations of our bones, and of the root from body axes to world axes of a bed seen from
        above.
    """
    chosen = joints_m[rng.choice(len(joints_m), min(POSES, len(joints_m)), replace=False)]
    rotations = rotations_of(shape, chosen @ FROM_ABOVE.T)
    bones = (*TRUNK, *(bone for limb in LIMBS for bone in limb))
    vectors = np.stack([Rotation.from_matrix(rotations[b]).as_rotvec() for b in bones], axis=1)
    groups = tuple(tuple(map(bones.index, limb)) for limb in (TRUNK, *LIMBS))
    turns = between_poses(rng, times, vectors, groups)
    moving = {bone: turns[:, number] for number, bone in enumerate(bones)}
    return moving, moving.pop("root")


def rotations_of(shape: BodyShape, joints: Float[np.ndarray, "pose 14 3"]) -> Rotations:
    """Rotations of the bones, ``root`` among them, whose limbs point as between the joints."""
    place = {name: joints[:, number] for number, name in enumerate(LSP_14.joints)}
    hips = (place["left_hip"] + place["right_hip"]) / 2
    long_axis = place["neck"] - hips
    root = _axes(place["left_hip"] - place["right_hip"], long_axis)
    chest = _axes(place["left_shoulder"] - place["right_shoulder"], long_axis)
    twist = Rotation.from_matrix(root.transpose(0, 2, 1) @ chest).as_rotvec()
    spine = Rotation.from_rotvec(twist / len(SPINE)).as_matrix()
    head = np.einsum("fji,fj->fi", chest, unit(place["head_top"] - place["neck"]))
    nod = Rotation.from_matrix(swing_to(np.array([0.0, 0.0, 1.0]), head)).as_rotvec()
    rotations = dict.fromkeys(SPINE, spine)
    rotations |= dict.fromkeys(NECK, Rotation.from_rotvec(nod / len(NECK)).as_matrix())
    position = np.tile([0.0, 0.0, AT_ANY_HEIGHT], (len(joints), 1))
    turn, at = bodies.forward_kinematics(shape, rotations, root, position)
    for make, names in ((arm, ("shoulder", "elbow", "wrist")), (leg, ("hip", "knee", "ankle"))):
        for side, word in zip(SIDES, ("left", "right"), strict=True):
            limb = make(shape, side)
            first, middle, last = (place[f"{word}_{name}"] for name in names)
            upper, lower = (length * unit(b - a) for length, a, b in zip(
                limb.lengths, (first, middle), (middle, last), strict=True
            ))  # fmt: skip
            target = at[:, limb.base] + upper + lower
            pole = np.einsum("fji,fj->fi", turn[:, limb.frame], upper - lower)
            rotations |= aim_limb(limb, target, pole, turn, at)
    return rotations | {"root": root}


def _axes(left: np.ndarray, up: np.ndarray) -> Float[np.ndarray, "pose 3 3"]:
    """Body axes (left, back, head) from a direction to the left and the long axis of the trunk."""
    z = unit(up)
    x = unit(left - np.sum(left * z, axis=1, keepdims=True) * z)
    return np.stack([x, np.cross(z, x), z], axis=-1)

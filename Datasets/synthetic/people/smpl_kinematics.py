"""Poses that others fitted with SMPL (Loper et al., 2015), on our bodies.

A pose is a turn per joint about its parent, from the T-pose: x to the body's left, y to its head, z
to its front. SMPL itself is not needed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from Datasets.readers.base import load_npz
from Datasets.synthetic.people.between_poses import between_poses
from Datasets.synthetic.people.body import BodyShape
from Datasets.synthetic.people.joint_limits import Rotations
from Datasets.synthetic.people.other_skeletons import TO_BODY, on_our_bones, world_turns
from Engine.errors import DataError

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
JOINTS = {
    "root": 0, "upperleg01.L": 1, "upperleg01.R": 2, "spine04": 3, "lowerleg01.L": 4,
    "lowerleg01.R": 5, "spine03": 6, "foot.L": 7, "foot.R": 8, "spine02": 9, "neck01": 12,
    "clavicle.L": 13, "clavicle.R": 14, "head": 15, "upperarm01.L": 16, "upperarm01.R": 17,
    "lowerarm01.L": 18, "lowerarm01.R": 19, "wrist.L": 20, "wrist.R": 21,
}  # fmt: skip
"""Joint whose orientation a bone of ours takes."""

LIMBS = (
    (0, 3, 6, 9, 12, 15), (1, 4, 7, 10), (2, 5, 8, 11), (13, 16, 18, 20, 22), (14, 17, 19, 21, 23)
)  # fmt: skip
"""Joints that move together: trunk, legs, arms."""

FROM_ABOVE = np.diag([1.0, -1.0, -1.0])
"""Axes of a camera that looks straight down (x right, y down, z forward) to world axes."""


def read_smpl_poses(path: Path) -> Float[np.ndarray, "pose 24 3"]:
    """Read fits: npz with ``global_orient`` (pose, 3) and ``body_pose`` (pose, 69), axis-angle.

    ``global_orient`` goes to camera axes (x right, y down, z forward).

    Raises:
        DataError: the file is missing, damaged or of another layout.
    """
    advice = "give an npz of global_orient and body_pose"
    arrays = load_npz(path, "SMPL poses", ("global_orient", "body_pose"), advice)
    root, others = (arrays[name].astype(np.float64) for name in ("global_orient", "body_pose"))
    if root.shape[1:] != (3,) or others.shape != (len(root), 3 * len(PARENTS) - 3):
        raise DataError(f"SMPL poses: {path} holds no turns of 24 joints; {advice}")
    poses = np.concatenate([root, others], axis=1).reshape(len(root), len(PARENTS), 3)
    if not len(poses) or not np.isfinite(poses).all():
        raise DataError(f"SMPL poses: {path} holds no pose, or one that is not finite; correct it")
    return poses


def fitted_movement(
    rng: np.random.Generator,
    shape: BodyShape,
    times: Float[np.ndarray, "frame"],
    poses: Float[np.ndarray, "pose 24 3"],
) -> tuple[Rotations, Float[np.ndarray, "frame 3 3"]]:
    """From one fitted pose to the next similar one, every limb in its own time.

    Returns:
        Rotations of our bones, and of the root from body axes to world axes of a bed seen from
        above.
    """
    turns = between_poses(rng, times, poses, LIMBS)
    rotations, root = on_our_bones(shape, world_turns(PARENTS, turns), JOINTS)
    return rotations, FROM_ABOVE @ TO_BODY.T @ root

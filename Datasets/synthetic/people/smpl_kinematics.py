"""Poses that others fitted with SMPL (Loper et al., 2015), on our bodies.

A pose is a turn per joint about its parent, from the T-pose: x to the body's left, y to its head, z
to its front. SMPL itself is not needed: MINI-RGBD's joints are SMPL's 24 and a nose.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape
from Engine.errors import DataError
from Engine.reading import require_file

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
ARMS = {18: 1.0, 20: 1.0, 22: 1.0, 19: -1.0, 21: -1.0, 23: -1.0}
"""Joints whose bone lies along x in the T-pose, and which way: the left arm's to the left."""

HEAD = 15
TO_SMPL = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""From the body frame (x left, y back, z head)."""


def read_smpl_poses(path: Path) -> Float[np.ndarray, "pose 24 3"]:
    """Read fits: npz with ``global_orient`` (pose, 3) and ``body_pose`` (pose, 69), axis-angle.

    ``global_orient`` goes to camera axes (x right, y down, z forward).

    Raises:
        DataError: the file is missing, damaged or of another layout.
    """
    path = require_file(path, "SMPL poses")
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = [np.asarray(file[key], np.float64) for key in ("global_orient", "body_pose")]
        poses = np.concatenate(parts, axis=1).reshape(len(parts[0]), len(PARENTS), 3)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"SMPL poses: {path} is no npz of global_orient and body_pose ({reason}); give one"
        ) from None
    if not len(poses) or not np.isfinite(poses).all():
        raise DataError(f"SMPL poses: {path} holds no pose, or one that is not finite; correct it")
    return poses


def smpl_posed_joints(
    shape: BodyShape, poses: Float[np.ndarray, "pose 24 3"]
) -> Float[np.ndarray, "pose 25 3"]:
    """The ``infant`` joints of a body in SMPL's poses, metres, camera axes, from the pelvis."""
    still = np.tile(np.eye(3), (1, len(shape.heads), 1, 1))
    rest = bodies.mini_rgbd_joints(shape, still, shape.heads[None])[0, :-1] @ TO_SMPL.T
    face = (shape.face_points - shape.heads[bodies.rig().index("head")]) @ TO_SMPL.T
    turn = np.empty((len(poses), len(PARENTS), 3, 3))
    place = np.zeros((len(poses), len(PARENTS), 3))
    for joint, parent in enumerate(PARENTS):
        turn[:, joint] = Rotation.from_rotvec(poses[:, joint]).as_matrix()
        if parent >= 0:
            bone = rest[joint] - rest[parent]
            if joint in ARMS:
                bone = np.linalg.norm(bone) * np.array([ARMS[joint], 0.0, 0.0])
            place[:, joint] = place[:, parent] + turn[:, parent] @ bone
            turn[:, joint] = turn[:, parent] @ turn[:, joint]
    points = place[:, HEAD, None] + np.einsum("fij,pj->fpi", turn[:, HEAD], face)
    return bodies.named_joints(np.concatenate([place, points[:, :1]], axis=1), points)

"""What lifters make of 2D tracks of real infants, whose 3D nobody knows, and what must hold anyway.

The answer lies on its rays, bones are as long over the trunk as they ever look, bones keep their
lengths, hands rest on the mattress, and a picture that is turned shows the same infant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from Datasets.geometry.camera import project, root_position
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import INFANT
from PoseEstimation.inference.lifting import ClipLifting
from PoseEstimation.structures import Keypoints
from PoseEstimation.structures import Track as Observed
from report.experiments.movement import our_joint
from report.experiments.movement_statistics import JOINTS, SIDES, Track

SIZE = np.array([640, 480])
BONES = {
    "thigh": (("hip", "knee"), ("hip", "knee")),
    "shank": (("knee", "ankle"), ("knee", "foot")),
    "upper arm": (("shoulder", "elbow"), ("shoulder", "elbow")),
    "elbow to hand": (("elbow", "fingers"), ("elbow", "hand")),
}
"""Ends, as ours and as the tracks' joints."""

GIVEN = INFANT.indices([{"neck": "upper_neck"}.get(our_joint(j), our_joint(j)) for j in JOINTS])


def checked(lifting: ClipLifting, track: Track) -> dict[str, Any]:
    """Lift a track.

    Returns:
        ``reprojection_px``: mean distance of the given joints from the answer's projection;
        ``bones``: of each of ``BONES`` the predicted length over the trunk and the apparent one,
        99th percentiles; ``bone_change``: largest minus least length of a bone, percent of its
        mean, the worst; ``hands_mm``: 5th percentile of the height of the fingers above the plane
        of the trunk, towards the camera; ``turned_mm``: largest difference of a joint when the
        picture is turned by 180 degrees.
    """
    keypoints_px = np.full((len(track.keypoints_px), len(INFANT), 2), np.nan)
    keypoints_px[:, GIVEN] = track.keypoints_px
    joints = _lifted(lifting, keypoints_px, INTRINSICS, track.fps)
    turned = INTRINSICS.copy()
    turned[:2, 2] = SIZE - 1 - turned[:2, 2]
    other = _lifted(lifting, SIZE - 1 - keypoints_px, turned, track.fps)
    return {
        "reprojection_px": _reprojection(joints, keypoints_px),
        "bones": {name: _over_trunk(joints, track, *ends) for name, ends in BONES.items()},
        "bone_change": _change(joints),
        "hands_mm": float(np.percentile(_heights(joints), 5)),
        "turned_mm": float(np.linalg.norm(other * [-1, -1, 1] - joints, axis=-1).max()),
    }


def _lifted(
    lifting: ClipLifting, keypoints_px: np.ndarray, intrinsics: np.ndarray, fps: float
) -> Float[np.ndarray, "frame joint 3"]:
    times_s = np.arange(len(keypoints_px)) / fps
    cameras = np.broadcast_to(intrinsics, (len(keypoints_px), 3, 3))
    return lifting(Observed(Keypoints.exact(keypoints_px), cameras, times_s))[0]


def _reprojection(joints: np.ndarray, keypoints_px: np.ndarray) -> float:
    roots = [root_position(*pair, INTRINSICS) for pair in zip(keypoints_px, joints, strict=True)]
    seen = project(joints + np.stack(roots)[:, None], INTRINSICS)
    return float(np.nanmean(np.linalg.norm(seen - keypoints_px, axis=-1)))


def _over_trunk(
    joints: np.ndarray, track: Track, ours: tuple[str, str], theirs: tuple[str, str]
) -> list[float]:
    """Predicted and apparent length of a bone over the trunk."""
    near, far = (np.stack([_joint(joints, side + end) for side in SIDES]) for end in ours)
    trunk = np.linalg.norm(_joint(joints, "upper_neck") - _hips(joints), axis=-1)
    apparent = np.percentile(track.bone(*theirs)[0], 99)
    apparent_trunk = np.percentile(track.between("neck", "hips"), 99)
    predicted = np.percentile(np.linalg.norm(far - near, axis=-1), 99) / np.median(trunk)
    return [float(predicted), float(apparent / apparent_trunk)]


def _change(joints: np.ndarray) -> float:
    first, second = np.array(INFANT.bone_indices).T
    lengths = np.linalg.norm(joints[:, second] - joints[:, first], axis=-1)
    return float(100 * (np.ptp(lengths, axis=0) / lengths.mean(axis=0)).max())


def _heights(joints: np.ndarray) -> Float[np.ndarray, "side frame"]:
    """Of the fingers above the trunk's plane, which its axis and the shoulders span."""
    hips, neck = _hips(joints), _joint(joints, "upper_neck")
    shoulders = _joint(joints, "left_shoulder") - _joint(joints, "right_shoulder")
    normal = np.cross(shoulders, neck - hips)
    normal *= np.where(normal[:, 2:] > 0, -1.0, 1.0)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    middle = (neck + hips) / 2
    return np.stack([((_joint(joints, s + "fingers") - middle) * normal).sum(-1) for s in SIDES])


def _hips(joints: np.ndarray) -> np.ndarray:
    return (_joint(joints, "left_hip") + _joint(joints, "right_hip")) / 2


def _joint(joints: np.ndarray, name: str) -> Float[np.ndarray, "frame 3"]:
    return joints[:, INFANT.index(name)]

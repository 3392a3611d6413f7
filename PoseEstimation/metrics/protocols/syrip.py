"""SyRIP: real photos of infants (Huang et al., 2021): OKS, PCKh, and 3D against weak truth.

The 3D labels of SyRIP are a network's output that people corrected: *weak* truth. What is measured
against it says whether limbs point where people think they do, not how many millimetres are right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from Datasets.geometry.alignment import procrustes
from Datasets.skeletons import COCO_17, Skeleton
from PoseEstimation.metrics.errors import (
    aligned_errors,
    distances,
    in_lengths,
    mean_error,
    scaled_errors,
)
from PoseEstimation.metrics.protocols.scores import Scores, defined, joint_table, require_shape

SIDES = ("right", "left")
LIMB_JOINTS = tuple(
    f"{side}_{joint}"
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in SIDES
)
"""The 12 joints that COCO and LSP share."""

_PARTS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
LIMBS = tuple((f"{side}_{start}", f"{side}_{end}") for start, end in _PARTS for side in SIDES)
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
THRESHOLDS = {"pckh_05": 0.5, "pckh_01": 0.1}

_RULE_2D = (
    "hit: error <= threshold x head; head: the largest distance of two labelled points of the face "
    "(nose, eyes, ears), since COCO labels no top of the head"
)
_RULE_3D = (
    "weak truth (corrected network output); 12 limb joints, the hips among them; scale_mpjpe_mm "
    "about the middle of the hips; limb_degrees between limbs as they point before the camera, "
    "nothing aligned"
)


@dataclass(frozen=True)
class SyripProtocol:
    """PCKh of COCO's 17 joints, and 3D measures of the 12 limb joints against weak truth.

    Average precision by OKS is ``CocoProtocol``'s.

    Attributes:
        skeleton: convention of the 2D joint axis.
    """

    skeleton: Skeleton = COCO_17

    def score_2d(
        self,
        predicted_px: Float[np.ndarray, "person joint 2"],
        target_px: Float[np.ndarray, "person joint 2"],
    ) -> Scores:
        """Compute ``pckh_05`` and ``pckh_01``.

        Args:
            predicted_px: image pixels; NaN where not predicted.
            target_px: the same; NaN where unlabelled.

        Raises:
            ValueError: shapes differ from (person, 17, 2).
        """
        shape = (None, len(self.skeleton), 2)
        target = require_shape("target_px", target_px, shape)
        predicted = require_shape("predicted_px", predicted_px, (len(target), *shape[1:]))
        errors = in_lengths(distances(predicted, target), self.head_sizes(target))
        per_joint = joint_table(self.skeleton, errors, THRESHOLDS)
        pooled = {key: _share(errors <= limit, errors) for key, limit in THRESHOLDS.items()}
        return Scores(defined(pooled), {"clean": per_joint}, {"rule": _RULE_2D})

    def head_sizes(
        self, target_px: Float[np.ndarray, "person joint 2"]
    ) -> Float[np.ndarray, "person"]:
        """Largest distance of two labelled points of the face; NaN with fewer than two."""
        face = target_px[:, self.skeleton.indices(FACE)]
        between = np.linalg.norm(face[:, :, None] - face[:, None], axis=-1)
        largest = np.nanmax(np.where(np.isnan(between), 0.0, between), axis=(1, 2))
        return np.where(largest > 0, largest, np.nan)

    def score_3d(
        self,
        predicted_mm: Float[np.ndarray, "person 12 3"],
        weak_mm: Float[np.ndarray, "person 12 3"],
    ) -> Scores:
        """Compute ``pa_mpjpe_mm``, ``scale_mpjpe_mm``, ``limb_degrees``, and yardsticks.

        ``groups["yardstick"]`` has what is reached without the image: the mean pose of all weak
        truths for every person, and each one's true x and y at depth 0.

        Args:
            predicted_mm: ``LIMB_JOINTS``, camera axes, any origin.
            weak_mm: the same, of the weak truth.

        Raises:
            ValueError: shapes differ from (person, 12, 3).
        """
        weak = require_shape("weak_mm", weak_mm, (None, len(LIMB_JOINTS), 3))
        predicted = require_shape("predicted_mm", predicted_mm, weak.shape)
        flat = weak * np.array([1.0, 1.0, 0.0])
        constant = np.broadcast_to(mean_pose(weak), weak.shape)
        return Scores(
            _spatial(predicted, weak),
            {"clean": {}},
            {"people_3d": len(weak), "rule_3d": _RULE_3D},
            groups={
                "yardstick": {
                    "mean pose": {"pa_mpjpe_mm": _aligned(constant, weak)},
                    "true x and y, depth 0": {"pa_mpjpe_mm": _aligned(flat, weak)},
                }
            },
        )


def mean_pose(poses_mm: Float[np.ndarray, "person joint 3"]) -> Float[np.ndarray, "joint 3"]:
    """Mean of poses that are fitted to one another (generalised Procrustes, of their mean size)."""
    size = np.mean([np.linalg.norm(pose - pose.mean(0)) for pose in poses_mm])
    mean = poses_mm[0]
    for _ in range(10):
        mean = np.mean([procrustes(pose, mean) for pose in poses_mm], axis=0)
        mean = (mean - mean.mean(0)) * (size / np.linalg.norm(mean - mean.mean(0)))
    return mean


def limb_angles(
    predicted_mm: Float[np.ndarray, "person 12 3"], target_mm: Float[np.ndarray, "person 12 3"]
) -> Float[np.ndarray, "person limb"]:
    """Angle in degrees between predicted and true direction of each of ``LIMBS``."""
    first, second = (np.array([LIMB_JOINTS.index(limb[end]) for limb in LIMBS]) for end in (0, 1))
    units = []
    for pose in (predicted_mm, target_mm):
        along = pose[:, second] - pose[:, first]
        units.append(along / np.linalg.norm(along, axis=-1, keepdims=True).clip(1e-9))
    return np.degrees(np.arccos(np.clip((units[0] * units[1]).sum(-1), -1, 1)))


def _spatial(predicted: np.ndarray, weak: np.ndarray) -> dict[str, float]:
    hips = [LIMB_JOINTS.index(f"{side}_hip") for side in SIDES]
    about = [pose - pose[:, hips].mean(1, keepdims=True) for pose in (predicted, weak)]
    return defined(
        {
            "pa_mpjpe_mm": _aligned(predicted, weak),
            "scale_mpjpe_mm": mean_error(scaled_errors(*about)),
            "limb_degrees": mean_error(limb_angles(predicted, weak)),
        }
    )


def _aligned(predicted: np.ndarray, weak: np.ndarray) -> float:
    return mean_error(aligned_errors(predicted, weak))


def _share(hits: np.ndarray, errors: np.ndarray) -> float:
    """Hits among the counted, percent."""
    counted = ~np.isnan(errors)
    return 100 * float(hits[counted].mean()) if counted.any() else float("nan")

"""MPI-INF-3DHP: 3DPCK, AUC and MPJPE of its test set (Mehta et al., 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from Datasets.geometry.alignment import root_relative
from Datasets.skeletons import MPI_INF_17, Skeleton
from PoseEstimation.metrics.errors import (
    aligned_errors,
    distances,
    hit_curve,
    joint_errors,
    mean_error,
)
from PoseEstimation.metrics.protocols.scores import Scores, defined, require_shape

GROUPS = {
    "head": ("head_top",),
    "neck": ("neck",),
    **{
        part: (f"right_{part}", f"left_{part}")
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    },
}
"""The 14 joints of PCK and AUC in the groups of the published tables."""

SCENES = {
    "green_screen": ("TS1", "TS2"),
    "no_green_screen": ("TS3", "TS4"),
    "outdoor": ("TS5", "TS6"),
}
"""Test sequences of each scene."""

PCK_MM = 150.0
AUC_THRESHOLDS_MM = np.arange(0, 151, 5)
"""0, 5, ..., 150: 31 values."""

_RULE = (
    "frames given by the caller (official: the valid ones), relative to the pelvis; pck_150 and "
    "auc: 14 joints in 8 groups, hit: error < threshold, auc over 31 thresholds 0, 5, ..., 150 mm; "
    "mpjpe: 17 joints, the pelvis included; totals pool joints and frames; keys with annot3: "
    "against annot3, all others against univ_annot3"
)


@dataclass(frozen=True)
class MpiInf3dhpPoses:
    """Predictions beside the truth: one row per frame that counts, MPI-INF-17 joints.

    Attributes:
        sequences: (frame,) ``TS1`` ... ``TS6``; others belong to no scene.
        predicted_mm: camera axes, absolute or root-relative; NaN where not predicted.
        universal_mm: ``univ_annot3``, which the benchmark scores, or None.
        joints_mm: ``annot3``, true to the camera, or None.
        activities: (frame,) names, empty where there is none; or None.
    """

    sequences: np.ndarray
    predicted_mm: Float[np.ndarray, "frame joint 3"]
    universal_mm: Float[np.ndarray, "frame joint 3"] | None = None
    joints_mm: Float[np.ndarray, "frame joint 3"] | None = None
    activities: np.ndarray | None = None


@dataclass(frozen=True)
class _Distances:
    """Distances (frame, joint) to one annotation: rates, averages, averages after alignment."""

    rated: np.ndarray
    averaged: np.ndarray
    aligned: np.ndarray
    suffix: str


@dataclass(frozen=True)
class MpiInf3dhpProtocol:
    """3DPCK@150 mm, AUC, MPJPE and PA-MPJPE on MPI-INF-3DHP.

    Both poses are taken relative to their own pelvis, without alignment. PCK is the share of
    distances *below* 150 mm, AUC the mean of that share over the 31 thresholds 0, 5, ..., 150 mm:
    nothing is below 0, so that a perfect prediction has 96.8. Both use 14 joints, without pelvis,
    spine and head; a joint without prediction is a miss. MPJPE and PA-MPJPE average all 17 joints,
    the pelvis (error 0) included; there a joint without prediction is put at the pelvis, and a
    pose without pelvis is put there whole. A frame whose true pelvis is unlabelled is not counted.

    ``pck_150``, ``auc``, ``mpjpe_mm`` and ``pa_mpjpe_mm`` are against ``univ_annot3``, as the
    official scripts; ``pck_150_annot3``, ``auc_annot3``, ``mpjpe_annot3_mm`` and
    ``pa_mpjpe_annot3_mm`` against ``annot3``. ``groups`` holds the same per sequence, activity and
    scene, and PCK and AUC per part. Every total pools its frames and joints: for the complete test
    set that is the official joint-weighted total of the groups, and scenes weigh their sequences by
    valid frames; for a part of it the frames that are there weigh.

    Attributes:
        skeleton: convention of the joint axis.

    Source: the official MATLAB scripts (mpii_compute_3d_pck.m).
    """

    skeleton: Skeleton = MPI_INF_17

    def score(self, poses: MpiInf3dhpPoses) -> Scores:
        """Compute every measure of the protocol.

        Raises:
            ValueError: the arrays' shapes are not the protocol's, or there is no target.
        """
        spaces = self._distances(poses)
        everything = np.ones(len(poses.sequences), dtype=bool)
        return Scores(
            clean=defined(self._measures(spaces, everything)),
            per_joint={"clean": self._by_joint(spaces)},
            counts={
                "frames": len(poses.sequences),
                "joints": int((~np.isnan(spaces[0].rated[:, self._used])).sum()),
                "joints_mpjpe": int((~np.isnan(spaces[0].averaged)).sum()),
                "joints_without_prediction": int(np.isinf(spaces[0].rated).sum()),
                "rule": _RULE,
            },
            groups={"part": self._by_part(spaces), **self._by_frames(spaces, poses)},
        )

    @property
    def _used(self) -> list[int]:
        return [self.skeleton.index(joint) for joints in GROUPS.values() for joint in joints]

    def _distances(self, poses: MpiInf3dhpPoses) -> list[_Distances]:
        shape = (len(poses.sequences), len(self.skeleton), 3)
        root = self.skeleton.root_index
        predicted = root_relative(require_shape("predicted_mm", poses.predicted_mm, shape), root)
        found = np.isfinite(predicted).all(axis=-1, keepdims=True)
        at_root = np.where(found, predicted, 0.0)
        targets = {
            "": ("universal_mm", poses.universal_mm),
            "_annot3": ("joints_mm", poses.joints_mm),
        }
        spaces = []
        for suffix, (name, values) in targets.items():
            if values is not None:
                target = root_relative(require_shape(name, values, shape), root)
                rated, averaged = distances(predicted, target), joint_errors(at_root, target)
                spaces.append(_Distances(rated, averaged, aligned_errors(at_root, target), suffix))
        if not spaces:
            raise ValueError("neither universal_mm nor joints_mm is given: nothing to compare with")
        return spaces

    def _measures(self, spaces: list[_Distances], rows: np.ndarray) -> dict[str, float]:
        """Every measure over some of the frames."""
        values: dict[str, float] = {}
        for space in spaces:
            values |= _rates(space.rated[rows][:, self._used], space.suffix)
            values[f"mpjpe{space.suffix}_mm"] = mean_error(space.averaged[rows])
            values[f"pa_mpjpe{space.suffix}_mm"] = mean_error(space.aligned[rows])
        return values

    def _by_joint(self, spaces: list[_Distances]) -> dict[str, dict[str, float]]:
        """All 17 joints, those that no total of PCK uses too."""
        table: dict[str, dict[str, float]] = {}
        for i, joint in enumerate(self.skeleton.joints):
            values: dict[str, float] = {}
            for space in spaces:
                values |= _rates(space.rated[:, i : i + 1], space.suffix)
                values[f"mpjpe{space.suffix}_mm"] = mean_error(space.averaged[:, i])
            counted = int((~np.isnan(spaces[0].rated[:, i])).sum())
            table[joint] = {**defined(values), "counted": counted}
        return table

    def _by_part(self, spaces: list[_Distances]) -> dict[str, dict[str, float]]:
        columns = {part: self.skeleton.indices(joints) for part, joints in GROUPS.items()}
        return {
            part: defined(
                {k: v for s in spaces for k, v in _rates(s.rated[:, at], s.suffix).items()}
            )
            for part, at in columns.items()
        }

    def _by_frames(
        self, spaces: list[_Distances], poses: MpiInf3dhpPoses
    ) -> dict[str, dict[str, dict[str, float]]]:
        """Tables per sequence, activity and scene."""
        sequences = [str(name) for name in poses.sequences]
        activities = [""] * len(sequences)
        if poses.activities is not None:
            activities = [str(name) for name in poses.activities]
        if len(activities) != len(sequences):
            raise ValueError(f"{len(activities)} activities for {len(sequences)} frames")
        scenes = {sequence: scene for scene, both in SCENES.items() for sequence in both}
        return {
            "sequence": self._by_name(spaces, sequences),
            "activity": self._by_name(spaces, activities),
            "scene": self._by_name(spaces, [scenes.get(name, "") for name in sequences]),
        }

    def _by_name(self, spaces: list[_Distances], names: list[str]) -> dict[str, dict[str, float]]:
        """A row per name, with the frames that it stands on; frames named '' have none."""
        table = {}
        for name in dict.fromkeys(filter(None, names)):
            rows = np.array([own == name for own in names])
            table[name] = {**defined(self._measures(spaces, rows)), "frames": int(rows.sum())}
        return table


def _rates(errors: np.ndarray, suffix: str) -> dict[str, float]:
    return {
        f"pck_150{suffix}": hit_curve(errors, [PCK_MM], strict=True)[0],
        f"auc{suffix}": hit_curve(errors, AUC_THRESHOLDS_MM, strict=True).mean(),
    }

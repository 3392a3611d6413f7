"""How far the 3D of given 2D joints lies from them when it is projected back."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from Datasets.geometry.camera import project
from Datasets.skeletons import Skeleton
from PoseEstimation.quality import Quality
from PoseEstimation.result import FrameResult, InfantPose

_TRUNK = (
    (("upper_neck", "thorax"), ("left_shoulder", "right_shoulder")),
    (
        ("left_hip", "right_hip"),
        ("pelvis",),
    ),
)
"""Ends of the trunk; of each the first choice of which any joint is known."""


class ReprojectionQuality(Quality):
    """Counts over frames, and the reprojection residual of every track.

    Args:
        skeleton: of the joints; frames carry their intrinsics.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__()
        self._skeleton = skeleton
        self._residuals: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)

    def add(self, frame: FrameResult) -> None:
        """See ``Quality``."""
        super().add(frame)
        for infant in frame.infants:
            if infant.root_mm is not None and frame.intrinsics is not None:
                residual = residual_px(infant, frame.intrinsics)
                row = residual, trunk_px(infant, self._skeleton)
                self._residuals[frame.source, infant.track_id].append(row)

    def summary(self) -> dict[str, Any]:
        """See ``Quality``; also ``reprojection``, a row per track.

        A row: source, track_id, frames that are placed before the camera, mean residual in pixels
        and as a share of the median apparent trunk; None where no trunk is known.
        """
        rows = []
        for (source, track_id), values in self._residuals.items():
            residuals, trunks = np.array(values).T
            mean_px = float(residuals.mean())
            known = trunks[np.isfinite(trunks)]
            share = mean_px / float(np.median(known)) if len(known) else None
            where = {"source": source, "track_id": track_id, "frames": len(values)}
            rows.append({**where, "mean_px": mean_px, "share_of_trunk": share})
        return {**super().summary(), "reprojection": rows}


def residual_px(infant: InfantPose, intrinsics: np.ndarray) -> float:
    """Mean distance of the given joints of a placed infant from their projection, pixels."""
    seen = infant.keypoint_scores > 0
    projected = project(infant.joints_mm[seen] + infant.root_mm, intrinsics)
    distance = np.linalg.norm(projected - infant.keypoints_px[seen], axis=-1)
    return float(np.nanmean(distance))


def trunk_px(infant: InfantPose, skeleton: Skeleton) -> float:
    """Apparent length from neck or shoulders to hips or pelvis, pixels; NaN without one of them."""
    ends = []
    for choices in _TRUNK:
        points = (infant.keypoints_px[skeleton.indices(list(joints))] for joints in choices)
        known = [found[np.isfinite(found).all(-1)] for found in points]
        ends.append(next((some.mean(axis=0) for some in known if len(some)), np.full(2, np.nan)))
    return float(np.linalg.norm(ends[0] - ends[1]))

"""SLP, people in bed: PCKh with the head length of the keypoints (Liu et al., 2022)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from Datasets.skeletons import SLP_14, Skeleton
from Engine.errors import required
from PoseEstimation.metrics.errors import distances, hit_curve, in_lengths
from PoseEstimation.metrics.protocols.scores import Scores, pck_scores, require_shape

TICKS = np.linspace(0, 0.5, 11)
"""Thresholds in head lengths."""

_VISIBLE = 2
_RULE = (
    "labelled joints (keys ending in _visible: only those that are not occluded), each joint "
    "weighing as often as it was counted; hit: error <= threshold x distance of {0} and {1} in "
    "original pixels; auc: mean over 11 thresholds 0, 0.05, ..., 0.5; auc_trapezoid: area under "
    "the same curve over 0.5"
)


@dataclass(frozen=True)
class SlpProtocol:
    """PCKh@0.5 and AUC on SLP.

    ``e = |predicted - target| / |head top - thorax|`` of the truth, in pixels of the original
    image: measured in a squeezed crop or heatmap it is another number. A joint is a hit if
    ``e <= t``, for t in 0, 0.05, ..., 0.5. ``pckh_05`` is the last of the 11 rates, ``auc`` their
    mean, ``auc_trapezoid`` the area under them over 0.5; a perfect prediction has 100 in each.

    The released evaluator calls the joints that it counts "visible" and means those inside the
    image, occluded ones too: so do ``pckh_05`` and ``auc``. The keys ending in ``_visible`` leave
    the occluded joints out. The mean weighs joints by their counts.

    Attributes:
        skeleton: convention of the joint axis.

    Source: ostadabbas/SLP-Dataset-and-Code.
    """

    skeleton: Skeleton = SLP_14

    def score(
        self,
        predicted_px: Float[np.ndarray, "person joint 2"],
        target_px: Float[np.ndarray, "person joint 2"],
        visibility: UInt8[np.ndarray, "person joint"],
    ) -> Scores:
        """Compute every measure of the protocol.

        Args:
            predicted_px: pixels of the original image; NaN where not predicted.
            target_px: the same; NaN where unlabelled.
            visibility: 0 unlabelled, 1 occluded, 2 visible.

        Raises:
            ValueError: the arrays' shapes are not the protocol's.
        """
        joints = len(self.skeleton)
        target_px = require_shape("target_px", target_px, (None, joints, 2))
        visibility = require_shape("visibility", visibility, (len(target_px), joints))
        target_px = np.where((visibility > 0)[..., None], target_px, np.nan)
        first, second = required(self.skeleton.head_segment, f"{self.skeleton.name}: head_segment")
        ends = target_px[:, self.skeleton.indices([first, second])]
        lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        errors = in_lengths(distances(predicted_px, target_px), lengths)
        visible = np.where(visibility == _VISIBLE, errors, np.nan)
        counts = {
            "people_without_head_length": int((~(lengths > 0)).sum()),
            "joints_visible": int((~np.isnan(visible)).sum()),
            "rule": _RULE.format(first, second),
        }
        clean = {**_rates(errors, ""), **_rates(visible, "_visible")}
        return pck_scores(self.skeleton, errors, clean, {"pckh_05": TICKS[-1]}, counts)


def _rates(errors: np.ndarray, ending: str) -> dict[str, float]:
    curve = hit_curve(errors, TICKS)
    return {
        f"pckh_05{ending}": curve[-1],
        f"auc{ending}": curve.mean(),
        f"auc_trapezoid{ending}": np.trapezoid(curve, TICKS) / TICKS[-1],
    }

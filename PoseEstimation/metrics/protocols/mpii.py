"""MPII Human Pose: PCKh (Andriluka et al., 2014), as the model zoos evaluate it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from Datasets.skeletons import MPII_16, Skeleton
from PoseEstimation.metrics.errors import distances, hit_curve, in_lengths
from PoseEstimation.metrics.protocols.scores import Scores, pck_scores, require_shape

HEAD_FACTOR = 0.6
"""Head size over the diagonal of the head box."""

THRESHOLDS = {"pckh_05": 0.5, "pckh_01": 0.1}
"""In head sizes. A widespread evaluator reads its 0.1 from the wrong place of a table: 0.11."""

AUC_THRESHOLDS = np.arange(51) / 100
"""0, 0.01, ..., 0.5 head sizes."""

_RULE = (
    "labelled joints of people with a head box, without {left_out}, each joint weighing as often "
    "as it was counted; hit: error <= threshold x 0.6 x diagonal of the head box; "
    "auc: mean over 51 thresholds 0, 0.01, ..., 0.5"
)


@dataclass(frozen=True)
class MpiiProtocol:
    """PCKh@0.5, PCKh@0.1 and AUC on MPII.

    ``e = |predicted - target| / (0.6 |head box diagonal|)``, from the head *box*, never from the
    head keypoints, which would flatter by some ten points. A joint is a hit if ``e <= 0.5`` (or
    0.1). ``pckh_05``, ``pckh_01`` and ``auc`` pool the labelled joints but pelvis and thorax: the
    average of the joints' rates weighted by their counts. ``auc`` is the mean of that over 51
    thresholds 0, 0.01, ..., 0.5. ``groups["part"]`` averages left and right, as in the published
    tables (their "Head" is ``head_top``).

    Attributes:
        skeleton: convention of the joint axis.
        left_out: joints that have a rate of their own but no part in the mean.

    Source: the evaluators of HRNet and mmpose, which follow the official MATLAB code.
    """

    skeleton: Skeleton = MPII_16
    left_out: tuple[str, ...] = ("pelvis", "thorax")

    def score(
        self,
        predicted_px: Float[np.ndarray, "person joint 2"],
        target_px: Float[np.ndarray, "person joint 2"],
        head_boxes_xyxy: Float[np.ndarray, "person 4"],
    ) -> Scores:
        """Compute every measure of the protocol.

        Args:
            predicted_px: pixels of the original image; NaN where not predicted.
            target_px: the same; NaN where unlabelled. Occluded joints count.
            head_boxes_xyxy: NaN for a person without one, who is not counted.

        Raises:
            ValueError: the arrays' shapes are not the protocol's.
        """
        target_px = require_shape("target_px", target_px, (None, len(self.skeleton), 2))
        boxes = require_shape("head_boxes_xyxy", head_boxes_xyxy, (len(target_px), 4))
        sizes = HEAD_FACTOR * np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1)
        errors = in_lengths(distances(predicted_px, target_px), sizes)
        meant = errors.copy()
        meant[:, self.skeleton.indices(self.left_out)] = np.nan
        values = dict(zip(THRESHOLDS, hit_curve(meant, list(THRESHOLDS.values())), strict=True))
        values["auc"] = hit_curve(meant, AUC_THRESHOLDS).mean()
        counts = {
            "people_without_head_box": int((~(sizes > 0)).sum()),
            "rule": _RULE.format(left_out=" and ".join(self.left_out)),
        }
        return pck_scores(self.skeleton, errors, values, THRESHOLDS, counts, meant)

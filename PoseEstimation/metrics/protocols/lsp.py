"""Leeds Sports Pose: PCK@0.2 of the torso (Yang & Ramanan, 2013; Johnson & Everingham, 2010)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from Datasets.skeletons import LSP_14, Skeleton
from PoseEstimation.metrics.errors import distances, hit_curve, in_lengths
from PoseEstimation.metrics.protocols.scores import Scores, pck_scores, require_shape

THRESHOLDS = {"pck_02": 0.2}
"""In torso lengths."""

_RULE = (
    "labelled joints of people whose {0} and {1} are labelled, each joint weighing as often as it "
    "was counted; hit: error <= threshold x distance of {0} and {1}; left and right are the "
    "person's own"
)


@dataclass(frozen=True)
class LspProtocol:
    """PCK@0.2 of the torso length on LSP, person-centric.

    ``e = |predicted - target| / |left shoulder - right hip|`` of the truth; a joint is a hit if
    ``e <= 0.2``. ``pck_02`` pools all labelled joints. In LSP every joint is labelled, so that this
    is also the mean of the 14 joints' rates; LSP-extended leaves joints out. ``groups["part"]``
    averages left and right; ``head`` averages neck and head top, as the published tables do.

    Attributes:
        skeleton: convention of the joint axis.
        torso: the two joints whose distance is the length.

    Source: the public evaluator of person-centric LSP results (bearpaw/eval_pose, PDJ).
    """

    skeleton: Skeleton = LSP_14
    torso: tuple[str, str] = ("left_shoulder", "right_hip")

    def score(
        self,
        predicted_px: Float[np.ndarray, "person joint 2"],
        target_px: Float[np.ndarray, "person joint 2"],
    ) -> Scores:
        """Compute every measure of the protocol.

        Args:
            predicted_px: pixels of the original image; NaN where not predicted.
            target_px: the same; NaN where unlabelled.

        Raises:
            ValueError: the arrays' shapes are not the protocol's.
        """
        target_px = require_shape("target_px", target_px, (None, len(self.skeleton), 2))
        shoulder, hip = self.skeleton.indices(self.torso)
        lengths = np.linalg.norm(target_px[:, shoulder] - target_px[:, hip], axis=1)
        errors = in_lengths(distances(predicted_px, target_px), lengths)
        values = hit_curve(errors, list(THRESHOLDS.values()))
        counts = {
            "people_without_torso": int((~(lengths > 0)).sum()),
            "rule": _RULE.format(*self.torso),
        }
        clean = dict(zip(THRESHOLDS, values, strict=True))
        scores = pck_scores(self.skeleton, errors, clean, THRESHOLDS, counts)
        ends = [scores.per_joint["clean"][joint] for joint in ("neck", "head_top")]
        scores.groups["part"]["head"] = {
            key: sum(row[key] for row in ends) / 2
            for key in THRESHOLDS
            if all(key in row for row in ends)
        }
        return scores

"""Evaluate a predictor on MPII Human Pose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.structures import PoseSample
from PoseEstimation.evaluation.people import evaluate_people
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.metrics.protocols import MpiiProtocol, Scores


def evaluate_mpii(predictor: Predictor, root: Path | str, **options: Any) -> dict[str, Any]:
    """Run ``MpiiProtocol``; returns the contents of ``metrics.json``.

    Args:
        predictor: finder; a lifter is not needed.
        root: folder of the data set.
        options: ``split``, ``box_kind``, ``output``, ``command``; see ``evaluate_people``.
    """
    return evaluate_people("mpii", _score, predictor, root, **options)


def _score(predicted_px: np.ndarray, true_px: np.ndarray, people: Sequence[PoseSample]) -> Scores:
    unknown = np.full(4, np.nan)
    heads = [unknown if s.head_box_xyxy is None else s.head_box_xyxy for s in people]
    return MpiiProtocol().score(predicted_px, true_px, np.stack(heads))

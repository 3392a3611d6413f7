"""Evaluate a predictor on SLP, people in bed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.structures import PoseSample
from PoseEstimation.evaluation.people import evaluate_people
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.metrics.protocols import Scores, SlpProtocol


def evaluate_slp(predictor: Predictor, root: Path | str, **options: Any) -> dict[str, Any]:
    """Run ``SlpProtocol``; returns the contents of ``metrics.json``.

    Args:
        predictor: finder; a lifter is not needed.
        root: folder of the data set.
        options: ``split``, ``box_kind``, ``output``, ``command``; see ``evaluate_people``.
    """
    return evaluate_people("slp", _score, predictor, root, **options)


def _score(predicted_px: np.ndarray, true_px: np.ndarray, people: Sequence[PoseSample]) -> Scores:
    visibility = np.stack([sample.visibility for sample in people])
    visibility = np.where(np.isfinite(true_px).all(axis=-1), visibility, 0)
    return SlpProtocol().score(predicted_px, true_px, visibility)

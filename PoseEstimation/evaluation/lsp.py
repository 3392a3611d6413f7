"""Evaluate a predictor on Leeds Sports Pose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.structures import PoseSample
from PoseEstimation.evaluation.people import evaluate_people
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.metrics.protocols import LspProtocol, Scores


def evaluate_lsp(predictor: Predictor, root: Path | str, **options: Any) -> dict[str, Any]:
    """Run ``LspProtocol``; returns the contents of ``metrics.json``.

    Args:
        predictor: finder; a lifter is not needed.
        root: folder of the data set.
        options: ``split``, ``box_kind``, ``output``, ``command``; see ``evaluate_people``.
    """
    return evaluate_people("lsp", _score, predictor, root, **options)


def _score(predicted_px: np.ndarray, true_px: np.ndarray, people: Sequence[PoseSample]) -> Scores:
    return LspProtocol().score(predicted_px, true_px)

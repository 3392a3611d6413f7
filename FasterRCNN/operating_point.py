"""The operating point: the lowest score at which at most N % of images have a false positive."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.scenes import scenes_of
from Datasets.structures import Dataset
from Engine.errors import DataError
from Engine.weights import load_weights, save_weights
from FasterRCNN.candidates import MIN_SCORE
from FasterRCNN.detector import InfantDetector
from FasterRCNN.evaluate import false_positives
from FasterRCNN.images import EvaluationImages, evaluation_loader


def choose_operating_point(path: Path, output: Path, dataset: Dataset, percent: float) -> float:
    """Write a detector again with the operating point that a data set gives.

    Args:
        path: weights of a detector.
        output: the new file.
        dataset: people it was not trained on.
        percent: of the images that may have a false positive, see ``false_positive_rate``.

    Returns:
        That score, at least ``MIN_SCORE``.

    Raises:
        DataError: no images, or the weights are damaged.
    """
    detector = InfantDetector.from_weights(path, min_score=MIN_SCORE)
    images = EvaluationImages(scenes_of(dataset))
    if len(images) == 0:
        raise DataError("operating point: no images; give a data set with people")
    highest = [
        max(found.scores[false_positives(found, boxes)], default=0.0)
        for pictures, infants, _ in evaluation_loader(images)
        for found, boxes in zip(detector.detect(pictures), infants, strict=True)
    ]
    score = lowest_score(highest, percent)
    state, metadata = load_weights(path)
    save_weights(output, state, {**metadata, "min_score": score})
    return score


def lowest_score(highest: list[float], percent: float) -> float:
    """Lowest score, from ``MIN_SCORE``, that a false positive reaches in at most N % of images.

    Args:
        highest: score of each image's best false positive, 0 where there is none.
        percent: N.
    """
    allowed = min(int(len(highest) * percent / 100), len(highest) - 1)
    first_refused = np.sort(highest)[::-1][allowed]
    return float(max(MIN_SCORE, np.nextafter(first_refused, 1.0)))

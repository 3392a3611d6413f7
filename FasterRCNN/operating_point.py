"""How sure is sure enough: the score from which few infants are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.loaders import make_loader
from Datasets.scenes import scenes_of
from Datasets.structures import Dataset
from Engine.errors import DataError
from Engine.weights import load_weights, save_weights
from FasterRCNN.detector import MIN_SCORE, InfantDetector
from FasterRCNN.evaluate import mistaken_boxes
from FasterRCNN.images import EvaluationImages, collate_evaluation


def make_cautious(path: Path, output: Path, dataset: Dataset, percent: float) -> float:
    """Write a detector again that says how sure it has to be to be mistaken in few images.

    Args:
        path: weights of a detector.
        output: the new file.
        dataset: people whom it has not learnt from.
        percent: of the images in which it may take something for an infant, see ``mistaken_rate``.

    Returns:
        That score, ``MIN_SCORE`` where it makes few mistakes as it is.

    Raises:
        DataError: no images, or the weights are damaged.
    """
    detector = InfantDetector.from_weights(path, min_score=MIN_SCORE)
    images = EvaluationImages(scenes_of(dataset))
    if len(images) == 0:
        raise DataError("threshold: no images; give a data set with people")
    loader = make_loader(images, 8, 0, train=False, collate=collate_evaluation)
    found = [d for pictures, *_ in loader for d in detector.detect(pictures)]
    worst = [
        max(d.scores[mistaken_boxes(d, boxes)], default=0.0)
        for d, boxes in zip(found, images.infants, strict=True)
    ]
    enough = sure_score(worst, percent)
    state, metadata = load_weights(path)
    save_weights(output, state, {**metadata, "min_score": enough})
    return enough


def sure_score(worst: list[float], percent: float) -> float:
    """Lowest score, from ``MIN_SCORE``, which so many percent of the images' worst mistakes pass.

    Args:
        worst: score of each image's worst mistake, 0 where there is none.
        percent: see above.
    """
    allowed = min(int(len(worst) * percent / 100), len(worst) - 1)
    first_refused = np.sort(worst)[::-1][allowed]
    return float(max(MIN_SCORE, np.nextafter(first_refused, 1.0)))

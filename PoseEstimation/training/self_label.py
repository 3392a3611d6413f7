"""Self-training: people nobody has labelled get the joints on which a network agrees with itself.

Each person is looked at eight times, turned by quarters and mirrored. The label is the mean of the
eight answers, trusted where the network is sure and the answers lie close together.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageOps

from Datasets.catalogue import open_sources
from Datasets.geometry.affine import horizontal_flip, transform_points
from Datasets.geometry.boxes import box_from_points
from Datasets.geometry.turns import QUARTERS, quarter_turned, turn_matrix
from Datasets.outlines import boxes_of
from Datasets.readers.frames import load_sample_image
from Datasets.readers.self_labels import FILE, SelfLabels, person_keys
from Engine.devices import choose_device
from Engine.errors import DataError
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import KeypointFinder
from PoseEstimation.inference.weights import load_heatmap
from PoseEstimation.stage_settings import SelfLabelSettings

View = tuple[Image.Image, np.ndarray, bool]
"""An image, the matrix from the upright pixels to its own, and whether it is mirrored."""


def self_label(settings: SelfLabelSettings, output: Path) -> dict[str, int]:
    """Write ``output/labels.npz``.

    Returns:
        Number of ``people`` and of trusted ``joints``.

    Raises:
        DataError: data or weights are not given, missing or damaged.
    """
    if settings.unlabelled is None or settings.heatmap is None:
        raise DataError("self_label: unlabelled and heatmap must be given")
    predict = PredictSettings(flip_test=False, batch_size=8)
    finder = KeypointFinder(load_heatmap(settings.heatmap), choose_device("auto"), predict)
    dataset = open_sources([settings.unlabelled], finder.skeleton)[0]
    labels = [
        self_agreement(finder, load_sample_image(sample), box, settings)
        for sample, box in zip(dataset.samples, boxes_of(dataset), strict=True)
    ]
    points, trusted = (np.stack(values) for values in zip(*labels, strict=True))
    SelfLabels(finder.skeleton, person_keys(dataset), points, trusted).write(output / FILE)
    return {"people": len(dataset), "joints": int(trusted.sum())}


def self_agreement(
    finder: KeypointFinder,
    image: Image.Image,
    box: Float[np.ndarray, "4"],
    settings: SelfLabelSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Look at a person from all sides.

    Args:
        finder: the network.
        image: upright RGB.
        box: of the person, pixels.
        settings: when to trust.

    Returns:
        Joints (joint, 2) in pixels, and which are trusted.
    """
    views = _views(image)
    corners = box.reshape(2, 2)
    found = finder(
        [(seen, box_from_points(transform_points(matrix, corners))) for seen, matrix, _ in views]
    )
    points, scores = [], []
    for i, (_, matrix, mirrored) in enumerate(views):
        order = list(finder.skeleton.flip_indices) if mirrored else slice(None)
        upright = transform_points(np.linalg.inv(matrix), found.keypoints_px[i])
        points.append(upright[order])
        scores.append(found.scores[i][order])
    mean = np.mean(points, axis=0)
    spread = np.sqrt(np.mean(np.sum((np.array(points) - mean) ** 2, axis=-1), axis=0))
    side = float(max(box[2:] - box[:2]))
    sure = np.mean(scores, axis=0) >= settings.min_score
    return mean, sure & (spread <= settings.max_spread * side)


def _views(image: Image.Image) -> list[View]:
    """The image, its quarter turns and the mirror images of all."""
    views: list[View] = []
    for mirrored in (False, True):
        first = ImageOps.mirror(image) if mirrored else image
        matrix = horizontal_flip(image.width) if mirrored else np.eye(3)
        views.append((first, matrix, mirrored))
        for degrees in QUARTERS:
            turn = turn_matrix(degrees, image.size)
            views.append((quarter_turned(first, degrees), turn @ matrix, mirrored))
    return views

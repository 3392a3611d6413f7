"""Self-training: unlabelled people get the joints on which a network's predictions agree.

The network predicts each person in eight views: turned by quarters, and mirrored. A label is the
mean of the eight predictions; it is kept where they score high and lie close together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import ImageOps

from Datasets.catalogue import open_sources
from Datasets.geometry.affine import horizontal_flip, transform_points
from Datasets.geometry.boxes import quarter_turned_box
from Datasets.geometry.turns import QUARTERS, quarter_turned, turn_matrix
from Datasets.outlines import boxes_of
from Datasets.readers.self_labels import FILE, SelfLabels, person_keys
from Datasets.skeletons import Skeleton
from Datasets.structures import Frame, PoseSample
from Engine.errors import DataError
from PoseEstimation.evaluation.frames import labelled_frames, run_frames
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import TopDown
from PoseEstimation.inference.weights import load_keypoint_network
from PoseEstimation.result import FrameResult
from PoseEstimation.stage_settings import SelfLabelSettings

VIEWS = tuple((degrees, mirrored) for mirrored in (False, True) for degrees in (0, *QUARTERS))
"""Degrees of each view, and whether it is mirrored before it is turned."""


def self_label(settings: SelfLabelSettings, output: Path) -> dict[str, int]:
    """Write ``output/labels.npz``.

    Returns:
        Number of ``people`` and of labelled ``joints``.

    Raises:
        DataError: data or weights are not given, missing or damaged.
    """
    if settings.unlabelled is None or settings.heatmap is None:
        raise DataError("self_label: unlabelled and heatmap must be given")
    predict = PredictSettings(flip_test=False, turn_test=False, batch_size=len(VIEWS))
    finder = TopDown(None, load_keypoint_network(settings.heatmap, predict), predict)
    dataset = open_sources([settings.unlabelled], finder.skeleton)[0]
    boxes = boxes_of(dataset)
    predictor, count = Predictor(finder, settings=predict), len(VIEWS) * len(dataset)
    found = run_frames(predictor, view_frames(dataset.samples, boxes), "true", count)
    labels = [
        self_agreement(views, box, finder.skeleton, settings)
        for *views, box in zip(*[found] * len(VIEWS), boxes, strict=True)
    ]
    points, trusted = (np.stack(values) for values in zip(*labels, strict=True))
    SelfLabels(finder.skeleton, person_keys(dataset), points, trusted).write(output / FILE)
    return {"people": len(dataset), "joints": int(trusted.sum())}


def view_frames(samples: Sequence[PoseSample], boxes: Float[np.ndarray, "n 4"]) -> Iterator[Frame]:
    """All ``VIEWS`` of each sample in turn, with the sample's box in them."""
    for number, frame in enumerate(labelled_frames(samples, boxes, 1.0)):
        for degrees, mirrored in VIEWS:
            assert frame.image is not None and frame.boxes_xyxy is not None
            image = ImageOps.mirror(frame.image) if mirrored else frame.image
            image = quarter_turned(image, degrees) if degrees else image
            matrix = view_matrix(degrees, mirrored, frame.image.size)
            box = quarter_turned_box(matrix, frame.boxes_xyxy[0])
            source = f"{frame.source}, person {number}"
            view = replace(frame, source=source, image=image, boxes_xyxy=box[None], intrinsics=None)
            yield view


def view_matrix(degrees: int, mirrored: bool, size: tuple[int, int]) -> Float[np.ndarray, "3 3"]:
    """Pixels of an upright image of (width, height) to those of a view."""
    matrix = horizontal_flip(size[0]) if mirrored else np.eye(3)
    return turn_matrix(degrees, size) @ matrix if degrees else matrix


def self_agreement(
    views: Sequence[FrameResult],
    box: Float[np.ndarray, "4"],
    skeleton: Skeleton,
    settings: SelfLabelSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the predictions in all views of a person, and where they agree.

    Args:
        views: results in the order of ``VIEWS``.
        box: of the person in the upright image, pixels.
        skeleton: of the joints.
        settings: which joints are labelled.

    Returns:
        Joints (joint, 2) in pixels of the upright image, and which are labelled.
    """
    size, points, scores = views[0].size, [], []
    for (degrees, mirrored), result in zip(VIEWS, views, strict=True):
        order = list(skeleton.flip_indices) if mirrored else slice(None)
        back = np.linalg.inv(view_matrix(degrees, mirrored, size))
        points.append(transform_points(back, result.infants[0].keypoints_px)[order])
        scores.append(result.infants[0].keypoint_scores[order])
    mean = np.mean(points, axis=0)
    spread = np.sqrt(np.mean(np.sum((np.array(points) - mean) ** 2, axis=-1), axis=0))
    side = float(max(box[2:] - box[:2]))
    confident = np.mean(scores, axis=0) >= settings.min_score
    return mean, confident & (spread <= settings.max_spread * side)

"""Evaluate a predictor on COCO's people: average precision by OKS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from Datasets.catalogue import open_dataset
from Datasets.readers.coco import annotation_files
from Datasets.structures import Dataset
from Engine.reading import load_json
from PoseEstimation.evaluation.frames import run_frames
from PoseEstimation.evaluation.joints import predicted_joints
from PoseEstimation.evaluation.people import by_image, labelled_photos, photo_frames, written
from PoseEstimation.evaluation.photo_ap import keypoint_results
from PoseEstimation.inference.predictor import Boxes, Predictor
from PoseEstimation.metrics.protocols import CocoProtocol


def evaluate_coco(
    predictor: Predictor,
    root: Path | str,
    split: str = "validation",
    box_kind: Boxes = "true",
    output: Path | str | None = None,
    command: str = "",
) -> dict[str, Any]:
    """Run ``CocoProtocol``; write ``metrics.json`` and ``table.md``.

    Joints that the predictor's skeleton lacks do not count.

    Args:
        predictor: finder; a lifter is not needed.
        root: a folder in COCO's layout.
        split: see ``open_dataset``.
        box_kind: crops of the true boxes, or of what is detected in any of the images.
        output: folder to write to; None writes nothing.
        command: the command line, recorded.

    Returns:
        The contents of ``metrics.json``.

    Raises:
        DataError: the folder or a file in it cannot be used.
    """
    dataset = open_dataset("coco", root, split)
    photos = labelled_photos(dataset)
    if box_kind == "own":
        photos = by_image([*dataset.samples, *dataset.without_joints])
    frames = photo_frames(photos, boxes=box_kind == "true")
    found = run_frames(predictor, frames, box_kind, len(photos))
    results = keypoint_results(predictor.skeleton, found, [photo[0] for photo in photos])
    truth = _truth(dataset, split, predicted_joints(predictor.skeleton, dataset.skeleton))
    scores = CocoProtocol().score(truth, results)
    return written(predictor, dataset, scores, {"boxes": box_kind}, (split, command), output)


def _truth(dataset: Dataset, split: str, known: np.ndarray) -> dict[str, Any]:
    """The annotation files of a split, images that were left out by the reader among them."""
    contents = [load_json(path, "COCO") for path in annotation_files(dataset.root, split)]
    images = [image for content in contents for image in content["images"]]
    people = [person for content in contents for person in content["annotations"]]
    return {"images": images, "annotations": [_masked(person, known) for person in people]}


def _masked(person: dict[str, Any], known: np.ndarray) -> dict[str, Any]:
    """An annotation without the joints that are not predicted."""
    if known.all() or "keypoints" not in person:
        return person
    points = np.asarray(person["keypoints"], dtype=np.float64).reshape(-1, 3) * known[:, None]
    labelled = int((points[:, 2] > 0).sum())
    return {**person, "keypoints": points.ravel().tolist(), "num_keypoints": labelled}

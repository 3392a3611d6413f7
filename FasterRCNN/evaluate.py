"""Detector metrics: mean IoU as published, COCO's average precision, and false positives."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from jaxtyping import Bool, Float
from scipy.optimize import linear_sum_assignment

from Datasets.catalogue import open_dataset
from Datasets.geometry.boxes import iou
from Datasets.scenes import Scene, scenes_of
from Datasets.structures import Dataset
from Engine.files import write_json
from Engine.provenance import code_identity, file_sha256
from FasterRCNN.detector import Detections, InfantDetector
from FasterRCNN.images import EvaluationImages, evaluation_loader

FOUND_IOU = 0.5
"""Overlap from which a person counts as found."""

SCHEMA = "infantpose-metrics/1"
COUNTS = ("frames", "frames_without_infant")

Boxes = Sequence[Float[np.ndarray, "k 4"]]
"""Boxes per image, pixels."""


def evaluate_weights(
    weights: Path,
    dataset: str,
    root: Path,
    split: str = "all",
    output: Path | None = None,
    command: str = "",
) -> dict[str, Any]:
    """Evaluate a detector on a data set; write ``metrics.json``.

    Args:
        weights: a detector's file, or the folder that holds ``detector.safetensors``.
        dataset: name of the catalogue, such as ``coco``.
        root: folder of the data set.
        split: such as ``11-12`` or ``validation``.
        output: folder to write to, or None to write nothing.
        command: the command line, recorded.

    Returns:
        The contents of ``metrics.json``; the measures are those of ``evaluate_detector``.

    Raises:
        DataError: the weights or the data are missing or damaged.
    """
    file = weights / "detector.safetensors" if weights.is_dir() else weights
    detector = InfantDetector.from_weights(file)
    data = open_dataset(dataset, root, split)
    images = EvaluationImages(scenes_of(data))
    figures = _figures(detector, images)
    metrics = {
        "schema": SCHEMA,
        "protocol": "detector",
        "data": {
            "dataset": dataset,
            "split": split,
            "root_sha256": _digest(images),
            "real": not (data.root / "generator.json").exists(),
            "frames": figures["frames"],
        },
        "weights": {"sha256": {file.name: file_sha256(file)}},
        "command": command,
        **code_identity(),
        "clean": {k: v for k, v in figures.items() if k not in (*COUNTS, "sequences")},
        "sequences": figures["sequences"],
        "counts": {key: figures[key] for key in COUNTS},
    }
    if output is not None:
        write_json(output / "metrics.json", metrics, indent=2)
    return metrics


def evaluate_detector(detector: InfantDetector, dataset: Dataset) -> dict[str, Any]:
    """Compare detections with the people of a data set.

    Args:
        detector: with the rule that is used in practice; no other box counts unless said.
        dataset: people with masks, boxes or joints.

    Returns:
        Percentages, None where the data have nothing to count. Over the images with an infant:
        ``mean_iou`` of the best box with an infant (0 where none is found), also per sequence, and
        ``detected``. Over all infants: ``box_ap`` (IoU .5 to .95) and ``box_ap50`` of the boxes
        that are used, and ``box_ap50_ranked`` of all of them, whatever their score. Further
        ``false_alarm_rate``, ``mistaken_rate`` (``false_positive_rate``) and ``carer_recall``
        (``adult_recall``), the number of ``frames`` and of those without an infant, and the
        operating point, ``min_score``.
    """
    return _figures(detector, EvaluationImages(scenes_of(dataset)))


def _figures(detector: InfantDetector, images: EvaluationImages) -> dict[str, Any]:
    found, ranked = [], []
    for pictures, *_ in evaluation_loader(images):
        found += detector.detect(pictures)
        # a pass of its own: an infant's box of a low score may suppress an adult's
        ranked += detector.detect(pictures, 0.0)
    return {
        **_mean_iou(found, images.scenes, images.infants),
        **average_precision(found, images.infants),
        "box_ap50_ranked": average_precision(ranked, images.infants)["box_ap50"],
        "false_alarm_rate": false_alarm_rate(found, images.infants),
        "mistaken_rate": false_positive_rate(found, images.infants),
        "carer_recall": adult_recall(found, images.adults),
        "frames": len(images),
        "frames_without_infant": sum(len(boxes) == 0 for boxes in images.infants),
        "min_score": detector.min_score,
    }


def _digest(images: EvaluationImages) -> str:
    """SHA-256 of the images' names and of the boxes that detections are compared with."""
    total = hashlib.sha256()
    for scene, *boxes in zip(images.scenes, images.infants, images.adults, strict=True):
        total.update(f"{scene.image.image_path.name} {scene.image.video_frame}\n".encode())
        for of_class in boxes:
            total.update(of_class.tobytes())
    return total.hexdigest()


def top_iou(detections: Sequence[Detections], infants: Boxes) -> Float[np.ndarray, "n"]:
    """IoU of each image's best box with the infant that it fits; 0 where nothing was found."""
    best = [
        iou(d.boxes_xyxy[:1], boxes).max() if len(d) else 0.0
        for d, boxes in zip(detections, infants, strict=True)
    ]
    return np.array(best)


def agreement(
    found: Detections, infants: Float[np.ndarray, "k 4"], adults: Float[np.ndarray, "m 4"]
) -> float:
    """Mean IoU of detections and people of an image, 0 to 1.

    The IoU of detections with people of their class, summed over the best pairs, over the number of
    detections or of people, whichever is larger; 1 where both are none. With one infant and one box
    it is their IoU.
    """
    kinds = [(found.boxes_xyxy, infants)]
    if found.adults_xyxy is not None:
        kinds.append((found.adults_xyxy, adults))
    overlaps = [iou(ours, theirs) for ours, theirs in kinds]
    shared = sum(o[linear_sum_assignment(o, maximize=True)].sum() for o in overlaps)
    people = max(sum(len(side) for side in sides) for sides in zip(*kinds, strict=True))
    return float(shared / people) if people else 1.0


def false_alarm_rate(detections: Sequence[Detections], infants: Boxes) -> float | None:
    """Percent of the images without an infant in which one is found."""
    pairs = zip(detections, infants, strict=True)
    return _percent([len(d) > 0 for d, boxes in pairs if len(boxes) == 0])


def false_positive_rate(detections: Sequence[Detections], infants: Boxes) -> float | None:
    """Percent of all images with a false positive, see ``false_positives``."""
    pairs = zip(detections, infants, strict=True)
    return _percent([bool(false_positives(d, boxes).any()) for d, boxes in pairs])


def false_positives(found: Detections, infants: Float[np.ndarray, "k 4"]) -> Bool[np.ndarray, "n"]:
    """Which detected infants overlap no infant by ``FOUND_IOU``.

    An adult or a doll beside an infant counts, and so does a box that fits its infant worse.
    """
    return iou(found.boxes_xyxy, infants).max(axis=1, initial=0.0) < FOUND_IOU


def adult_recall(detections: Sequence[Detections], adults: Boxes) -> float | None:
    """Percent of the adults whom a box of an adult fits; None for a detector of infants only."""
    fits = [
        iou(boxes, d.adults_xyxy).max(axis=1, initial=0.0) >= FOUND_IOU
        for d, boxes in zip(detections, adults, strict=True)
        if d.adults_xyxy is not None
    ]
    return _percent(np.concatenate(fits)) if fits else None


def average_precision(detections: Sequence[Detections], infants: Boxes) -> dict[str, float | None]:
    """COCO ``box_ap`` and ``box_ap50`` of infants, percent; None without any infant."""
    boxes = [(i, box) for i, several in enumerate(infants) for box in np.reshape(several, (-1, 4))]
    if not boxes:
        return {"box_ap": None, "box_ap50": None}
    truth = {
        "images": [{"id": i} for i in range(len(infants))],
        "categories": [{"id": 1, "name": "infant"}],
        "annotations": [
            {**_box(i, box), "id": number, "iscrowd": 0} for number, (i, box) in enumerate(boxes, 1)
        ],
    }
    results = [
        {**_box(i, box), "score": float(score)}
        for i, d in enumerate(detections)
        for box, score in zip(d.boxes_xyxy, d.scores, strict=True)
    ]
    if not results:
        return {"box_ap": 0.0, "box_ap50": 0.0}
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(truth)
        evaluation = COCOeval_faster(reference, reference.loadRes(results), "bbox")
        evaluation.run()
    names = ("box_ap", "box_ap50")
    return {name: 100 * float(evaluation.stats[i]) for i, name in enumerate(names)}


def _mean_iou(
    detections: Sequence[Detections], scenes: Sequence[Scene], infants: Boxes
) -> dict[str, Any]:
    """``mean_iou``, overall and per sequence, and ``detected`` in the images with an infant."""
    with_infant = [i for i, boxes in enumerate(infants) if len(boxes)]
    found = [detections[i] for i in with_infant]
    overlaps = top_iou(found, [infants[i] for i in with_infant])
    names = np.array([scenes[i].image.sequence for i in with_infant])
    return {
        "mean_iou": _percent(overlaps),
        "detected": _percent([len(d) > 0 for d in found]),
        "sequences": {str(name): _percent(overlaps[names == name]) for name in np.unique(names)},
    }


def _percent(shares: Sequence[float] | np.ndarray) -> float | None:
    """Mean in percent, None of nothing."""
    return 100 * float(np.mean(shares)) if len(shares) else None


def _box(image: int, box: Float[np.ndarray, "4"]) -> dict[str, Any]:
    """A box as COCO writes it."""
    x1, y1, x2, y2 = (float(v) for v in box)
    width, height = x2 - x1, y2 - y1
    bbox = [x1, y1, width, height]
    return {"image_id": image, "category_id": 1, "bbox": bbox, "area": width * height}

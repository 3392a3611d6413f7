"""How well boxes fit: mean IoU as published, COCO's average precision, and who is mistaken."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from jaxtyping import Bool, Float
from scipy.optimize import linear_sum_assignment

from Datasets.geometry.boxes import iou
from Datasets.loaders import make_loader
from Datasets.scenes import Scene, scenes_of
from Datasets.structures import Dataset
from Engine.files import write_json
from FasterRCNN.detector import Detections, InfantDetector
from FasterRCNN.images import EvaluationImages, collate_evaluation

FOUND_IOU = 0.5
"""Overlap from which somebody counts as found."""

Boxes = Sequence[Float[np.ndarray, "k 4"]]
"""Boxes per image, pixels."""


def evaluate_detector(
    detector: InfantDetector,
    dataset: Dataset,
    output: Path | None = None,
    batch_size: int = 8,
    num_workers: int = 0,
    made_by: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Compare detections with the people of a data set.

    Args:
        detector: with the rule that is used in practice; no other box counts unless said.
        dataset: people with masks, boxes or joints.
        output: folder for ``metrics.json``, or None to write nothing.
        batch_size: images per pass.
        num_workers: processes that load images.
        made_by: weights, data and command, for the file.

    Returns:
        Percentages, None where the data have nothing to count. Over the images with an infant:
        ``mean_iou`` of the best box with an infant (0 where none is found), also per sequence, and
        ``detected``. Over all infants: ``box_ap`` (IoU .5 to .95) and ``box_ap50`` of the boxes
        that are used, and ``box_ap50_ranked`` of all of them, however unsure. Further
        ``false_alarm_rate``, ``mistaken_rate`` and ``carer_recall``, see there, the number of
        ``frames`` and of those without an infant, and the threshold.
    """
    scenes = scenes_of(dataset)
    images = EvaluationImages(scenes)
    loader = make_loader(images, batch_size, num_workers, train=False, collate=collate_evaluation)
    found, ranked = [], []
    for pictures, *_ in loader:
        found += detector.detect(pictures)
        # apart: an unsure infant hides the adult whom it is taken for
        ranked += detector.detect(pictures, 0.0)
    metrics = {
        **_mean_iou(found, scenes, images.infants),
        **average_precision(found, images.infants),
        "box_ap50_ranked": average_precision(ranked, images.infants)["box_ap50"],
        "false_alarm_rate": false_alarm_rate(found, images.infants),
        "mistaken_rate": mistaken_rate(found, images.infants),
        "carer_recall": carer_recall(found, images.adults),
        "frames": len(scenes),
        "frames_without_infant": sum(len(boxes) == 0 for boxes in images.infants),
        "min_score": detector.min_score,
    }
    if output is not None:
        record = {**metrics, "made_by": dict(made_by or {})}
        write_json(output / "metrics.json", record, indent=2)
    return metrics


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
    """How much of what is found in an image is there and the reverse, 0 to 1.

    The IoU of the found with the true people of their class, summed over the best pairs, over the
    number of people found or of people there, whichever is larger; 1 where nobody is found and
    nobody is. With one infant and one box it is their IoU.
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


def mistaken_rate(detections: Sequence[Detections], infants: Boxes) -> float | None:
    """Percent of all images in which something is taken for an infant that overlaps none of them.

    A carer or a doll beside an infant counts, and so does a box that fits its infant worse than
    ``FOUND_IOU``.
    """
    pairs = zip(detections, infants, strict=True)
    return _percent([bool(mistaken_boxes(d, boxes).any()) for d, boxes in pairs])


def mistaken_boxes(found: Detections, infants: Float[np.ndarray, "k 4"]) -> Bool[np.ndarray, "n"]:
    """Which of the boxes of infants that were found overlap none of them by ``FOUND_IOU``."""
    return iou(found.boxes_xyxy, infants).max(axis=1, initial=0.0) < FOUND_IOU


def carer_recall(detections: Sequence[Detections], adults: Boxes) -> float | None:
    """Percent of the adults whom a box of an adult fits; None if the detector knows no adults."""
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
        "annotations": [_annotation(n, i, box) for n, (i, box) in enumerate(boxes, 1)],
    }
    results = [
        {"image_id": i, "category_id": 1, "bbox": _xywh(box), "score": float(score)}
        for i, d in enumerate(detections)
        for box, score in zip(d.boxes_xyxy, d.scores, strict=True)
    ]
    if not results:
        return {"box_ap": 0.0, "box_ap50": 0.0}
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(truth)
        evaluation = COCOeval_faster(reference, reference.loadRes(results), "bbox")
        evaluation.run()
    return {
        "box_ap": 100 * float(evaluation.stats[0]),
        "box_ap50": 100 * float(evaluation.stats[1]),
    }


def _mean_iou(
    detections: Sequence[Detections], scenes: Sequence[Scene], infants: Boxes
) -> dict[str, Any]:
    """``mean_iou``, overall and per sequence, and ``detected`` in the images with an infant."""
    shown = [i for i, boxes in enumerate(infants) if len(boxes)]
    seen = [detections[i] for i in shown]
    overlaps = top_iou(seen, [infants[i] for i in shown])
    names = np.array([scenes[i].image.sequence for i in shown])
    return {
        "mean_iou": _percent(overlaps),
        "detected": _percent([len(d) > 0 for d in seen]),
        "sequences": {str(name): _percent(overlaps[names == name]) for name in np.unique(names)},
    }


def _percent(shares: Sequence[float] | np.ndarray) -> float | None:
    """Mean in percent, None of nothing."""
    return 100 * float(np.mean(shares)) if len(shares) else None


def _annotation(number: int, image: int, box: np.ndarray) -> dict[str, Any]:
    x, y, width, height = _xywh(box)
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": [x, y, width, height],
        "area": width * height,
        "iscrowd": 0,
    }


def _xywh(box: np.ndarray) -> list[float]:
    x1, y1, x2, y2 = (float(v) for v in box)
    return [x1, y1, x2 - x1, y2 - y1]

"""How well boxes fit: mean IoU as published, and COCO's average precision."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from jaxtyping import Float

from Datasets.loaders import make_loader
from Datasets.structures import Dataset
from FasterRCNN.detector import Detections, InfantDetector
from FasterRCNN.images import EvaluationImages, collate_pairs
from FasterRCNN.targets import boxes_of
from FasterRCNN.train import top_iou

ALL_SCORES = 0.05
"""Boxes above this score count for average precision, which weighs scores by itself."""


def evaluate_detector(
    detector: InfantDetector,
    dataset: Dataset,
    output: Path | None = None,
    batch_size: int = 8,
    num_workers: int = 0,
) -> dict[str, Any]:
    """Compare detections with the mask boxes of a data set.

    Args:
        detector: with the rule that is used in practice.
        dataset: samples with masks.
        output: folder for ``metrics.json``, or None to write nothing.
        batch_size: images per pass.
        num_workers: processes that load images.

    Returns:
        ``mean_iou`` (best box; 0 where none is found), ``box_ap`` (IoU .5 to .95), ``box_ap50`` and
        ``detected`` in percent, ``mean_iou`` per sequence, and the number of frames.
    """
    targets = boxes_of(dataset)
    images = EvaluationImages(dataset, targets)
    loader = make_loader(images, batch_size, num_workers, train=False, collate=collate_pairs)
    everything = InfantDetector(detector.network, detector.settings, ALL_SCORES, max_infants=100)
    chosen, found = [], []
    for pictures, _ in loader:
        batch = everything.detect(pictures)
        found.extend(batch)
        chosen.extend(_keep(d, detector.min_score, detector.max_infants) for d in batch)
    overlaps = top_iou(chosen, targets)
    names = np.array([sample.sequence for sample in dataset.samples])
    metrics = {
        "mean_iou": 100 * float(overlaps.mean()),
        "detected": 100 * float(np.mean([len(d) > 0 for d in chosen])),
        **average_precision(found, targets),
        "sequences": {
            str(name): 100 * float(overlaps[names == name].mean()) for name in np.unique(names)
        },
        "frames": len(dataset),
    }
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    return metrics


def average_precision(
    detections: Sequence[Detections], targets: Float[np.ndarray, "n 4"]
) -> dict[str, float]:
    """COCO ``box_ap`` and ``box_ap50`` of one target per frame, percent."""
    category = {"id": 1, "name": "infant"}
    truth = {
        "images": [{"id": i} for i in range(len(targets))],
        "categories": [category],
        "annotations": [_annotation(i, box) for i, box in enumerate(targets)],
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


def _keep(detections: Detections, min_score: float, max_infants: int) -> Detections:
    kept = np.flatnonzero(detections.scores >= min_score)[:max_infants]
    return Detections(detections.boxes_xyxy[kept], detections.scores[kept])


def _annotation(image: int, box: np.ndarray) -> dict[str, Any]:
    x, y, width, height = _xywh(box)
    return {
        "id": image + 1,
        "image_id": image,
        "category_id": 1,
        "bbox": [x, y, width, height],
        "area": width * height,
        "iscrowd": 0,
    }


def _xywh(box: np.ndarray) -> list[float]:
    x1, y1, x2, y2 = (float(v) for v in box)
    return [x1, y1, x2 - x1, y2 - y1]

"""Scores of infant boxes: mean IoU as published, AP as COCO defines it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from Datasets.geometry.boxes import area, iou

if TYPE_CHECKING:
    from FasterRCNN.detector import Detections


def box_scores(
    detections: Sequence[Detections], targets: Float[np.ndarray, "frame 4"]
) -> dict[str, float]:
    """Score the boxes of images that each show one infant; everything in percent.

    Args:
        detections: per image, best first, pixels.
        targets: (x1, y1, x2, y2) of the infant, pixels.

    Returns:
        ``mean_iou`` of the best box (0 for an image without one), ``box_ap50`` and ``box_ap``
        (IoU 0.50 to 0.95).
    """
    best = [
        iou(d.boxes_xyxy[:1], t[None])[0, 0] if len(d.boxes_xyxy) else 0.0
        for d, t in zip(detections, targets, strict=True)
    ]
    ap, ap50 = _average_precision(detections, targets)
    return {"mean_iou": 100 * float(np.mean(best)), "box_ap50": 100 * ap50, "box_ap": 100 * ap}


def _average_precision(
    detections: Sequence[Detections], targets: Float[np.ndarray, "frame 4"]
) -> tuple[float, float]:
    """Return AP and AP50 in 0..1."""
    from faster_coco_eval import COCO, COCOeval_faster

    truth = [
        {
            "id": i,
            "image_id": i,
            "category_id": 1,
            "bbox": _xywh(t),
            "area": float(area(t)),
            "iscrowd": 0,
        }
        for i, t in enumerate(targets, start=1)
    ]
    found = [
        {"image_id": i, "category_id": 1, "bbox": _xywh(box), "score": float(score)}
        for i, d in enumerate(detections, start=1)
        for box, score in zip(d.boxes_xyxy, d.scores, strict=True)
    ]
    images = [{"id": i} for i in range(1, len(targets) + 1)]
    categories = [{"id": 1, "name": "infant"}]
    coco = COCO({"images": images, "annotations": truth, "categories": categories})
    evaluation = COCOeval_faster(coco, coco.loadRes(found), "bbox", print_function=lambda *_: None)
    evaluation.run()
    return float(evaluation.stats[0]), float(evaluation.stats[1])


def _xywh(box: np.ndarray) -> list[float]:
    x1, y1, x2, y2 = (float(v) for v in box)
    return [x1, y1, x2 - x1, y2 - y1]

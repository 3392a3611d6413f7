"""Box scores against hand-made cases."""

import numpy as np
import pytest

from PoseEstimation.evaluation.boxes import box_scores

TARGET = np.array([100.0, 100, 200, 200])


def test_mean_iou_is_of_the_best_box_and_zero_without_one(detections):
    half = TARGET + [0, 0, -50, 0]
    found = [
        detections(np.stack([half, TARGET]), np.array([0.9, 0.8])),
        detections(np.zeros((0, 4)), np.zeros(0)),
    ]
    scores = box_scores(found, np.stack([TARGET, TARGET]))
    assert scores["mean_iou"] == pytest.approx(25)


def test_precision_at_half_overlap_and_over_all_overlaps(detections):
    """IoU 0.8 passes the thresholds 0.50 to 0.80: seven of ten."""
    near = TARGET + [0, 0, -20, 0]
    scores = box_scores([detections(near[None], np.array([0.9]))], TARGET[None])
    assert scores["mean_iou"] == pytest.approx(80)
    assert scores["box_ap50"] == pytest.approx(100)
    assert scores["box_ap"] == pytest.approx(70)


def test_a_confident_false_box_costs_precision(detections):
    far = TARGET + 300
    boxes = np.stack([far, TARGET])
    first = box_scores([detections(boxes, np.array([0.9, 0.3]))], TARGET[None])
    last = box_scores([detections(boxes[::-1], np.array([0.9, 0.3]))], TARGET[None])
    assert first["box_ap50"] == pytest.approx(50)
    assert last["box_ap50"] == pytest.approx(100)


def test_nothing_detected_anywhere_scores_zero(detections):
    nothing = detections(np.zeros((0, 4)), np.zeros(0))
    scores = box_scores([nothing, nothing], np.stack([TARGET, TARGET]))
    assert scores == {"mean_iou": 0, "box_ap50": 0, "box_ap": 0}

"""The measures of boxes, on cases counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from FasterRCNN.detector import Detections
from FasterRCNN.evaluate import (
    adult_recall,
    agreement,
    average_precision,
    false_alarm_rate,
    false_positive_rate,
    top_iou,
)


def boxes(*rows):
    return Detections(np.array(rows, float).reshape(-1, 4), np.linspace(0.9, 0.8, len(rows)))


def test_mean_iou_counts_a_miss_as_zero():
    one = Detections(np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]]), np.array([0.9, 0.8]))
    none = Detections(np.zeros((0, 4)), np.zeros(0))
    targets = np.array([[0.0, 0, 10, 5], [50, 50, 60, 60]])
    np.testing.assert_allclose(top_iou([one, none], targets), [0.5, 0.0])
    # the best-scored box counts, not the best-fitting one; of several infants, the one it fits
    np.testing.assert_allclose(top_iou([one], targets[1:]), [0.0])
    np.testing.assert_allclose(top_iou([one], [targets[::-1]]), [0.5])


def test_average_precision_on_a_case_counted_by_hand():
    targets = np.array([[0.0, 0, 10, 10], [20, 20, 40, 40]])
    exact = [Detections(t[None], np.array([0.9])) for t in targets]
    assert average_precision(exact, targets) == pytest.approx({"box_ap": 100, "box_ap50": 100})
    # second box has IoU 0.5625 with its target: found at 0.50 and 0.55, not above
    loose = [exact[0], Detections(np.array([[20.0, 20, 35, 35]]), np.array([0.8]))]
    half = 100 * 51 / 101  # recall up to 0.5 on COCO's 101 points
    result = average_precision(loose, targets)
    assert result["box_ap50"] == pytest.approx(100)
    assert result["box_ap"] == pytest.approx((2 * 100 + 8 * half) / 10)
    empty = [Detections(np.zeros((0, 4)), np.zeros(0))] * 2
    assert average_precision(empty, targets) == {"box_ap": 0.0, "box_ap50": 0.0}
    twins = [targets, np.zeros((0, 4))]
    assert average_precision([boxes(*targets), boxes()], twins)["box_ap"] == pytest.approx(100)
    half = 100 * 51 / 101
    assert average_precision([boxes(targets[0]), boxes()], twins)["box_ap"] == pytest.approx(half)
    nobody = average_precision(exact, [np.zeros((0, 4))] * 2)
    assert nobody == {"box_ap": None, "box_ap50": None}


NONE = np.zeros((0, 4))
LEFT, RIGHT, WIDE = [0.0, 0, 10, 10], [20.0, 0, 30, 10], [20.0, 0, 40, 10]


def people(infants, adults):
    """Detections of boxes of both classes, all of one score."""
    infants, adults = (np.reshape(rows, (-1, 4)) for rows in (infants, adults))
    return Detections(infants, np.ones(len(infants)), adults, np.ones(len(adults)))


@pytest.mark.parametrize(
    ("infants", "adults", "expected"),
    [
        ([LEFT], [RIGHT], 1.0),
        ([LEFT], [WIDE], 0.75),
        ([LEFT], [], 0.5),
        ([], [LEFT, RIGHT], 0.5),
        ([RIGHT], [LEFT], 0.0),
        ([LEFT, RIGHT], [RIGHT, WIDE], 0.5),
        ([], [], 0.0),
    ],
    ids=["exact", "loose", "missed", "misplaced", "swapped", "false alarms", "blind"],
)
def test_agreement_with_an_infant_on_the_left_and_an_adult_on_the_right(infants, adults, expected):
    truth = np.array([LEFT]), np.array([RIGHT])
    assert agreement(people(infants, adults), *truth) == pytest.approx(expected)


def test_agreement_in_empty_images_and_of_a_detector_of_infants_only():
    assert agreement(people([], []), NONE, NONE) == 1.0
    assert agreement(people([], [LEFT]), NONE, NONE) == 0.0
    only_infants = Detections(np.array([LEFT]), np.ones(1))
    assert agreement(only_infants, np.array([LEFT]), np.array([RIGHT])) == 1.0


def test_false_alarms_are_counted_in_images_without_an_infant():
    infants = [np.array([LEFT]), NONE, NONE, NONE]
    found = [people([RIGHT, WIDE], []), people([LEFT], []), people([], [LEFT]), people([], [])]
    assert false_alarm_rate(found, infants) == pytest.approx(100 / 3)
    assert false_alarm_rate(found[:1], infants[:1]) is None


def test_adults_are_found_at_half_overlap():
    adults = [np.array([LEFT, RIGHT]), NONE, np.array([RIGHT])]
    found = [people([RIGHT], [LEFT]), people([], [LEFT]), people([], [WIDE])]
    assert adult_recall(found, adults) == pytest.approx(100 * 2 / 3)
    smaller = [20.0, 0, 40.1, 10]
    assert adult_recall([people([], [smaller])], adults[2:]) == 0.0
    assert adult_recall(found[1:2], adults[1:2]) is None
    assert adult_recall([Detections(NONE, np.zeros(0))] * 3, adults) is None


def test_a_false_positive_beside_an_infant_counts():
    infant, carer = [10.0, 10, 30, 30], [40.0, 0, 90, 90]
    truth = [np.array([infant]), np.array([infant]), np.zeros((0, 4)), np.zeros((0, 4))]
    found = [people([infant], []), people([infant, carer], []), people([carer], []), people([], [])]
    assert false_positive_rate(found, truth) == 50.0
    assert false_alarm_rate(found, truth) == 50.0
    assert false_positive_rate(found[:2], truth[:2]) == 50.0 and false_positive_rate([], []) is None

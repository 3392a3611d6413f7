"""Track numbers: twins keep theirs, gaps are bridged for a while, numbers are never given twice."""

from __future__ import annotations

import numpy as np

from PoseEstimation.inference.tracking import Tracker

LEFT, RIGHT = np.array([0.0, 0, 100, 200]), np.array([80.0, 0, 180, 200])


def test_twins_keep_their_numbers_whatever_their_order():
    tracker = Tracker()
    assert tracker.update(np.stack([LEFT, RIGHT]), 0.0) == [1, 2]
    for step in range(1, 20):
        move = np.array([step % 3, 0, step % 3, 0])
        boxes = np.stack([RIGHT + move, LEFT - move])
        assert tracker.update(boxes, step / 30) == [2, 1]


def test_assignment_is_best_as_a_whole_not_first_come():
    tracker = Tracker(min_iou=0.1)
    tracker.update(np.array([[0.0, 0, 10, 10], [6.0, 0, 16, 10]]), 0.0)
    # The first box overlaps track 2 most, yet only track 2 can take the second box.
    boxes = np.array([[4.0, 0, 14, 10], [11.5, 0, 21.5, 10]])
    assert tracker.update(boxes, 0.1) == [1, 2]


def test_short_gap_keeps_the_number_and_a_long_one_does_not():
    tracker = Tracker(max_gap_s=1.0)
    assert tracker.update(LEFT[None], 0.0) == [1]
    assert tracker.update(np.zeros((0, 4)), 0.5) == []
    assert tracker.update(LEFT[None] + 5, 0.9) == [1]
    assert tracker.update(LEFT[None], 2.5) == [2]


def test_one_twin_out_of_sight_does_not_pass_its_number_on():
    tracker = Tracker()
    apart = np.array([300.0, 0, 400, 200])
    tracker.update(np.stack([LEFT, apart]), 0.0)
    assert tracker.update(apart[None], 0.1) == [2]
    assert tracker.update(np.stack([apart, LEFT]), 0.2) == [2, 1]


def test_a_new_infant_elsewhere_gets_a_new_number():
    tracker = Tracker()
    tracker.update(LEFT[None], 0.0)
    assert tracker.update(LEFT[None] + 1000, 0.1) == [2]

"""The LSP protocol: its length, its threshold and whose left is left."""

import numpy as np
import pytest

from Datasets.skeletons import LSP_14
from PoseEstimation.metrics.protocols import LspProtocol

SHOULDER, HIP = LSP_14.indices(["left_shoulder", "right_hip"])


def person(number=1):
    """Targets whose left shoulder and right hip are 50 px apart."""
    target = np.random.default_rng(2).uniform(0, 200, (number, 14, 2))
    target[:, SHOULDER], target[:, HIP] = [100, 100], [130, 140]
    return target


def score(predicted, target):
    return LspProtocol().score(predicted, target)


def test_the_length_is_the_torsos_diagonal_and_on_the_threshold_is_a_hit():
    target = np.zeros((1, 14, 2))
    target[:, HIP] = [30, 40]
    for distance, expected in ((10.0, 100), (10.001, 0)):
        assert score(target + [distance, 0], target).clean == {"pck_02": expected}


def test_the_other_diagonal_does_not_count():
    target = person()
    target[:, LSP_14.indices(["right_shoulder", "left_hip"])] = [[0, 0], [1000, 1000]]
    assert score(target + [10.1, 0], target).clean["pck_02"] == 0


def test_left_and_right_are_the_persons_own():
    """The trap: a network trained on the observer's sides has every pair swapped."""
    target = person(5)
    swapped = target[:, list(LSP_14.flip_indices)]
    parts = score(swapped, target).groups["part"]
    assert parts["head"]["pck_02"] == 100
    assert parts["shoulder"]["pck_02"] < 50


def test_every_labelled_joint_counts_once_and_a_missing_prediction_is_a_miss():
    target = person(2)
    target[1, 0] = np.nan
    predicted = target.copy()
    predicted[0, :3] += 1000
    predicted[1, 1] = np.nan
    result = score(predicted, target)
    assert result.clean["pck_02"] == pytest.approx(100 * 23 / 27)
    assert result.counts["joints"] == 27
    assert result.counts["joints_without_prediction"] == 1
    assert result.per_joint["clean"]["right_ankle"] == {"pck_02": 0, "counted": 1}


def test_fully_labelled_the_rate_is_the_mean_of_fourteen():
    target = person(30)
    predicted = target + np.random.default_rng(0).normal(0, 8, target.shape)
    result = score(predicted, target)
    rates = [row["pck_02"] for row in result.per_joint["clean"].values()]
    assert 5 < np.std(rates) < 40
    assert result.clean["pck_02"] == pytest.approx(np.mean(rates))
    neck, top = (result.per_joint["clean"][j]["pck_02"] for j in ("neck", "head_top"))
    assert result.groups["part"]["head"]["pck_02"] == pytest.approx((neck + top) / 2)


@pytest.mark.parametrize("where", [np.nan, [100, 100]])
def test_a_person_without_torso_is_not_counted(where):
    target = person(2)
    target[1, HIP] = where
    predicted = target.copy()
    predicted[1] += 1000
    result = score(predicted, target)
    assert result.clean["pck_02"] == 100
    assert (result.counts["people_without_torso"], result.counts["joints"]) == (1, 14)


def test_turn_shift_and_zoom_of_both_change_nothing():
    target = person(20)
    predicted = target + np.random.default_rng(0).normal(0, 8, target.shape)
    turn = 2.5 * np.array([[0.6, -0.8], [0.8, 0.6]])
    moved = score(predicted @ turn.T - 30, target @ turn.T - 30)
    assert moved.clean == pytest.approx(score(predicted, target).clean)


def test_a_wrong_joint_count_is_refused():
    with pytest.raises(ValueError, match=r"not \(any, 14, 2\)"):
        score(np.zeros((1, 16, 2)), np.zeros((1, 16, 2)))

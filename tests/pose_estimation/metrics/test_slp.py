"""The SLP protocol: its head length, its eleven thresholds and its occluded joints."""

from itertools import pairwise

import numpy as np
import pytest

from Datasets.skeletons import SLP_14
from PoseEstimation.metrics.protocols import SlpProtocol

HEAD, THORAX = SLP_14.indices(["head_top", "thorax"])


def people(number=1):
    """Targets with a head of 20 px, all joints visible."""
    target = np.random.default_rng(6).uniform(0, 160, (number, 14, 2))
    target[:, THORAX], target[:, HEAD] = [60, 40], [60, 20]
    return target, np.full((number, 14), 2, dtype=np.uint8)


def score(predicted, target, visibility):
    return SlpProtocol().score(predicted, target, visibility)


def test_the_length_is_from_head_to_thorax_and_on_the_threshold_is_a_hit():
    target, visibility = np.zeros((1, 14, 2)), np.full((1, 14), 2, dtype=np.uint8)
    target[:, HEAD] = [12, 16]
    for distance, expected in ((10.0, 100), (10.001, 0)):
        clean = score(target + [distance, 0], target, visibility).clean
        assert clean["pckh_05"] == expected


def test_the_two_auc_have_the_same_ceiling_and_are_not_the_same():
    target, visibility = people()
    perfect = score(target, target, visibility).clean
    assert perfect["auc"] == perfect["auc_trapezoid"] == 100
    clean = score(target + [0, 0.22 * 20], target, visibility).clean
    assert clean["auc"] == pytest.approx(100 * 6 / 11)
    assert clean["auc_trapezoid"] == pytest.approx(100 * 5.5 / 10)
    assert score(target + [0, 10.1], target, visibility).clean["auc"] == 0


def test_squeezed_pixels_give_another_number():
    """The trap: 120 x 160 squeezed to a square measures sideways errors with a shorter ruler."""
    target, visibility = people()
    predicted = target + [9.0, 0]
    squeeze = np.array([112 / 120, 112 / 160])
    assert score(predicted, target, visibility).clean["pckh_05"] == 100
    assert score(predicted * squeeze, target * squeeze, visibility).clean["pckh_05"] == 0


def test_occluded_joints_count_in_the_plain_keys_only():
    target, visibility = people(2)
    visibility[:, :5] = 1
    predicted = target.copy()
    predicted[:, :5] += 1000
    result = score(predicted, target, visibility)
    assert result.clean["pckh_05"] == pytest.approx(100 * 9 / 14)
    assert result.clean["pckh_05_visible"] == result.clean["auc_visible"] == 100
    assert (result.counts["joints"], result.counts["joints_visible"]) == (28, 18)


def test_an_occluded_head_still_gives_the_length_an_unlabelled_one_does_not():
    target, visibility = people(3)
    visibility[0, HEAD], visibility[1, HEAD] = 1, 0
    result = score(target + [0, 3.0], target, visibility)
    assert result.clean["pckh_05"] == 100
    assert result.counts["people_without_head_length"] == 1
    assert result.counts["joints"] == 28
    target[2, THORAX] = np.nan
    assert score(target, target, visibility).counts["people_without_head_length"] == 2


def test_the_mean_weighs_joints_by_their_counts():
    target, visibility = people(4)
    visibility[1:, 0] = 0
    predicted = target.copy()
    predicted[:, 0] += 1000
    result = score(predicted, target, visibility)
    assert result.clean["pckh_05"] == pytest.approx(100 * 52 / 53)
    assert result.per_joint["clean"]["right_ankle"] == {"pckh_05": 0, "counted": 1}
    assert result.groups["part"]["ankle"]["pckh_05"] == 50


def test_coordinates_of_unlabelled_joints_are_not_read_and_missing_predictions_miss():
    target, visibility = people()
    target[0, 3], visibility[0, 3] = 0.0, 0
    predicted = target.copy()
    predicted[0, 4] = np.nan
    result = score(predicted, target, visibility)
    assert result.clean["pckh_05"] == pytest.approx(100 * 12 / 13)
    assert result.counts["joints_without_prediction"] == 1


def test_equals_the_definition_written_out_and_survives_a_mirror():
    generator = np.random.default_rng(1)
    target, visibility = people(50)
    visibility[:] = generator.integers(0, 3, visibility.shape)
    visibility[:, [HEAD, THORAX]] = 2
    predicted = target + generator.normal(0, 6, target.shape)
    curve = []
    for i in range(11):
        hits = counted = 0
        for p, g, v in zip(predicted, target, visibility, strict=True):
            length = np.hypot(*(g[HEAD] - g[THORAX]))
            for j in np.flatnonzero(v == 2):
                counted += 1
                hits += np.hypot(*(p[j] - g[j])) / length <= 0.05 * i
        curve.append(100 * hits / counted)
    clean = score(predicted, target, visibility).clean
    assert clean["auc_visible"] == pytest.approx(np.mean(curve))
    area = sum((a + b) / 2 * 0.05 for a, b in pairwise(curve))
    assert clean["auc_trapezoid_visible"] == pytest.approx(area / 0.5)
    flip = list(SLP_14.flip_indices)
    mirrored = ((x * [-1, 1] + [119, 0])[:, flip] for x in (predicted, target))
    assert score(*mirrored, visibility[:, flip]).clean == pytest.approx(clean)

"""Each measure against a hand-made case, an oracle or an invariance."""

import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes
from scipy.spatial.transform import Rotation

from PoseEstimation.metrics.errors import (
    aligned_errors,
    distances,
    hit_curve,
    hit_rates,
    in_lengths,
    joint_errors,
    mean_error,
    mean_rate,
    scaled_errors,
    velocity_errors,
)


@pytest.fixture
def poses():
    """Predicted and target poses (5, 16, 3) in mm, some 30 mm apart."""
    generator = np.random.default_rng(3)
    target = generator.normal(0, 100, (5, 16, 3))
    return target + generator.normal(0, 20, target.shape), target


def test_distance_is_euclidean_and_unlabelled_is_not_counted():
    target = np.array([[[0.0, 0, 0], [1, 1, 1], [np.nan, 0, 0]]])
    predicted = np.array([[[3.0, 4, 0], [1, 1, 1], [7, 7, 7]]])
    errors = joint_errors(predicted, target)
    np.testing.assert_array_equal(errors, [[5.0, 0.0, np.nan]])
    assert mean_error(errors) == 2.5


def test_an_unlabelled_joint_does_not_lower_the_mean_as_a_zero_would():
    """The trap: invisible joints set to distance 0 make AJPE look better than it is."""
    target = np.full((4, 2, 2), [3.0, 4.0])
    predicted = np.zeros((4, 2, 2))
    target[:, 1] = np.nan
    errors = joint_errors(predicted, target)
    assert mean_error(errors) == 5.0
    np.testing.assert_array_equal(mean_error(errors, axis=0), [5.0, np.nan])


def test_a_labelled_joint_without_prediction_is_refused_not_dropped(unchecked):
    target, predicted = np.zeros((1, 2, 3)), np.zeros((1, 2, 3))
    predicted[0, 1] = np.nan
    with pytest.raises(ValueError, match="1 labelled joints have no finite prediction"):
        joint_errors(predicted, target)
    with pytest.raises(ValueError, match="differ in shape"):
        joint_errors(predicted[:, :1], target)


def test_the_threshold_itself_is_a_hit():
    errors = np.array([[10.0, 10.0001, 20.0, 20.1]])
    np.testing.assert_array_equal(hit_rates(errors, np.array([10.0]), 1.0), [100, 0, 0, 0])
    np.testing.assert_array_equal(hit_rates(errors, np.array([10.0]), 2.0), [100, 100, 100, 0])


def test_distance_zero_is_a_hit_or_as_published_a_miss():
    errors = np.array([[0.0, 5.0], [0.0, 15.0]])
    head = np.array([10.0, 10.0])
    np.testing.assert_array_equal(hit_rates(errors, head, 1.0), [100, 50])
    np.testing.assert_array_equal(hit_rates(errors, head, 1.0, zero_is_hit=False), [0, 50])


@pytest.mark.parametrize("useless", [0.0, -1.0, np.nan])
def test_a_frame_without_head_length_leaves_numerator_and_denominator(useless):
    """The trap: dropped only from the numerator it would halve the rate."""
    errors = np.array([[5.0], [0.0]])
    assert hit_rates(errors, np.array([10.0, useless]), 1.0) == [100.0]


def test_a_joint_that_is_never_counted_has_no_rate_and_does_not_weigh():
    errors = np.array([[5.0, np.nan, 15.0]])
    rates = hit_rates(errors, np.array([10.0]), 1.0)
    np.testing.assert_array_equal(rates, [100, np.nan, 0])
    assert mean_rate(rates) == 50.0


def test_each_frame_has_its_own_threshold():
    errors = np.full((2, 1), 12.0)
    assert hit_rates(errors, np.array([12.17, 7.75]), 1.0) == [50.0]


def test_procrustes_agrees_with_scipy(poses):
    predicted, target = poses
    ours = (aligned_errors(predicted, target) ** 2).sum(axis=1)
    for i in range(len(target)):
        centred = target[i] - target[i].mean(axis=0)
        disparity = scipy_procrustes(target[i], predicted[i])[2]
        assert ours[i] == pytest.approx(disparity * (centred**2).sum(), rel=1e-9)


def test_procrustes_forgives_scale_turn_and_shift_but_no_mirror(poses):
    target = poses[1]
    turn = Rotation.from_euler("xyz", [200, -40, 75], degrees=True).as_matrix()
    moved = 1.7 * target @ turn.T + [10, -20, 500]
    np.testing.assert_allclose(aligned_errors(moved, target), 0, atol=1e-9)
    assert mean_error(aligned_errors(moved * [-1, 1, 1], target)) > 20


def test_procrustes_fits_labelled_joints_only_and_needs_three(poses):
    predicted, target = poses[0], poses[1].copy()
    target[0, 5:] = np.nan
    target[1, 2:] = np.nan
    wild = predicted.copy()
    wild[0, 5:] += 1e4
    errors = aligned_errors(wild, target)
    only_five = aligned_errors(predicted[:1, :5], target[:1, :5])
    np.testing.assert_allclose(errors[0, :5], only_five[0])
    assert np.isnan(errors[0, 5:]).all()
    assert np.isnan(errors[1]).all()


def test_scale_error_forgives_scale_only_and_lies_between(poses):
    predicted, target = (p - p[:, :1] for p in poses)
    np.testing.assert_allclose(scaled_errors(0.4 * target, target), 0, atol=1e-9)
    squared = [
        np.nansum(f(predicted, target) ** 2) for f in (aligned_errors, scaled_errors, joint_errors)
    ]
    assert squared[0] < squared[1] < squared[2]


def test_a_constant_offset_has_no_velocity_error_and_a_drift_has_its_speed():
    frames = np.arange(4)
    names = np.array(["11"] * 4)
    target = np.random.default_rng(0).normal(0, 50, (4, 3, 3))
    assert mean_error(velocity_errors(target + 9, target, names, frames, 30)) == pytest.approx(0)
    drift = target + frames[:, None, None] * [2.0, 0, 0]
    np.testing.assert_allclose(velocity_errors(drift, target, names, frames, 30.0), 60.0)


def test_velocity_crosses_neither_sequences_nor_gaps():
    names = np.array(["11", "11", "12", "12", "12"])
    frames = np.array([0, 1, 2, 3, 5])
    target = np.zeros((5, 1, 3))
    predicted = np.array([0.0, 1, 900, 901, 5000])[:, None, None] * [1.0, 0, 0]
    errors = velocity_errors(predicted, target, names, frames, 30.0)
    np.testing.assert_allclose(errors, [[30.0], [30.0]])


def test_velocity_of_a_single_frame_is_undefined():
    one = np.zeros((1, 2, 3))
    errors = velocity_errors(one, one, np.array(["11"]), np.array([0]), 30.0)
    assert errors.shape == (0, 2)
    assert np.isnan(mean_error(errors))


def test_a_joint_that_was_not_predicted_is_infinitely_far_and_an_unlabelled_one_uncounted():
    target = np.array([[[0.0, 0], [1, 1], [np.nan, 0], [np.nan, np.nan]]])
    predicted = np.array([[[3.0, 4], [np.nan, 1], [7, 7], [np.nan, np.nan]]])
    errors = distances(predicted, target)
    np.testing.assert_array_equal(errors, [[5, np.inf, np.nan, np.nan]])
    assert hit_curve(errors, [1e9])[0] == 50
    np.testing.assert_array_equal(hit_rates(errors, np.array([1e9]), 1.0), [100, 0, np.nan, np.nan])
    assert mean_error(errors) == np.inf


def test_a_curve_is_per_joint_or_pooled_and_strict_or_not():
    errors = np.array([[1.0, 5], [2, np.nan], [3, np.nan]])
    np.testing.assert_allclose(hit_curve(errors, [2, 5], axis=0), [[200 / 3, 0], [100, 100]])
    np.testing.assert_allclose(hit_curve(errors, [2, 5]), [50, 100])
    np.testing.assert_allclose(hit_curve(errors, [2, 5], strict=True), [25, 75])
    assert np.isnan(hit_curve(errors * np.nan, [2, 5])).all()


def test_pooling_is_the_mean_of_joint_rates_weighted_by_their_counts():
    generator = np.random.default_rng(0)
    errors = generator.uniform(0, 2, (30, 5))
    errors[generator.uniform(size=errors.shape) < [0.1, 0.3, 0.5, 0.7, 0.9]] = np.nan
    counts = (~np.isnan(errors)).sum(axis=0)
    thresholds = [0.5, 1.0, 1.5]
    weighted = hit_curve(errors, thresholds, axis=0) @ counts / counts.sum()
    np.testing.assert_allclose(hit_curve(errors, thresholds), weighted)


@pytest.mark.parametrize("useless", [0.0, -1.0, np.nan, np.inf])
def test_a_frame_without_length_is_not_counted(useless):
    errors = np.array([[6.0, np.inf], [0.0, 1.0]])
    expected = [[2, np.inf], [np.nan, np.nan]]
    np.testing.assert_array_equal(in_lengths(errors, np.array([3.0, useless])), expected)


def test_the_scale_of_a_mirrored_pose_is_that_of_the_best_rotation():
    """Oracle: SciPy's best proper rotation, then the least-squares scale by hand."""
    rng = np.random.default_rng(5)
    target = rng.normal(0, 100, (1, 12, 3))
    mirrored = 0.7 * target * [-1, 1, 1] + [10, 20, 900]
    t, p = (pose[0] - pose[0].mean(0) for pose in (target, mirrored))
    turned = Rotation.align_vectors(t, p)[0].apply(p)
    expected = np.linalg.norm((turned * t).sum() / (p**2).sum() * turned - t, axis=-1)
    assert aligned_errors(mirrored, target)[0] == pytest.approx(expected, abs=1e-6)
    assert expected.mean() > 10

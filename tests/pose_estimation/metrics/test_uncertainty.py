"""Error bars: on Gaussians whose width is known, and on orders made by hand."""

import numpy as np
import pytest

from PoseEstimation.metrics.uncertainty import (
    ause,
    calibration_factor,
    coverage,
    radius,
    rank_correlation,
    risk_coverage,
)


@pytest.mark.parametrize("axes", [2, 3])
def test_honest_sigmas_cover_90_percent_and_wrong_ones_are_found_out(axes):
    generator = np.random.default_rng(0)
    sigma = generator.uniform(1, 9, 40_000)
    errors = np.linalg.norm(generator.normal(size=(40_000, axes)) * sigma[:, None], axis=-1)
    assert coverage(errors, sigma, axes) == pytest.approx(90, abs=0.5)
    assert calibration_factor(errors, sigma / 3, axes) == pytest.approx(3, rel=0.02)
    factor = calibration_factor(errors, sigma / 3, axes)
    assert coverage(errors, factor * sigma / 3, axes) == pytest.approx(90, abs=1e-2)
    assert coverage(errors, 0.5 * sigma, axes) < 60


def test_the_radii_are_those_of_the_protocol():
    assert radius(2) == pytest.approx(2.146, abs=1e-3)
    assert radius(3) == pytest.approx(2.500, abs=1e-3)


def test_risk_coverage_by_hand():
    errors, sigma = np.array([[4.0, 1.0], [3.0, 2.0]]), np.array([[4.0, 1.0], [2.0, 3.0]])
    assert risk_coverage(errors, sigma, 4) == pytest.approx([1, 2, 2, 2.5])
    assert risk_coverage(errors, errors, 4) == pytest.approx([1, 1.5, 2, 2.5])
    assert risk_coverage(errors, sigma, 2) == pytest.approx([2, 2.5])


def test_the_best_order_has_no_area_and_full_correlation():
    errors = np.random.default_rng(0).exponential(size=1000)
    assert ause(errors, errors) == pytest.approx(0, abs=1e-9)
    assert ause(errors, -errors + 99) > 0.3
    assert rank_correlation(errors, errors**2) == pytest.approx(1)
    assert rank_correlation(errors, 99 - errors) == pytest.approx(-1)


def test_roots_and_unlabelled_joints_do_not_count():
    errors, sigma = np.array([0.0, np.nan, 3.0]), np.array([0.0, 1.0, 1.0])
    assert coverage(errors, sigma, 3) == 0
    assert risk_coverage(errors, sigma, 1) == pytest.approx([3])
    nothing = np.array([np.nan])
    assert np.isnan(coverage(nothing, nothing, 2))
    assert np.isnan(risk_coverage(nothing, nothing, 2)).all()
    with pytest.raises(ValueError, match="at least one"):
        calibration_factor(nothing, nothing, 2)

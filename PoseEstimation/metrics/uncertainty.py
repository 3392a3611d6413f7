"""Coverage of error bars, and how well they rank joints by their errors.

``sigma`` is the standard deviation per axis of an isotropic Gaussian. Distances that are NaN do not
count, nor do those whose sigma is 0 (a root that is known by definition).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2, spearmanr


def radius(axes: Literal[2, 3], level: float = 0.9) -> float:
    """Radius in sigmas that holds a share of an isotropic Gaussian: 90 % within 2.146 or 2.500."""
    return float(np.sqrt(chi2.ppf(level, axes)))


def coverage(
    errors: Float[np.ndarray, "*batch"],
    sigma: Float[np.ndarray, "*batch"],
    axes: Literal[2, 3],
    level: float = 0.9,
) -> float:
    """Percent of the distances within the radius of a level: 90 for calibrated error bars."""
    errors, sigma = _counted(errors, sigma)
    return 100 * float((errors <= radius(axes, level) * sigma).mean()) if errors.size else np.nan


def calibration_factor(
    errors: Float[np.ndarray, "*batch"], sigma: Float[np.ndarray, "*batch"], axes: Literal[2, 3]
) -> float:
    """Factor on sigma that makes the coverage 90 %.

    Raises:
        ValueError: nothing to count.
    """
    errors, sigma = _counted(errors, sigma)
    if not errors.size:
        raise ValueError("calibration needs at least one error with a positive sigma")
    return float(np.quantile(errors / sigma, 0.9) / radius(axes))


def risk_coverage(
    errors: Float[np.ndarray, "*batch"], order_by: Float[np.ndarray, "*batch"], steps: int = 100
) -> Float[np.ndarray, "step"]:
    """Mean distance of the most certain 1/steps, 2/steps, ... of all joints, in the errors' unit.

    Args:
        errors: distances.
        order_by: sigma, or the errors themselves for the best possible order.
        steps: points of the curve; the last is the mean of all.
    """
    errors, order_by = _counted(errors, order_by)
    if not errors.size:
        return np.full(steps, np.nan)
    running = np.cumsum(errors[np.argsort(order_by, kind="stable")]) / np.arange(1, errors.size + 1)
    last = np.ceil(np.arange(1, steps + 1) * errors.size / steps).astype(int) - 1
    return running[last]


def best_risk_coverage(
    errors: Float[np.ndarray, "*batch"], sigma: Float[np.ndarray, "*batch"], steps: int = 100
) -> Float[np.ndarray, "step"]:
    """``risk_coverage`` of the joints with a sigma, in the order of their true errors."""
    errors, _ = _counted(errors, sigma)
    return risk_coverage(errors, np.where(errors > 0, errors, 1e-12), steps)


def ause(errors: Float[np.ndarray, "*batch"], sigma: Float[np.ndarray, "*batch"]) -> float:
    """Area between the risk-coverage curve and the best possible one, in the errors' unit."""
    return float(np.mean(risk_coverage(errors, sigma) - best_risk_coverage(errors, sigma)))


def rank_correlation(
    errors: Float[np.ndarray, "*batch"], sigma: Float[np.ndarray, "*batch"]
) -> float:
    """Spearman's correlation of distances and sigmas, -1 to 1; NaN where either is constant."""
    errors, sigma = _counted(errors, sigma)
    if not errors.size or not np.ptp(errors) or not np.ptp(sigma):
        return np.nan
    return float(spearmanr(errors, sigma).statistic)


def _counted(errors: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those that count, in one row."""
    errors, sigma = np.asarray(errors, np.float64), np.asarray(sigma, np.float64)
    counted = np.isfinite(errors) & np.isfinite(sigma) & (sigma > 0)
    return errors[counted], sigma[counted]

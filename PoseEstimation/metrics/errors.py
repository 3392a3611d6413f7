"""Error measures of poses, in NumPy.

A distance of NaN means 'not counted': every function leaves it out of the numerator and the
denominator alike. A labelled joint without a prediction is never dropped: ``distances`` puts it at
infinity, where it misses every threshold; ``joint_errors``, whose averages it would spoil, refuses
it, and the caller decides where it is put.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from jaxtyping import Bool, Float, Int

from Datasets.geometry.alignment import procrustes, scale_align

_MIN_JOINTS_TO_ALIGN = 3


def distances(
    predicted: Float[np.ndarray, "frame joint axis"], target: Float[np.ndarray, "frame joint axis"]
) -> Float[np.ndarray, "frame joint"]:
    """Distance of each joint from its target, in their unit.

    NaN where the target is unlabelled, infinite where it is labelled but not predicted.

    Raises:
        ValueError: shapes differ.
    """
    predicted = np.asarray(predicted, dtype=np.float64)
    target = np.asarray(target, dtype=np.float64)
    if predicted.shape != target.shape:
        raise ValueError(f"predicted {predicted.shape} and target {target.shape} differ in shape")
    labelled = np.isfinite(target).all(axis=-1, keepdims=True)
    found = np.isfinite(predicted).all(axis=-1, keepdims=True)
    gap = np.where(found, predicted, 0.0) - np.where(labelled, target, 0.0)
    length = np.linalg.norm(gap, axis=-1)
    return np.where(labelled[..., 0], np.where(found[..., 0], length, np.inf), np.nan)


def joint_errors(
    predicted: Float[np.ndarray, "frame joint axis"], target: Float[np.ndarray, "frame joint axis"]
) -> Float[np.ndarray, "frame joint"]:
    """Distance of each joint from its target, in their unit; NaN where the target is unlabelled.

    Raises:
        ValueError: shapes differ, or a labelled joint has no finite prediction.
    """
    errors = distances(predicted, target)
    absent = np.isinf(errors)
    if absent.any():
        raise ValueError(f"{int(absent.sum())} labelled joints have no finite prediction")
    return errors


@overload
def mean_error(errors: np.ndarray, axis: None = None) -> float: ...
@overload
def mean_error(errors: np.ndarray, axis: int) -> np.ndarray: ...
def mean_error(errors: np.ndarray, axis: int | None = None) -> float | np.ndarray:
    """Average of the counted distances over everything or one axis; NaN where none is counted.

    Over frames and joints this is AJPE, also called MPJPE.
    """
    counted = ~np.isnan(errors)
    total = np.where(counted, errors, 0.0).sum(axis=axis)
    mean = _ratio(total, counted.sum(axis=axis))
    return float(mean) if axis is None else mean


def hit_rates(
    errors: Float[np.ndarray, "frame joint"],
    head_length: Float[np.ndarray, "frame"],
    factor: float,
    zero_is_hit: bool = True,
) -> Float[np.ndarray, "joint"]:
    """PCKh of each joint in percent: share of distances ``d <= factor * head_length``.

    Args:
        errors: distances; NaN is not counted.
        head_length: per frame, in the unit of ``errors``. A frame whose head length is NaN or not
            positive has no threshold: it leaves the numerator and the denominator.
        factor: 1.0 for PCKh@1.0.
        zero_is_hit: whether a distance of exactly 0 is a hit. The published evaluator of Ellershaw
            counts it as a miss, which costs a network that fixes its root at 0 one joint in 16.

    Returns:
        NaN for a joint that is counted in no frame.
    """
    limit = factor * np.asarray(head_length, dtype=np.float64)[:, None]
    counted = ~np.isnan(errors) & np.isfinite(limit) & (limit > 0)
    hit = counted & (errors <= limit)
    if not zero_is_hit:
        hit &= errors > 0
    return 100.0 * _ratio(hit.sum(axis=0), counted.sum(axis=0))


def in_lengths(
    errors: Float[np.ndarray, "frame joint"], lengths: Float[np.ndarray, "frame"]
) -> Float[np.ndarray, "frame joint"]:
    """Divide the distances of each frame by its length; both in one unit.

    A frame whose length is NaN or not positive has no scale: its joints are not counted.
    """
    lengths = np.asarray(lengths, dtype=np.float64)
    usable = np.isfinite(lengths) & (lengths > 0)
    return np.asarray(errors) / np.where(usable, lengths, np.nan)[:, None]


def hit_curve(
    errors: Float[np.ndarray, "frame joint"],
    thresholds: Sequence[float] | np.ndarray,
    axis: int | None = None,
    strict: bool = False,
) -> np.ndarray:
    """Rates in percent at several thresholds: share of counted distances ``d <= t``.

    Args:
        errors: distances, or distances in lengths; NaN is not counted, infinite is a miss.
        thresholds: in the unit of ``errors``.
        axis: 0 gives the rates of each joint; None pools all joints, which is the average of their
            rates weighted by how often each was counted.
        strict: whether a hit is ``d < t`` instead.

    Returns:
        (threshold,) or (threshold, joint); NaN where nothing was counted.
    """
    closer = np.less if strict else np.less_equal
    hits = np.stack([closer(errors, t).sum(axis=axis) for t in thresholds])
    return 100.0 * _ratio(hits, (~np.isnan(errors)).sum(axis=axis))


def mean_rate(rates: Float[np.ndarray, "joint"]) -> float:
    """Average of per-joint rates, uncounted joints left out: the published way to one PCKh."""
    return mean_error(rates)


def aligned_errors(
    predicted: Float[np.ndarray, "frame joint 3"], target: Float[np.ndarray, "frame joint 3"]
) -> Float[np.ndarray, "frame joint"]:
    """Distances after the best scale, rotation and translation per frame (PA-MPJPE, 'protocol 2').

    A frame with fewer than three labelled joints is NaN throughout.
    """
    return _fitted_errors(predicted, target, procrustes, _MIN_JOINTS_TO_ALIGN)


def scaled_errors(
    predicted: Float[np.ndarray, "frame joint 3"], target: Float[np.ndarray, "frame joint 3"]
) -> Float[np.ndarray, "frame joint"]:
    """Distances of root-relative poses after the best scale per frame about the root (N-MPJPE)."""
    return _fitted_errors(predicted, target, scale_align, 1)


def velocity_errors(
    predicted: Float[np.ndarray, "frame joint axis"],
    target: Float[np.ndarray, "frame joint axis"],
    sequences: np.ndarray,
    frames: Int[np.ndarray, "frame"],
    fps: float,
) -> Float[np.ndarray, "step joint"]:
    """Length of the difference of the velocities, unit per second (MPJVE).

    Args:
        predicted: poses in the order of the video.
        target: the true ones.
        sequences: name per frame; no step crosses from one sequence to the next.
        frames: number within the sequence; only neighbouring numbers make a step.
        fps: frames per second.

    Returns:
        One row per step; NaN where either end of a joint's target is unlabelled.
    """
    step = neighbours(sequences, frames)
    return joint_errors(np.diff(predicted, axis=0)[step], np.diff(target, axis=0)[step]) * fps


def neighbours(sequences: np.ndarray, frames: np.ndarray) -> Bool[np.ndarray, "pair"]:
    """Whether rows i and i + 1 are consecutive frames of one sequence."""
    sequences, frames = np.asarray(sequences), np.asarray(frames)
    return (sequences[1:] == sequences[:-1]) & (np.diff(frames) == 1)


def _fitted_errors(predicted: np.ndarray, target: np.ndarray, fit, minimum: int) -> np.ndarray:
    """Distances after fitting the labelled joints of each frame; ``fit(predicted, target)``."""
    errors = joint_errors(predicted, target)
    labelled = np.isfinite(errors)
    fitted = np.full(errors.shape, np.nan)
    for i, use in enumerate(labelled):
        if use.sum() >= minimum:
            p, t = np.asarray(predicted[i])[use], np.asarray(target[i])[use]
            fitted[i, use] = np.linalg.norm(fit(p, t) - t, axis=-1)
    return fitted


def _ratio(total: np.ndarray | np.number, count: np.ndarray | np.number) -> np.ndarray:
    """Quotient, NaN where nothing was counted."""
    total = np.asarray(total, dtype=np.float64)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=np.asarray(count) > 0)

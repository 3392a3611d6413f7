"""What every protocol answers, and the tables that several of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from Datasets.skeletons import Skeleton
from PoseEstimation.metrics.errors import hit_curve, mean_error


@dataclass(frozen=True)
class Scores:
    """What a protocol answers; rates in percent, keys as in metrics.json.

    Attributes:
        clean: measure to value; a measure that nothing was counted for is absent. Words say what a
            number refers to (``head_length_source``).
        per_joint: column (``clean``, ``paper``) to joint to measure to value.
        counts: how much each number stands on, and the ``rule`` of counting in words.
        paper: as ``clean``, by the rule of a published evaluator that differs (MINI-RGBD).
        groups: kind (``part``, ``sequence``, ``activity``, ``scene``) to name to measure to value.
    """

    clean: dict[str, Any]
    per_joint: dict[str, dict[str, dict[str, float]]]
    counts: dict[str, Any]
    paper: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)


def defined(values: Mapping[str, float | np.ndarray]) -> dict[str, float]:
    """Drop measures that nothing was counted for."""
    return {key: float(value) for key, value in values.items() if np.isfinite(value)}


def joint_table(
    skeleton: Skeleton, errors: Float[np.ndarray, "frame joint"], thresholds: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Rates of each joint at named thresholds (``error <= threshold``), and how many it counted."""
    rates = {key: hit_curve(errors, [t], axis=0)[0] for key, t in thresholds.items()}
    counted = (~np.isnan(errors)).sum(axis=0)
    return {
        joint: {**defined({k: rate[i] for k, rate in rates.items()}), "counted": int(counted[i])}
        for i, joint in enumerate(skeleton.joints)
    }


def part_table(
    skeleton: Skeleton, per_joint: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Average left and right of each pair, as published tables do; other joints stay themselves.

    The two sides weigh the same, however often each was counted; a side without a rate does not.
    """
    sides = {left: left.removeprefix("left_") for left, _ in skeleton.pairs}
    sides |= {right: right.removeprefix("right_") for _, right in skeleton.pairs}
    members: dict[str, list[Mapping[str, float]]] = {}
    for joint in skeleton.joints:
        members.setdefault(sides.get(joint, joint), []).append(per_joint[joint])
    keys = list(dict.fromkeys(key for row in per_joint.values() for key in row if key != "counted"))
    return {
        part: defined(
            {key: mean_error(np.array([row.get(key, np.nan) for row in rows])) for key in keys}
        )
        for part, rows in members.items()
    }


def pck_scores(
    skeleton: Skeleton,
    errors: Float[np.ndarray, "person joint"],
    clean: Mapping[str, float],
    thresholds: Mapping[str, float],
    counts: Mapping[str, Any],
    counted: Float[np.ndarray, "person joint"] | None = None,
) -> Scores:
    """Answer of a protocol of people in photos, with rates per joint and per part.

    Args:
        skeleton: of the joint axis.
        errors: distances in lengths; NaN is not counted, infinite is a miss.
        clean: the measures.
        thresholds: of the rates per joint.
        counts: what the protocol counts beside people and joints, and its rule.
        counted: the errors that the measures are of, default all.
    """
    used = errors if counted is None else counted
    per_joint = joint_table(skeleton, errors, thresholds)
    totals = {
        "people": len(errors),
        "joints": int((~np.isnan(used)).sum()),
        "joints_without_prediction": int(np.isinf(used).sum()),
    }
    parts = {"part": part_table(skeleton, per_joint)}
    return Scores(defined(clean), {"clean": per_joint}, {**totals, **counts}, groups=parts)


def require_shape(name: str, values: np.ndarray, expected: tuple[int | None, ...]) -> np.ndarray:
    """Return the values as float64 of the expected shape; None stands for any length.

    Raises:
        ValueError: another shape.
    """
    values = np.asarray(values, dtype=np.float64)
    fits = values.ndim == len(expected) and all(
        want in (None, size) for size, want in zip(values.shape, expected, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in expected)
        raise ValueError(f"{name} has shape {values.shape}, not ({wanted})")
    return values

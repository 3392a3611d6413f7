"""Joints of a predictor in the convention of a protocol."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from Datasets.skeletons import INFANT, Skeleton
from Datasets.skeletons.convert import MAPS, joint_map


def predicted_joints(source: Skeleton, target: Skeleton) -> Bool[np.ndarray, "joint"]:
    """Which joints of a protocol the predictor's skeleton has."""
    return np.isfinite(in_joints(np.zeros((len(source), 1)), source, target))[:, 0]


def in_joints(
    values: Float[np.ndarray, "*batch joint axis"], source: Skeleton, target: Skeleton
) -> Float[np.ndarray, "*batch joint axis"]:
    """Values of a skeleton's joints in another's, through ``infant`` if need be; NaN where absent.

    Raises:
        KeyError: there is no such way.
    """
    if source == target or (source.name, target.name) in MAPS:
        return joint_map(source, target).apply(values)
    return joint_map(INFANT, target).apply(joint_map(source, INFANT).apply(values))

"""How large the infant is: predicted from its proportions, or known by length or age.

One camera cannot tell a small infant that is near from a large one that is far. The lifter predicts
the size from the proportions alone; ``size_sigma`` is the error of its logarithm. An age narrows
it: the median length of that age, with its spread among infants, and the lifter's prediction are
averaged by their precisions. A measured crown-heel length replaces it. Each infant is scaled as a
whole, so that the median over its frames of the chain crown, neck, chest, pelvis plus hip, knee,
ankle (mean of both legs) becomes ``CHAIN_SHARE`` of the length.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.growth import LENGTH_SPREAD, median_length_m
from Datasets.skeletons import Skeleton
from PoseEstimation.inference.settings import BodySize
from PoseEstimation.io.spool import spooled
from PoseEstimation.result import ASSUMED, FrameResult, InfantPose

CHAIN_SHARE = 0.965
"""Chain over crown-heel length: 0.962 to 0.966 over the generator's bodies, 51 to 67 cm long."""


def scaled_to_body(
    frames: Iterable[FrameResult],
    skeleton: Skeleton,
    body: BodySize,
    size_sigma: float,
    folder: Path,
) -> Iterator[FrameResult]:
    """Scale every infant to what the user knows of its size, the same for all.

    The frames wait on disk until the lengths of all are known.

    Args:
        frames: of one prediction.
        skeleton: of its joints.
        body: length or age; with neither the frames stay as they are.
        size_sigma: of the lifter, see ``Lifter``.
        folder: on whose disk they wait.

    Yields:
        The frames with scaled ``joints_mm``, ``sigma_mm`` and ``root_mm``; an infant whose chain
        was never complete stays as it is.

    Raises:
        WriteError: the disk is full, or the like.
    """
    known = known_length(body)
    if known is None:
        yield from frames
        return
    length_mm, spread = known
    weight = size_sigma**2 / (size_sigma**2 + spread**2)
    chains: dict[tuple[str, int], list[float]] = defaultdict(list)
    with spooled(folder) as (keep, kept):
        for frame in frames:
            keep(frame)
            for infant in frame.infants:
                length = infant.size_mm(skeleton)
                if np.isfinite(length) and length > 0:
                    chains[frame.source, infant.track_id].append(length)
        factors = {
            key: (CHAIN_SHARE * length_mm / np.median(chain)) ** weight
            for key, chain in chains.items()
        }
        for frame in kept():
            keys = [(frame.source, infant.track_id) for infant in frame.infants]
            infants = tuple(
                _scaled(infant, float(factors[key]), weight * size_sigma**2)
                if key in factors
                else infant
                for key, infant in zip(keys, frame.infants, strict=True)
            )
            yield replace(frame, infants=infants)


def known_length(body: BodySize) -> tuple[float, float] | None:
    """Crown-heel length in mm and the standard deviation of its logarithm; None if unknown."""
    if body.length_cm is not None:
        return 10 * body.length_cm, 0.0
    if body.age_weeks is not None:
        return 1000 * median_length_m(body.age_weeks), LENGTH_SPREAD
    return None


def _scaled(infant: InfantPose, factor: float, known: float) -> InfantPose:
    """Scale a pose; ``known`` is the variance of the logarithm of the size that is gone.

    The error bars lose this variance, but at most half of theirs.
    """
    root = None if infant.root_mm is None else infant.root_mm * factor
    variance = infant.sigma_mm**2
    gone = known * (infant.joints_mm**2).sum(-1) / 3
    sigma_mm = np.sqrt(np.maximum(variance - gone, variance / 2))
    joints_mm = infant.joints_mm * factor
    return replace(infant, joints_mm=joints_mm, sigma_mm=factor * sigma_mm, root_mm=root)


def scale_assumption(body: BodySize) -> dict[str, Any]:
    """What is known and assumed about the infant's size, for the user."""
    rule = f"median chain crown-neck-chest-pelvis + hip-knee-ankle = {CHAIN_SHARE} of the length"
    if body.length_cm is not None:
        source = f"crown-heel length given as {body.length_cm:g} cm"
        age = {} if body.age_weeks is None else {"age_weeks": body.age_weeks}
        return {"scale_source": source, "scale_rule": rule, **age}
    prior = "learnt from generated infants, newborn to seven months"
    if body.age_weeks is None:
        return {"scale_source": f"{ASSUMED}: {prior}; give --length-cm or --age-weeks"}
    source = (
        f"age given as {body.age_weeks:g} weeks, length of that age averaged with what is {prior}"
    )
    return {"scale_source": source, "scale_rule": rule, "age_weeks": body.age_weeks}

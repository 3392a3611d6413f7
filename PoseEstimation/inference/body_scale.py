"""How large the infant is: learnt from generated infants, or measured by the user.

One camera cannot tell a small infant that is near from a large one that is far. Without a
measurement the size is what the lifter learnt: that of generated infants from newborn to about six
months. With a measured crown-heel length, each infant is scaled so that the median over its frames
of the chain crown, neck, chest, pelvis plus hip, knee, ankle (mean of both legs) is ``CHAIN_SHARE``
of that length.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.skeletons import Skeleton
from PoseEstimation.inference.settings import BodySize
from PoseEstimation.io.spool import spooled
from PoseEstimation.result import ASSUMED, FrameResult, InfantPose

CHAIN_SHARE = 0.965
"""Chain over crown-heel length: 0.962 to 0.966 over the generator's bodies, 51 to 67 cm long."""


def scaled_to_length(
    frames: Iterable[FrameResult], skeleton: Skeleton, length_mm: float, folder: Path
) -> Iterator[FrameResult]:
    """Scale every infant to a measured crown-heel length, the same for all.

    The frames wait on disk until the lengths of all are known.

    Args:
        frames: of one prediction.
        skeleton: of its joints.
        length_mm: crown-heel length in mm.
        folder: on whose disk they wait.

    Yields:
        The frames with scaled ``joints_mm``, ``sigma_mm`` and ``root_mm``; an infant whose chain
        was never complete stays as it is.

    Raises:
        WriteError: the disk is full, or the like.
    """
    chains: dict[tuple[str, int], list[float]] = defaultdict(list)
    with spooled(folder) as (keep, kept):
        for frame in frames:
            keep(frame)
            for infant in frame.infants:
                length = infant.size_mm(skeleton)
                if np.isfinite(length) and length > 0:
                    chains[frame.source, infant.track_id].append(length)
        factors = {key: CHAIN_SHARE * length_mm / np.median(v) for key, v in chains.items()}
        for frame in kept():
            keys = [(frame.source, infant.track_id) for infant in frame.infants]
            scales = [float(factors.get(key, 1.0)) for key in keys]
            scaled = map(_scaled, frame.infants, scales)
            yield replace(frame, infants=tuple(scaled))


def _scaled(infant: InfantPose, factor: float) -> InfantPose:
    root = None if infant.root_mm is None else infant.root_mm * factor
    joints_mm, sigma_mm = infant.joints_mm * factor, infant.sigma_mm * factor
    return replace(infant, joints_mm=joints_mm, sigma_mm=sigma_mm, root_mm=root)


def scale_assumption(body: BodySize) -> dict[str, Any]:
    """What is known and assumed about the infant's size, for the user."""
    age = {} if body.age_weeks is None else {"age_weeks": body.age_weeks}
    if body.length_cm is None:
        prior = "generated infants, newborn to six months"
        return {"scale_source": f"{ASSUMED}: learnt from {prior}; give --length-cm", **age}
    rule = f"median chain crown-neck-chest-pelvis + hip-knee-ankle = {CHAIN_SHARE} of the length"
    source = f"crown-heel length given as {body.length_cm:g} cm"
    return {"scale_source": source, "scale_rule": rule, **age}

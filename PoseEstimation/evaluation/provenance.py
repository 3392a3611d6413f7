"""What a number was measured on: a hash of the labels, and whether they are the official set's."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from Datasets.structures import PoseSample
from PoseEstimation.metrics.protocols import HeadLengths

OFFICIAL_TOLERANCE = 0.05
"""Largest relative difference of measured from published head lengths in the official set."""


def differences_from_official(measured: HeadLengths, published: HeadLengths) -> tuple[str, ...]:
    """Say, one line each, why these sequences are not the official ones; empty when they are.

    Args:
        measured: head lengths of the sequences in question.
        published: the table of the official set.
    """
    found = []
    for sequence in measured.mm:
        if sequence not in published.mm:
            found.append(f"sequence {sequence} is not one of the official set")
            continue
        pairs = ((measured.mm, published.mm, "mm"), (measured.px, published.px, "px"))
        for own, table, unit in pairs:
            if not abs(own[sequence] / table[sequence] - 1) <= OFFICIAL_TOLERANCE:
                found.append(
                    f"sequence {sequence}: measured head length {own[sequence]:.1f} {unit}, "
                    f"published {table[sequence]:.1f} {unit}"
                )
    return tuple(found)


def labels_sha256(samples: Sequence[PoseSample]) -> str:
    """SHA-256 of the images' names and the joints of labelled people."""
    total = hashlib.sha256()
    for sample in samples:
        total.update(f"{sample.image_path.name} {sample.video_frame}\n".encode())
        for joints in (sample.keypoints_px, sample.joints_mm):
            if joints is not None:
                total.update(np.asarray(joints, np.float64).tobytes())
    return total.hexdigest()

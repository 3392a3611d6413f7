"""Clips in memory: 3D sequences of infants, and the 2D detections in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from Datasets.skeletons import INFANT, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError
from PoseEstimation.io.detection_cache import read_arrays, read_detections
from PoseEstimation.structures import FIELDS, Clip

Sequence3D = Float[np.ndarray, "frame joint 3"]
"""One infant over time, mm, world axes: z towards the ceiling, the origin on the bed; NaN where
unlabelled."""


def stacked(clips: Sequence[Clip]) -> Clip:
    """Put clips of one shape under a new leading axis."""
    return Clip(*(np.stack([getattr(clip, name) for clip in clips]) for name in FIELDS))


def joined_clips(clips: Sequence[Clip]) -> Clip:
    """Put the rows of clips one after another."""
    return Clip(*(np.concatenate([getattr(clip, name) for clip in clips]) for name in FIELDS))


def load_movement_bank(path: Path, skeleton: Skeleton = INFANT) -> list[Sequence3D]:
    """Read a movement bank: npz with ``joints_mm`` (infant, frame, 25, 3), ``infant`` joints.

    Raises:
        DataError: missing or damaged file, or another shape.
    """
    joints_mm = read_arrays(path).get("joints_mm")
    if joints_mm is None or joints_mm.ndim != 4 or joints_mm.shape[2:] != (len(INFANT), 3):
        raise DataError(f"{path}: no movement bank; make one with synth --profile movements")
    convert = joint_map(INFANT, skeleton)
    return [convert.apply(infant) for infant in joints_mm]


def load_detections(path: Path, skeleton: Skeleton = INFANT) -> list[Clip]:
    """Read cached detections, one clip (frame, ...) per sequence.

    Raises:
        DataError: see ``read_detections``.
    """
    return [sequence.clip for sequence in read_detections(path, skeleton)]


def labelled_sequences(dataset: Dataset) -> list[Sequence3D]:
    """Collect the 3D-labelled sequences of a data set; its camera is assumed to look down.

    Raises:
        DataError: none has 3D labels.
    """
    by_sequence: dict[str | None, list[np.ndarray]] = {}
    for sample in _with_3d(dataset):
        by_sequence.setdefault(sample.sequence, []).append(np.asarray(sample.joints_mm))
    return [_world(np.stack(joints)) for joints in by_sequence.values()]


def true_clip(dataset: Dataset) -> Clip:
    """The labels of a data set's frames as exact detections, (frame, ...).

    Raises:
        DataError: none has 3D labels, or one has 3D labels and no camera.
    """
    samples = _with_3d(dataset)
    for sample in samples:
        if sample.intrinsics is None:
            raise DataError(f"{sample.image_path}: 3D labels without intrinsics; give the camera")
    scores = (np.stack([s.visibility for s in samples]) > 0).astype(float)
    return Clip(
        np.stack([s.keypoints_px for s in samples]),
        scores,
        np.zeros(scores.shape),
        np.full(scores.shape, np.nan),
        np.stack([np.asarray(s.joints_mm) for s in samples]),
        np.stack([np.asarray(s.intrinsics) for s in samples]),
    )


def _with_3d(dataset: Dataset) -> list[PoseSample]:
    samples = [sample for sample in dataset.samples if sample.joints_mm is not None]
    if not samples:
        raise DataError(f"{dataset.root}: no sample has 3D labels; the lifter cannot learn from it")
    return samples


def _world(joints_mm: np.ndarray) -> Sequence3D:
    """Camera frame to an upright world with its origin at the mean of all joints."""
    upright = joints_mm * [1, -1, -1]
    return (upright - np.nanmean(upright, axis=(0, 1))).astype(np.float32)


def random_frames(
    count: int, runs: int, frames: int, rng: np.random.Generator
) -> Int[np.ndarray, "run frame"]:
    """Draw runs of consecutive frames out of ``count``; the last repeats beyond a short end."""
    starts = rng.integers(0, max(count - frames, 0) + 1, runs)
    return np.minimum(starts[:, None] + np.arange(frames), count - 1)

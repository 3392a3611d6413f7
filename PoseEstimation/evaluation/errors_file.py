"""``errors.npz``: every distance of an evaluation, so that runs can be compared frame by frame."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from Engine.errors import DataError
from Engine.files import write_npz
from PoseEstimation.metrics.errors import joint_errors, neighbours, velocity_errors
from PoseEstimation.metrics.protocols import MiniRgbdProtocol, ScoredPoses

NAME = "errors.npz"
FPS = MiniRgbdProtocol().fps
"""Of the official videos, and of generated ones unless said otherwise."""


@dataclass(frozen=True)
class FrameErrors:
    """Distances of the joints of a protocol, one row per frame.

    Attributes:
        joints: names.
        sequences: (frame,) name of the sequence.
        frames: (frame,) number within it.
        errors_mm: NaN where unlabelled.
        sigma_mm: standard deviation per axis; NaN where not predicted.
        errors_px, sigma_px: likewise; all NaN when 2D was not predicted.
        speeds_mm_s: error of the velocity, predicted speed and true speed since the frame before,
            means over the joints; NaN where there is none.
    """

    joints: tuple[str, ...]
    sequences: np.ndarray
    frames: Int[np.ndarray, "frame"]
    errors_mm: Float[np.ndarray, "frame joint"]
    sigma_mm: Float[np.ndarray, "frame joint"]
    errors_px: Float[np.ndarray, "frame joint"]
    sigma_px: Float[np.ndarray, "frame joint"]
    speeds_mm_s: Float[np.ndarray, "frame 3"]


def frame_errors(poses: ScoredPoses, joints: tuple[str, ...]) -> FrameErrors:
    """Collect the distances of scored poses."""
    unknown = np.full(poses.target_mm.shape[:2], np.nan)
    predicted_px, target_px = poses.predicted_px, poses.target_px
    planar = unknown
    if predicted_px is not None and target_px is not None:
        planar = joint_errors(predicted_px, target_px)
    return FrameErrors(
        joints,
        poses.sequences,
        poses.frames,
        joint_errors(poses.predicted_mm, poses.target_mm),
        unknown if poses.sigma_mm is None else poses.sigma_mm,
        planar,
        unknown if poses.sigma_px is None else poses.sigma_px,
        _speeds(poses),
    )


def _speeds(poses: ScoredPoses) -> Float[np.ndarray, "frame 3"]:
    """See ``FrameErrors.speeds_mm_s``."""
    predicted, target = poses.predicted_mm, poses.target_mm
    pairs = ((predicted, target), (predicted, 0 * predicted), (target, 0 * target))
    where = np.flatnonzero(neighbours(poses.sequences, poses.frames)) + 1
    speeds = np.full((len(poses.frames), len(pairs)), np.nan)
    for column, (first, second) in enumerate(pairs):
        values = velocity_errors(first, second, poses.sequences, poses.frames, FPS)
        speeds[where, column] = np.nanmean(values, axis=1)
    return speeds


def write_errors(output: Path, errors: FrameErrors) -> Path:
    """Write ``output/errors.npz``, 32-bit floats."""
    arrays = {
        name: getattr(errors, name).astype(np.float32)
        for name in ("errors_mm", "sigma_mm", "errors_px", "sigma_px", "speeds_mm_s")
    }
    write_npz(
        output / NAME,
        joints=np.array(errors.joints),
        sequences=errors.sequences.astype(str),
        frames=errors.frames,
        **arrays,
    )
    return output / NAME


def read_errors(folder: Path) -> FrameErrors:
    """Read ``folder/errors.npz``.

    Raises:
        DataError: missing or damaged.
    """
    path = folder / NAME
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in FrameErrors.__dataclass_fields__}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; run 'infantpose evaluate' into it") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise DataError(f"{path}: damaged; run 'infantpose evaluate' again") from None
    return FrameErrors(**{**arrays, "joints": tuple(str(j) for j in arrays["joints"])})


def pooled(parts: Sequence[FrameErrors]) -> FrameErrors:
    """Put parts of one evaluation, such as folds, one after another."""
    names = [name for name in FrameErrors.__dataclass_fields__ if name != "joints"]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return FrameErrors(parts[0].joints, **arrays)

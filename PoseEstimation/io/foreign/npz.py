"""npz: ``keypoints_px`` (frame, joint, 2) or (frame, person, joint, 2), ``names`` (or ``joints``).

Optional: ``scores``, ``sigma_px`` (frame, [person,] joint), ``times_s`` (frame), ``fps``, ``size``
(width, height). Several recordings stand in one file with a suffix: ``keypoints_px_01``,
``scores_01``; what has none belongs to all.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Engine.errors import DataError
from PoseEstimation.io.foreign.recording import Recording, Size, keypoints_of, of_tracks

KEY = "keypoints_px"


def recognises(arrays: dict[str, np.ndarray]) -> bool:
    """Whether an npz file holds 2D joints."""
    return any(key == KEY or key.startswith(f"{KEY}_") for key in arrays)


def read(path: Path, arrays: dict[str, np.ndarray], size: Size | None) -> list[Recording]:
    """Read the file: a recording per suffix.

    Raises:
        DataError: an array is missing or has another shape.
    """
    names = arrays.get("names", arrays.get("joints"))
    if names is None:
        raise DataError(f"lift: {path} has no array 'names'; add the names of the joints")
    keys = [key for key in arrays if key == KEY or key.startswith(f"{KEY}_")]
    return [_recording(path, arrays, key.removeprefix(KEY), tuple(map(str, names))) for key in keys]


def _recording(
    path: Path, arrays: dict[str, np.ndarray], suffix: str, names: tuple[str, ...]
) -> Recording:
    def get(key: str, shape: tuple[int, ...]) -> np.ndarray | None:
        name = f"{key}{suffix}" if f"{key}{suffix}" in arrays else key
        if name not in arrays:
            return None
        array = arrays[name]
        if array.shape != shape or array.dtype.kind not in "iuf":
            raise DataError(f"lift: {path}: '{name}' is {array.shape}, must be numbers {shape}")
        return array.astype(np.float64)

    points = arrays[f"{KEY}{suffix}"]
    lead = points.shape[:-2]
    if len(lead) not in (1, 2) or points.shape[-2:] != (len(names), 2):
        wanted = f"(frame, {len(names)}, 2), by the number of names"
        raise DataError(f"lift: {path}: '{KEY}{suffix}' is {points.shape}, must be {wanted}")
    scores, sigma_px = get("scores", points.shape[:-1]), get("sigma_px", points.shape[:-1])
    fps, times_s, size = get("fps", ()), get("times_s", lead[:1]), get("size", (2,))
    unknown = np.full(points.shape[:-1], np.nan)
    columns = (points, *((unknown if a is None else a)[..., None] for a in (scores, sigma_px)))
    values = np.concatenate(columns, axis=-1).reshape(lead[0], -1, len(names), 4)
    rows, frames, tracks = of_tracks(values, [str(i + 1) for i in range(values.shape[1])])
    return Recording(
        path.as_posix() + (f"#{suffix[1:]}" if suffix else ""),
        names,
        keypoints_of(rows[..., :3], rows[..., 3]),
        frames,
        tracks,
        np.arange(lead[0]),
        times_s,
        None if size is None else np.tile(size.astype(np.int64), (lead[0], 1)),
        None if fps is None else float(fps),
    )

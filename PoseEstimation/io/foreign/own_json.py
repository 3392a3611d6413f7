"""Our own ``poses.json``, see ``PoseEstimation.io.poses_json``."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.skeletons import Skeleton
from PoseEstimation.io.foreign.recording import Recording, Size, keypoints_of
from PoseEstimation.io.poses_json import SCHEMA, read_poses_json
from PoseEstimation.result import FrameResult


def recognises(content: Any) -> bool:
    """Whether a JSON file is a ``poses.json``."""
    return isinstance(content, dict) and content.get("schema") == SCHEMA


def read(path: Path, content: Any, size: Size | None) -> list[Recording]:
    """Read the file: a recording per photo or video; frames with an error are left out.

    Raises:
        DataError: the file is damaged.
    """
    result = read_poses_json(path)
    readable = (frame for frame in result.frames if frame.error is None)
    return [
        _recording(source, list(frames), result.skeleton)
        for source, frames in groupby(readable, key=lambda frame: frame.source)
    ]


def _recording(source: str, frames: list[FrameResult], skeleton: Skeleton) -> Recording:
    rows = [(i, infant) for i, frame in enumerate(frames) for infant in frame.infants]
    values = np.full((len(rows), len(skeleton), 3), np.nan)
    sigma_px = np.full(values.shape[:2], np.nan)
    for row, (_, infant) in enumerate(rows):
        values[row] = np.column_stack([infant.keypoints_px, infant.keypoint_scores])
        sigma_px[row] = infant.sigma_px
    sizes = [side for frame in frames for side in (frame.width, frame.height)]
    return Recording(
        source,
        skeleton.joints,
        keypoints_of(values, sigma_px),
        np.array([i for i, _ in rows], dtype=np.int64),
        tuple(str(infant.track_id) for _, infant in rows),
        np.array([frame.index for frame in frames]),
        np.array([frame.time_s for frame in frames]),
        None if None in sizes else np.array(sizes, dtype=np.int64).reshape(-1, 2),
    )

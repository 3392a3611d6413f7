"""Our own ``poses.csv``: a row per joint, see ``PoseEstimation.io.poses_csv``."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from PoseEstimation.io.foreign.recording import Recording, Size, keypoints_of
from PoseEstimation.io.foreign.table import Table
from PoseEstimation.io.poses_csv import COLUMNS, read_name

Poses = dict[tuple[int, str], dict[str, np.ndarray]]
"""Joints (x, y, score) by name, by index of the frame and track."""


def recognises(table: Table) -> bool:
    """Whether a CSV file is a ``poses.csv``."""
    return bool(table.head) and set(COLUMNS) <= set(table.head[0])


def read(path: Path, table: Table, size: Size | None) -> list[Recording]:
    """Read the file: a recording per photo or video.

    Raises:
        DataError: a cell is wrong.
    """
    at = {name: i for i, name in enumerate(table.head[0])}
    times: dict[str, dict[int, float]] = defaultdict(dict)
    poses: dict[str, Poses] = defaultdict(lambda: defaultdict(dict))
    names: dict[str, None] = {}
    for line, cells in table.rows(1):
        source = read_name(cells[at["source"]])
        index = table.integer(line, cells[at["index"]], "index")
        measured = [cells[at[name]] for name in ("time_s", "x_px", "y_px", "score")]
        time_s, *values = table.numbers(line, measured)
        times[source][index] = float(time_s)
        names.setdefault(cells[at["joint"]])
        if track := cells[at["track_id"]]:
            poses[source][index, track][cells[at["joint"]]] = np.array(values)
    return [_recording(source, tuple(names), times[source], poses[source]) for source in times]


def _recording(
    source: str, names: tuple[str, ...], times: dict[int, float], poses: Poses
) -> Recording:
    indices = np.array(sorted(times))
    rows = sorted(poses, key=lambda key: key[0])
    nothing = np.full(3, np.nan)
    values = np.array([[poses[row].get(name, nothing) for name in names] for row in rows])
    found = keypoints_of(values.reshape(-1, len(names), 3))
    frames = np.searchsorted(indices, [index for index, _ in rows])
    tracks = tuple(track for _, track in rows)
    times_s = np.array([times[i] for i in indices.tolist()])
    return Recording(source, names, found, frames, tracks, indices, times_s)

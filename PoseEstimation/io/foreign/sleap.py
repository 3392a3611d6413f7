"""SLEAP analysis CSV: a row per instance.

Columns: track, frame_idx, instance.score and, of every node, NODE.x, NODE.y, NODE.score. Frames in
which nobody was found have no row. Scores are empty in instances placed by hand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Engine.errors import DataError
from PoseEstimation.io.foreign.recording import Recording, Size, keypoints_of
from PoseEstimation.io.foreign.table import Table


def recognises(table: Table) -> bool:
    """Whether a CSV file is one of SLEAP."""
    header = table.head[0] if table.head else []
    return "frame_idx" in header and any(name.endswith(".x") for name in header)


def read(path: Path, table: Table, size: Size | None) -> list[Recording]:
    """Read the file.

    Raises:
        DataError: a column is missing, or a cell is wrong.
    """
    header = table.head[0]
    names = [name.removesuffix(".x") for name in header if name.endswith(".x")]
    missing = [name for name in names if f"{name}.y" not in header]
    if missing:
        raise DataError(f"lift: {path}: node '{missing[0]}' has no column y; export it again")
    at = {name: i for i, name in enumerate(header)}
    columns = [at.get(f"{name}.{part}") for name in names for part in ("x", "y", "score")]
    indices, tracks, values = [], [], []
    for line, cells in table.rows(1):
        chosen = ["" if column is None else cells[column] for column in columns]
        values.append(table.numbers(line, chosen).reshape(-1, 3))
        indices.append(table.integer(line, cells[at["frame_idx"]], "frame_idx"))
        tracks.append(cells[at["track"]] if "track" in at else "")
    order = np.argsort(indices, kind="stable")
    unique, frames = np.unique(np.array(indices)[order], return_inverse=True)
    known = tuple(tracks[i] for i in order) if all(tracks) else None
    found = keypoints_of(np.stack(values)[order])
    return [Recording(path.as_posix(), tuple(names), found, frames, known, unique)]

"""Plain wide CSV: ``time_s``, then ``NAME_x``, ``NAME_y`` and, if known, ``NAME_score`` per joint.

One infant; a row per frame, pixels; empty cells where a joint is missing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Engine.errors import DataError
from PoseEstimation.io.foreign.recording import Recording, Size, keypoints_of
from PoseEstimation.io.foreign.table import Table

TIME = "time_s"


def recognises(table: Table) -> bool:
    """Whether a CSV file is such a table."""
    header = table.head[0] if table.head else []
    return TIME in header and any(name.endswith("_x") for name in header)


def read(path: Path, table: Table, size: Size | None) -> list[Recording]:
    """Read the file.

    Raises:
        DataError: a column is missing, or a cell is wrong.
    """
    header = table.head[0]
    at = {name: i for i, name in enumerate(header)}
    names = [name.removesuffix("_x") for name in header if name.endswith("_x")]
    missing = [name for name in names if f"{name}_y" not in at]
    if missing:
        raise DataError(f"lift: {path}: '{missing[0]}_x' has no column '{missing[0]}_y'; add it")
    columns = [at.get(f"{name}_{part}") for name in names for part in ("x", "y", "score")]
    times, values = [], []
    for line, cells in table.rows(1):
        chosen = ["" if column is None else cells[column] for column in columns]
        values.append(table.numbers(line, chosen).reshape(-1, 3))
        times.append(float(table.numbers(line, [cells[at[TIME]]])[0]))
        if np.isnan(times[-1]):
            raise table.fault(line, f"{TIME} is empty; fill it in")
    frames, times_s = np.arange(len(times)), np.array(times)
    found, one = keypoints_of(np.stack(values)), ("1",) * len(times)
    return [Recording(path.as_posix(), tuple(names), found, frames, one, frames, times_s)]

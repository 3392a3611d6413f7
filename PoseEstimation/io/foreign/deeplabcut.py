"""DeepLabCut CSV, also of Lightning Pose: a column per joint and coordinate under 3 or 4 headers.

Headers: ``scorer``, ``individuals`` (of several animals only), ``bodyparts``, ``coords`` (x, y and,
of predictions, likelihood). Rows begin with the frame number, or, in hand-labelled data, with the
path of the picture in one cell or three.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Engine.errors import DataError
from PoseEstimation.io.foreign.recording import (
    Recording,
    Size,
    frame_numbers,
    keypoints_of,
    of_tracks,
)
from PoseEstimation.io.foreign.table import Table

COORDINATES = ("x", "y", "likelihood")


def recognises(table: Table) -> bool:
    """Whether a CSV file is one of DeepLabCut."""
    return bool(table.head) and table.head[0][0].lower() == "scorer"


def read(path: Path, table: Table, size: Size | None) -> list[Recording]:
    """Read the file.

    Raises:
        DataError: a header or a cell is wrong.
    """
    headers = _headers(path, table)
    first = next((i for i, name in enumerate(headers["coords"]) if name == "x"), 0)
    columns = _columns(path, headers, first)
    tracks = list(dict.fromkeys(individual for individual, _, _ in columns))
    names = list(dict.fromkeys(part for _, part, _ in columns))
    places = [(tracks.index(i), names.index(p), COORDINATES.index(c)) for i, p, c in columns]
    target = tuple(np.array(places).T)
    labels, rows = [], []
    for line, cells in table.rows(len(headers)):
        row = np.full((len(tracks), len(names), 3), np.nan)
        row[target] = table.numbers(line, [cells[i] for i in columns.values()])
        labels.append("/".join(cells[:first]))
        rows.append(row)
    values, frames, track_of_row = of_tracks(np.stack(rows), tracks)
    indices = frame_numbers(labels)
    found = keypoints_of(values)
    return [Recording(path.as_posix(), tuple(names), found, frames, track_of_row, indices)]


def _headers(path: Path, table: Table) -> dict[str, list[str]]:
    """The header lines by what their first cell says."""
    wanted = ("scorer", "individuals", "bodyparts", "coords")
    lines = {cells[0].lower(): cells for cells in table.head if cells[0].lower() in wanted}
    missing = [name for name in ("bodyparts", "coords") if name not in lines]
    if missing or len({len(cells) for cells in lines.values()}) > 1:
        raise DataError(
            f"lift: {path}: the header has no line '{missing[0]}'; export it from DeepLabCut again"
            if missing
            else f"lift: {path}: the header lines have different lengths; export it again"
        )
    return lines


def _columns(
    path: Path, headers: dict[str, list[str]], first: int
) -> dict[tuple[str, str, str], int]:
    """Column of each (individual, joint, coordinate)."""
    kinds = headers["coords"][first:]
    people = headers.get("individuals", [""] * (first + len(kinds)))[first:]
    parts = headers["bodyparts"][first:]
    if "z" in kinds:
        raise DataError(f"lift: {path}: its joints are in 3D; give the 2D of one camera")
    columns = {
        key: i
        for i, key in enumerate(zip(people, parts, kinds, strict=True), first)
        if key[2] in COORDINATES
    }
    for person, part, kind in columns:
        if kind == "x" and (person, part, "y") not in columns:
            raise DataError(f"lift: {path}: joint '{part}' has no column y; export it again")
    if not first or not columns:
        raise DataError(f"lift: {path}: the line coords names no x and y; export it again")
    return columns

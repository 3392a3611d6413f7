"""``poses.csv``: the tidy form, one row per joint of one infant in one frame.

Columns: time_s, track_id, joint, x_px, y_px, score, x_mm, y_mm, z_mm, sigma_mm, then source and
index, which tell photos apart. A frame without an infant keeps its place: one row per joint with
empty values. A byte of a file name that is no UTF-8 is written as an escape (backslash, udc, two
hexadecimal digits), as in ``poses.json``, and a carriage return likewise; ``read_name`` turns both
back.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

from Engine.files import portable_name, replacing_text
from PoseEstimation.io.header import Header, Write
from PoseEstimation.result import MEASURES, FrameResult, tidy_rows

_ESCAPE = re.compile(r"\\u(dc[0-9a-f]{2}|005c|000d)")
COLUMNS = ("time_s", "track_id", "joint", *MEASURES, "source", "index")


@contextmanager
def poses_csv(path: Path, header: Header) -> Iterator[Write]:
    """Open ``poses.csv``, see ``io.header.Writer``."""
    with replacing_text(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)

        def write(frame: FrameResult) -> None:
            writer.writerows(map(_cells, tidy_rows([frame], header.skeleton)))

        yield write


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One row as text."""
    track, values = row["track_id"], [_number(row[name]) for name in MEASURES]
    start = f"{row['time_s']:.6f}", "" if track is None else str(track), row["joint"]
    return (*start, *values, _name(row["source"]), str(row["index"]))


def read_name(cell: str) -> str:
    """Turn a cell of the column source back into the name of the file."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), cell)


def _name(source: str) -> str:
    """Escape a carriage return, which csv does not quote, and what would read as an escape.

    Bytes that are no UTF-8 are escaped on writing.
    """
    name = _ESCAPE.sub(lambda found: f"\\u005c{found[0][1:]}", portable_name(source))
    return name.replace("\r", "\\u000d")


def _number(value: float) -> str:
    return f"{value:.3f}" if isfinite(value) else ""

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
from pathlib import Path

import numpy as np

from Engine.files import portable_name, replacing_text
from PoseEstimation.result import FrameResult, PoseResult

MEASURES = ("x_px", "y_px", "score", "x_mm", "y_mm", "z_mm", "sigma_mm")
_ESCAPE = re.compile(r"\\u(dc[0-9a-f]{2}|005c|000d)")
COLUMNS = ("time_s", "track_id", "joint", *MEASURES, "source", "index")


def write_poses_csv(result: PoseResult, path: Path) -> None:
    """Write the tidy table, whole or not at all.

    Args:
        result: the prediction.
        path: the file, usually ``poses.csv``.
    """
    with replacing_text(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for frame in result.frames:
            writer.writerows(_rows(frame, result.skeleton.joints))


def _rows(frame: FrameResult, joints: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Rows of one frame."""
    time, where = f"{frame.time_s:.6f}", (_name(frame.source), str(frame.index))
    for infant in frame.infants:
        columns = (infant.keypoints_px, infant.keypoint_scores, infant.joints_mm, infant.sigma_mm)
        values = np.column_stack(columns)
        for joint, row in zip(joints, values, strict=True):
            yield time, str(infant.track_id), joint, *map(_number, row), *where
    if not frame.infants:
        for joint in joints:
            yield time, "", joint, *([""] * len(MEASURES)), *where


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
    return f"{value:.3f}" if np.isfinite(value) else ""

"""2D joints that other programs wrote, one format per file: all become a ``Recording``.

To add a format: write ``io/foreign/<module>.py`` with ``recognises(content) -> bool`` and
``read(path, content, size) -> list[Recording]``, and give it a row in ``FORMATS``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple

from Engine.errors import DataError
from Engine.reading import load_json, state_of

if TYPE_CHECKING:
    from PoseEstimation.io.foreign.recording import Recording


class ForeignFormat(NamedTuple):
    """A format of 2D joints.

    Attributes:
        name: for the user.
        kind: of file, see ``_OPENERS``; ``folder`` for a folder.
        module: in this package, with ``recognises`` and ``read``.
    """

    name: str
    kind: str
    module: str


FORMATS = (
    ForeignFormat("poses.json", "json", "own_json"),
    ForeignFormat("poses.csv", "csv", "own_csv"),
    ForeignFormat("DeepLabCut CSV", "csv", "deeplabcut"),
    ForeignFormat("SLEAP analysis CSV", "csv", "sleap"),
    ForeignFormat("plain wide CSV", "csv", "wide_csv"),
    ForeignFormat("COCO keypoints JSON", "json", "coco"),
    ForeignFormat("OpenPose JSON", "json", "openpose"),
    ForeignFormat("folder of OpenPose JSON", "folder", "openpose"),
    ForeignFormat("MediaPipe pose JSON", "json", "mediapipe"),
    ForeignFormat("npz", "npz", "npz"),
)
"""The first of its kind that recognises a file reads it."""


def _table(path: Path) -> Any:
    return resolve_name("PoseEstimation.io.foreign.table:Table")(path)


def _arrays(path: Path) -> Any:
    return resolve_name("PoseEstimation.io.detection_cache:read_arrays")(path)


def _folder(path: Path) -> list[Path]:
    pattern = resolve_name("PoseEstimation.io.foreign.openpose:PATTERN")
    return sorted(path.glob(pattern))


_OPENERS: dict[str, Callable[[Path], Any]] = {
    "csv": _table,
    "json": lambda path: load_json(path, "lift"),
    "npz": _arrays,
    "folder": _folder,
}
"""What a reader is given of a file, by its suffix."""


def read_recordings(
    path: Path, size: tuple[int, int] | None = None
) -> tuple[ForeignFormat, list[Recording]]:
    """Read the 2D joints of a file, or folder, in whichever of ``FORMATS`` it is.

    Args:
        path: of the file.
        size: width and height of its pictures, for formats that need it.

    Returns:
        The format, and one recording or, where the format knows several, more.

    Raises:
        DataError: it is missing, damaged, in none of the formats, or holds nobody.
    """
    if not os.path.exists(path):
        raise DataError(f"lift: {path} {state_of(path, 'cannot be read')}; check the path")
    kind = "folder" if path.is_dir() else path.suffix.lower().removeprefix(".")
    content = _OPENERS[kind](path) if kind in _OPENERS else None
    for row in FORMATS:
        module = f"PoseEstimation.io.foreign.{row.module}"
        if row.kind == kind and resolve_name(f"{module}:recognises")(content):
            recordings = resolve_name(f"{module}:read")(path, content, size)
            if not any(len(recording.keypoints) for recording in recordings):
                raise DataError(f"lift: {path} ({row.name}) holds nobody; leave it out")
            return row, recordings
    known = ", ".join(row.name for row in FORMATS)
    raise DataError(f"lift: {path} is in none of the known formats: {known}; convert it")

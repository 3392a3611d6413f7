"""Frames that wait on disk, so that memory does not grow with a recording."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from Engine.files import cannot_write
from PoseEstimation.io.frame_json import frame_from_json, frame_to_json
from PoseEstimation.result import FrameResult


@contextmanager
def spooled(
    folder: Path,
) -> Iterator[tuple[Callable[[FrameResult], None], Callable[[], Iterator[FrameResult]]]]:
    """Open a nameless file that keeps frames until the block ends.

    Args:
        folder: on whose disk it lies.

    Yields:
        What keeps a frame, and what gives all of them back in order.

    Raises:
        WriteError: the disk is full, or the like.
    """
    with TemporaryFile(dir=folder) as file:

        def keep(frame: FrameResult) -> None:
            try:
                file.write(json.dumps(frame_to_json(frame)).encode() + b"\n")
            except OSError as error:
                raise cannot_write(folder, error) from error

        def kept() -> Iterator[FrameResult]:
            file.seek(0)
            for line in file:
                yield frame_from_json(json.loads(line))

        yield keep, kept

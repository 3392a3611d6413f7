"""The frames of one photo or video, from the file to their results in the image.

What goes wrong with one frame, of whatever kind, becomes that frame's ``error``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from Datasets.readers.inputs import is_video
from Datasets.readers.video import Frame, iter_frames
from Datasets.skeletons import Skeleton
from Engine.errors import DataError, WriteError, one_line
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.tracking import Tracker
from PoseEstimation.io.journal import Journal
from PoseEstimation.result import FrameResult, People
from PoseEstimation.visualise.overlay import Overlay, OverlayStyle, open_overlay

if TYPE_CHECKING:
    from PoseEstimation.inference.predictor import PosePipeline


def frames_of(
    pipeline: PosePipeline,
    source: Path,
    camera: Camera,
    journal: Journal,
    drawing: Path | None = None,
    style: OverlayStyle | None = None,
) -> Iterator[FrameResult]:
    """Process one photo or video; what the journal holds of it is taken from there.

    Args:
        pipeline: the networks.
        source: the file.
        camera: known or assumed.
        journal: takes every batch as soon as it is finished.
        drawing: file of the overlay, or None for no overlay.
        style: of the overlay.

    Yields:
        Results in order, infants numbered and not lifted.

    Raises:
        WriteError: the disk is full, or the like.
    """
    recorded = journal.recorded(source)
    if recorded.ended_with(drawing):
        yield from (frame for batch in recorded.batches for frame in batch)
        return
    drawn, last = 0, None
    try:
        with _overlay(drawing, pipeline.skeleton, style) as overlay:
            for last in _results(pipeline, source, camera, journal, overlay):
                yield last
            drawn = 0 if overlay is None else overlay.frames
    except WriteError:
        raise
    except Exception as error:  # the overlay cannot be closed
        drawn, (index, time_s) = 0, (last.index + 1, last.time_s) if last else (0, 0.0)
        why = f"overlay: {failure(source.as_posix(), index, error)}"
        yield FrameResult(source.as_posix(), index, time_s, None, None, error=why)
    if drawing is not None and not drawn:  # none but an earlier one, of other pictures perhaps
        drawing.unlink(missing_ok=True)
    journal.end(source, drawing if drawn else None)


def _overlay(
    drawing: Path | None, skeleton: Skeleton, style: OverlayStyle | None
) -> AbstractContextManager[Overlay | None]:
    """Open an overlay, or nothing when none is wanted."""
    return nullcontext() if drawing is None else open_overlay(drawing, skeleton, style)


def _results(
    pipeline: PosePipeline, source: Path, camera: Camera, journal: Journal, overlay: Overlay | None
) -> Iterator[FrameResult]:
    """Observe, number, draw and keep the frames of a source, batch by batch."""
    settings, still = pipeline.settings, not is_video(source)
    tracker = Tracker(settings.track_min_iou, settings.track_max_gap_s)
    known, bound = iter(journal.recorded(source).batches), None
    for frames in _batches(_read(source), settings.batch_size):
        bound = bound or next((camera.of_source(s) for s in map(size_of, frames) if s), None)
        results = _same(next(known, ()), frames)
        fresh = not results
        results = results or _observed(pipeline, frames, bound or camera, still)
        results = [_numbered(result, tracker) for result in results]
        results = [_drawn(overlay, *pair) for pair in zip(frames, results, strict=True)]
        if fresh:
            journal.append(source, results)
        yield from results


def size_of(frame: Frame) -> tuple[int, int] | None:
    """Width and height of a frame's full picture; None when it could not be read."""
    return frame.full_size or (None if frame.image is None else frame.image.size)


def _same(recorded: Sequence[FrameResult], frames: Sequence[Frame]) -> list[FrameResult]:
    """The recorded results when they are those of these frames; none otherwise."""
    alike = [r.index for r in recorded] == [f.index for f in frames]
    return list(recorded) if alike else []


def _read(source: Path) -> Iterator[Frame]:
    """Frames of a source; where reading itself fails, one more frame says why."""
    index, time_s = 0, 0.0
    try:
        for frame in iter_frames(source):
            index, time_s = frame.index + 1, frame.time_s
            yield frame
    except Exception as error:
        why = failure(source.as_posix(), index, error)
        yield Frame(source.as_posix(), index, time_s, None, why)


def _observed(
    pipeline: PosePipeline, frames: Sequence[Frame], camera: Camera, still: bool
) -> list[FrameResult]:
    """Find the people of a batch; where that fails, of each frame alone: one costs no other."""
    try:
        usable = [_fitting(frame, camera) for frame in frames]
        images = [frame.image for frame in usable if frame.image is not None]
        people = iter(pipeline.observe(images, still) if images else [])
        return [
            _frame_result(frame, People() if frame.image is None else next(people))
            for frame in usable
        ]
    except Exception as error:
        if len(frames) > 1:
            return [r for frame in frames for r in _observed(pipeline, [frame], camera, still)]
        (frame,) = frames
        why = failure(frame.source, frame.index, error)
        return [_frame_result(replace(frame, error=why), People())]


def _fitting(frame: Frame, camera: Camera) -> Frame:
    """The frame, or its error where the camera is not one of its shape."""
    if frame.image is None:
        return frame
    try:
        camera.matrix(size_of(frame))
    except DataError as error:
        return replace(frame, image=None, error=f"{frame.source}: {error}")
    return frame


def _frame_result(frame: Frame, people: People) -> FrameResult:
    width, height = (None, None) if frame.image is None else frame.image.size
    return FrameResult(
        source=frame.source,
        index=frame.index,
        time_s=frame.time_s,
        width=width,
        height=height,
        infants=people.infants,
        error=None if frame.error is None else one_line(frame.error),
        adults=people.adults,
        suspected_xyxy=people.suspected_xyxy,
        notes=frame.notes,
        full_size=None if frame.image is None else frame.full_size,
    )


def _numbered(frame: FrameResult, tracker: Tracker) -> FrameResult:
    """Give the infants of a frame the numbers of their tracks."""
    try:
        boxes = np.array([infant.box_xyxy for infant in frame.infants]).reshape(-1, 4)
        shares = boxes / (2 * (frame.width, frame.height)) if len(boxes) else boxes
        numbers = tracker.update(shares, frame.time_s)
        numbered = [replace(i, track_id=n) for i, n in zip(frame.infants, numbers, strict=True)]
        return replace(frame, infants=tuple(numbered))
    except Exception as error:
        why = frame.error or failure(frame.source, frame.index, error)
        return replace(frame, infants=(), error=why)


def _drawn(overlay: Overlay | None, frame: Frame, result: FrameResult) -> FrameResult:
    """Draw a frame; a frame that cannot be drawn keeps its poses and says so."""
    try:
        if overlay is not None:
            overlay.write(frame, result)
    except WriteError:
        raise
    except Exception as error:
        why = failure(frame.source, frame.index, error)
        return replace(result, error=result.error or f"overlay: {why}")
    return result


def failure(source: str, index: int, error: Exception) -> str:
    """Say in one line what failed where."""
    if isinstance(error, DataError):
        return str(error)
    return one_line(f"{source}, frame {index}: {type(error).__name__}: {error}")


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    """Group frames, the last group may be smaller."""
    frames = iter(frames)
    while batch := list(islice(frames, max(1, size))):
        yield batch

"""Stages of a stream of frames: read ahead, find people, number them.

What goes wrong with one frame, of whatever kind, becomes that frame's ``error``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import groupby, islice
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from Datasets.readers.video import Frame
from Engine.errors import DataError, one_line
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.tracking import Tracker
from PoseEstimation.result import FrameResult
from PoseEstimation.structures import Found

if TYPE_CHECKING:
    from PoseEstimation.inference.top_down import PeopleFinder

Item = TypeVar("Item")
FrameBatch = list[tuple[Frame, FrameResult]]

AHEAD = 8
"""Frames that are decoded before they are needed."""

_POLL_S = 0.1


def find_people(
    finder: PeopleFinder,
    frames: Iterable[Frame],
    camera: Camera,
    settings: PredictSettings,
    boxes_given: bool,
    finished: Callable[[Sequence[Frame]], Sequence[FrameResult]],
) -> Generator[FrameBatch, None, None]:
    """Find the infants of frames, batch by batch, and number them by their tracks.

    Args:
        finder: finds people in images.
        frames: see ``Predictor.run``.
        camera: of frames without intrinsics.
        settings: batch size and rules of tracks.
        boxes_given: take each frame's ``boxes_xyxy``.
        finished: results of a batch that an earlier run found, or none.
    """
    with closing(ahead(frames, AHEAD)) as coming:
        for _, own in groupby(coming, key=lambda frame: frame.source):
            tracker, bound = Tracker(settings.track_min_iou, settings.track_max_gap_s), None
            for batch in _batches(own, settings.batch_size):
                bound = bound or next((camera.of_source(s) for s in map(size_of, batch) if s), None)
                known = finished(batch)
                if known:
                    yield [(f, _tracked(r, tracker)) for f, r in zip(batch, known, strict=True)]
                    continue
                results = _found(finder, batch, bound or camera, boxes_given)
                yield [(f, _result(f, r, tracker)) for f, r in results]


def ahead(items: Iterable[Item], count: int) -> Generator[Item, None, None]:
    """Iterate in a thread of its own that is up to ``count`` items ahead; errors pass through."""
    queue: Queue[tuple[Item | None, BaseException | None, bool]] = Queue(count)
    stopped = Event()

    def put(entry: tuple[Item | None, BaseException | None, bool]) -> None:
        while not stopped.is_set():
            try:
                return queue.put(entry, timeout=_POLL_S)
            except Full:
                continue

    def work() -> None:
        failure: BaseException | None = None
        iterator = iter(items)
        try:
            for item in iterator:
                put((item, None, False))
                if stopped.is_set():
                    break
        except BaseException as error:
            failure = error
        finally:
            if hasattr(iterator, "close"):
                iterator.close()
            put((None, failure, True))

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            try:
                item, failure, last = queue.get(timeout=_POLL_S)
            except Empty:
                continue
            if failure is not None:
                raise failure
            if last:
                return
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()


def size_of(frame: Frame) -> tuple[int, int] | None:
    """Width and height of a frame's full picture; None when it could not be read."""
    return frame.full_size or (None if frame.image is None else frame.image.size)


def failure(source: str, index: int, error: Exception) -> str:
    """Say in one line what failed where."""
    if isinstance(error, DataError):
        return str(error)
    return one_line(f"{source}, frame {index}: {type(error).__name__}: {error}")


def _batches(frames: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Group frames, the last group may be smaller."""
    frames = iter(frames)
    while batch := list(islice(frames, max(1, size))):
        yield batch


def _found(
    finder: PeopleFinder, frames: Sequence[Frame], camera: Camera, boxes_given: bool
) -> list[tuple[Frame, Found | None]]:
    """Find the people of a batch; where that fails, of each frame alone: one costs no other."""
    try:
        usable = [_fitting(frame, camera) for frame in frames]
        readable = [frame for frame in usable if frame.image is not None]
        boxes = [_given_boxes(frame) for frame in readable] if boxes_given else None
        images = [frame.image for frame in readable if frame.image is not None]
        found = iter(finder(images, boxes, readable[0].still) if readable else [])
        return [(frame, None if frame.image is None else next(found)) for frame in usable]
    except Exception as error:
        if len(frames) > 1:
            return [pair for f in frames for pair in _found(finder, [f], camera, boxes_given)]
        (frame,) = frames
        return [(replace(frame, error=failure(frame.source, frame.index, error)), None)]


def _given_boxes(frame: Frame) -> np.ndarray:
    if frame.boxes_xyxy is None:
        raise DataError(f"boxes: {frame.source}, frame {frame.index} has none; detect them instead")
    return frame.boxes_xyxy


def _fitting(frame: Frame, camera: Camera) -> Frame:
    """The frame, or its error where the camera is not one of its shape."""
    size = size_of(frame)
    if frame.image is None or frame.intrinsics is not None or size is None:
        return frame
    try:
        camera.matrix(size)
    except DataError as error:
        return replace(frame, image=None, error=f"{frame.source}: {error}")
    return frame


def _result(frame: Frame, found: Found | None, tracker: Tracker) -> FrameResult:
    """The result of a frame, its infants numbered by their tracks."""
    try:
        numbers = _numbers(found, frame, tracker)
        return FrameResult.of(frame, found, numbers)
    except Exception as error:
        why = frame.error or failure(frame.source, frame.index, error)
        return FrameResult.of(replace(frame, error=why), None, [])


def _numbers(found: Found | None, frame: Frame, tracker: Tracker) -> list[int]:
    if found is None or frame.image is None or not len(found.boxes_xyxy):
        return tracker.update(np.zeros((0, 4)), frame.time_s)
    return tracker.update(found.boxes_xyxy / (2 * frame.image.size), frame.time_s)


def _tracked(result: FrameResult, tracker: Tracker) -> FrameResult:
    """A result of an earlier run, which the tracker follows as it did then."""
    boxes = np.array([infant.box_xyxy for infant in result.infants]).reshape(-1, 4)
    shares = boxes / (2 * (result.width, result.height)) if len(boxes) else boxes
    numbers = tracker.update(shares, result.time_s)
    infants = zip(result.infants, numbers, strict=True)
    return replace(result, infants=tuple(replace(i, track_id=n) for i, n in infants))

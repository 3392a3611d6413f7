"""Frames of photos and videos: upright, each at its own time, damage reported and never hidden.

A video's time comes from its presentation time stamps, so a variable frame rate and gaps of a
recording keep their true times; where the stamps start anew, time goes on. A video is read as a
player shows it: its default track, upright and with square pixels (``video_stream.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from Datasets.readers.images import read_photo
from Datasets.readers.inputs import is_video
from Datasets.readers.video_stream import REORDERED, DecodedFrame, VideoStream
from Datasets.structures import Frame
from Engine.errors import DataError

MAX_GAP_S = 86_400.0
"""A longer leap of the time stamps is a fault of the file, a shorter one a real gap."""
RESTART = "time stamps start anew; time goes on"
"""Note of a frame with which a joined recording begins."""


def iter_frames(path: Path) -> Iterator[Frame]:
    """Read the frames of a photo or video one by one.

    Args:
        path: the file. A damaged one gives what can be read, and frames with an ``error``.

    Yields:
        Frames in order of presentation.
    """
    if is_video(path):
        yield from _video_frames(path)
        return
    try:
        yield read_photo(path)
    except DataError as error:
        yield Frame(path.as_posix(), 0, 0.0, None, str(error), still=True)


def count_frames(path: Path) -> int | None:
    """Frames that a photo or video has, for a progress bar; None when the file does not say.

    An unreadable file counts 1: it gives one frame with the reason.
    """
    if not is_video(path):
        return 1
    try:
        with VideoStream(path) as video:
            return video.count()
    except DataError:
        return 1


def _video_frames(path: Path) -> Iterator[Frame]:
    """Read a video; damage is reported in its place, a missing end at the end."""
    try:
        video = VideoStream(path)
    except DataError as error:
        yield Frame(path.as_posix(), 0, 0.0, None, str(error))
        return
    clock, notes, index = _Clock(1 / video.rate), _Notes(), 0
    lost: list[DecodedFrame] = []
    with video:
        for decoded in video.frames():
            lost.append(decoded)
            if decoded.frame is None:
                continue
            for place in lost:
                yield _frame(video, place, index, clock, notes)
                index += 1
            lost = []
        declared = _frames_declared(video, index, clock)
        if declared or video.broken or index == 0:
            of = f" of {declared}" if declared else ""
            why = f"ends after {index}{of} frames, the rest is missing or damaged; copy it again"
            time_s, _ = clock.tick(None, None)
            yield Frame(path.as_posix(), index, time_s, None, f"video: {path} {why}")
            return
        for number, place in enumerate(lost, index):
            yield _frame(video, place, number, clock, notes)


def _frame(
    video: VideoStream, decoded: DecodedFrame, index: int, clock: _Clock, notes: _Notes
) -> Frame:
    """Convert one frame; whatever goes wrong is its own error."""
    stamp = decoded.stamp
    time = None if stamp is None else float(stamp * video.time_base)
    time_s, joined = clock.tick(decoded.packet.recording, time)
    said = (RESTART,) if joined else ()
    where = video.path.as_posix()
    try:
        image, found = video.picture(decoded, index)
    except DataError as error:
        return Frame(where, index, time_s, None, str(error), said)
    return Frame(where, index, time_s, image, None, (*said, *notes.new(image.size, found)))


class _Notes:
    """What is said of a frame: only what differs from the frame before."""

    def __init__(self) -> None:
        self._size: tuple[int, int] | None = None
        self._said: tuple[str, ...] = ()

    def new(self, size: tuple[int, int], found: tuple[str, ...]) -> tuple[str, ...]:
        """Notes of a frame of this size, of which these things were found."""
        notes = [note for note in found if note not in self._said]
        if self._size not in (None, size):
            was, now = (f"{width}x{height}" for width, height in (self._size, size))
            notes.append(f"frame size changes from {was} to {now}")
        self._size, self._said = size, found
        return tuple(notes)


class _Clock:
    """Seconds since the first frame, always growing.

    A frame without a time stamp, and the first one of a recording that was joined, follow one frame
    interval after the last; one whose stamp is hardly earlier than the last's, half of it.
    """

    def __init__(self, step_s: float) -> None:
        self.step_s = step_s
        self.now = 0.0
        self._recording: int | None = None
        self._zero: float | None = None

    def tick(self, recording: int | None, time: float | None) -> tuple[float, bool]:
        """Advance to a frame.

        Args:
            recording: its number, or None for the one before.
            time: the frame's time stamp in seconds, or None.

        Returns:
            Seconds, and whether the time stamps start anew here.
        """
        first = self._recording is None
        anew = not first and recording not in (None, self._recording)
        self._recording = self._recording if recording is None else recording
        if time is None or self._zero is None:
            self.now += 0.0 if first else self.step_s
        else:
            ahead = time - self._zero - self.now
            anew |= not -REORDERED * self.step_s <= ahead <= MAX_GAP_S
            self.now += self.step_s if anew else ahead if ahead > 0 else self.step_s / 2
        if time is None:
            self._zero = None if anew else self._zero
        elif anew or self._zero is None:
            self._zero = time - self.now
        return self.now, anew


def _frames_declared(video: VideoStream, read: int, clock: _Clock) -> int:
    """Number of frames the index promises when fewer came, else 0.

    A phone's trimmed video declares frames that it hides, so the duration must be unmet as well.
    """
    stream = video.stream
    if not stream.frames or read >= stream.frames or stream.duration is None:
        return 0
    end = float(stream.duration * video.time_base)
    return stream.frames if clock.now + 2 * clock.step_s < end else 0

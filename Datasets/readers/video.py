"""Frames of photos and videos: upright, each at its own time, damage reported and never hidden.

A video's time comes from its presentation time stamps, so a variable frame rate keeps its true
times; the rotation that phones write into the file is applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from Datasets.readers.images import read_photo
from Datasets.readers.inputs import is_video
from Engine.errors import DataError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

_QUARTER_TURNS = {
    1: Image.Transpose.ROTATE_90,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True)
class Frame:
    """One frame of an input, or the reason why it could not be read.

    Attributes:
        source: path of the photo or video.
        index: position in the video, from 0; 0 for a photo.
        time_s: seconds since the video's first frame, from its time stamps; 0 for a photo.
        image: upright RGB, or None when unreadable.
        error: one line saying what is wrong, or None.
        notes: what was changed or found while reading, one line each.
    """

    source: str
    index: int
    time_s: float
    image: Image.Image | None
    error: str | None = None
    notes: tuple[str, ...] = ()


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
        photo = read_photo(path)
    except DataError as error:
        yield Frame(path.as_posix(), 0, 0.0, None, str(error))
    else:
        yield Frame(path.as_posix(), 0, 0.0, photo.image, notes=photo.notes)


def count_frames(path: Path) -> int:
    """Frames that a photo or video says it has; 1 for one that does not say."""
    import av

    if not is_video(path):
        return 1
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            return stream.frames or round(float(stream.duration or 0) * stream.time_base * 30) or 1
    except (av.FFmpegError, OSError, IndexError):
        return 1


def _video_frames(path: Path) -> Iterator[Frame]:
    """Open a video and read it; a file that cannot be opened gives one frame with the reason."""
    import av

    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError):
        yield _unreadable(path, "is no video, or lacks its index because it was cut; copy it again")
        return
    with container:
        if not container.streams.video:
            yield _unreadable(path, "holds no picture, only sound; choose another file")
            return
        yield from _decode(container, path)


def _unreadable(path: Path, why: str) -> Frame:
    return Frame(path.as_posix(), 0, 0.0, None, f"video: {path} {why}")


def _decode(container: InputContainer, path: Path) -> Iterator[Frame]:
    """Decode every packet; damage is reported in its place, a missing end at the end."""
    clock = _Clock(float(container.streams.video[0].average_rate or 30))
    index = 0
    damaged: list[float] = []
    for packet_time, decoded in _packets(container):
        if decoded is None:
            damaged.append(packet_time)
            continue
        for frame in decoded:
            # Frames leave the decoder later than their packets enter it: damage waits for its turn.
            passed = [t for t in damaged if frame.time is None or t < frame.time]
            damaged = damaged[len(passed) :]
            for time in passed:
                yield Frame(path.as_posix(), index, clock.tick(time), None, _damaged(path, index))
                index += 1
            yield Frame(path.as_posix(), index, clock.tick(frame.time), _upright(frame))
            index += 1
    declared = _frames_declared(container, index, clock)
    if declared or damaged or index == 0:
        of = f" of {declared}" if declared else ""
        why = f"ends after {index}{of} frames, the rest is missing or damaged; copy it again"
        yield Frame(path.as_posix(), index, clock.tick(None), None, f"video: {path} {why}")


def _packets(container: InputContainer) -> Iterator[tuple[float, list[VideoFrame] | None]]:
    """Give each packet's time and the frames that it completes, None for a damaged one."""
    import av

    time = 0.0
    try:
        for packet in container.demux(container.streams.video[0]):
            stamp = packet.pts if packet.pts is not None else packet.dts
            time = time if stamp is None else float(stamp * packet.time_base)
            try:
                yield time, None if packet.is_corrupt else packet.decode()
            except av.FFmpegError:
                yield time, None
    except av.FFmpegError:
        yield time, None


class _Clock:
    """Seconds since the first frame; a frame without a time stamp follows at the average rate."""

    def __init__(self, rate: float) -> None:
        self.step_s = 1.0 / rate
        self.first: float | None = None
        self.now = 0.0

    def tick(self, time: float | None) -> float:
        """Advance to the frame with this time stamp."""
        if self.first is None:
            self.first = time if time is not None else 0.0
        elif time is None:
            self.now += self.step_s
        else:
            self.now = time - self.first
        return self.now


def _frames_declared(container: InputContainer, read: int, clock: _Clock) -> int:
    """Number of frames the index promises when fewer came, else 0.

    A phone's trimmed video declares frames that it hides, so the duration must be unmet as well.
    """
    stream = container.streams.video[0]
    if not stream.frames or read >= stream.frames or stream.duration is None:
        return 0
    end = float(stream.duration * stream.time_base)
    return stream.frames if clock.now + 2 * clock.step_s < end else 0


def _damaged(path: Path, index: int) -> str:
    return f"video: {path}, frame {index} is damaged; copy the file again"


def _upright(frame: VideoFrame) -> Image.Image:
    """Apply the rotation that the file asks for, in quarter turns counter-clockwise."""
    image = frame.to_image()
    turns = round(frame.rotation / 90) % 4
    return image.transpose(_QUARTER_TURNS[turns]) if turns else image

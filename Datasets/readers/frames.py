"""The image of a sample, whether it is a file of its own or a frame of a video.

Frames are numbered as ``readers.video.iter_frames`` numbers them: in order of presentation from 0.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from Datasets.readers.images import load_image
from Datasets.structures import PoseSample
from Engine.errors import DataError
from Engine.reading import require_file

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

NEAR = 32
"""Frames ahead that are reached by decoding on; farther ones by a jump to the key frame before."""

_QUARTER_TURNS = {
    1: Image.Transpose.ROTATE_90,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_270,
}


def load_sample_image(sample: PoseSample) -> Image.Image:
    """Decode the image of one sample, upright RGB; a video is opened anew each time.

    Raises:
        DataError: the file is missing or damaged, or the video has no such frame.
    """
    return FrameSource().load(sample)


class FrameSource:
    """Loads the images of samples and keeps the last video open: reading in order is fast.

    Jumping between videos costs reading the other file's packets once and a key frame's distance of
    decoding per image; for training in random order unpack the videos to images first. A copy in
    another process opens its own files.
    """

    def __init__(self) -> None:
        self._video: _Video | None = None
        self._process = os.getpid()

    def load(self, sample: PoseSample) -> Image.Image:
        """Decode the image of a sample, upright 8-bit RGB.

        Raises:
            DataError: the file is missing or damaged, or the video has no such frame.
        """
        if sample.video_frame is None:
            return load_image(sample.image_path)
        # A forked process shares the position in an open file with its parent.
        known = self._video is not None and self._process == os.getpid()
        if not known or self._video.path != sample.image_path:
            self._video, self._process = _Video(sample.image_path), os.getpid()
        return self._video.read(sample.video_frame)

    def __getstate__(self) -> dict[str, Any]:
        return {"_video": None, "_process": self._process}


class _Video:
    """An open video whose frames are found by number."""

    def __init__(self, path: Path) -> None:
        self.path = require_file(path, "video")
        self.stamps = self._presentation_times()
        self.trusted = self._times_name_frames()
        self._restart()

    def read(self, number: int) -> Image.Image:
        """Decode frame ``number``, counted from 0."""
        import av

        if not 0 <= number < len(self.stamps):
            raise DataError(
                f"video: {self.path} has {len(self.stamps)} frames, no frame {number} (from 0); "
                "copy the file again or correct the annotation"
            )
        ahead = self.next <= number < self.next + NEAR
        try:
            frame = self._advance(number) if ahead else self._jump(number)
        except (av.FFmpegError, OSError):
            frame = None
        if frame is None:
            self._restart()
            raise DataError(f"video: {self.path}, frame {number} is damaged; copy the file again")
        return _upright(frame)

    def _jump(self, number: int) -> VideoFrame | None:
        """Seek to a key frame before, farther back when that one proves to come too late."""
        if self.trusted:
            for start in (number, number - NEAR):
                self.container.seek(
                    self.stamps[max(start, 0)], stream=self.container.streams.video[0]
                )
                self.frames = self._decoded()
                frame = self._advance(number)
                if frame is not None:
                    return frame
        if self.trusted or number < self.next:
            self._restart()
        return self._advance(number)

    def _advance(self, number: int) -> VideoFrame | None:
        """Decode on to a frame; None when it does not come."""
        for index, frame in self.frames:
            self.next = index + 1
            if index >= number:
                return frame if index == number and not frame.is_corrupt else None
        return None

    def _decoded(self) -> Iterator[tuple[int, VideoFrame]]:
        """Frames with their numbers from here on: by time, or counted from the start."""
        for count, frame in enumerate(self.container.decode(video=0)):
            yield bisect_left(self.stamps, frame.pts) if self.trusted else count, frame

    def _restart(self) -> None:
        """Open the file at its first frame."""
        self.container = self._opened()
        self.frames, self.next = self._decoded(), 0

    def _opened(self) -> Any:
        import av

        try:
            container = av.open(str(self.path))
        except (av.FFmpegError, OSError):
            raise DataError(f"video: {self.path} is no video, or was cut; copy it again") from None
        if not container.streams.video:
            raise DataError(f"video: {self.path} holds no picture; choose another file")
        return container

    def _presentation_times(self) -> list[int]:
        """Time stamps of all frames in order, from the packets, without decoding."""
        import av

        stamps: list[int | None] = []
        # Of a cut file, what came before the cut can be read.
        with self._opened() as container, suppress(av.FFmpegError):
            for packet in container.demux(video=0):
                if packet.size and not packet.is_discard:
                    stamps.append(packet.dts if packet.pts is None else packet.pts)
        return sorted(-1 if stamp is None else stamp for stamp in stamps)

    def _times_name_frames(self) -> bool:
        """Whether decoded frames carry the packets' times; H.264 in AVI often does not."""
        import av

        with self._opened() as container:
            try:
                seen = [frame.pts for frame in islice(container.decode(video=0), NEAR)]
            except av.FFmpegError:
                return False
        return len(set(self.stamps)) == len(self.stamps) and seen == self.stamps[: len(seen)]


def _upright(frame: VideoFrame) -> Image.Image:
    """Apply the rotation that the file asks for, in quarter turns counter-clockwise."""
    image = frame.to_image()
    turns = round(frame.rotation / 90) % 4
    return image.transpose(_QUARTER_TURNS[turns]) if turns else image

"""The image of a sample, whether it is a file of its own or a frame of a video.

Frames are numbered and shown as ``readers.video.iter_frames`` does: in order of presentation from
0, upright and with square pixels. Labels count in pixels of these pictures: the official videos are
stored so, and of others it is what an annotator sees in a player and what ``predict`` writes.
Labels that count stored pixels which are not square do not fit; convert such a video first.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image

from Datasets.readers.images import load_image
from Datasets.readers.video_stream import DecodedFrame, VideoStream
from Datasets.structures import PoseSample
from Engine.errors import DataError
from Engine.reading import require_file

NEAR = 32
"""Frames ahead that are reached by decoding on; farther ones by a jump to the key frame before."""


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
        video = self._video
        # A forked process shares the position in an open file with its parent.
        if video is None or video.path != sample.image_path or self._process != os.getpid():
            video = self._video = _Video(sample.image_path)
            self._process = os.getpid()
        return video.read(sample.video_frame)

    def __getstate__(self) -> dict[str, Any]:
        return {"_video": None, "_process": self._process}


class _Video:
    """An open video whose frames are found by number."""

    def __init__(self, path: Path) -> None:
        self.path = require_file(path, "video")
        with VideoStream(self.path) as video:
            places = video.places()
        self.stamps = [stamp for _, stamp in places]
        self.trusted = not any(recording for recording, _ in places) and self._times_name_frames()
        self._restart()

    def read(self, number: int) -> Image.Image:
        """Decode frame ``number``, counted from 0."""
        if not 0 <= number < len(self.stamps):
            raise DataError(
                f"video: {self.path} has {len(self.stamps)} frames, no frame {number} (from 0); "
                "copy the file again or correct the annotation"
            )
        ahead = self.next <= number < self.next + NEAR
        found = self._advance(number) if ahead else self._jump(number)
        if found is None:
            self._restart()
            raise DataError(f"video: {self.path}, frame {number} is damaged; copy the file again")
        return self.video.picture(found, number)[0]

    def _jump(self, number: int) -> DecodedFrame | None:
        """Seek to a key frame before, farther back when that one proves to come too late."""
        if self.trusted:
            for start in (number, number - NEAR):
                # A file that cannot be searched is read from its start.
                with suppress(Exception):
                    stamp = self.stamps[max(start, 0)]
                    self.video.container.seek(stamp, stream=self.video.stream)
                    self.frames = self._numbered()
                    found = self._advance(number)
                    if found is not None:
                        return found
        if self.trusted or number < self.next:
            self._restart()
        return self._advance(number)

    def _advance(self, number: int) -> DecodedFrame | None:
        """Decode on to a frame; None when it does not come or is damaged."""
        for index, decoded in self.frames:
            self.next = index + 1
            if index >= number:
                return decoded if index == number and decoded.frame is not None else None
        return None

    def _numbered(self) -> Iterator[tuple[int, DecodedFrame]]:
        """Frames with their numbers from here on: by time, or counted from the start."""
        for count, decoded in enumerate(self.video.frames()):
            by_time = self.trusted and decoded.stamp is not None
            yield bisect_left(self.stamps, decoded.stamp or 0) if by_time else count, decoded

    def _restart(self) -> None:
        """Open the file at its first frame."""
        self.video = VideoStream(self.path)
        self.frames, self.next = self._numbered(), 0

    def _times_name_frames(self) -> bool:
        """Whether decoded frames carry the packets' times; H.264 in AVI often does not."""
        with VideoStream(self.path) as video:
            seen = [decoded.stamp for decoded in islice(video.frames(), NEAR)]
        return len(set(self.stamps)) == len(self.stamps) and seen == self.stamps[: len(seen)]

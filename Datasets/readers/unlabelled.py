"""Photos and videos as a data set without labels, to predict on or to learn from."""

from __future__ import annotations

from pathlib import Path

from Datasets.readers.inputs import expand_inputs, is_video
from Datasets.readers.video_stream import VideoStream
from Datasets.skeletons import INFANT, Skeleton
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError


def read_frames(path: Path | str, skeleton: Skeleton = INFANT) -> Dataset:
    """List the frames of a video, a photo or a folder of them; nothing is decoded yet.

    Args:
        path: a file that PyAV or Pillow reads, or a folder of such.
        skeleton: convention of the (unlabelled) samples.

    Returns:
        One sample per photo and per video frame; ``sequence`` is the file's name.

    Raises:
        DataError: nothing readable is there, or a video holds no frame.
    """
    samples = []
    for file in expand_inputs([path]).paths:
        for number in range(_frames(file)) if is_video(file) else (None,):
            known = {"sequence": file.name, "frame": number or 0, "video_frame": number}
            samples.append(PoseSample.unlabelled(file, skeleton, **known))
    return Dataset("frames", Path(path), skeleton, tuple(samples))


def _frames(path: Path) -> int:
    """Number of a video's frames, by its packets.

    Raises:
        DataError: the file is no video, or has no frame.
    """
    with VideoStream(path) as video:
        count = len(video.places())
    if count == 0:
        raise DataError(f"video: {path} holds no frame; restore it or leave it out")
    return count

"""Results drawn over their photos and videos, on disk as they come."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from PIL import Image

from Datasets.drawing.overlay import PoseDrawing, draw_poses
from Datasets.readers.inputs import is_video
from Datasets.readers.video import Frame
from Datasets.skeletons import Skeleton
from Engine.files import write_image
from PoseEstimation.result import NOTICE, FrameResult
from PoseEstimation.visualise.faces import MAX_GAP_S, FaceBlur
from PoseEstimation.visualise.video import VideoWriter

FOLDER = "overlays"
JPEG_QUALITY = 92
NAME_BYTES = 255
"""Longest name of a file on common disks."""


@dataclass(frozen=True)
class OverlayStyle:
    """How to draw.

    Attributes:
        blur_face: make faces unrecognisable; ``visualise.faces`` says whose.
        max_gap_s: seconds for which an infant's face stays blurred where it was last seen: as long
            as a track lives.
    """

    blur_face: bool = False
    max_gap_s: float = MAX_GAP_S


def draw_overlay(image: Image.Image, frame: FrameResult, skeleton: Skeleton) -> Image.Image:
    """Draw the infants of a frame, what left and right are, and what this is not.

    Args:
        image: the upright frame.
        frame: its result.
        skeleton: convention of the joints.

    Returns:
        RGB image of the same size.
    """
    poses = [
        PoseDrawing(
            infant.keypoints_px,
            infant.keypoint_scores,
            infant.box_xyxy,
            f"infant {infant.track_id}  {100 * infant.box_score:.0f} %",
        )
        for infant in frame.infants
    ]
    caption = NOTICE if poses else f"no infant found; {NOTICE}"
    return draw_poses(image, poses, skeleton, caption, legend=bool(poses))


def overlay_paths(sources: Sequence[Path], output: Path) -> dict[Path, Path]:
    """Name one overlay per source in ``output/overlays``, all different on every disk.

    Args:
        sources: photos and videos.
        output: folder of the prediction.
    """
    taken: dict[str, int] = {}
    return {source: output / FOLDER / _free_name(source, taken) for source in sources}


def _free_name(source: Path, taken: dict[str, int]) -> str:
    """Name a file that differs from those taken, however a disk spells them, and add it to them.

    Args:
        source: the photo or video.
        taken: the names, and with each the last number that was tried behind it.
    """
    stem, suffix = source.stem, ".mp4" if is_video(source) else ".jpg"
    name = _of_legal_length(stem, suffix)
    first = spelled = normalize("NFC", name).casefold()
    while spelled in taken:
        taken[first] += 1
        name = _of_legal_length(stem, f"_{taken[first]}{suffix}")
        spelled = normalize("NFC", name).casefold()
    taken[spelled] = 1
    return name


def _of_legal_length(stem: str, ending: str) -> str:
    """Shorten a stem, where the name would be too long for a disk."""
    while stem and len(os.fsencode(stem + ending)) > NAME_BYTES:
        stem = stem[:-1]
    return stem + ending


class Overlay:
    """Draws frames into one file: a picture for a photo, a video for a video.

    Attributes:
        path: the file; there is none until a readable frame came.
        frames: how many were drawn.
    """

    def __init__(
        self, path: Path, skeleton: Skeleton, style: OverlayStyle, video: VideoWriter | None
    ) -> None:
        self.path, self.frames = path, 0
        self._skeleton, self._video = skeleton, video
        self._faces = FaceBlur(skeleton, style.max_gap_s) if style.blur_face else None

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Draw a frame, in order of time; one without a picture is passed over, its time empty."""
        if frame.image is None:
            return
        image = frame.image if self._faces is None else self._faces(frame.image, result)
        picture = draw_overlay(image, result, self._skeleton)
        if self._video is not None:
            self._video.write(picture, frame.time_s)
        else:
            _save(picture, self.path)
        self.frames += 1


@contextmanager
def open_overlay(path: Path, skeleton: Skeleton, style: OverlayStyle) -> Iterator[Overlay]:
    """Open the overlay of one source: a video when ``path`` ends in ``.mp4``."""
    if path.suffix == ".mp4":
        with VideoWriter(path) as video:
            yield Overlay(path, skeleton, style, video)
    else:
        yield Overlay(path, skeleton, style, None)


def _save(picture: Image.Image, path: Path) -> None:
    """Write a JPEG, whole or not at all, without what the photo's file says beside its pixels."""
    pixels = picture.copy()
    pixels.info = {}
    write_image(path, pixels, format="JPEG", quality=JPEG_QUALITY, subsampling=0)

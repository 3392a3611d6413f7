"""Results drawn over their photos and videos, on disk as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from Datasets.drawing.overlay import PoseDrawing, draw_poses
from Datasets.readers.video import Frame, is_video
from Datasets.skeletons import Skeleton
from Engine.files import write_image
from PoseEstimation.result import NOTICE, FrameResult
from PoseEstimation.visualise.faces import blur_faces
from PoseEstimation.visualise.video import VideoWriter

FOLDER = "overlays"
JPEG_QUALITY = 92


@dataclass(frozen=True)
class OverlayStyle:
    """How to draw.

    Attributes:
        blur_face: make faces unrecognisable.
    """

    blur_face: bool = False


def draw_overlay(
    image: Image.Image, frame: FrameResult, skeleton: Skeleton, style: OverlayStyle | None = None
) -> Image.Image:
    """Draw the infants of a frame, what left and right are, and what this is not.

    Args:
        image: the upright frame.
        frame: its result.
        skeleton: convention of the joints.
        style: default ``OverlayStyle()``.

    Returns:
        RGB image of the same size.
    """
    if style is not None and style.blur_face:
        image = blur_faces(image, frame, skeleton)
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
    """Name one overlay per source, all different, in ``output/overlays``."""
    taken: set[Path] = set()
    paths = {}
    for source in sources:
        suffix = ".mp4" if is_video(source) else ".jpg"
        path, number = output / FOLDER / f"{source.stem}{suffix}", 1
        while path in taken:
            number += 1
            path = path.with_name(f"{source.stem}_{number}{suffix}")
        taken.add(path)
        paths[source] = path
    return paths


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
        self._skeleton, self._style, self._video = skeleton, style, video

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Draw a frame; one without a picture is passed over, its time stays empty."""
        if frame.image is None:
            return
        picture = draw_overlay(frame.image, result, self._skeleton, self._style)
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
    """Write a JPEG, whole or not at all."""
    write_image(path, picture, format="JPEG", quality=JPEG_QUALITY, subsampling=0)

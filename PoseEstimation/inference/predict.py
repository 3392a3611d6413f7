"""From photos and videos to a ``PoseResult`` and its files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from Datasets.readers.video import Frame, is_video, iter_frames
from Datasets.skeletons import Skeleton
from Engine.errors import DataError
from PoseEstimation.inference.body_scale import scale_assumption, scale_to_length
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.quality import quality_of
from PoseEstimation.inference.tracking import Tracker
from PoseEstimation.io.coco import write_coco
from PoseEstimation.io.poses_csv import write_poses_csv
from PoseEstimation.io.poses_json import write_poses_json
from PoseEstimation.result import Adult, FrameResult, InfantPose, People, PoseResult
from PoseEstimation.visualise.overlay import Overlay, OverlayStyle, open_overlay, overlay_paths

if TYPE_CHECKING:
    from PoseEstimation.inference.pipeline import PosePipeline


@dataclass(frozen=True)
class PredictRequest:
    """What the user asked for.

    Attributes:
        sources: photos and videos.
        output: folder for every file.
        camera: known or assumed.
        formats: ``csv``, ``coco``; ``poses.json`` is always written.
        image_ids: COCO image ids by source, or None to count from 1.
        length_cm: measured crown-heel length, or None.
        overlay: how to draw, or None for no overlay.
    """

    sources: Sequence[Path]
    output: Path
    camera: Camera = field(default_factory=Camera)
    formats: Sequence[str] = ("csv",)
    image_ids: dict[str, int] | None = None
    length_cm: float | None = None
    overlay: OverlayStyle | None = field(default_factory=OverlayStyle)


@dataclass(frozen=True)
class Prediction:
    """A result and where it lies."""

    result: PoseResult
    files: tuple[Path, ...]
    overlays: tuple[Path, ...]


def predict(
    pipeline: PosePipeline,
    request: PredictRequest,
    on_frame: Callable[[FrameResult], None] = lambda frame: None,
) -> Prediction:
    """Run the pipeline over all frames and write every file.

    An unreadable frame stays in its place with an ``error``; the rest is processed.

    Args:
        pipeline: the three networks.
        request: inputs, camera, outputs.
        on_frame: called after each frame, for progress.

    Raises:
        KeyboardInterrupt: the user stopped; what was done until then is written first.
    """
    frames: list[FrameResult] = []
    overlays: list[Path] = []
    stopped = False
    paths = overlay_paths(request.sources, request.output)
    try:
        for source in request.sources:
            with _overlay(request.overlay, paths[source], pipeline.skeleton) as overlay:
                for frame, result in _frames_of(pipeline, source, request.camera):
                    frames.append(result)
                    on_frame(result)
                    if overlay is not None:
                        overlay.write(frame, result)
            if overlay is not None and overlay.frames:
                overlays.append(overlay.path)
    except KeyboardInterrupt:
        stopped = True
    frames = list(relifted(pipeline, frames, request.camera))
    result = _result(pipeline, request, frames, complete=not stopped)
    files = write_outputs(result, request)
    if stopped:
        raise KeyboardInterrupt
    return Prediction(result, files, tuple(overlays))


def relifted(
    pipeline: PosePipeline, frames: Sequence[FrameResult], camera: Camera
) -> tuple[FrameResult, ...]:
    """Lift every infant that was seen in several frames of a video in the light of all of them."""
    places: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for i, frame in enumerate(frames):
        for j, infant in enumerate(frame.infants):
            places[frame.source, infant.track_id].append((i, j))
    infants = [list(frame.infants) for frame in frames]
    for seen in places.values():
        if len(seen) > 1 and pipeline.settings.temporal:
            poses = [infants[i][j] for i, j in seen]
            size = frames[seen[0][0]].width, frames[seen[0][0]].height
            times_s = np.array([frames[i].time_s for i, _ in seen])
            lifted = pipeline.relift(poses, camera.matrix(size), times_s)
            for (i, j), pose in zip(seen, lifted, strict=True):
                infants[i][j] = pose
    return tuple(replace(f, infants=tuple(p)) for f, p in zip(frames, infants, strict=True))


def _overlay(
    style: OverlayStyle | None, path: Path, skeleton: Skeleton
) -> AbstractContextManager[Overlay | None]:
    """Open an overlay, or nothing when none is wanted."""
    return nullcontext() if style is None else open_overlay(path, skeleton, style)


def write_outputs(result: PoseResult, request: PredictRequest) -> tuple[Path, ...]:
    """Write the formats asked for and return their paths, ``poses.json`` first."""
    files = [request.output / "poses.json"]
    write_poses_json(result, files[0])
    if "csv" in request.formats:
        files.append(request.output / "poses.csv")
        write_poses_csv(result, files[-1])
    if "coco" in request.formats:
        files.append(request.output / "coco_keypoints.json")
        write_coco(result, files[-1], request.image_ids)
    return tuple(files)


def _result(
    pipeline: PosePipeline, request: PredictRequest, frames: Sequence[FrameResult], complete: bool
) -> PoseResult:
    """Scale to a measured length and add what is needed to judge the frames."""
    if request.length_cm is not None:
        frames = scale_to_length(frames, pipeline.skeleton, 10 * request.length_cm)
    return PoseResult(
        frames=tuple(frames),
        skeleton=pipeline.skeleton,
        model=pipeline.model_info,
        quality=quality_of(frames),
        assumptions={**request.camera.assumption(), **scale_assumption(request.length_cm)},
        complete=complete and all(frame.error is None for frame in frames),
    )


def _frames_of(
    pipeline: PosePipeline, source: Path, camera: Camera
) -> Iterator[tuple[Frame, FrameResult]]:
    """Process one photo or video in small batches; tracks live as long as the source."""
    settings = pipeline.settings
    tracker, still = Tracker(settings.track_min_iou, settings.track_max_gap_s), not is_video(source)
    for batch in _batches(iter_frames(source), settings.batch_size):
        frames, matrices = _with_cameras(batch, camera)
        images = [frame.image for frame in frames if frame.image is not None]
        found = iter(pipeline.predict(images, matrices, still) if images else [])
        for frame in frames:
            people = People() if frame.image is None else next(found)
            infants = _tracked(people.infants, tracker, frame.time_s)
            yield frame, _frame_result(frame, infants, people.adults)


def _with_cameras(batch: Sequence[Frame], camera: Camera) -> tuple[list[Frame], list[np.ndarray]]:
    """Give each readable frame its intrinsics; a frame that they do not fit becomes an error."""
    frames, matrices = [], []
    for frame in batch:
        try:
            if frame.image is not None:
                matrices.append(camera.matrix(frame.image.size))
            frames.append(frame)
        except DataError as error:
            frames.append(replace(frame, image=None, error=f"{frame.source}: {error}"))
    return frames, matrices


def _tracked(
    infants: Sequence[InfantPose], tracker: Tracker, time_s: float
) -> tuple[InfantPose, ...]:
    """Number the infants of a frame."""
    boxes = np.array([infant.box_xyxy for infant in infants]).reshape(-1, 4)
    numbers = tracker.update(boxes, time_s)
    return tuple(replace(i, track_id=n) for i, n in zip(infants, numbers, strict=True))


def _frame_result(
    frame: Frame, infants: tuple[InfantPose, ...], adults: tuple[Adult, ...] | None
) -> FrameResult:
    width, height = (None, None) if frame.image is None else frame.image.size
    return FrameResult(
        frame.source, frame.index, frame.time_s, width, height, infants, frame.error, adults
    )


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    """Group frames, the last group may be smaller."""
    frames = iter(frames)
    while batch := list(islice(frames, max(1, size))):
        yield batch

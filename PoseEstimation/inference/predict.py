"""From photos and videos to a ``PoseResult`` and its files.

The way of a frame: read, observed by the networks together with its batch, numbered by the tracker,
drawn, kept in the journal. When all frames are there, each infant's poses are lifted once, in the
light of one another, and the files are written.

What goes wrong with one frame, of whatever kind, becomes that frame's ``error``. What is finished
is on disk: see ``PoseEstimation.io.journal``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from Engine.errors import DataError, WriteError
from Engine.files import prepare_folder, remove_unfinished
from Engine.settings import Settings, limited
from PoseEstimation.inference.body_scale import scale_assumption, scale_to_length
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.quality import quality_of
from PoseEstimation.inference.settings import LENGTH_CM
from PoseEstimation.inference.stream import frames_of
from PoseEstimation.inference.tracks import lifted
from PoseEstimation.io.coco import write_coco
from PoseEstimation.io.journal import FILE_NAME as JOURNAL
from PoseEstimation.io.journal import Journal
from PoseEstimation.io.poses_csv import write_poses_csv
from PoseEstimation.io.poses_json import count_frames_in, write_poses_json
from PoseEstimation.result import FrameResult, PoseResult
from PoseEstimation.visualise.overlay import OverlayStyle, overlay_paths

if TYPE_CHECKING:
    from PoseEstimation.inference.predictor import PosePipeline

FILE_NAMES = {"json": "poses.json", "csv": "poses.csv", "coco": "coco_keypoints.json"}
"""Name of the file of each format."""


@dataclass(frozen=True)
class PredictRequest(Settings):
    """What the user asked for.

    Attributes:
        sources: photos and videos.
        output: folder for every file.
        camera: known or assumed.
        formats: ``csv``, ``coco``; ``poses.json`` is always written.
        image_ids: COCO image ids by source, or None to count from 1.
        length_cm: measured crown-heel length, or None.
        overlay: how to draw, or None for no overlay.
        other_inputs: further files that the user gave and that no output may replace.
    """

    sources: Sequence[Path]
    output: Path
    camera: Camera = field(default_factory=Camera)
    formats: Sequence[str] = ("csv",)
    image_ids: dict[str, int] | None = None
    length_cm: float | None = limited(None, *LENGTH_CM[:2])
    overlay: OverlayStyle | None = field(default_factory=OverlayStyle)
    other_inputs: Sequence[Path] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The result files, ``poses.json`` first."""
        names = [n for key, n in FILE_NAMES.items() if key == "json" or key in self.formats]
        return tuple(self.output / name for name in names)

    @cached_property
    def overlays(self) -> dict[Path, Path]:
        """The overlay of each source; empty when none is wanted."""
        return {} if self.overlay is None else overlay_paths(self.sources, self.output)


@dataclass(frozen=True)
class Prediction:
    """A result and where it lies."""

    result: PoseResult
    files: tuple[Path, ...]
    overlays: tuple[Path, ...]


def prepare_output(request: PredictRequest) -> None:
    """Make the folders of the output and try them, before any work is done.

    Raises:
        DataError: an output would replace an input, or nothing can be written there.
    """
    written = [*request.files, request.output / JOURNAL, *request.overlays.values()]
    given = {_identity(path): path for path in (*request.sources, *request.other_inputs)}
    given.pop(None, None)
    for path in written:
        if (own := _identity(path)) in given:
            raise DataError(
                f"output: {path} would replace the input {given[own]}; choose another --output"
            )
        if os.path.isdir(path):
            raise DataError(f"output: {path} is a folder; remove it or choose another --output")
    for folder in dict.fromkeys(path.parent for path in written):
        prepare_folder(folder)


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and number of a file, behind links and under every spelling; None without a file.

    A way through a folder that is not there yet leads where it will lead when it is made.
    """
    try:
        status = os.stat(os.path.realpath(path))
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def predict(
    pipeline: PosePipeline,
    request: PredictRequest,
    on_frame: Callable[[FrameResult], None] = lambda frame: None,
    on_resume: Callable[[int], None] = lambda frames: None,
) -> Prediction:
    """Run the pipeline over all frames and write every file.

    A frame that fails stays in its place with an ``error``; the rest is processed. A prediction
    that was interrupted goes on where it was.

    Args:
        pipeline: the three networks.
        request: inputs, camera, outputs.
        on_frame: called after each frame, for progress.
        on_resume: called with the number of frames that an earlier start finished, if any.

    Raises:
        DataError: an output would replace an input, or nothing can be written there.
        KeyboardInterrupt, WriteError: the user stopped, or the disk is full; what was done until
            then is written first, as far as there is room and unless an earlier result has more.
    """
    prepare_output(request)
    frames: list[FrameResult] = []
    overlays = request.overlays
    with Journal(request.output / JOURNAL, _key(pipeline, request)) as journal:
        for folder in dict.fromkeys((request.output, *(p.parent for p in overlays.values()))):
            remove_unfinished(folder)
        if finished := journal.frames(request.sources):
            on_resume(finished)
        try:
            for source in request.sources:
                drawn = overlays.get(source), request.overlay
                for frame in frames_of(pipeline, source, request.camera, journal, *drawn):
                    frames.append(frame)
                    on_frame(frame)
        except (KeyboardInterrupt, WriteError):
            if len(frames) >= count_frames_in(request.files[0]):
                write_outputs(_result(pipeline, request, frames, complete=False), request)
            raise
        result = _result(pipeline, request, frames, complete=True)
        write_outputs(result, request)
        journal.remove(request.sources)
    drawn = tuple(path for path in overlays.values() if path.is_file())
    return Prediction(result, request.files, drawn)


def write_outputs(result: PoseResult, request: PredictRequest) -> None:
    """Write the formats asked for.

    Raises:
        WriteError: the disk is full, or the like.
    """
    writers = {
        "poses.json": write_poses_json,
        "poses.csv": write_poses_csv,
        "coco_keypoints.json": lambda *to: write_coco(*to, request.image_ids),
    }
    for path in request.files:
        writers[path.name](result, path)


def _key(pipeline: PosePipeline, request: PredictRequest) -> str:
    """Identify all that a finished frame and its overlay depend on, but for the frame."""
    matrix, size = request.camera.intrinsics, request.camera.size
    content = [
        pipeline.model_info,
        asdict(pipeline.settings),
        None if matrix is None else [matrix.tolist(), size],
        None if request.overlay is None else asdict(request.overlay),
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _result(
    pipeline: PosePipeline, request: PredictRequest, frames: Sequence[FrameResult], complete: bool
) -> PoseResult:
    """Lift, scale to a measured length, and add what is needed to judge the frames."""
    frames = lifted(pipeline, frames, request.camera)
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

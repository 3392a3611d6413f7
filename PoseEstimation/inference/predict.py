"""From photos and videos to the files of a result.

The way of a frame: read (ahead, in a thread of its own), found by the networks together with its
batch, numbered by the tracker, drawn, kept in the journal. When all frames are there, they stream
from the journal through the lifter, window by window, into the files: memory holds one window,
however long a recording is.

What goes wrong with one frame, of whatever kind, becomes that frame's ``error``. What is finished
is on disk: see ``PoseEstimation.io.journal``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from Datasets.readers.video import Frame, iter_frames
from Datasets.skeletons import Skeleton
from Engine.errors import DataError, WriteError
from Engine.files import prepare_folder, remove_unfinished
from Engine.provenance import content_sha256
from Engine.settings import Settings
from PoseEstimation import io
from PoseEstimation.inference.body_scale import scale_assumption, scaled_to_body
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.settings import BodySize
from PoseEstimation.inference.stream import FrameBatch, failure
from PoseEstimation.io.header import Header
from PoseEstimation.io.journal import FILE_NAME as JOURNAL
from PoseEstimation.io.journal import Journal
from PoseEstimation.io.poses_json import count_frames_in
from PoseEstimation.result import FrameResult
from PoseEstimation.visualise.overlay import Overlay, OverlayStyle, open_overlay, overlay_paths

if TYPE_CHECKING:
    from PoseEstimation.inference.predictor import Predictor


@dataclass(frozen=True)
class PredictRequest(Settings):
    """What the user asked for.

    Attributes:
        sources: photos and videos, or files of 2D joints.
        output: folder for every file.
        camera: known or assumed.
        formats: ``csv``, ``coco``; ``poses.json`` is always written.
        image_ids: COCO image ids by source, or None to count from 1.
        body: what is known of the infants' size.
        overlay: how to draw, or None for no overlay.
        other_inputs: further files that the user gave and that no output may replace.
    """

    sources: Sequence[Path]
    output: Path
    camera: Camera = field(default_factory=Camera)
    formats: Sequence[str] = ("csv",)
    image_ids: dict[str, int] | None = None
    body: BodySize = field(default_factory=BodySize)
    overlay: OverlayStyle | None = field(default_factory=OverlayStyle)
    other_inputs: Sequence[Path] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The result files, ``poses.json`` first."""
        return tuple(self.output / row.file for row in self.rows)

    @property
    def rows(self) -> tuple[io.Format, ...]:
        """``json`` and the formats asked for, in the order of ``FORMATS``."""
        return tuple(row for row in io.FORMATS if row.name == "json" or row.name in self.formats)

    @cached_property
    def overlays(self) -> dict[Path, Path]:
        """The overlay of each source; empty when none is wanted."""
        return {} if self.overlay is None else overlay_paths(self.sources, self.output)


@dataclass(frozen=True)
class Prediction:
    """What a prediction wrote, and what its files say beside the frames."""

    header: Header
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
    predictor: Predictor,
    request: PredictRequest,
    on_frame: Callable[[FrameResult], None] = lambda frame: None,
    on_resume: Callable[[int], None] = lambda frames: None,
) -> Prediction:
    """Run the predictor over all frames and write every file.

    A frame that fails stays in its place with an ``error``; the rest is processed. A prediction
    that was interrupted goes on where it was.

    Args:
        predictor: the networks.
        request: inputs, camera, outputs.
        on_frame: called after each frame, for progress.
        on_resume: called with the number of frames that an earlier start finished, if any.

    Raises:
        DataError: an output would replace an input, or nothing can be written there.
        KeyboardInterrupt, WriteError: the user stopped, or the disk is full; what was done until
            then is written first, as far as there is room and unless an earlier result has more.
    """
    prepare_output(request)
    overlays = request.overlays
    with Journal(request.output / JOURNAL, _key(predictor, request)) as journal:
        for folder in dict.fromkeys((request.output, *(p.parent for p in overlays.values()))):
            remove_unfinished(folder)
        if finished := sum(journal.frame_counts(request.sources).values()):
            on_resume(finished)
        try:
            for source in request.sources:
                for frame in _processed(predictor, source, request, journal):
                    on_frame(frame)
        except (KeyboardInterrupt, WriteError):
            done = sum(journal.frame_counts(request.sources).values())
            if done >= count_frames_in(request.files[0]):
                _write(predictor, request, journal, interrupted=True)
            raise
        header = _write(predictor, request, journal, interrupted=False)
        journal.remove(request.sources)
    drawn = tuple(path for path in overlays.values() if path.is_file())
    return Prediction(header, request.files, drawn)


def _processed(
    predictor: Predictor, source: Path, request: PredictRequest, journal: Journal
) -> Iterator[FrameResult]:
    """Find the infants of one source, draw and keep them, unless that is done already."""
    drawing = request.overlays.get(source)
    if journal.ended(source, drawing):
        yield from journal.replay([source])
        return
    drawn, index, failed = 0, 0, None
    try:
        with _overlay(drawing, predictor.skeleton, request.overlay) as overlay:
            finished = partial(journal.batch, source)
            found = predictor.find(_read(source), request.camera, finished=finished)
            with closing(found):
                for batch in found:
                    for result in _kept(batch, overlay, source, journal):
                        index = result.index + 1
                        yield result
            drawn = 0 if overlay is None else overlay.frames
    except WriteError:
        raise
    except Exception as error:  # the overlay cannot be closed
        drawn, failed = 0, f"overlay: {failure(source.as_posix(), index, error)}"
    if drawing is not None and not drawn:  # none but an earlier one, of other pictures perhaps
        drawing.unlink(missing_ok=True)
    journal.end(source, drawing if drawn else None, failed)


def _kept(
    batch: FrameBatch, overlay: Overlay | None, source: Path, journal: Journal
) -> list[FrameResult]:
    """Draw a batch and put it into the journal."""
    results = [_drawn(overlay, frame, result) for frame, result in batch]
    journal.append(source, results)
    return results


def _overlay(
    drawing: Path | None, skeleton: Skeleton, style: OverlayStyle | None
) -> AbstractContextManager[Overlay | None]:
    """Open an overlay, or nothing when none is wanted."""
    if drawing is None:
        return nullcontext()
    return open_overlay(drawing, skeleton, style or OverlayStyle())


def _drawn(overlay: Overlay | None, frame: Frame, result: FrameResult) -> FrameResult:
    """Draw a frame; a frame that cannot be drawn keeps its poses and says so."""
    try:
        if overlay is not None:
            overlay.write(frame, result)
    except WriteError:
        raise
    except Exception as error:
        why = failure(frame.source, frame.index, error)
        return replace(result, error=result.error or f"overlay: {why}")
    return result


def _read(source: Path) -> Iterator[Frame]:
    """Frames of a source; where reading itself fails, one more frame says why."""
    index, time_s = 0, 0.0
    try:
        for frame in iter_frames(source):
            index, time_s = frame.index + 1, frame.time_s
            yield frame
    except Exception as error:
        why = failure(source.as_posix(), index, error)
        yield Frame(source.as_posix(), index, time_s, None, why)


def _write(
    predictor: Predictor, request: PredictRequest, journal: Journal, interrupted: bool
) -> Header:
    """Lift what the journal holds and write it.

    Raises:
        WriteError: the disk is full, or the like.
    """
    header = Header(
        predictor.skeleton,
        predictor.model_info,
        {**request.camera.assumption(), **scale_assumption(request.body)},
        journal.frame_counts(request.sources),
        request.image_ids,
        interrupted,
    )
    write_lifted(predictor, journal.replay(request.sources), header, request)
    return header


def write_lifted(
    predictor: Predictor, results: Iterable[FrameResult], header: Header, request: PredictRequest
) -> None:
    """Lift results in 2D, scale them to a known length or age, and write every format asked for.

    Raises:
        WriteError: the disk is full, or the like.
    """
    frames = predictor.lift_all(results, request.camera)
    size = predictor.size_sigma, request.output
    frames = scaled_to_body(frames, predictor.skeleton, request.body, *size)
    write_frames(frames, header, request)


def write_frames(frames: Iterable[FrameResult], header: Header, request: PredictRequest) -> None:
    """Write frames in every format asked for, each frame once.

    Raises:
        WriteError: the disk is full, or the like.
    """
    with ExitStack() as files:
        writers = [
            files.enter_context(resolve_name(row.writer)(path, header))
            for row, path in zip(request.rows, request.files, strict=True)
        ]
        for frame in frames:
            header.quality.add(frame)
            for write in writers:
                write(frame)


def _key(predictor: Predictor, request: PredictRequest) -> str:
    """Identify all that a finished frame and its overlay depend on, but for the frame."""
    matrix, size = request.camera.intrinsics, request.camera.size
    content = [
        predictor.model_info,
        asdict(predictor.settings),
        None if matrix is None else [matrix.tolist(), size],
        None if request.overlay is None else asdict(request.overlay),
    ]
    return content_sha256(content)

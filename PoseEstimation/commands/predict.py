"""``infantpose predict``: photos and videos in, ``poses.json`` and pictures out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from Datasets.readers.inputs import expand_inputs
from Datasets.readers.video import count_frames
from PoseEstimation.config import Config, load_config
from PoseEstimation.inference.camera import Camera, read_intrinsics
from PoseEstimation.inference.predict import Prediction, PredictRequest, predict, prepare_output
from PoseEstimation.inference.settings import BodySize
from PoseEstimation.inference.weight_sets import find_weights
from PoseEstimation.io.coco import image_ids_of
from PoseEstimation.quality import Quality
from PoseEstimation.result import ASSUMED, NOTICE, FrameResult
from PoseEstimation.visualise.overlay import OverlayStyle

if TYPE_CHECKING:
    from PoseEstimation.inference.predictor import Predictor


def run(args: argparse.Namespace) -> int:
    """Predict; 2 when something could not be read, after everything else was done."""
    sources = _sources(args)
    image_ids = args.coco_annotations and image_ids_of(sources, args.coco_annotations)
    config = load_config(args.config, args.overrides)
    name = args.weights or config.weights
    find_weights(config.paths.saved_models, name)
    request = _request(args, config, sources, image_ids)
    prepare_output(request)
    # torch is loaded only when everything that was asked for is sound
    from PoseEstimation.inference.predictor import Predictor

    predictor = Predictor.named(config.paths.saved_models, name, config.predict)
    prediction = predict_with_progress(predictor, request)
    report_errors(prediction.header.quality)
    print(last_line(prediction, request.output))
    return 0 if prediction.header.complete else 2


def _sources(args: argparse.Namespace) -> tuple[Path, ...]:
    """Photos and videos; files that are passed over are named."""
    inputs = expand_inputs(args.inputs)
    for note in inputs.notes():
        print(f"infantpose: {note}", file=sys.stderr)
    return inputs.paths


def _request(
    args: argparse.Namespace,
    config: Config,
    sources: Sequence[Path],
    image_ids: dict[str, int] | None,
) -> PredictRequest:
    return PredictRequest(
        sources=sources,
        output=args.output,
        camera=camera_of(args, config),
        formats=args.format,
        image_ids=image_ids,
        body=BodySize(args.length_cm, args.age_weeks),
        overlay=None if args.no_overlay else _overlay_style(args, config),
        other_inputs=[p for p in (args.intrinsics, args.coco_annotations, args.config) if p],
    )


def _overlay_style(args: argparse.Namespace, config: Config) -> OverlayStyle:
    return OverlayStyle(blur_face=args.blur_face, max_gap_s=config.predict.track_max_gap_s)


def camera_of(args: argparse.Namespace, config: Config) -> Camera:
    """The camera as the user gave it, else with the field of view that the settings assume.

    Raises:
        DataError: the file of intrinsics is none.
    """
    if args.intrinsics is not None:
        return read_intrinsics(args.intrinsics)
    if args.fov is not None:
        return Camera(args.fov, given=True)
    return Camera(config.predict.fov_degrees)


def predict_with_progress(predictor: Predictor, request: PredictRequest) -> Prediction:
    """Predict under a progress bar on the terminal; nothing is drawn into a file or pipe."""
    columns = (
        TextColumn("predict"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        counts = [count_frames(source) for source in request.sources]
        known = [count for count in counts if count is not None]
        total = sum(known) if len(known) == len(counts) else None
        task = progress.add_task("", total=total, speed="")

        def advance(frame: FrameResult) -> None:
            speed = progress.tasks[0].speed
            progress.update(task, advance=1, speed=f"{speed:.1f} frames/s" if speed else "")

        return predict(predictor, request, advance, _say_resumed)


def _say_resumed(frames: int) -> None:
    print(f"infantpose: goes on after {frames} finished frames", file=sys.stderr)


def report_errors(quality: Quality) -> None:
    """Print one line per unreadable frame."""
    for error in quality.errors:
        print(f"infantpose: error: {error}", file=sys.stderr)
    if more := quality.failed - len(quality.errors):
        print(f"infantpose: error: {more} more; see 'error' in poses.json", file=sys.stderr)


def _assumed(assumptions: Mapping[str, Any]) -> list[str]:
    """Name what the user did not give."""
    names = []
    if ASSUMED in assumptions["field_of_view_source"]:
        names.append(f"field of view {assumptions['field_of_view_deg']:g} degrees (--fov)")
    if ASSUMED in assumptions["scale_source"]:
        names.append("body size as of generated infants (--length-cm)")
    for recording in assumptions.get("recordings", {}).values():
        if ASSUMED in recording["fps_source"]:
            names.append(f"{recording['fps']:g} frames per second (--fps)")
        if ASSUMED in recording["sigma_source"]:
            names.append(f"joints exact to {recording['sigma_px']:g} px (--sigma-px)")
    return list(dict.fromkeys(names))


def last_line(prediction: Prediction, output: Path) -> str:
    """Name units, frame, joints and files, and what was assumed, in one line."""
    header = prediction.header
    quality, skeleton = header.quality.summary(), header.skeleton
    files = ", ".join(str(path.relative_to(output)) for path in prediction.files)
    drawn = len(prediction.overlays)
    if drawn:
        files += f", {drawn} overlay{'s' * (drawn > 1)} in {prediction.overlays[0].parent.name}/"
    assumed = _assumed(header.assumptions)
    warning = f"; ASSUMED: {' and '.join(assumed)}" if assumed else ""
    return (
        f"{quality['frames']} frames, {quality['frames_with_infant']} with an infant; "
        f"2D in px of the upright frame, 3D in mm in camera axes (x right, y down, z forward) "
        f"relative to the pelvis, {len(skeleton)} joints '{skeleton.name}' (left = infant's left); "
        f"{output}: {files}{warning}; {NOTICE}"
    )

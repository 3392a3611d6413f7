"""Evaluate a predictor on MINI-RGBD, or on generated data in its layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console

from Datasets.geometry.alignment import root_relative
from Datasets.outlines import boxes_of
from Datasets.readers.mini_rgbd import (
    HEAD_LENGTH_MM,
    HEAD_LENGTH_PX,
    frame_path,
    read_mini_rgbd,
    source_of,
)
from Datasets.skeletons import MINI_RGBD_25, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError, required
from Engine.provenance import hash_files
from FasterRCNN.detector import Detections
from FasterRCNN.evaluate import average_precision, top_iou
from PoseEstimation.evaluation.errors_file import FPS, frame_errors, write_errors
from PoseEstimation.evaluation.failures import draw_worst
from PoseEstimation.evaluation.frames import best_infants, lift_sequences, true_joints_mm
from PoseEstimation.evaluation.mini_rgbd_tables import mini_rgbd_notes, mini_rgbd_tables
from PoseEstimation.evaluation.provenance import differences_from_official
from PoseEstimation.evaluation.report import (
    metrics_header,
    print_tables,
    write_metrics,
    write_tables,
)
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.metrics.protocols import HeadLengths, MiniRgbdProtocol, ScoredPoses
from PoseEstimation.metrics.tracking import identity_switches
from PoseEstimation.structures import Keypoints

PUBLISHED = HeadLengths(mm=HEAD_LENGTH_MM, px=HEAD_LENGTH_PX)
_PROTOCOL = MiniRgbdProtocol()
_WHOLE_IMAGE = "the whole image is the crop, box IoU 0, the frame counts like any other"


@dataclass(frozen=True)
class _Run:
    """Predictions of every frame, in the predictor's skeleton; 2D and boxes unless 2D was given."""

    joints_mm: np.ndarray
    sigma_mm: np.ndarray
    keypoints: Keypoints | None
    boxes_xyxy: np.ndarray | None
    box_scores: dict[str, float | None]
    counts: dict[str, Any]


def evaluate_mini_rgbd(
    predictor: Predictor,
    root: Path | str,
    split: Sequence[str] | None = None,
    input_kind: Literal["predicted", "gt2d"] = "predicted",
    box_kind: Literal["own", "true"] = "own",
    output: Path | str | None = None,
    command: str = "",
    every: int = 1,
) -> dict[str, Any]:
    """Run the protocol; write ``metrics.json``, ``table.md``, ``errors.npz`` and ``worst.png``.

    Args:
        predictor: finder and lifter.
        root: a folder in the official layout.
        split: names of sequences such as ``"11"``; None takes all.
        input_kind: ``predicted`` starts from the image, ``gt2d`` gives the lifter the true 2D
            joints that the official set labels, the others masked.
        box_kind: crops from the detector's best box (a frame without one is cropped whole, never
            dropped) or from the true box.
        output: folder to write to; None writes nothing.
        command: the command line, recorded.
        every: use each n-th frame of a sequence; velocity needs 1.

    Returns:
        The contents of ``metrics.json``.

    Raises:
        DataError: the folder or a file in it cannot be used, or an option has no such value.
    """
    _check_options(input_kind, box_kind, every)
    dataset = _each_nth(read_mini_rgbd(root, split), every)
    if input_kind == "gt2d":
        run = _run_true_2d(predictor, dataset)
    else:
        run = _run_images(predictor, dataset, box_kind)
    options = {
        "input": input_kind,
        "boxes": "none" if input_kind == "gt2d" else box_kind,
        "every": every,
    }
    poses, absent = _scored_poses(dataset, run, published_indices(predictor.skeleton))
    metrics = _metrics(predictor, dataset, run, poses, options, command)
    metrics["counts"]["joints_without_prediction"] = absent
    if output is not None:
        write_metrics(Path(output), metrics)
        write_errors(Path(output), frame_errors(poses, _PROTOCOL.joints))
        write_tables(Path(output), mini_rgbd_tables(metrics), mini_rgbd_notes(metrics))
        if run.keypoints is not None:
            draw_worst(Path(output), poses, dataset)
    return metrics


def print_mini_rgbd(metrics: dict[str, Any], console: Console | None = None) -> None:
    """Print our rows beside the published ones; the table per joint is in ``table.md``."""
    tables = [table for table in mini_rgbd_tables(metrics) if table.ours]
    print_tables(tables, mini_rgbd_notes(metrics), console)


def published_indices(skeleton: Skeleton) -> list[int]:
    """Positions in a skeleton of the protocol's 16 joints.

    Raises:
        KeyError: the skeleton lacks one, or no joint map from MINI-RGBD to it is written down.
    """
    own = {mini: name for name, mini in joint_map(MINI_RGBD_25, skeleton).correspondence}
    return skeleton.indices([own[joint] for joint in _PROTOCOL.joints])


def _check_options(input_kind: str, box_kind: str, every: int) -> None:
    choices = (("input", input_kind, ("predicted", "gt2d")), ("boxes", box_kind, ("own", "true")))
    for name, value, allowed in choices:
        if value not in allowed:
            raise DataError(
                f"evaluate mini_rgbd: {name} is '{value}'; choose {' or '.join(allowed)}"
            )
    if every < 1:
        raise DataError(f"evaluate mini_rgbd: every is {every}; give 1 or more")


def _each_nth(dataset: Dataset, every: int) -> Dataset:
    """Keep frames 0, n, 2n, ... of each sequence, counted from its first."""
    by_sequence: dict[str, list[PoseSample]] = {}
    for sample in dataset.samples:
        by_sequence.setdefault(sample.sequence, []).append(sample)
    kept = [s for samples in by_sequence.values() for s in samples[::every]]
    return replace(dataset, samples=tuple(kept))


def _run_true_2d(predictor: Predictor, dataset: Dataset) -> _Run:
    """Lift the labelled 2D joints; the predictor's other joints have NaN and score 0."""
    labelled = np.stack([s.keypoints_px for s in dataset.samples])
    known = Keypoints.exact(joint_map(MINI_RGBD_25, predictor.skeleton).apply(labelled))
    given = int(known.scores[0].sum())
    counts = {"joints_given": given, "joints_masked": len(predictor.skeleton) - given}
    lifted = lift_sequences(predictor, dataset.samples, known, FPS)
    return _Run(*lifted, None, None, {}, counts)


def _run_images(predictor: Predictor, dataset: Dataset, box_kind: Literal["own", "true"]) -> _Run:
    """From RGB: a box per frame, 2D in the crop, 3D along the track."""
    targets = np.asarray(boxes_of(dataset), dtype=np.float64)
    best = best_infants(predictor, dataset.samples, targets, box_kind, FPS)
    names = np.array([s.sequence for s in dataset.samples])
    tracked = best.track_ids > 0
    switches = identity_switches(names[tracked].tolist(), best.track_ids[tracked].tolist())
    scores, counts = ({}, {}) if box_kind == "true" else _score_boxes(best.detections, targets)
    counts["identity_switches"] = switches
    return _Run(best.joints_mm, best.sigma_mm, best.keypoints, best.boxes_xyxy, scores, counts)


def _score_boxes(
    detections: Sequence[Detections], targets: np.ndarray
) -> tuple[dict[str, float | None], dict[str, Any]]:
    """Score the boxes that the predictor works with, and count frames by their number."""
    found = np.array([len(d) for d in detections])
    counts = {
        "frames_without_detection": int((found == 0).sum()),
        "frames_with_several_detections": int((found > 1).sum()),
        "rule_without_detection": _WHOLE_IMAGE,
    }
    infants = list(targets[:, None])
    mean_iou = 100 * float(np.mean(top_iou(detections, infants)))
    return {"mean_iou": mean_iou, **average_precision(detections, infants)}, counts


def _metrics(
    predictor: Predictor,
    dataset: Dataset,
    run: _Run,
    poses: ScoredPoses,
    options: dict[str, Any],
    command: str,
) -> dict[str, Any]:
    """Score a run: the contents of metrics.json."""
    samples = dataset.samples
    measured = HeadLengths(
        mm={s.sequence: required(s.head_length_mm, f"{s.sequence}: head length") for s in samples},
        px={s.sequence: required(s.head_length_px, f"{s.sequence}: head length") for s in samples},
    )
    scores = _PROTOCOL.score(poses, PUBLISHED, measured)
    return {
        **metrics_header(
            "mini_rgbd", predictor.model_info, command, _data(dataset, measured, options)
        ),
        "clean": {**scores.clean, **run.box_scores},
        "paper": {**scores.paper, **run.box_scores},
        "per_joint": scores.per_joint,
        "infants": _over_infants(poses, dataset.root),
        "counts": {**scores.counts, **run.counts},
    }


def _over_infants(poses: ScoredPoses, root: Path) -> dict[str, dict[str, float]]:
    """AJPE over infants: of all, and of those whose movement has one source, where recorded."""
    away = np.linalg.norm(poses.predicted_mm - poses.target_mm, axis=-1).mean(axis=-1)
    own = {str(name): float(away[poses.sequences == name].mean()) for name in
           dict.fromkeys(poses.sequences.tolist())}  # fmt: skip
    groups = {"all": list(own.values())}
    for name, error in own.items():
        groups.setdefault(source_of(root / name), []).append(error)
    groups.pop("", None)
    return {group: _spread(np.array(errors)) for group, errors in groups.items()}


def _spread(errors: np.ndarray) -> dict[str, float]:
    spread = float(errors.std(ddof=1)) if len(errors) > 1 else 0.0
    values = {"ajpe_mm": float(errors.mean()), "sd_mm": spread, "worst_mm": float(errors.max())}
    return {"infants": len(errors), **values}


def _scored_poses(dataset: Dataset, run: _Run, own: list[int]) -> tuple[ScoredPoses, int]:
    """Put the 16 joints of the run beside the truth; also count those that the predictor left out.

    A joint left out is scored at the root in 3D and at the centre of the box in 2D, never dropped.
    """
    samples = dataset.samples
    mini = MINI_RGBD_25.indices(_PROTOCOL.joints)
    target_mm = root_relative(true_joints_mm(samples), MINI_RGBD_25.root_index)
    predicted_mm = np.asarray(run.joints_mm, dtype=np.float64)[:, own]
    absent = ~np.isfinite(predicted_mm).all(axis=-1, keepdims=True)
    predicted_px = target_px = None
    if run.keypoints is not None and run.boxes_xyxy is not None:
        predicted_px = run.keypoints.keypoints_px[:, own]
        absent_px = ~np.isfinite(predicted_px).all(axis=-1, keepdims=True)
        centres = (run.boxes_xyxy[:, None, :2] + run.boxes_xyxy[:, None, 2:]) / 2
        predicted_px = np.where(absent_px, centres, predicted_px)
        target_px = np.stack([s.keypoints_px for s in samples])[:, mini]
    poses = ScoredPoses(
        sequences=np.array([s.sequence for s in samples]),
        frames=np.array([s.frame for s in samples]),
        predicted_mm=np.where(absent, 0.0, predicted_mm),
        target_mm=target_mm[:, mini],
        predicted_px=predicted_px,
        target_px=target_px,
        sigma_mm=run.sigma_mm[:, own],
        sigma_px=None if run.keypoints is None else run.keypoints.sigma_px[:, own],
    )
    return poses, int(absent.sum())


def _data(dataset: Dataset, measured: HeadLengths, options: dict[str, Any]) -> dict[str, Any]:
    """Say what was measured on."""
    root, samples = dataset.root, dataset.samples
    labels = [
        frame_path(root / s.sequence, kind, s.frame)
        for s in samples
        for kind in ("joints_2Ddep", "joints_3D")
    ]
    camera = root / "intrinsics.json"
    reasons = differences_from_official(measured, PUBLISHED)
    if (root / "generator.json").exists():
        reasons = ("the folder has a generator.json", *reasons)
    return {
        "root_sha256": hash_files(root, [*labels, *([camera] if camera.exists() else [])]),
        "real": not reasons,
        "frames": len(samples),
        "sequences": sorted(measured.mm),
        **options,
        "not_real_because": list(reasons),
    }

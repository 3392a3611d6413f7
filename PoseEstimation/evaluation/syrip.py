"""Evaluate a predictor on SyRIP: boxes, joints by OKS, per posture, and 3D against weak truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console

from Datasets.catalogue import open_dataset
from Datasets.geometry.affine import transform_points
from Datasets.geometry.boxes import quarter_turned_box
from Datasets.geometry.camera import rotation_to_box
from Datasets.geometry.turns import QUARTERS, quarter_turned, turn_matrix
from Datasets.outlines import true_box
from Datasets.readers.frames import load_sample_image
from Datasets.readers.syrip import WEAK_3D, read_weak_3d
from Datasets.selection import spread
from Datasets.skeletons import COCO_17, LSP_14
from Datasets.skeletons.convert import joint_map
from Datasets.structures import VISIBLE, Dataset, Frame, PoseSample
from Engine.provenance import hash_files
from FasterRCNN.evaluate import average_precision
from PoseEstimation.evaluation.frames import detections_of, labelled_frames, run_frames
from PoseEstimation.evaluation.photo_ap import (
    AP_KEYS,
    ap_groups,
    ap_interval,
    keypoint_ap,
    keypoint_results,
    with_area,
)
from PoseEstimation.evaluation.photo_tables import syrip_notes, syrip_tables
from PoseEstimation.evaluation.report import (
    metrics_header,
    print_tables,
    write_metrics,
    write_tables,
)
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.predictor import Boxes, Predictor
from PoseEstimation.metrics.protocols import SyripProtocol
from PoseEstimation.metrics.protocols.syrip import LIMB_JOINTS
from PoseEstimation.metrics.skin import skin_class
from PoseEstimation.result import FrameResult

TURNED = 300
"""At most so many photos, evenly spread, are turned: that costs three times as much as the rest."""

BOXES: tuple[Boxes, ...] = ("own", "true")


_Found = dict[Boxes, list[FrameResult]]
"""Results of photos, in detected boxes and in the true one."""


def evaluate_syrip(
    predictor: Predictor,
    root: Path | str,
    split: str = "validation",
    box_kind: Literal["own", "true"] = "true",
    output: Path | str | None = None,
    command: str = "",
) -> dict[str, Any]:
    """Run the protocol; write ``metrics.json`` and ``table.md``.

    Args:
        predictor: finder and lifter.
        root: a folder in SyRIP's layout, one infant per photo.
        split: ``train``, ``validation``, or the ending of an annotation file's name.
        box_kind: whose boxes the ``ap`` of the block ``clean`` stands for; ``boxes`` has both.
        output: folder to write to; None writes nothing.
        command: the command line, recorded.

    Returns:
        The contents of ``metrics.json``.

    Raises:
        DataError: the folder or a file in it cannot be used.
    """
    dataset = open_dataset("syrip", root, split)
    known = with_area(dataset.samples)
    found = _found(predictor, dataset.samples, 0)
    turned = {d: _found(predictor, spread(dataset.samples, TURNED), d) for d in QUARTERS}
    data = _data(dataset, split, box_kind)
    header = metrics_header("syrip", predictor.model_info, command, data)
    metrics = {**header, **_measures(predictor, dataset, known, found, box_kind)}
    metrics["rotations"] = _rotations(predictor, dataset.samples, known, found, turned)
    if output is not None:
        write_metrics(Path(output), metrics)
        write_tables(Path(output), syrip_tables(metrics), syrip_notes(metrics))
    return metrics


def print_syrip(metrics: dict[str, Any], console: Console | None = None) -> None:
    """Print the tables."""
    print_tables(syrip_tables(metrics), syrip_notes(metrics), console)


def _found(predictor: Predictor, samples: Sequence[PoseSample], degrees: int) -> _Found:
    """Results of photos that are turned, their joints in pixels of the upright photos."""
    found: _Found = {}
    for boxes in BOXES:
        results = run_frames(predictor, turned_frames(samples, degrees), boxes, len(samples))
        found[boxes] = [_turned_back(result, degrees) if degrees else result for result in results]
    return found


def turned_frames(samples: Sequence[PoseSample], degrees: int) -> Iterator[Frame]:
    """The photos of samples and their boxes, turned by 0 or by ``QUARTERS``, of unknown cameras."""
    for frame in labelled_frames(samples, [true_box(s) for s in samples], 1.0, still=True):
        frame = replace(frame, intrinsics=None)
        if degrees and frame.image is not None and frame.boxes_xyxy is not None:
            box = quarter_turned_box(turn_matrix(degrees, frame.image.size), frame.boxes_xyxy[0])
            image = quarter_turned(frame.image, degrees)
            frame = replace(frame, image=image, boxes_xyxy=box[None])
        yield frame


def _turned_back(result: FrameResult, degrees: int) -> FrameResult:
    width, height = result.size
    size = (width, height) if degrees == 180 else (height, width)
    back = np.linalg.inv(turn_matrix(degrees, size))
    infants = [
        replace(infant, keypoints_px=transform_points(back, infant.keypoints_px))
        for infant in result.infants
    ]
    return replace(result, infants=tuple(infants))


def _skin(sample: PoseSample) -> str:
    """Class of a photo's skin, see ``skin_class``."""
    visible = np.where(sample.visibility[:, None] == VISIBLE, sample.keypoints_px, np.nan)
    return skin_class(np.asarray(load_sample_image(sample)), visible)


def _measures(
    predictor: Predictor,
    dataset: Dataset,
    known: Sequence[bool],
    found: _Found,
    box_kind: Boxes,
) -> dict[str, Any]:
    """Score the predictions; ``known`` says which photos AP can use."""
    samples = list(dataset.samples)
    rated = list(compress(samples, known))
    results = {kind: keypoint_results(predictor.skeleton, found[kind], samples) for kind in BOXES}
    boxes = {
        kind: {**keypoint_ap(rated, rows), "interval": ap_interval(rated, rows)}
        for kind, rows in results.items()
    }
    true_px = np.stack([sample.keypoints_px for sample in samples])
    predicted_px = np.stack([result.infants[0].keypoints_px for result in found["true"]])
    to_coco = joint_map(predictor.skeleton, COCO_17)
    planar = SyripProtocol().score_2d(to_coco.apply(predicted_px), true_px)
    spatial, counts_3d, yardstick = _in_3d(predictor, dataset, found["true"])
    detections = [detections_of(result) for result in found["own"]]
    true_boxes = [true_box(sample)[None] for sample in samples]
    both = results["true"], results["own"]
    return {
        "clean": {
            **{key: value for key, value in boxes[box_kind].items() if key in AP_KEYS},
            **average_precision(detections, true_boxes),
            **planar.clean,
            **spatial,
        },
        "boxes": boxes,
        "postures": ap_groups(rated, [s.activity.lower() for s in rated], *both),
        "skin": ap_groups(rated, [_skin(sample) for sample in rated], *both),
        "yardstick": yardstick,
        "per_joint": planar.per_joint,
        "counts": {
            "photos": len(samples),
            "photos_without_area": len(samples) - len(rated),
            "photos_without_detection": sum(len(d) == 0 for d in detections),
            **planar.counts,
            **counts_3d,
        },
    }


def _rotations(
    predictor: Predictor,
    samples: Sequence[PoseSample],
    known: Sequence[bool],
    upright: _Found,
    turned: dict[int, _Found],
) -> dict[str, dict[str, float]]:
    """AP of the turned photos by the degrees, and how far it is from that of the same, upright."""
    photos = spread(samples, TURNED)
    rated = list(compress(photos, spread(known, TURNED)))

    def ap(found: _Found, kind: Boxes, shown: Sequence[PoseSample]) -> float:
        return keypoint_ap(rated, keypoint_results(predictor.skeleton, found[kind], shown))["ap"]

    endings: dict[Boxes, str] = {"true": "", "own": "_own_boxes"}
    table: dict[str, dict[str, float]] = {str(degrees): {} for degrees in turned}
    for degrees, found in turned.items():
        for kind, ending in endings.items():
            value = ap(found, kind, photos)
            table[str(degrees)][f"ap{ending}"] = value
            table[str(degrees)][f"change{ending}"] = value - ap(upright, kind, samples)
    return table


def _in_3d(
    predictor: Predictor, dataset: Dataset, found: Sequence[FrameResult]
) -> tuple[dict[str, float], dict[str, Any], dict]:
    """Measures in space, where the folder has weak truth.

    The weak labels were made from crops: predictions are turned to the axes of a camera that looks
    at the middle of the box.
    """
    if not (dataset.root / WEAK_3D).is_file():
        return {}, {"people_3d": 0}, {}
    names = [sample.image_path.name for sample in dataset.samples]
    weak = read_weak_3d(dataset.root, names)[:, LSP_14.indices(LIMB_JOINTS)]
    known = np.isfinite(weak).all(axis=(1, 2))
    if not known.any():
        return {}, {"people_3d": 0}, {}
    limbs = predictor.skeleton.indices(LIMB_JOINTS)
    camera = Camera(predictor.settings.fov_degrees)
    limbs_mm = [
        result.infants[0].joints_mm[limbs]
        @ rotation_to_box(true_box(sample), camera.matrix(result.size)).T
        for sample, result in zip(dataset.samples, found, strict=True)
    ]
    scores = SyripProtocol().score_3d(np.stack(limbs_mm)[known], weak[known])
    return scores.clean, scores.counts, scores.groups["yardstick"]


def _data(dataset: Dataset, split: str, box_kind: str) -> dict[str, Any]:
    """Say what was measured on."""
    labels = sorted((dataset.root / "annotations").glob("[!.]*.json"))
    weak = dataset.root / WEAK_3D
    return {
        "root_sha256": hash_files(dataset.root, [*labels, *([weak] if weak.is_file() else [])]),
        "real": not (dataset.root / "generator.json").exists(),
        "frames": len(dataset),
        "split": split,
        "boxes": box_kind,
    }

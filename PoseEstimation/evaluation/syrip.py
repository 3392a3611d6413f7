"""Evaluate the pipeline on SyRIP: boxes, joints by OKS, per posture, and 3D against weak truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import track

from Datasets.catalogue import open_dataset
from Datasets.geometry.affine import transform_points
from Datasets.geometry.boxes import box_from_points
from Datasets.geometry.camera import rotation_to_box
from Datasets.geometry.turns import QUARTERS, quarter_turned, turn_matrix
from Datasets.readers.images import load_image
from Datasets.readers.syrip import WEAK_3D, read_weak_3d
from Datasets.skeletons import COCO_17, LSP_14
from Datasets.skeletons.convert import joint_map
from Datasets.structures import VISIBLE, Dataset, PoseSample
from Engine.provenance import code_version, hash_files
from Engine.sampling import spread
from FasterRCNN.evaluate import average_precision
from PoseEstimation.evaluation.photo_ap import (
    AP_KEYS,
    ap_groups,
    ap_interval,
    keypoint_ap,
    keypoint_results,
    with_area,
)
from PoseEstimation.evaluation.photo_tables import syrip_notes, syrip_tables
from PoseEstimation.evaluation.report import SCHEMA, write_metrics, write_tables
from PoseEstimation.inference.camera import Camera
from PoseEstimation.metrics.protocols import SyripProtocol
from PoseEstimation.metrics.protocols.syrip import LIMB_JOINTS
from PoseEstimation.metrics.skin import skin_class
from PoseEstimation.structures import Keypoints, joined

if TYPE_CHECKING:
    from FasterRCNN.detector import Detections
    from PoseEstimation.inference.predictor import PosePipeline


TURNED = 300
"""At most so many photos, evenly spread, are turned: that costs three times as much as the rest."""


@dataclass(frozen=True)
class _Seen:
    """What the pipeline found.

    Attributes:
        detections: per photo.
        results: boxes (``own``, ``true``) to results in COCO's form.
        keypoints_px: (photo, 17, 2) in true boxes.
        limbs_mm: (photo, 12, 3) ``LIMB_JOINTS``, from the true boxes, as a camera sees them that
            looks at the box's middle; the weak labels were made from crops.
        skins: class of each photo's skin, see ``skin_class``.
        turned: degrees by which photos (see ``TURNED``) were turned to ``results``, in upright
            pixels.
    """

    detections: list[Detections]
    results: dict[str, list[dict[str, Any]]]
    keypoints_px: np.ndarray
    limbs_mm: np.ndarray
    skins: list[str]
    turned: dict[int, dict[str, list[dict[str, Any]]]]


def evaluate_syrip(
    pipeline: PosePipeline,
    root: Path | str,
    split: str = "validation",
    box_kind: Literal["own", "true"] = "true",
    output: Path | str | None = None,
    command: str = "",
) -> dict[str, Any]:
    """Run the protocol; write ``metrics.json`` and ``table.md``.

    Args:
        pipeline: detector, 2D network and lifter.
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
    with_area(dataset.samples)
    seen = _look(pipeline, dataset)
    metrics = _metrics(pipeline, dataset, seen, box_kind, split, command)
    if output is not None:
        write_metrics(Path(output), metrics)
        write_tables(Path(output), syrip_tables(metrics), syrip_notes(metrics))
    return metrics


def print_syrip(metrics: dict[str, Any], console: Console | None = None) -> None:
    """Print the tables."""
    print_tables(syrip_tables(metrics), syrip_notes(metrics), console)


def _look(pipeline: PosePipeline, dataset: Dataset) -> _Seen:
    """Detect, find the joints in both kinds of boxes, lift those of the true ones."""
    results, detections, parts, limbs, skins = {"own": [], "true": []}, [], [], [], []
    turns = {degrees: {"own": [], "true": []} for degrees in QUARTERS}
    chosen = pipeline.skeleton.indices(LIMB_JOINTS)
    also_turned = {sample.image_id for sample in spread(dataset.samples, TURNED)}
    bar = Console(stderr=True)
    for sample in track(dataset.samples, "evaluating", console=bar, disable=not bar.is_terminal):
        image = load_image(sample.image_path)
        found, in_true = _in_boxes(pipeline, sample, image, np.eye(3), results)
        detections.append(found)
        seen = np.where(sample.visibility[:, None] == VISIBLE, sample.keypoints_px, np.nan)
        skins.append(skin_class(np.asarray(image), seen))
        for degrees, turn in turns.items() if sample.image_id in also_turned else ():
            matrix = turn_matrix(degrees, image.size)
            _in_boxes(pipeline, sample, quarter_turned(image, degrees), matrix, turn)
        camera = Camera(pipeline.settings.fov_degrees).matrix(image.size)
        towards = rotation_to_box(sample.box_xyxy, camera)
        limbs.append(pipeline.lift(in_true, camera)[0][0, chosen] @ towards.T)
        parts.append(in_true)
    keypoints = joint_map(pipeline.skeleton, COCO_17).apply(joined(parts).keypoints_px)
    return _Seen(detections, results, keypoints, np.stack(limbs), skins, turns)


def _in_boxes(
    pipeline: PosePipeline,
    sample: PoseSample,
    image: Image.Image,
    matrix: np.ndarray,
    results: dict[str, list[dict[str, Any]]],
) -> tuple[Detections, Keypoints]:
    """Add what is found in own boxes and in the true one, in the pixels of the upright photo.

    Args:
        pipeline: to look with.
        sample: the upright photo's labels.
        image: the photo, perhaps turned.
        matrix: (3, 3) upright pixels to the image's.
        results: boxes (``own``, ``true``) to results in COCO's form.
    """
    found = pipeline.detect(image)
    corners = transform_points(matrix, sample.box_xyxy.reshape(2, 2))
    true_box = box_from_points(corners)[None]
    back = np.linalg.inv(matrix)
    for kind, boxes, scores in (
        ("own", found.boxes_xyxy, found.scores),
        ("true", true_box, np.ones(1)),
    ):
        seen = pipeline.estimate_2d(image, boxes, still=True)
        upright = replace(seen, keypoints_px=transform_points(back, seen.keypoints_px))
        results[kind] += keypoint_results(pipeline.skeleton, upright, scores, sample.image_id)
    return found, seen


def _metrics(
    pipeline: PosePipeline,
    dataset: Dataset,
    seen: _Seen,
    box_kind: str,
    split: str,
    command: str,
) -> dict[str, Any]:
    """Score a run: the contents of metrics.json."""
    samples = list(dataset.samples)
    known = with_area(samples)
    rated, skins = list(compress(samples, known)), list(compress(seen.skins, known))
    turned = list(compress(spread(samples, TURNED), spread(known, TURNED)))
    boxes = {
        kind: {**keypoint_ap(rated, results), "interval": ap_interval(rated, results)}
        for kind, results in seen.results.items()
    }
    target = np.stack([sample.keypoints_px for sample in samples])
    planar = SyripProtocol().score_2d(seen.keypoints_px, target)
    spatial, counts_3d, yardstick = _in_3d(dataset, seen)
    true_boxes = np.stack([sample.box_xyxy for sample in samples])
    results = seen.results["true"], seen.results["own"]
    return {
        "schema": SCHEMA,
        "protocol": "syrip",
        "data": _data(dataset, split, box_kind),
        "weights": dict(pipeline.model_info),
        "command": command,
        "code_version": code_version(),
        "clean": {
            **{key: value for key, value in boxes[box_kind].items() if key in AP_KEYS},
            **average_precision(seen.detections, true_boxes),
            **planar.clean,
            **spatial,
        },
        "boxes": boxes,
        "postures": ap_groups(rated, [s.activity.lower() for s in rated], *results),
        "skin": ap_groups(rated, skins, *results),
        "rotations": _rotations(turned, seen),
        "yardstick": yardstick,
        "per_joint": planar.per_joint,
        "counts": {
            "photos": len(samples),
            "photos_without_area": len(samples) - len(rated),
            "photos_without_detection": sum(len(d) == 0 for d in seen.detections),
            **planar.counts,
            **counts_3d,
        },
    }


def _rotations(samples: Sequence[PoseSample], seen: _Seen) -> dict[str, dict[str, float]]:
    """AP of the turned photos by the degrees, and how far it is from that of the same, upright."""
    upright = {kind: keypoint_ap(samples, found)["ap"] for kind, found in seen.results.items()}
    table = {}
    for degrees, results in seen.turned.items():
        row = {}
        for kind, ending in (("true", ""), ("own", "_own_boxes")):
            row[f"ap{ending}"] = keypoint_ap(samples, results[kind])["ap"]
            row[f"change{ending}"] = row[f"ap{ending}"] - upright[kind]
        table[str(degrees)] = row
    return table


def _in_3d(dataset: Dataset, seen: _Seen) -> tuple[dict[str, float], dict[str, Any], dict]:
    """Measures in space, where the folder has weak truth."""
    if not (dataset.root / WEAK_3D).is_file():
        return {}, {"people_3d": 0}, {}
    names = [sample.image_path.name for sample in dataset.samples]
    weak = read_weak_3d(dataset.root, names)[:, LSP_14.indices(LIMB_JOINTS)]
    known = np.isfinite(weak).all(axis=(1, 2))
    if not known.any():
        return {}, {"people_3d": 0}, {}
    scores = SyripProtocol().score_3d(seen.limbs_mm[known], weak[known])
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

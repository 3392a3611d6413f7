"""Evaluate the pipeline on SyRIP: boxes, joints by OKS, per posture, and 3D against weak truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import track

from Datasets.catalogue import open_dataset
from Datasets.geometry.affine import transform_points
from Datasets.readers.base import load_image
from Datasets.readers.syrip import WEAK_3D, read_weak_3d, source_of
from Datasets.skeletons import COCO_17, LSP_14
from Datasets.skeletons.convert import joint_map
from Datasets.structures import Dataset, PoseSample
from FasterRCNN.evaluate import average_precision
from PoseEstimation.evaluation.provenance import code_version, hash_files
from PoseEstimation.evaluation.report import SCHEMA, Table, number, write_metrics, write_tables
from PoseEstimation.evaluation.turns import QUARTERS, turn_matrix, turned
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.lifting import Keypoints, joined
from PoseEstimation.metrics.protocols import CocoProtocol, SyripProtocol
from PoseEstimation.metrics.protocols.syrip import LIMB_JOINTS
from PoseEstimation.metrics.skin import skin_class

if TYPE_CHECKING:
    from FasterRCNN.detector import Detections
    from PoseEstimation.inference.pipeline import PosePipeline

RESAMPLES = 200
"""Of the photos' sources, for the intervals."""

_KEYS = ("ap", "ap50", "ap75", "ar")


@dataclass(frozen=True)
class _Seen:
    """What the pipeline found.

    Attributes:
        detections: per photo.
        results: boxes (``own``, ``true``) to results in COCO's form.
        keypoints_px: (photo, 17, 2) in true boxes.
        limbs_mm: (photo, 12, 3) ``LIMB_JOINTS``, from the true boxes.
        skins: class of each photo's skin, see ``skin_class``.
        turned: degrees by which the photos were turned to ``results``, in upright pixels.
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
    seen = _look(pipeline, dataset)
    metrics = _metrics(pipeline, dataset, seen, box_kind, split, command)
    if output is not None:
        write_metrics(Path(output), metrics)
        write_tables(Path(output), syrip_tables(metrics), syrip_notes(metrics))
    return metrics


def _look(pipeline: PosePipeline, dataset: Dataset) -> _Seen:
    """Detect, find the joints in both kinds of boxes, lift those of the true ones."""
    results, detections, parts, limbs, skins = {"own": [], "true": []}, [], [], [], []
    turns = {degrees: {"own": [], "true": []} for degrees in QUARTERS}
    chosen = pipeline.skeleton.indices(LIMB_JOINTS)
    bar = Console(stderr=True)
    for sample in track(dataset.samples, "evaluating", console=bar, disable=not bar.is_terminal):
        image = load_image(sample.image_path)
        found, in_true = _in_boxes(pipeline, sample, image, np.eye(3), results)
        detections.append(found)
        skins.append(skin_class(np.asarray(image), sample.keypoints_px))
        for degrees, turn in turns.items():
            matrix = turn_matrix(degrees, image.size)
            _in_boxes(pipeline, sample, turned(image, degrees), matrix, turn)
        camera = Camera(pipeline.settings.fov_degrees).matrix(image.size)
        limbs.append(pipeline.lift(in_true, camera)[0][0, chosen])
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
    true_box = np.concatenate([corners.min(0), corners.max(0)])[None]
    back = np.linalg.inv(matrix)
    for kind, boxes, scores in (
        ("own", found.boxes_xyxy, found.scores),
        ("true", true_box, np.ones(1)),
    ):
        seen = pipeline.estimate_2d(image, boxes)
        upright = replace(seen, keypoints_px=transform_points(back, seen.keypoints_px))
        results[kind] += _results(pipeline, upright, scores, sample.image_id)
    return found, seen


def _results(
    pipeline: PosePipeline, found: Keypoints, box_scores: np.ndarray, image_id: int | None
) -> list[dict[str, Any]]:
    """Results in COCO's form; a score is the box's times the joints' mean."""
    mapping = joint_map(pipeline.skeleton, COCO_17)
    values = mapping.apply(np.concatenate([found.keypoints_px, found.scores[..., None]], axis=-1))
    return [
        {
            "image_id": image_id,
            "category_id": 1,
            "keypoints": person.ravel().tolist(),
            "score": float(score * np.nanmean(person[:, 2])),
        }
        for person, score in zip(values, box_scores, strict=True)
    ]


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
    boxes = {
        kind: {**_ap(samples, results), "interval": _interval(samples, results)}
        for kind, results in seen.results.items()
    }
    target = np.stack([sample.keypoints_px for sample in samples])
    planar = SyripProtocol().score_2d(seen.keypoints_px, target)
    spatial, counts_3d, yardstick = _in_3d(dataset, seen)
    true_boxes = np.stack([sample.box_xyxy for sample in samples])
    return {
        "schema": SCHEMA,
        "protocol": "syrip",
        "data": _data(dataset, split, box_kind),
        "weights": dict(pipeline.model_info),
        "command": command,
        "code_version": code_version(),
        "clean": {
            **{key: value for key, value in boxes[box_kind].items() if key in _KEYS},
            **average_precision(seen.detections, true_boxes),
            **planar.clean,
            **spatial,
        },
        "boxes": boxes,
        "postures": _groups(samples, [s.activity.lower() for s in samples], seen.results),
        "skin": _groups(samples, seen.skins, seen.results),
        "rotations": _rotations(samples, seen.turned, boxes),
        "yardstick": yardstick,
        "per_joint": planar.per_joint,
        "counts": {
            "photos": len(samples),
            "photos_without_detection": sum(len(d) == 0 for d in seen.detections),
            **planar.counts,
            **counts_3d,
        },
    }


def _ap(samples: Sequence[PoseSample], results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """AP and AR of the results on some photos."""
    wanted = {sample.image_id for sample in samples}
    found = [result for result in results if result["image_id"] in wanted]
    scores = CocoProtocol().score(_truth(samples), found).clean if found else {}
    return {key: scores.get(key, 0.0) for key in _KEYS}


def _truth(samples: Sequence[PoseSample]) -> dict[str, Any]:
    """The contents of an annotation file."""
    return {
        "images": [{"id": sample.image_id} for sample in samples],
        "annotations": [
            {
                "id": number,
                "image_id": sample.image_id,
                "category_id": 1,
                "bbox": [*sample.box_xyxy[:2], *(sample.box_xyxy[2:] - sample.box_xyxy[:2])],
                "area": sample.area_px,
                "iscrowd": 0,
                "keypoints": np.column_stack(
                    [np.nan_to_num(sample.keypoints_px), sample.visibility]
                ).ravel(),
            }
            for number, sample in enumerate(samples, 1)
        ],
    }


def _interval(samples: Sequence[PoseSample], results: Sequence[dict[str, Any]]) -> list[float]:
    """95 % percentile interval of AP by the bootstrap over sources; photos without one are each."""
    by_image: dict[int | None, list[dict[str, Any]]] = {}
    for result in results:
        by_image.setdefault(result["image_id"], []).append(result)
    sources: dict[str, list[PoseSample]] = {}
    for sample in samples:
        sources.setdefault(source_of(sample), []).append(sample)
    groups, rng = list(sources.values()), np.random.default_rng(0)
    drawn = []
    for _ in range(RESAMPLES):
        picked = [s for i in rng.integers(len(groups), size=len(groups)) for s in groups[i]]
        photos = [replace(s, image_id=number) for number, s in enumerate(picked)]
        found = [
            {**result, "image_id": number}
            for number, sample in enumerate(picked)
            for result in by_image.get(sample.image_id, ())
        ]
        drawn.append(_ap(photos, found)["ap"])
    return [float(v) for v in np.percentile(drawn, [2.5, 97.5])]


def _groups(
    samples: Sequence[PoseSample], names: Sequence[str], results: dict[str, list[dict[str, Any]]]
) -> dict[str, dict[str, Any]]:
    """AP of the photos of each name, with its interval and its number of photos."""
    table = {}
    for name in sorted(set(names) - {""}):
        chosen = [sample for sample, own in zip(samples, names, strict=True) if own == name]
        wanted = {sample.image_id for sample in chosen}
        own, true = ([r for r in results[k] if r["image_id"] in wanted] for k in ("own", "true"))
        table[name] = {
            "photos": len(chosen),
            "ap": _ap(chosen, true)["ap"],
            "interval": _interval(chosen, true),
            "ap_own_boxes": _ap(chosen, own)["ap"],
        }
    return table


def _rotations(
    samples: Sequence[PoseSample],
    turns: dict[int, dict[str, list[dict[str, Any]]]],
    upright: dict[str, dict[str, Any]],
) -> dict[str, dict[str, float]]:
    """AP of the turned photos by the degrees, and how far it is from the upright ones'."""
    table = {}
    for degrees, results in turns.items():
        row = {}
        for kind, ending in (("true", ""), ("own", "_own_boxes")):
            row[f"ap{ending}"] = _ap(samples, results[kind])["ap"]
            row[f"change{ending}"] = row[f"ap{ending}"] - upright[kind]["ap"]
        table[str(degrees)] = row
    return table


def _in_3d(dataset: Dataset, seen: _Seen) -> tuple[dict[str, float], dict[str, Any], dict]:
    """Measures in space, where the folder has weak truth."""
    if not (dataset.root / WEAK_3D).is_file():
        return {}, {"people_3d": 0}, {}
    names = [sample.image_path.name for sample in dataset.samples]
    weak = read_weak_3d(dataset.root, names)[:, LSP_14.indices(LIMB_JOINTS)]
    known = np.isfinite(weak).all(axis=(1, 2))
    scores = SyripProtocol().score_3d(seen.limbs_mm[known], weak[known])
    return scores.clean, scores.counts, scores.groups["yardstick"]


def _data(dataset: Dataset, split: str, box_kind: str) -> dict[str, Any]:
    """Say what was measured on."""
    labels = sorted((dataset.root / "annotations").glob("*.json"))
    weak = dataset.root / WEAK_3D
    return {
        "root_sha256": hash_files(dataset.root, [*labels, *([weak] if weak.is_file() else [])]),
        "real": not (dataset.root / "generator.json").exists(),
        "frames": len(dataset),
        "split": split,
        "boxes": box_kind,
    }


def syrip_tables(metrics: dict[str, Any]) -> tuple[Table, ...]:
    """Boxes, joints, postures and 3D."""
    clean, name = metrics["clean"], str(metrics["weights"].get("name", "this run"))
    rows = tuple(
        (f"{name}, {kind} boxes", *(number(found[k], 1) for k in _KEYS), _span(found["interval"]))
        for kind, found in metrics["boxes"].items()
    )
    tables = [
        Table("Joints by OKS", ("boxes", "AP", "AP50", "AP75", "AR", "95 % of AP"), rows),
        _group_table("Postures, true boxes", "posture", metrics["postures"]),
        _group_table("Skin, true boxes", "skin of the face", metrics["skin"]),
        Table(
            "Turned photos",
            ("degrees", "AP", "change", "AP own boxes", "change"),
            tuple(
                (degrees, *(number(row[k], 1) for k in row))
                for degrees, row in metrics["rotations"].items()
            ),
        ),
    ]  # fmt: skip
    if "pa_mpjpe_mm" in clean:
        keys = ("pa_mpjpe_mm", "scale_mpjpe_mm", "limb_degrees")
        rows = [(name, *(number(clean.get(k), 1) for k in keys))]
        for other, values in metrics["yardstick"].items():
            rows.append((other, *(number(values.get(k), 1) for k in keys)))
        header = ("weak truth", "PA-MPJPE mm", "scale-aligned MPJPE mm", "limbs off by degrees")
        tables.append(Table("3D against weak truth, 12 limb joints", header, tuple(rows)))
    return tuple(tables)


def _group_table(title: str, kind: str, groups: dict[str, dict[str, Any]]) -> Table:
    """AP of groups of photos."""
    rows = tuple(
        (name, str(found["photos"]), number(found["ap"], 1), _span(found["interval"]),
         number(found["ap_own_boxes"], 1))
        for name, found in groups.items()
    )  # fmt: skip
    return Table(title, (kind, "photos", "AP", "95 %", "AP own boxes"), rows)


def syrip_notes(metrics: dict[str, Any]) -> tuple[str, ...]:
    """What the numbers rest on."""
    clean, counts = metrics["clean"], metrics["counts"]
    return (
        f"{counts['photos']} photos; box AP50 {number(clean['box_ap50'], 1)}, "
        f"AP {number(clean['box_ap'], 1)}; {counts['photos_without_detection']} without a box.",
        f"PCKh@0.5 {number(clean.get('pckh_05'), 1)}: {counts['rule']}.",
        "Intervals: bootstrap over the photos' sources.",
        "Skin: individual typology angle of the pixels between eyes and nose, measured; light from "
        "41 degrees, medium from 10.",
    )


def _span(interval: Sequence[float]) -> str:
    return f"{interval[0]:.1f} - {interval[1]:.1f}"

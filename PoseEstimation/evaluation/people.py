"""Photos of several people in any joints: predictions for each of them, and a protocol's scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from rich.console import Console
from scipy.optimize import linear_sum_assignment

from Datasets.catalogue import open_dataset
from Datasets.geometry.boxes import iou
from Datasets.outlines import true_box
from Datasets.readers.frames import FrameSource
from Datasets.structures import Dataset, Frame, PoseSample
from Engine.errors import DataError
from PoseEstimation.evaluation.frames import run_frames
from PoseEstimation.evaluation.joints import in_joints, predicted_joints
from PoseEstimation.evaluation.provenance import labels_sha256
from PoseEstimation.evaluation.report import (
    Table,
    metrics_header,
    number,
    print_tables,
    write_metrics,
    write_tables,
)
from PoseEstimation.inference.predictor import Boxes, Predictor
from PoseEstimation.metrics.protocols import Scores
from PoseEstimation.result import FrameResult

Score = Callable[[np.ndarray, np.ndarray, Sequence[PoseSample]], Scores]
"""Scores predicted joints (person, joint, 2) against true ones, NaN where absent."""


def evaluate_people(
    name: str,
    score: Score,
    predictor: Predictor,
    root: Path | str,
    split: str = "all",
    box_kind: Boxes = "true",
    output: Path | str | None = None,
    command: str = "",
) -> dict[str, Any]:
    """Run a protocol of 2D joints; write ``metrics.json`` and ``table.md``.

    Joints that the predictor's skeleton lacks do not count.

    Args:
        name: of the data set, photos.
        score: the protocol.
        predictor: finder; a lifter is not needed.
        root: folder of the data set.
        split: see ``open_dataset``.
        box_kind: crops of the true boxes, or of detected ones: each person has the detection that
            fits best, and without one every joint is missed.
        output: folder to write to; None writes nothing.
        command: the command line, recorded.

    Returns:
        The contents of ``metrics.json``.

    Raises:
        DataError: the folder or a file in it cannot be used.
    """
    dataset = open_dataset(name, root, split)
    photos = labelled_photos(dataset)
    people = [sample for photo in photos for sample in photo]
    found = run_frames(predictor, photo_frames(photos), box_kind, len(photos))
    pairs = zip(found, photos, strict=True)
    predicted_px = np.concatenate(
        [_of_people(result, photo, len(predictor.skeleton)) for result, photo in pairs]
    )
    known = predicted_joints(predictor.skeleton, dataset.skeleton)
    true_px = np.where(known[:, None], np.stack([s.keypoints_px for s in people]), np.nan)
    scores = score(in_joints(predicted_px, predictor.skeleton, dataset.skeleton), true_px, people)
    return written(predictor, dataset, scores, {"boxes": box_kind}, (split, command), output)


def labelled_photos(dataset: Dataset) -> list[list[PoseSample]]:
    """The labelled people of each photo.

    Raises:
        DataError: there are none.
    """
    if not len(dataset):
        raise DataError(f"evaluate {dataset.name}: {dataset.root} has no labelled people there")
    return by_image(dataset.samples)


def by_image(samples: Sequence[PoseSample]) -> list[list[PoseSample]]:
    """The people of each image, images in order of their first person."""
    images: dict[tuple[Path, int | None], list[PoseSample]] = {}
    for sample in samples:
        images.setdefault((sample.image_path, sample.video_frame), []).append(sample)
    return list(images.values())


def photo_frames(photos: Sequence[Sequence[PoseSample]], boxes: bool = True) -> Iterator[Frame]:
    """One frame per photo, with the true boxes of its people unless they are not wanted."""
    images = FrameSource()
    for photo in photos:
        true_boxes = np.stack([true_box(sample) for sample in photo]) if boxes else None
        name, image = str(photo[0].image_path), images.load(photo[0])
        yield Frame(name, 0, 0.0, image, boxes_xyxy=true_boxes, still=True)


def _of_people(
    result: FrameResult, photo: Sequence[PoseSample], joints: int
) -> Float[np.ndarray, "person joint 2"]:
    """Joints of each person, from the detection that the assignment of boxes gives it."""
    infants = result.infants
    points = np.full((len(photo), joints, 2), np.nan)
    if infants:
        boxes = np.stack([infant.box_xyxy for infant in infants])
        overlap = iou(np.stack([true_box(sample) for sample in photo]), boxes)
        for person, found in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
            if overlap[person, found] > 0:
                points[person] = infants[found].keypoints_px
    return points


def written(
    predictor: Predictor,
    dataset: Dataset,
    scores: Scores,
    options: dict[str, Any],
    about: tuple[str, str],
    output: Path | str | None,
) -> dict[str, Any]:
    """Make the contents of ``metrics.json`` from scores, and write them beside the tables."""
    split, command = about
    known = predicted_joints(predictor.skeleton, dataset.skeleton)
    names = zip(dataset.skeleton.joints, known, strict=True)
    data = {
        "root_sha256": labels_sha256(dataset.samples),
        "real": not (dataset.root / "generator.json").exists(),
        "frames": len(dataset),
        "split": split,
        **options,
    }
    metrics = {
        **metrics_header(dataset.name, predictor.model_info, command, data),
        "clean": scores.clean,
        "per_joint": scores.per_joint,
        "groups": scores.groups,
        "counts": {**scores.counts, "joints_not_predicted": [n for n, has in names if not has]},
    }
    if output is not None:
        write_metrics(Path(output), metrics)
        write_tables(Path(output), score_tables(metrics), score_notes(metrics))
    return metrics


def print_scores(metrics: dict[str, Any], console: Console | None = None) -> None:
    """Print the tables."""
    print_tables(score_tables(metrics), score_notes(metrics), console)


def score_tables(metrics: dict[str, Any]) -> tuple[Table, ...]:
    """All measures in a row, then a table per kind of group."""
    name = str(metrics["weights"].get("name", "this run"))
    total = {name: metrics["clean"]}
    kinds = {metrics["protocol"]: total, **metrics["groups"]}
    return tuple(_table(kind, rows) for kind, rows in kinds.items() if rows)


def _table(kind: str, rows: dict[str, dict[str, float]]) -> Table:
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))
    cells = tuple((name, *(number(row.get(key)) for key in keys)) for name, row in rows.items())
    return Table(kind, (kind, *keys), cells)


def score_notes(metrics: dict[str, Any]) -> tuple[str, ...]:
    """The rule of counting, and joints that are not predicted."""
    counts = metrics["counts"]
    absent = ", ".join(counts["joints_not_predicted"])
    notes = [f"Rule: {counts['rule']}."]
    return (*notes, f"Not predicted and not counted: {absent}.") if absent else tuple(notes)

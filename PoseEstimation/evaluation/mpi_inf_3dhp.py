"""Evaluate a predictor on the test set of MPI-INF-3DHP."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from Datasets.catalogue import open_dataset
from Datasets.outlines import true_box
from Datasets.readers.mpi_inf_3dhp import read_mpi_inf_3dhp_test
from Datasets.skeletons import MPI_INF_17
from Datasets.structures import Dataset
from Engine.errors import DataError
from PoseEstimation.evaluation.frames import best_infants, lift_sequences, true_joints_mm
from PoseEstimation.evaluation.joints import in_joints, predicted_joints
from PoseEstimation.evaluation.people import written
from PoseEstimation.inference.predictor import Boxes, Predictor
from PoseEstimation.metrics.protocols import MpiInf3dhpPoses, MpiInf3dhpProtocol
from PoseEstimation.structures import Keypoints

FPS = 25.0
"""Of the videos that the frames are from."""


def evaluate_mpi_inf_3dhp(
    predictor: Predictor,
    root: Path | str,
    split: str = "test",
    box_kind: Boxes = "true",
    output: Path | str | None = None,
    command: str = "",
    input_kind: Literal["predicted", "gt2d"] = "predicted",
) -> dict[str, Any]:
    """Run ``MpiInf3dhpProtocol`` on the valid frames; write ``metrics.json`` and ``table.md``.

    Joints that the predictor's skeleton lacks do not count. Poses are not scaled to the benchmark's
    person of standard height.

    Args:
        predictor: finder and lifter.
        root: the folder of the data set, or of its test set.
        split: ``test``, or such as ``TS1,TS3``.
        box_kind: crops of the true boxes, or of the best detected one; the whole image without.
        output: folder to write to; None writes nothing.
        command: the command line, recorded.
        input_kind: ``predicted`` starts from the image, ``gt2d`` from the true 2D joints.

    Returns:
        The contents of ``metrics.json``.

    Raises:
        DataError: the folder or a file in it cannot be used, or the split is not of the test set.
    """
    dataset = open_dataset("mpi_inf_3dhp", root, split)
    if dataset.skeleton != MPI_INF_17:
        raise DataError(
            f"evaluate mpi_inf_3dhp: '{split}' is not of the test set; give TS1 ... TS6"
        )
    sequences = tuple(dict.fromkeys(sample.sequence for sample in dataset.samples))
    universal = read_mpi_inf_3dhp_test(root, sequences, annotation="univ_annot3")
    joints_mm = _predicted(predictor, dataset, box_kind, input_kind)
    known = predicted_joints(predictor.skeleton, MPI_INF_17)[:, None]
    true_mm, universal_mm = (
        np.where(known, true_joints_mm(part.samples), np.nan) for part in (dataset, universal)
    )
    scores = MpiInf3dhpProtocol().score(
        MpiInf3dhpPoses(
            sequences=np.array([sample.sequence for sample in dataset.samples]),
            predicted_mm=in_joints(joints_mm, predictor.skeleton, MPI_INF_17),
            universal_mm=universal_mm,
            joints_mm=true_mm,
            activities=np.array([sample.activity for sample in dataset.samples]),
        )
    )
    options = {"input": input_kind, "boxes": "none" if input_kind == "gt2d" else box_kind}
    return written(predictor, dataset, scores, options, (split, command), output)


def _predicted(
    predictor: Predictor, dataset: Dataset, box_kind: Boxes, input_kind: str
) -> np.ndarray:
    """Joints of every frame in mm, in the predictor's skeleton."""
    samples = dataset.samples
    if input_kind == "gt2d":
        true_px = np.stack([sample.keypoints_px for sample in samples])
        known = Keypoints.exact(in_joints(true_px, MPI_INF_17, predictor.skeleton))
        return lift_sequences(predictor, samples, known, FPS)[0]
    boxes = np.stack([true_box(sample) for sample in samples])
    return best_infants(predictor, samples, boxes, box_kind, FPS).joints_mm

"""``worst.png``: the frames that an evaluation did worst on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.readers.images import load_image
from Datasets.skeletons import MPII_16
from Datasets.structures import Dataset
from Engine.errors import required
from Engine.files import write_image
from PoseEstimation.metrics.errors import joint_errors
from PoseEstimation.metrics.protocols import ScoredPoses
from PoseEstimation.visualise.worst import Comparison, comparison_sheet

COUNT, APART = 24, 30
"""Frames shown, and how many frames lie between two of one sequence at least."""


def draw_worst(output: Path, poses: ScoredPoses, dataset: Dataset) -> Path:
    """Write ``output/worst.png``: the worst frames first, neighbours left out.

    Args:
        output: folder.
        poses: of the 16 published joints, with 2D; one row per sample.
        dataset: the frames.
    """
    errors = np.nanmean(joint_errors(poses.predicted_mm, poses.target_mm), axis=1)
    predicted_px, frames = required(poses.predicted_px, "worst: predicted_px"), []
    for i in worst_frames(errors, poses.sequences, poses.frames):
        title = f"{poses.sequences[i]}, frame {poses.frames[i]}: {errors[i]:.0f} mm"
        image = load_image(dataset.samples[i].image_path)
        joints = (predicted_px[i], poses.predicted_mm[i], poses.target_mm[i])
        frames.append(Comparison(image, *joints, title))
    path = output / "worst.png"
    write_image(path, comparison_sheet(frames, MPII_16), optimize=True)
    return path


def worst_frames(errors: np.ndarray, sequences: np.ndarray, frames: np.ndarray) -> list[int]:
    """Rows with the greatest errors, ``APART`` frames apart within a sequence, worst first."""
    chosen: list[int] = []
    for i in np.argsort(-errors, kind="stable"):
        near = [
            j
            for j in chosen
            if sequences[j] == sequences[i] and abs(int(frames[j]) - int(frames[i])) < APART
        ]
        if not near:
            chosen.append(int(i))
        if len(chosen) == COUNT:
            break
    return chosen

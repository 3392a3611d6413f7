"""Write the layout of SLP; see ``Datasets.readers.slp``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8, UInt16
from PIL import Image

from Datasets.layouts.slp import ALIGNMENT, IMAGE, JOINTS
from Datasets.skeletons import SLP_14
from Datasets.structures import OCCLUDED, UNLABELLED
from Datasets.writers.containers import write_mat
from Engine.errors import DataError
from Engine.files import write_image, write_npy

DEPTH_SHOWN_MM = (500.0, 2800.0)
"""Depths that are black and white in the picture."""


def write_slp_image(
    subject: Path,
    modality: str,
    cover: str,
    frame: int,
    values: UInt8[np.ndarray, "height width *channel"],
) -> Path:
    """Write an image of a subject, of three channels or one.

    Args:
        subject: folder such as ``root/danaLab/00001``.
        modality: ``RGB``, ``IR``, ``depth`` or ``PM``.
        cover: ``uncover``, ``cover1`` or ``cover2``.
        frame: from 1.
        values: the picture.
    """
    path = Path(subject) / IMAGE.format(modality=modality, cover=cover, frame=frame)
    write_image(path, Image.fromarray(values), durable=False, compress_level=1)
    return path


def write_slp_depth(
    subject: Path, cover: str, frame: int, depth_mm: UInt16[np.ndarray, "height width"]
) -> Path:
    """Write depth in millimetres as ``depthRaw/COVER/000001.npy``, and a picture of it."""
    near, far = DEPTH_SHOWN_MM
    shown = np.clip((depth_mm.astype(np.float64) - near) / (far - near), 0, 1) * 255
    write_slp_image(subject, "depth", cover, frame, shown.round().astype(np.uint8))
    path = Path(subject) / "depthRaw" / cover / f"{frame:06d}.npy"
    write_npy(path, depth_mm, durable=False)
    return path


def write_slp_joints(
    subject: Path,
    modality: str,
    keypoints_px: Float[np.ndarray, "frame 14 2"],
    visibility: UInt8[np.ndarray, "frame 14"],
) -> Path:
    """Write ``joints_gt_MODALITY.mat``.

    Raises:
        DataError: other shapes, or a joint without label, which the layout cannot hold.
    """
    keypoints_px, visibility = np.asarray(keypoints_px, np.float64), np.asarray(visibility)
    frames, joints = len(keypoints_px), len(SLP_14)
    if keypoints_px.shape != (frames, joints, 2) or visibility.shape != (frames, joints):
        raise DataError(
            f"SLP: {subject}, joints {keypoints_px.shape} and visibility {visibility.shape}, "
            "expected (frame, 14, 2) and (frame, 14)"
        )
    if (visibility == UNLABELLED).any() or not np.isfinite(keypoints_px).all():
        raise DataError(f"SLP: {subject}: every joint needs a label; the layout has no gaps")
    rows = np.concatenate([keypoints_px + 1, (visibility == OCCLUDED)[..., None]], axis=2)
    path = Path(subject) / JOINTS.format(modality=modality)
    write_mat(path, {"joints_gt": rows.transpose(2, 1, 0)}, "SLP", compressed=False)
    return path


def write_slp_alignment(subject: Path, modality: str, matrix: Float[np.ndarray, "3 3"]) -> Path:
    """Write ``align_PTr_MODALITY.npy``: pixels of a modality to those of the pressure map."""
    path = Path(subject) / ALIGNMENT.format(modality=modality)
    write_npy(path, np.asarray(matrix, dtype=np.float64))
    return path

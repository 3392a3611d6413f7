"""Write the official MINI-RGBD layout: one folder per sequence, one file per frame and kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt16
from PIL import Image

from Engine.files import write_image, write_json, write_npz, write_text

LABEL_DECIMALS_PX = 3
LABEL_DECIMALS_M = 6


def write_frame(
    folder: Path,
    frame: int,
    rgb: UInt8[np.ndarray, "height width 3"],
    depth_mm: UInt16[np.ndarray, "height width"],
    mask: Bool[np.ndarray, "height width"],
    keypoints_px: Float[np.ndarray, "25 2"],
    joints_mm: Float[np.ndarray, "25 3"],
) -> None:
    """Write one frame of a sequence.

    Args:
        folder: the sequence's folder, such as ``root/01``; made when missing.
        frame: number of the frame, five digits in the file names.
        rgb: colour image.
        depth_mm: distance along the optical axis in millimetres, 0 where unknown.
        mask: true on the infant.
        keypoints_px: 25 MINI-RGBD joints in pixels.
        joints_mm: the same joints in millimetres, camera frame (the files hold metres).
    """
    pictures = {
        f"rgb/syn_{frame:05d}.png": rgb,
        f"depth/syn_{frame:05d}_depth.png": depth_mm,
        f"fg_mask/mask_{frame:05d}.png": np.where(mask, 255, 0).astype(np.uint8),
    }
    for name, values in pictures.items():
        write_image(folder / name, Image.fromarray(values), durable=False, compress_level=1)
    flat = np.column_stack([keypoints_px, joints_mm[:, 2]])
    _write_rows(
        folder / "joints_2Ddep" / f"syn_joints_2Ddep_{frame:05d}.txt", flat, LABEL_DECIMALS_PX
    )
    metres = np.asarray(joints_mm, dtype=np.float64) / 1000.0
    _write_rows(folder / "joints_3D" / f"syn_joints_3D_{frame:05d}.txt", metres, LABEL_DECIMALS_M)


def write_head_length(folder: Path, px: float, mm: float) -> None:
    """Write the mean neck-head distance of a generated sequence, pixels and millimetres."""
    lengths = {"px": round(float(px), 3), "mm": round(float(mm), 3)}
    write_json(folder / "head_length.json", lengths, indent=None)


def write_infant(folder: Path, age_weeks: float, length_mm: float, joint_places: str) -> None:
    """Write a generated sequence's infant: age, crown-heel length, convention of its joints."""
    values = {"age_weeks": round(age_weeks, 2), "length_mm": round(length_mm, 1)}
    write_json(folder / "infant.json", values | {"joint_places": joint_places}, indent=None)


def write_infant_joints(
    folder: Path,
    frames: np.ndarray,
    keypoints_px: Float[np.ndarray, "frame 25 2"],
    joints_mm: Float[np.ndarray, "frame 25 3"],
    visibility: UInt8[np.ndarray, "frame 25"],
) -> None:
    """Write the canonical joints: what the official 25 do not hold are eyes, ears and head top."""
    write_npz(
        folder / "infant_joints.npz",
        frames=np.asarray(frames, dtype=np.int64),
        keypoints_px=np.round(np.asarray(keypoints_px, dtype=np.float64), LABEL_DECIMALS_PX),
        joints_mm=np.round(np.asarray(joints_mm, dtype=np.float64), LABEL_DECIMALS_PX),
        visibility=np.asarray(visibility, dtype=np.uint8),
    )


def _write_rows(path: Path, values: np.ndarray, decimals: int) -> None:
    """Write one line per joint: three numbers and the joint's position."""
    lines = [" ".join(f"{v:.{decimals}f}" for v in row) + f" {i}" for i, row in enumerate(values)]
    write_text(path, "\n".join(lines) + "\n", durable=False)

"""MPII Human Pose (Andriluka et al., 2014): file names, official counts, centre and scale.

Every file of MPII counts pixels from 1. A person has a rough centre and a scale, the person's
height over 200 px; the published crops move the centre down by 15 times the scale, since it lies
high on the body. Here that is one square box, which padded by 1.25 is the published crop.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

MAT = "mpii_human_pose_v1_u12_1.mat"
MAT_FOLDERS = (".", "annot", "annotations", "mpii_human_pose_v1_u12_2")
"""Where the official file may lie: the last is the folder in the official zip."""

GT_VALID = "gt_valid.mat"
PARTS = ("train", "valid", "trainval", "test")
"""Files of the published split, ``annot/PART.json`` and ``annot/PART.h5``."""

OFFICIAL_PEOPLE = {"train": 22_246, "valid": 2_958, "trainval": 25_204}
"""People in the files of the published split."""

OFFICIAL_IMAGES = {"images": 24_987, "training images": 18_079}
"""Images in the official file."""

PERSON_PX = 200.0
CENTRE_DROP = 15.0
H5_SCALE = 1.25
"""anewell's h5 holds the scale times this, and the centre moved down already."""

HEAD_SHARE = 0.6
"""Length that PCKh divides by over the diagonal of the head box."""


def annotation_file(root: Path, part: str, suffix: str) -> Path:
    """File of a part, such as ``annot/valid.json``."""
    return root / "annot" / f"{part}.{suffix}"


def find_mat(root: Path) -> Path | None:
    """The official file in or below a folder, or None."""
    return next((f / MAT for f in (root / p for p in MAT_FOLDERS) if (f / MAT).is_file()), None)


def box_of(
    centre_px: Float[np.ndarray, "*n 2"], scale: Float[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n 4"]:
    """Square box in 0-based pixels of a centre as written (from 1, not moved) and a scale."""
    scale = np.asarray(scale, dtype=np.float64)[..., None]
    middle = np.asarray(centre_px, dtype=np.float64) - 1 + np.array([0.0, CENTRE_DROP]) * scale
    half = PERSON_PX / 2 * scale
    return np.concatenate([middle - half, middle + half], axis=-1)


def centre_and_scale(
    box_xyxy: Float[np.ndarray, "*n 4"],
) -> tuple[Float[np.ndarray, "*n 2"], Float[np.ndarray, "*n"]]:
    """Turn ``box_of`` round; a box that is not square counts as the square on its longer side."""
    box = np.asarray(box_xyxy, dtype=np.float64)
    scale = (box[..., 2:] - box[..., :2]).max(axis=-1) / PERSON_PX
    middle = (box[..., :2] + box[..., 2:]) / 2 + 1
    return middle - np.array([0.0, CENTRE_DROP]) * scale[..., None], scale


def head_length(head_box_xyxy: Float[np.ndarray, "4"]) -> float:
    """Length that PCKh divides by, pixels: 0.6 of the diagonal of the head box."""
    x1, y1, x2, y2 = (float(v) for v in head_box_xyxy)
    return HEAD_SHARE * float(np.hypot(x2 - x1, y2 - y1))

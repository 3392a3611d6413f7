"""File names of COCO keypoints, shared by what reads and what writes them."""

from __future__ import annotations

from pathlib import Path

ALL_JOINTS = "infant_joints"
"""Key of what generated annotations know beyond COCO: every joint, in 2D and in 3D."""

PREFIX = "person_keypoints_"
PERSON = "person"


def annotation_file(root: Path, split: str) -> Path:
    """File of a split, such as ``val2017``."""
    return root / "annotations" / f"{PREFIX}{split}.json"

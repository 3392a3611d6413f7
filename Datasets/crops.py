"""Single-person crops of COCO: one square picture per person, and the way back to the original.

The crop keeps the aspect ratio (padded, never squeezed). Its annotation file has the same layout
again, and each annotation also keeps the original numbers, area and joints and the 3 x 3 matrix
from original to crop pixels, so that predictions can be carried back and OKS computed there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from Datasets.geometry.affine import transform_points, warp_image
from Datasets.readers.coco import open_coco
from Datasets.readers.images import load_image
from Datasets.structures import UNLABELLED, Crop, PoseSample
from Datasets.writers.coco import (
    CocoEntry,
    CocoPerson,
    CocoPicture,
    describe,
    keypoint_values,
    write_coco,
    write_coco_image,
)
from Engine.errors import DataError


@dataclass(frozen=True)
class CropCounts:
    """How many people were cropped, and how many had too few labelled joints."""

    written: int
    left_out: int


def write_crops(
    root: Path,
    split: str,
    output: Path,
    min_keypoints: int,
    size: int = 256,
    margin: float = 1.25,
    progress: Callable[[int, int], None] | None = None,
) -> CropCounts:
    """Write a crop of every person with enough labelled joints.

    Args:
        root: folder in COCO's layout.
        split: see ``open_coco``.
        output: folder of the new data set in the same layout; must not hold this split yet.
        min_keypoints: people with fewer labelled joints (occluded ones count) are left out.
        size: side of the square crops in pixels.
        margin: side of the crop over the longer side of the person's box.
        progress: called with (people done, people in all).

    Raises:
        DataError: unreadable data, an output that exists, or nobody with enough joints.
    """
    people = open_coco(root, split).samples
    chosen = [s for s in people if (s.visibility > UNLABELLED).sum() >= min_keypoints]
    if not chosen:
        raise DataError(f"crops: nobody in {root} has {min_keypoints} labelled joints; lower it")
    if (output / split).exists():
        raise DataError(f"crops: {output / split} exists; delete it or choose another --output")
    entries = []
    for number, sample in enumerate(chosen, 1):
        entries.append(_write_crop(sample, number, split, output, size, margin))
        if progress is not None:
            progress(number, len(chosen))
    write_coco(output, split, entries)
    return CropCounts(len(chosen), len(people) - len(chosen))


def _write_crop(
    sample: PoseSample, number: int, split: str, output: Path, size: int, margin: float
) -> CocoEntry:
    """Crop one person; returns its image and annotation."""
    crop = Crop.around(sample.box_xyxy, size, margin)
    picture = warp_image(load_image(sample.image_path), crop.matrix, crop.size)
    name = f"{number:012d}.jpg"
    write_coco_image(output, split, name, np.asarray(picture))
    corners = transform_points(crop.matrix, sample.box_xyxy.reshape(2, 2))
    cropped = replace(
        sample,
        keypoints_px=crop.to_crop(sample.keypoints_px),
        box_xyxy=corners.ravel(),
        area_px=sample.area_px * crop.scale**2,
    )
    entry = describe(CocoPicture(name, number, crop.size, (CocoPerson(cropped),)))
    origin = {
        "original_image_id": sample.image_id,
        "ann_id": sample.annotation_id,
        "original_area": sample.area_px,
        "original_keypoints": keypoint_values(sample),
        "crop_matrix": crop.matrix.tolist(),
    }
    return replace(entry, annotations=tuple({**a, **origin} for a in entry.annotations))

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
from Datasets.geometry.boxes import box_fault
from Datasets.layouts.coco import annotation_file
from Datasets.readers.coco import open_coco
from Datasets.readers.coco_labels import far_outside
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
    """What was made of the people.

    Attributes:
        written: number of people cropped.
        left_out: number of people with too few labelled joints.
        notes: other people left out, one line each.
    """

    written: int
    left_out: int
    notes: tuple[str, ...] = ()


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

    People whose labels cannot be used (see ``open_coco``) are left out, and so are those whose
    picture is damaged or too small for their box.

    Args:
        root: folder in COCO's layout.
        split: see ``open_coco``.
        output: folder of the new data set in the same layout; must not hold this split yet.
        min_keypoints: people with fewer labelled joints (occluded ones count) are left out.
        size: side of the square crops in pixels.
        margin: side of the crop over the longer side of the person's box.
        progress: called with (people done, people in all).

    Raises:
        DataError: unreadable data, an output that exists, or no person with enough joints.
    """
    dataset = open_coco(root, split)
    people, notes = dataset.samples, list(dataset.notes)
    chosen = [s for s in people if (s.visibility > UNLABELLED).sum() >= min_keypoints]
    if not chosen:
        raise DataError(f"crops: no person in {root} has {min_keypoints} labelled joints; lower it")
    for made in (output / split, annotation_file(output, split)):
        if made.exists():
            raise DataError(f"crops: {made} exists; delete it or choose another --output")
    entries = []
    for number, sample in enumerate(chosen, 1):
        try:
            entries.append(_write_crop(sample, number, split, output, size, margin))
        except DataError as error:
            notes.append(f"annotation {sample.annotation_id} is left out: {error}")
        if progress is not None:
            progress(number, len(chosen))
    if not entries:
        raise DataError(f"crops: no picture of {root} can be used; {notes[-1]}")
    write_coco(output, split, entries)
    return CropCounts(len(entries), len(people) - len(chosen), tuple(notes))


def _write_crop(
    sample: PoseSample, number: int, split: str, output: Path, size: int, margin: float
) -> CocoEntry:
    """Crop one person; returns its image and annotation.

    Raises:
        DataError: the picture is damaged, or not as large as its labels say.
    """
    image = load_image(sample.image_path)
    box = sample.box_xyxy
    fault = "no box" if box is None else box_fault(box, image.size)
    if box is None or fault:
        raise DataError(
            f"crops: {sample.image_path} has {image.width} x {image.height} px: {fault}"
        )
    crop = Crop.around(box, size, margin)
    picture = warp_image(image, crop.matrix, crop.size)
    name = f"{number:012d}.jpg"
    write_coco_image(output, split, name, np.asarray(picture))
    corners = transform_points(crop.matrix, box.reshape(2, 2))
    keypoints = crop.to_crop(sample.keypoints_px)
    far = far_outside(keypoints, crop.size)
    cropped = replace(
        sample,
        keypoints_px=np.where(far[:, None], np.nan, keypoints),
        visibility=np.where(far, UNLABELLED, sample.visibility).astype(np.uint8),
        box_xyxy=corners.ravel(),
        area_px=None if sample.area_px is None else sample.area_px * crop.scale**2,
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

"""Write the layout of COCO keypoints; see ``Datasets.readers.coco``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from Datasets.geometry.boxes import box_from_mask
from Datasets.layouts.coco import ALL_JOINTS, PERSON, annotation_file
from Datasets.skeletons import COCO_17, INFANT
from Datasets.structures import PoseSample
from Engine.errors import DataError
from Engine.files import write_image, write_text

DECIMALS = 3
CATEGORY = {
    "id": 1,
    "name": PERSON,
    "supercategory": PERSON,
    "keypoints": list(COCO_17.joints),
    "skeleton": [[a + 1, b + 1] for a, b in COCO_17.bone_indices],
}
"""COCO's description of a person: joint names and bones, counted from 1."""


@dataclass(frozen=True)
class CocoPerson:
    """A person to write.

    Attributes:
        sample: labels with box or mask; its area is ``area_px``, else the mask's; without either
            the annotation has no area, and AP leaves the person out.
        mask: (height, width) true on the person, or None.
    """

    sample: PoseSample
    mask: Bool[np.ndarray, "height width"] | None = None


@dataclass(frozen=True)
class CocoPicture:
    """An image to write.

    Attributes:
        file_name: relative to the split's folder.
        image_id: its number, each once.
        size: (width, height) pixels.
        people: in any order; numbered on from the last image's.
        crowds: (height, width) masks of groups that are not labelled one by one.
        more: further keys of the image, such as ``posture``.
    """

    file_name: str
    image_id: int
    size: tuple[int, int]
    people: tuple[CocoPerson, ...] = ()
    crowds: tuple[Bool[np.ndarray, "height width"], ...] = ()
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CocoEntry:
    """An image as the annotation file holds it: its own keys, and people without numbers."""

    image: dict[str, Any]
    annotations: tuple[dict[str, Any], ...]


def describe(picture: CocoPicture) -> CocoEntry:
    """Turn masks into run lengths and joints into numbers; small, where masks are large.

    Raises:
        DataError: a person has neither mask nor box, or a crowd is empty.
    """
    people = [_person(person, picture.image_id) for person in picture.people]
    crowds = [_crowd(mask, picture.image_id) for mask in picture.crowds]
    width, height = picture.size
    image = {
        "id": picture.image_id,
        "file_name": picture.file_name,
        "width": width,
        "height": height,
        "license": 1,
        **dict(picture.more),
    }
    return CocoEntry(image, (*people, *crowds))


def write_coco(root: Path, split: str, pictures: Sequence[CocoPicture | CocoEntry]) -> Path:
    """Write the annotation file of a split; returns the file.

    Args:
        root: folder of the data set; made when missing.
        split: ending of the file's name, such as ``val2017``.
        pictures: what it holds.

    Raises:
        DataError: an image number repeats, or as ``describe``.
    """
    entries = [p if isinstance(p, CocoEntry) else describe(p) for p in pictures]
    numbers = [entry.image["id"] for entry in entries]
    if len(set(numbers)) < len(numbers):
        raise DataError("COCO: an image number repeats; give every image its own")
    people = [annotation for entry in entries for annotation in entry.annotations]
    annotations = [{"id": number, **person} for number, person in enumerate(people, 1)]
    content = {
        "info": {"description": f"{split}, layout of COCO keypoints", "version": "1.0"},
        "licenses": [{"id": 1, "name": "", "url": ""}],
        "images": [entry.image for entry in entries],
        "annotations": annotations,
        "categories": [CATEGORY],
    }
    path = annotation_file(Path(root), split)
    write_text(path, json.dumps(content, allow_nan=False))
    return path


def write_coco_image(
    root: Path, split: str, file_name: str, rgb: UInt8[np.ndarray, "height width 3"]
) -> Path:
    """Write an image of a split as JPEG."""
    path = Path(root) / split / file_name
    write_image(path, Image.fromarray(rgb), durable=False, format="JPEG", quality=92)
    return path


def keypoint_values(sample: PoseSample) -> list[float]:
    """The 51 numbers x, y, visibility; 0, 0, 0 where unlabelled."""
    sample = sample.to(COCO_17)
    seen = (sample.visibility > 0) & np.isfinite(sample.keypoints_px).all(axis=1)
    rows = np.column_stack([sample.keypoints_px, sample.visibility])
    rows = np.where(seen[:, None], rows, 0)
    return [float(value) for value in rows.round(DECIMALS).ravel()]


def encode(mask: Bool[np.ndarray, "height width"]) -> dict[str, Any]:
    """Run-length code of a mask with plain counts, column by column, background first."""
    flat = np.asarray(mask, dtype=np.uint8).ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges, len(flat)]).tolist()
    height, width = mask.shape
    return {"size": [height, width], "counts": [0, *counts] if flat[0] else counts}


def _person(person: CocoPerson, image_id: int) -> dict[str, Any]:
    sample, mask = person.sample, person.mask
    keypoints = keypoint_values(sample)
    area = sample.area_px if mask is None or sample.area_px else float(mask.sum())
    box = sample.box_xyxy if sample.box_xyxy is not None or mask is None else box_from_mask(mask)
    if box is None:
        raise DataError(f"COCO: a person in image {image_id} needs a mask or a box")
    x1, y1, x2, y2 = (round(float(v), DECIMALS) for v in box)
    return {
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "keypoints": keypoints,
        "num_keypoints": sum(value > 0 for value in keypoints[2::3]),
        "bbox": [x1, y1, round(x2 - x1, DECIMALS), round(y2 - y1, DECIMALS)],
        **({"area": area} if area else {}),
        "segmentation": [] if mask is None else encode(mask),
        **_beyond_coco(sample),
    }


def _beyond_coco(sample: PoseSample) -> dict[str, Any]:
    """Age, and all joints of an ``infant`` sample; readers of COCO look over both."""
    more: dict[str, Any] = {"age": sample.age} if sample.age else {}
    if sample.skeleton == INFANT and sample.joints_mm is not None:
        seen = sample.visibility > 0
        planar = np.where(seen[:, None], sample.keypoints_px, 0)
        arrays = {
            "keypoints": np.column_stack([planar, sample.visibility]),
            "joints_mm": sample.joints_mm,
            "intrinsics": np.asarray(sample.intrinsics),
        }
        more[ALL_JOINTS] = {k: v.round(DECIMALS).ravel().tolist() for k, v in arrays.items()}
    return more


def _crowd(mask: np.ndarray, image_id: int) -> dict[str, Any]:
    box = box_from_mask(mask)
    if box is None:
        raise DataError(f"COCO: a crowd in image {image_id} has an empty mask; leave it out")
    x1, y1, x2, y2 = (float(v) for v in box)
    return {
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 1,
        "keypoints": [0.0] * 51,
        "num_keypoints": 0,
        "bbox": [x1, y1, x2 - x1 + 1, y2 - y1 + 1],
        "area": float(mask.sum()),
        "segmentation": encode(mask),
    }

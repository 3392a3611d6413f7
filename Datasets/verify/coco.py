"""Compare a folder with the official layout of COCO keypoints."""

from __future__ import annotations

from pathlib import Path

from Datasets.readers import coco
from Datasets.readers.coco_labels import counted
from Datasets.verify.base import (
    Findings,
    Verification,
    image_faults,
    is_generated,
    size_faults,
)
from Engine.errors import DataError
from Engine.reading import require_folder

OFFICIAL_IMAGES = {"train2017": 118_287, "val2017": 5_000}


def verify_coco(root: Path | str) -> Verification:
    """Name what reading leaves out, count the rest, and look at every image.

    Raises:
        DataError: the folder does not exist or holds no annotation file.
    """
    root = require_folder(root, "COCO")
    splits = coco.splits_on_disk(root)
    found = Findings()
    generated = is_generated(root, found)
    counts = [line for split in splits for line in _verify_split(root, split, generated, found)]
    return found.close("coco", root, counts)


def _verify_split(root: Path, split: str, generated: bool, found: Findings) -> list[str]:
    """Check one annotation file; returns its lines of counts."""
    try:
        part = coco.read_part(root, split)
    except DataError as error:
        found.problems.append(str(error))
        return []
    found.missing += part.missing
    found.problems += [
        f"{part.path}: {fault.where}: {fault.what}; left out"
        for fault in part.left_out
        if fault.lost and fault.what != coco.IMAGE_MISSING
    ]
    found.problems += [f"{part.path}: {fault.where}: {fault.what}" for fault in part.doubtful]
    for image in part.images:
        found.problems += image_faults(image.path) or size_faults(image.path, image.size)
    return [_images(part, split, generated, found), _people(part, split, found)]


def _images(part: coco.CocoPart, split: str, generated: bool, found: Findings) -> str:
    """Compare the number of images with the official one; returns the line of both."""
    total, official = part.listed, OFFICIAL_IMAGES.get(split)
    if not official or total == official:
        return f"{split} images: {total}"
    if not generated:
        found.notes.append(f"{split}: {total} of the official {official} images: a part of it")
    return f"{split} images: {total} (official {official})"


def _people(part: coco.CocoPart, split: str, found: Findings) -> str:
    """Count people; a note says who is left out without a loss of labelled joints."""
    unseen = [fault for fault in part.left_out if not fault.lost]
    if unseen:
        found.notes.append(f"{split}: without labelled joints and left out: {counted(unseen)}")
    people = sum(len(image.people) for image in part.images)
    left_out = sum(fault.people for fault in part.left_out)
    line = f"{split} people with labelled joints: {people}, crowds: {part.crowds}"
    return f"{line}, left out: {left_out}" if left_out else line

"""Compare a folder with the official layout of COCO keypoints."""

from __future__ import annotations

from pathlib import Path

from Datasets.readers import coco
from Datasets.readers.coco_labels import counted
from Datasets.verify.base import Verification, image_faults
from Engine.reading import require_folder

OFFICIAL_IMAGES = {"train2017": 118_287, "val2017": 5_000}


def verify_coco(root: Path | str) -> Verification:
    """Name what reading leaves out, count the rest, and look at every image.

    Raises:
        DataError: the folder does not exist or holds no annotation file.
    """
    root = require_folder(root, "COCO")
    splits = coco.splits_on_disk(root)
    found = Verification("coco", root)
    for split in splits:
        part = found.attempt(coco.read_part, root, split)
        if part is not None:
            _verify_split(part, split, found)
    return found


def _verify_split(part: coco.CocoPart, split: str, found: Verification) -> None:
    """Check one annotation file."""
    found.missing += part.missing
    found.problems += [
        f"{part.path}: {fault.where}: {fault.what}; left out"
        for fault in part.left_out
        if fault.lost and fault.what != coco.IMAGE_MISSING
    ]
    found.problems += [f"{part.path}: {fault.where}: {fault.what}" for fault in part.doubtful]
    for image in part.images:
        found.problems += image_faults(image.path, image.size)
    total, official = part.listed, OFFICIAL_IMAGES.get(split, part.listed)
    if total != official and not found.generated:
        found.notes.append(f"{split}: {total} of the official {official} images: a part of it")
    beside = "" if total == official else f" (official {official})"
    found.counts.append(f"{split} images: {total}{beside}")
    bare = [fault for fault in part.left_out if not fault.lost]
    if bare:
        found.notes.append(f"{split}: without labelled joints and left out: {counted(bare)}")
    people = sum(len(image.people) for image in part.images)
    left_out = sum(fault.people for fault in part.left_out)
    line = f"{split} people with labelled joints: {people}, crowds: {part.crowds}"
    found.counts.append(f"{line}, left out: {left_out}" if left_out else line)

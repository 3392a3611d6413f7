"""Compare a folder with the official layout of COCO keypoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from Datasets.layouts.coco import annotation_file
from Datasets.readers import coco
from Datasets.readers.base import inside, require_folder
from Datasets.verify.base import Findings, Verification, image_faults, is_generated
from Engine.errors import DataError

OFFICIAL_IMAGES = {"train2017": 118_287, "val2017": 5_000}


def verify_coco(root: Path | str) -> Verification:
    """Count images and people of every annotation file and look at every image.

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
    path = annotation_file(root, split)
    try:
        content = coco.load_annotations(path)
    except DataError as error:
        found.problems.append(str(error))
        return []
    people, crowds = _verify_people(content, path, found)
    folder = coco.image_folder(root, split)
    for image in content["images"]:
        _verify_image(image, folder, path, found)
    total, official = len(content["images"]), OFFICIAL_IMAGES.get(split)
    images = f"{split} images: {total}"
    if official and total != official:
        images = f"{images} (official {official})"
        if not generated:
            found.notes.append(f"{split}: {total} of the official {official} images: a part of it")
    return [images, f"{split} people with labelled joints: {people}, crowds: {crowds}"]


def _verify_people(content: dict[str, Any], path: Path, found: Findings) -> tuple[int, int]:
    """Check every annotation by itself; returns how many people and crowds there are."""
    known = {image.get("id") for image in content["images"]}
    people = crowds = 0
    for annotation in content["annotations"]:
        if annotation.get("image_id") not in known:
            number = annotation.get("id")
            found.problems.append(f"{path}: annotation {number} belongs to no listed image")
        try:
            _, visibility = coco.load_keypoints(annotation, path)
        except DataError as error:
            found.problems.append(str(error))
            continue
        crowds += bool(annotation.get("iscrowd"))
        people += bool((visibility > 0).any() and not annotation.get("iscrowd"))
        stated = annotation.get("num_keypoints")
        if stated is not None and stated != int((visibility > 0).sum()):
            number = annotation.get("id")
            found.problems.append(f"{path}: annotation {number} has another num_keypoints")
    return people, crowds


def _verify_image(image: dict[str, Any], folder: Path, source: Path, found: Findings) -> None:
    name = image.get("file_name")
    if not isinstance(name, str):
        found.problems.append(f"{source}: image {image.get('id')} has no file_name")
        return
    try:
        path = inside(folder, name, source)
    except DataError as error:
        found.problems.append(str(error))
        return
    if path.is_file():
        found.problems += image_faults(path)
    else:
        found.missing.append(path)

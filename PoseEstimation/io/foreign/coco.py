"""COCO keypoint JSON: results, a list of detections, or annotations with images and categories.

Results: ``[{"image_id", "category_id", "keypoints": [x, y, score] * n, "score"}]``. Annotations:
``{"images", "annotations", "categories"}``, where ``categories[].keypoints`` names the joints and
the third number of each is its visibility (0: not labelled). Without names 17 joints are COCO's;
those of any other number are called 0, 1, 2 ... Images are frames in the order of their ids. An
entry's ``track_id``, where there is one, says which infant it is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.skeletons import COCO_17
from Engine.errors import DataError
from PoseEstimation.io.foreign.recording import Recording, Size, keypoints_of, without_zeros


def recognises(content: Any) -> bool:
    """Whether a JSON file holds COCO keypoints."""
    if isinstance(content, dict):
        return isinstance(content.get("annotations"), list)
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and {"image_id", "keypoints"} <= first.keys()


def read(path: Path, content: Any, size: Size | None) -> list[Recording]:
    """Read the file.

    Raises:
        DataError: an entry is wrong, or entries have different joints.
    """
    annotated = isinstance(content, dict)
    entries = content["annotations"] if annotated else content
    rows = [_row(path, i, entry) for i, entry in enumerate(entries) if _has_joints(entry)]
    if not rows:
        raise DataError(f"lift: {path} holds no keypoints; give a file of keypoints, not of boxes")
    names = _names(path, content if annotated else {}, [len(values) for _, values, _ in rows])
    images = content.get("images", []) if annotated else []
    ids = sorted({image for image, _, _ in rows} | {_id(image) for image in images}, key=_order)
    rows.sort(key=lambda row: _order(row[0]))
    values = without_zeros(np.stack([values for _, values, _ in rows]))
    if annotated:
        values[..., 2] = np.where(values[..., 2] > 0, 1.0, values[..., 2])
    tracks = tuple(str(track) for _, _, track in rows)
    place = {number: i for i, number in enumerate(ids)}
    return [
        Recording(
            path.as_posix(),
            names,
            keypoints_of(values),
            np.array([place[image] for image, _, _ in rows]),
            None if "None" in tracks else tracks,
            np.arange(len(ids)),
            sizes=_sizes(images, ids),
        )
    ]


def _has_joints(entry: Any) -> bool:
    return not isinstance(entry, dict) or bool(entry.get("keypoints"))


def _row(path: Path, number: int, entry: Any) -> tuple[Any, np.ndarray, Any]:
    """Image, joints (joint, 3) and track of an entry."""
    try:
        values = np.array(entry["keypoints"], dtype=np.float64).reshape(-1, 3)
        return entry["image_id"], values, entry.get("track_id")
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"lift: {path}, entry {number}: needs image_id and keypoints [x, y, score, ...]; "
            "correct it"
        ) from None


def _names(path: Path, content: dict[str, Any], counts: list[int]) -> tuple[str, ...]:
    """Names of the joints, of which every entry has as many."""
    if len(set(counts)) > 1:
        found = f"{min(counts)} and {max(counts)}"
        raise DataError(f"lift: {path}: entries have {found} joints; give one kind in each file")
    named = [category.get("keypoints") or [] for category in content.get("categories", [])]
    for names in named:
        if len(names) == counts[0]:
            return tuple(map(str, names))
    return COCO_17.joints if counts[0] == len(COCO_17) else tuple(map(str, range(counts[0])))


def _id(image: Any) -> Any:
    return image.get("id") if isinstance(image, dict) else None


def _order(number: Any) -> list[tuple[int, str]]:
    """Sorts ids: numbers by value, names with numbers in them likewise."""
    parts = re.split(r"(\d+)", str(number))
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _sizes(images: list[Any], ids: list[Any]) -> np.ndarray | None:
    """Width and height of every frame, or None unless the file says them all."""
    known = {_id(image): (image.get("width"), image.get("height")) for image in images}
    sizes = [known.get(number, (None, None)) for number in ids]
    complete = all(isinstance(side, int) and side > 0 for pair in sizes for side in pair)
    return np.array(sizes) if complete else None

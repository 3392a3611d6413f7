"""MPII's official file ``mpii_human_pose_v1_u12_1.mat``: one struct with every image and person.

    RELEASE.annolist(i)      image.name, annorect(p), frame_sec, vididx
    RELEASE.img_train(i)     1 training, 0 test
    RELEASE.act(i)           cat_name, act_name, act_id
    RELEASE.single_person(i) numbers of the people who stand apart from others
    RELEASE.video_list       names of the videos that vididx points into
    annorect(p)              x1 y1 x2 y2 (head box), scale, objpos.x .y, annopoints.point(k)
    point(k)                 x, y, id 0-15, is_visible

All numbers of people, videos and pixels count from 1. A struct array of one is a struct, fields are
absent or empty here and there, and ``is_visible`` is a number, text, or empty (upper neck and head
top, which follow from the head box): then the joint counts as visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.readers.matlab import load_mat
from Datasets.readers.mpii_people import People, head_fields
from Datasets.skeletons import MPII_16
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE
from Engine.errors import DataError

_JOINTS = len(MPII_16)
_HEAD = ("x1", "y1", "x2", "y2")
SPLITS = {"train": 1, "trainval": 1, "all": 1, "test": 0}
"""Value of ``img_train`` for each split's name."""


@dataclass(frozen=True)
class Release:
    """The struct RELEASE, every field a list with one entry per image.

    Attributes:
        source: the file.
        images: structs of ``annolist``.
        training: whether ``img_train`` is 1.
        more: attributes of the image's samples: ``image_id``, position of the image (from 0, as in
            the h5 files); ``activity``, "category: activity"; ``sequence`` and ``frame``, the video
            and its second.
    """

    source: Path
    images: list[Any]
    training: list[bool]
    more: list[dict[str, Any]]


def load_release(path: Path) -> Release:
    """Read the struct.

    Raises:
        DataError: the file is missing, damaged, of version 7.3, or lacks images or parts.
    """
    content = load_mat(path, "MPII", ["RELEASE"], struct_as_record=False, squeeze_me=True)
    release = content.get("RELEASE")
    images = _list(getattr(release, "annolist", None))
    flags = [_number(flag) for flag in _list(getattr(release, "img_train", None))]
    if not images:
        raise DataError(f"MPII: {path} has no RELEASE.annolist; use the official file")
    if len(flags) != len(images) or not set(flags) <= {0.0, 1.0}:
        raise DataError(
            f"MPII: {path}: img_train has {len(flags)} values for {len(images)} images, expected "
            "one each, 0 or 1; restore the file"
        )
    acts = _list(getattr(release, "act", None))
    acts = acts if len(acts) == len(images) else [None] * len(images)
    videos = [_text(name) for name in _list(getattr(release, "video_list", None))]
    rows = enumerate(zip(images, acts, strict=True))
    more = [_more(number, image, act, videos) for number, (image, act) in rows]
    return Release(path, images, [flag == 1 for flag in flags], more)


def people_of(release: Release, split: str) -> tuple[People, int]:
    """People of one part.

    Samples hold the position of the rectangle (from 0) as ``annotation_id`` and 0.6 of the head
    box's diagonal as ``head_length_px``.

    Args:
        release: the struct.
        split: ``train`` (also ``trainval``, and ``all`` that is labelled): people with centre,
            scale and joints in the training images; ``test``: people with centre and scale in the
            others, all joints unlabelled.

    Returns:
        The people, and how many rectangles were left out because they lack a centre, a scale or,
        in the training part, joints.
    """
    training, left_out = bool(SPLITS[split]), 0
    found, faults = [], []
    for number, image in enumerate(release.images):
        if release.training[number] != training:
            continue
        name = _text(getattr(getattr(image, "image", None), "name", None))
        if not name:
            faults.append(f"MPII: {release.source}, image {number + 1} has no name; correct it")
        for index, rect in enumerate(_list(getattr(image, "annorect", None))):
            joints, visibility, wrong = _joints(rect)
            place = f"MPII: {release.source}, image {number + 1} ({name}), person {index + 1}"
            faults += [f"{place}: {text}; correct the file" for text in wrong]
            centre, scale = _place(rect)
            if centre is None or (training and not visibility.any() and not wrong):
                left_out += 1
                continue
            corners = np.array([_number(getattr(rect, key, None)) for key in _HEAD])
            known = release.more[number] | head_fields(corners) | {"annotation_id": index}
            found.append((name, centre, scale, joints, visibility, known))
    names, centres, scales, places, seen, more = zip(*found, strict=True) if found else [()] * 6
    people = People(
        release.source,
        list(names),
        np.array(centres, dtype=np.float64).reshape(-1, 2),
        np.array(scales, dtype=np.float64),
        np.array(places, dtype=np.float64).reshape(-1, _JOINTS, 2),
        np.array(seen, dtype=np.uint8).reshape(-1, _JOINTS),
        list(more),
        faults,
    )
    return people, left_out


def _place(rect: Any) -> tuple[list[float] | None, float]:
    """Centre and scale; None where either is not there at all."""
    position = getattr(rect, "objpos", None)
    values = [getattr(position, "x", None), getattr(position, "y", None)]
    values.append(getattr(rect, "scale", None))
    if any(value is None or np.size(value) != 1 for value in values):
        return None, 1.0
    x, y, scale = (_number(value) for value in values)
    # A centre that is there but not a number must stay a fault, not become an unknown one.
    return [x if np.isfinite(x) else np.inf, y], scale


def _joints(rect: Any) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Joints as written, their visibility, and what is wrong with them."""
    joints = np.full((_JOINTS, 2), np.nan)
    visibility = np.full(_JOINTS, UNLABELLED, np.uint8)
    wrong = []
    for point in _list(getattr(getattr(rect, "annopoints", None), "point", None)):
        number, x, y = (_number(getattr(point, key, None)) for key in ("id", "x", "y"))
        if number not in range(_JOINTS):
            wrong.append(f"joint number {number:g} is not 0 to {_JOINTS - 1}")
        elif not np.isfinite([x, y]).all():
            wrong.append(f"joint {number:g} has no finite x and y")
        else:
            hidden = _number(getattr(point, "is_visible", None)) == 0
            joints[int(number)] = x, y
            visibility[int(number)] = OCCLUDED if hidden else VISIBLE
    return joints, visibility, wrong


def _more(number: int, image: Any, act: Any, videos: list[str]) -> dict[str, Any]:
    """Attributes of the samples of an image."""
    words = (_text(getattr(act, key, None)) for key in ("cat_name", "act_name"))
    second, video = (_number(getattr(image, key, None)) for key in ("frame_sec", "vididx"))
    return {
        "image_id": number,
        "activity": ": ".join(word for word in words if word),
        "sequence": videos[int(video) - 1] if 1 <= video <= len(videos) else "",
        "frame": int(second) if np.isfinite(second) else 0,
    }


def _list(value: Any) -> list[Any]:
    """Nothing, one thing or an array of things as a list."""
    if value is None:
        return []
    return list(value.ravel()) if isinstance(value, np.ndarray) else [value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    """A number, given as one or as text; NaN where it is missing, empty or something else."""
    try:
        return float(value) if np.size(value) == 1 else float("nan")
    except (TypeError, ValueError):
        return float("nan")

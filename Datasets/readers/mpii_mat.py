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

from Datasets.layouts.mpii import MAT, find_mat
from Datasets.readers.matlab import load_mat
from Datasets.readers.mpii_people import People, head_fields
from Datasets.skeletons import MPII_16, Skeleton
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE, Dataset
from Engine.errors import DataError

_JOINTS = len(MPII_16)
SPLITS = {"train": 1, "trainval": 1, "all": 1, "test": 0}
"""Value of ``img_train`` for each split's name."""

NOTE = (
    "the official training part holds the people whom most papers validate on; "
    "annot/train.json and annot/valid.json keep them apart"
)


def read_mpii_mat(
    root: Path | str, split: str, skeleton: Skeleton = MPII_16, single_person: bool = False
) -> Dataset:
    """Read the people of one official part.

    Samples hold the position of image and rectangle (from 0, as in the h5 files) as ``image_id``
    and ``annotation_id``, the video as ``sequence``, its second as ``frame``, "category: activity"
    as ``activity``, and 0.6 of the head box's diagonal as ``head_length_px``.

    Args:
        root: the folder that holds ``images`` and, in one of the usual places, the file.
        split: ``train`` (also ``trainval``, and ``all`` that is labelled): people with centre,
            scale and joints in the training images; ``test``: people with centre and scale in the
            others, all joints unlabelled.
        skeleton: convention of the samples.
        single_person: leave out people who do not stand apart from others.

    Raises:
        DataError: the file is missing, damaged or of version 7.3, the split is unknown, a joint's
            number is not 0 to 15, a coordinate is NaN, or an image lies outside ``images``.
    """
    root = Path(root)
    path = find_mat(root)
    if path is None:
        raise DataError(f"MPII: {root} holds no {MAT}; give the folder that holds it")
    if split not in SPLITS:
        raise DataError(
            f"MPII: {path} has no split '{split}'; it has train and test (validation is a part of "
            "train that annot/valid.json names)"
        )
    release = load_release(path)
    people, faults, left_out = people_of(release, split, single_person)
    notes = (NOTE,) if split != "test" else ()
    if left_out:
        needed = "centre, scale and joints" if split != "test" else "centre and scale"
        notes += (f"{left_out} rectangles without {needed} are left out",)
    return people.dataset(root, skeleton, faults, notes)


@dataclass(frozen=True)
class Release:
    """The struct RELEASE, every field a list with one entry per image.

    Attributes:
        source: the file.
        images: structs of ``annolist``.
        training: whether ``img_train`` is 1.
        activities: "category: activity", "" where unknown.
        single: numbers (from 0) of the people who stand apart from others.
        videos: name of the video, "" where unknown.
    """

    source: Path
    images: list[Any]
    training: list[bool]
    activities: list[str]
    single: list[list[int]]
    videos: list[str]


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
    acts = _per_image(getattr(release, "act", None), len(images))
    single = _per_image(getattr(release, "single_person", None), len(images))
    videos = [_text(name) for name in _list(getattr(release, "video_list", None))]
    return Release(
        path,
        images,
        [flag == 1 for flag in flags],
        [_activity(act) for act in acts],
        [[int(_number(n)) - 1 for n in _list(numbers) if _number(n) > 0] for numbers in single],
        [_video(image, videos) for image in images],
    )


def people_of(
    release: Release, split: str, single_person: bool = False
) -> tuple[People, list[str], int]:
    """People of one part.

    Returns:
        The people, a line for every fault, and how many rectangles were left out because they lack
        a centre, a scale or, in the training part, joints.
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
            if single_person and index not in release.single[number]:
                continue
            joints, visibility, wrong = _joints(rect)
            place = f"MPII: {release.source}, image {number + 1} ({name}), person {index + 1}"
            faults += [f"{place}: {text}; correct the file" for text in wrong]
            centre, scale = _place(rect)
            if centre is None or (training and not visibility.any() and not wrong):
                left_out += 1
                continue
            more = _more(release, image, number) | _head(rect) | {"annotation_id": index}
            found.append((name, centre, scale, joints, visibility, more))
    return _table(release.source, found), faults, left_out


def _table(source: Path, found: list[tuple]) -> People:
    names, centres, scales, joints, visibility, more = (
        zip(*found, strict=True) if found else [()] * 6
    )
    return People(
        source,
        list(names),
        np.array(centres, dtype=np.float64).reshape(-1, 2),
        np.array(scales, dtype=np.float64),
        np.array(joints, dtype=np.float64).reshape(-1, _JOINTS, 2),
        np.array(visibility, dtype=np.uint8).reshape(-1, _JOINTS),
        list(more),
    )


def _place(rect: Any) -> tuple[list[float] | None, float]:
    """Centre and scale; None where either is not there at all."""
    position = getattr(rect, "objpos", None)
    values = [getattr(position, "x", None), getattr(position, "y", None)]
    values.append(getattr(rect, "scale", None))
    if any(np.size(value) != 1 or value is None for value in values):
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


def _more(release: Release, image: Any, number: int) -> dict[str, Any]:
    second = _number(getattr(image, "frame_sec", None))
    return {
        "image_id": number,
        "activity": release.activities[number],
        "sequence": release.videos[number],
        "frame": int(second) if np.isfinite(second) else 0,
    }


def _head(rect: Any) -> dict[str, Any]:
    corners = [_number(getattr(rect, key, None)) for key in ("x1", "y1", "x2", "y2")]
    return head_fields(np.array(corners))


def _activity(act: Any) -> str:
    parts = (_text(getattr(act, key, None)) for key in ("cat_name", "act_name"))
    return ": ".join(part for part in parts if part)


def _video(image: Any, videos: list[str]) -> str:
    number = _number(getattr(image, "vididx", None))
    return videos[int(number) - 1] if 1 <= number <= len(videos) else ""


def _list(value: Any) -> list[Any]:
    """Nothing, one thing or an array of things as a list."""
    if value is None:
        return []
    return list(value.ravel()) if isinstance(value, np.ndarray) else [value]


def _per_image(value: Any, count: int) -> list[Any]:
    """One entry per image, None each where there are not as many."""
    entries = [value] if count == 1 else _list(value)
    return entries if len(entries) == count else [None] * count


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    """A number, given as one or as text; NaN where it is missing, empty or something else."""
    try:
        return float(value) if np.size(value) == 1 else float("nan")
    except (TypeError, ValueError):
        return float("nan")

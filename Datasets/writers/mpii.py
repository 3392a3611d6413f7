"""Write the layouts of MPII; see ``Datasets.readers.mpii``.

Of a sample's box every form keeps centre and scale alone: a box that is not square is written, and
read again, as the square on its longer side, which gives the same crop. Images are named by their
path below ``root/images``, or by their bare name where they lie elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from Datasets.layouts.mpii import (
    CENTRE_DROP,
    GT_VALID,
    H5_SCALE,
    MAT,
    annotation_file,
    centre_and_scale,
    head_length,
)
from Datasets.skeletons import MPII_16
from Datasets.structures import OCCLUDED, VISIBLE, PoseSample
from Datasets.writers.containers import write_hdf5, write_mat
from Engine.errors import DataError
from Engine.files import write_text

_EMPTY = np.zeros((0, 0))
_UNFLAGGED = MPII_16.indices(["upper_neck", "head_top"])
"""Joints whose ``is_visible`` is empty in the official file."""


@dataclass(frozen=True)
class _Person:
    """A sample as the files state it: pixels from 1, the layout's 16 joints."""

    sample: PoseSample
    name: str
    centre_px: Float[np.ndarray, "2"]
    scale: float
    joints_px: Float[np.ndarray, "16 2"]
    visibility: UInt8[np.ndarray, "16"]

    @classmethod
    def of(cls, root: Path, sample: PoseSample) -> _Person:
        """Convert a sample.

        Raises:
            DataError: it has no box, or a labelled joint is not finite.
        """
        where = f"MPII: {sample.image_path.name}"
        if sample.box_xyxy is None or not np.isfinite(sample.box_xyxy).all():
            raise DataError(f"{where} has no box, of which centre and scale are made")
        centre, scale = centre_and_scale(sample.box_xyxy)
        if not scale > 0:
            raise DataError(f"{where} has an empty box; correct box_xyxy")
        converted = sample.to(MPII_16)
        joints, visibility = converted.keypoints_px + 1, converted.visibility
        if not np.isfinite(joints[visibility > 0]).all():
            raise DataError(f"{where}: a labelled joint is not finite; correct keypoints_px")
        folder, path = Path(root) / "images", sample.image_path
        inside = path.is_relative_to(folder)
        name = path.relative_to(folder).as_posix() if inside else path.name
        return cls(sample, name, centre, float(scale), joints, visibility)

    def joints(self, unlabelled: float) -> Float[np.ndarray, "16 2"]:
        """Joints, with a value in place of those without a label."""
        return np.where(self.visibility[:, None] > 0, self.joints_px, unlabelled)


def _people(root: Path, samples: Sequence[PoseSample], file: str) -> list[_Person]:
    if not samples:
        raise DataError(f"MPII: no people for {file}; give at least one")
    return [_Person.of(root, sample) for sample in samples]


def write_mpii_json(root: Path, split: str, samples: Sequence[PoseSample]) -> Path:
    """Write ``annot/SPLIT.json``, which holds neither occlusion nor head boxes; returns the file.

    Args:
        root: folder of the data set; made when missing.
        split: ``train``, ``valid``, ``trainval`` or ``test``.
        samples: people in any order.

    Raises:
        DataError: a sample without a box, or a labelled joint that is not finite.
    """
    rows = []
    for sample in samples:
        person = _Person.of(root, sample)
        seen = person.visibility > 0
        row = {"image": person.name, "center": person.centre_px.tolist(), "scale": person.scale}
        if split != "test":
            row["joints"] = person.joints(-1.0).tolist()
            row["joints_vis"] = seen.astype(int).tolist()
        elif seen.any():
            raise DataError(f"MPII: {person.name}: test.json holds no joints; choose another split")
        rows.append(row)
    path = annotation_file(Path(root), split, "json")
    write_text(path, json.dumps(rows, allow_nan=False))
    return path


def write_gt_valid_mat(root: Path, samples: Sequence[PoseSample]) -> Path:
    """Write ``annot/gt_valid.mat``: head boxes and joints of ``valid``, in its order.

    Args:
        root: folder of the data set; made when missing.
        samples: the people of ``valid``.

    Returns:
        The file.

    Raises:
        DataError: no samples, or one without a head box.
    """
    bare = next((s.image_path.name for s in samples if s.head_box_xyxy is None), None)
    if bare is not None:
        raise DataError(f"MPII: {bare} has no head box, which {GT_VALID} needs")
    people = _people(root, samples, GT_VALID)
    heads = np.stack([np.asarray(s.head_box_xyxy, dtype=np.float64) for s in samples]) + 1
    names = np.empty((1, len(MPII_16)), dtype=object)
    names[0] = MPII_16.joints
    content = {
        "dataset_joints": names,
        "jnt_missing": np.stack([p.visibility == 0 for p in people], axis=1).astype(np.float64),
        "pos_gt_src": np.stack([p.joints(0.0) for p in people], axis=2),
        "headboxes_src": heads.reshape(-1, 2, 2).transpose(1, 2, 0),
    }
    return write_mat(Path(root) / "annot" / GT_VALID, content, "MPII")


def write_mpii_h5(root: Path, split: str, samples: Sequence[PoseSample]) -> Path:
    """Write ``annot/SPLIT.h5``; returns the file.

    ``normalize`` is the sample's head length, else 0.6 of its head box's diagonal, else NaN;
    ``index`` its ``image_id``, else the image's position; ``person`` its position in the image.

    Args:
        root: folder of the data set; made when missing.
        split: ``train`` or ``valid``.
        samples: people in any order.

    Raises:
        DataError: no samples, one without a box, a file name that is not ASCII, a labelled joint
            that is not finite, or one at (-1, -1), which the file writes as (0, 0): unlabelled.
    """
    people = _people(root, samples, f"{split}.h5")
    numbers: dict[str, Iterator[int]] = {}
    for person in people:
        if ((person.visibility > 0) & (person.joints_px == 0).all(axis=1)).any():
            raise DataError(f"MPII: {person.name}: a joint at (-1, -1) is no h5 value")
        if not person.name.isascii():
            raise DataError(f"MPII: {person.name}: file names in h5 are ASCII; rename the image")
        numbers.setdefault(person.name, count())
    order = {name: i for i, name in enumerate(numbers)}
    scale = np.array([person.scale for person in people])
    centre = np.stack([person.centre_px for person in people])
    index = [order[p.name] if p.sample.image_id is None else p.sample.image_id for p in people]
    arrays = {
        "imgname": np.array([person.name for person in people], dtype="S"),
        "center": centre + np.array([0.0, CENTRE_DROP]) * scale[:, None],
        "scale": H5_SCALE * scale,
        "part": np.stack([person.joints(0.0) for person in people]),
        "visible": np.stack([p.visibility == VISIBLE for p in people]).astype(np.float64),
        "normalize": np.array([_head_length(sample) for sample in samples]),
        "index": np.array(index, np.float64),
        "person": np.array([next(numbers[person.name]) for person in people], np.float64),
    }
    return write_hdf5(annotation_file(Path(root), split, "h5"), arrays)


def _head_length(sample: PoseSample) -> float:
    if sample.head_length_px is not None:
        return sample.head_length_px
    return float("nan") if sample.head_box_xyxy is None else head_length(sample.head_box_xyxy)


def write_mpii_mat(
    root: Path, train: Sequence[PoseSample], test: Sequence[PoseSample] = ()
) -> Path:
    """Write the official file: people grouped by image, images in order of appearance.

    An image's activity, video (``sequence``) and second (``frame``) are those of its first person.
    ``single_person`` lists those whose box holds no other person's centre.

    Args:
        root: folder of the data set; made when missing.
        train: people of images with ``img_train`` 1.
        test: people of the others; they have a place but no labels.

    Returns:
        The file.

    Raises:
        DataError: no samples, one without a box, a labelled joint that is not finite, a test sample
            with labels, or an image in both parts.
    """
    images: dict[str, list[_Person]] = {}
    flags: dict[str, float] = {}
    people = _people(root, [*train, *test], MAT)
    for number, person in enumerate(people):
        flag = float(number < len(train))
        if flags.setdefault(person.name, flag) != flag:
            raise DataError(f"MPII: {person.name} is in train and in test; choose one")
        if not flag and person.visibility.any():
            raise DataError(f"MPII: {person.name} is labelled; the official test people are not")
        images.setdefault(person.name, []).append(person)
    firsts = [people[0].sample for people in images.values()]
    videos = list(dict.fromkeys(first.sequence for first in firsts if first.sequence))
    release = {
        "annolist": _structs([_image(people, videos) for people in images.values()]),
        "img_train": np.array([list(flags.values())]),
        "version": "12",
        "single_person": _cells([_apart(people) for people in images.values()]),
        "act": _structs(_acts([first.activity for first in firsts])).T,
        "video_list": _cells(videos),
    }
    return write_mat(Path(root) / MAT, {"RELEASE": _structs([release])}, "MPII")


def _image(people: list[_Person], videos: list[str]) -> dict[str, Any]:
    first = people[0].sample
    return {
        "image": _structs([{"name": people[0].name}]),
        "annorect": _structs([_rect(person) for person in people]),
        "frame_sec": float(first.frame) if first.sequence else _EMPTY,
        "vididx": float(videos.index(first.sequence) + 1) if first.sequence else _EMPTY,
    }


def _rect(person: _Person) -> dict[str, Any]:
    points = [
        {"x": x, "y": y, "id": float(number), "is_visible": _flag(number, seen)}
        for number, ((x, y), seen) in enumerate(
            zip(person.joints_px, person.visibility, strict=True)
        )
        if seen > 0
    ]
    head = person.sample.head_box_xyxy
    corners = [_EMPTY] * 4 if head is None else [float(v) + 1 for v in head]
    x, y = person.centre_px.tolist()
    return {
        **dict(zip(("x1", "y1", "x2", "y2"), corners, strict=True)),
        "annopoints": _structs([{"point": _structs(points)}]) if points else _EMPTY,
        "scale": person.scale,
        "objpos": _structs([{"x": x, "y": y}]),
    }


def _flag(joint: int, visibility: int) -> Any:
    if visibility == OCCLUDED:
        return 0.0
    return _EMPTY if joint in _UNFLAGGED else 1.0


def _apart(people: list[_Person]) -> Float[np.ndarray, "n 1"]:
    """Numbers, from 1, of the people whose box holds no other person's centre."""
    boxes = np.stack([np.asarray(person.sample.box_xyxy, np.float64) for person in people])
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = (middle[None] >= boxes[:, None, :2]) & (middle[None] <= boxes[:, None, 2:])
    alone = inside.all(axis=2).sum(axis=1) == 1
    return np.flatnonzero(alone)[:, None] + 1.0


def _acts(activities: list[str]) -> list[dict[str, Any]]:
    """Category, activity and number of each; an unknown one is empty and -1."""
    known = list(dict.fromkeys(activity for activity in activities if activity))
    rows = []
    for activity in activities:
        category, colon, name = activity.partition(": ")
        category, name = (category, name) if colon else ("", activity)
        number = float(known.index(activity) + 1) if activity else -1.0
        rows.append({"cat_name": category, "act_name": name, "act_id": number})
    return rows


def _structs(rows: list[dict[str, Any]]) -> np.ndarray:
    """A MATLAB struct array (1, n); every row has the same fields."""
    result = np.empty((1, len(rows)), dtype=[(key, object) for key in rows[0]])
    for number, row in enumerate(rows):
        for key, value in row.items():
            result[key][0, number] = value
    return result


def _cells(values: Sequence[Any]) -> np.ndarray:
    """A MATLAB cell array (n, 1)."""
    result = np.empty((len(values), 1), dtype=object)
    for number, value in enumerate(values):
        result[number, 0] = value
    return result

"""Write the layouts of MPII; see ``Datasets.readers.mpii``.

Of a sample's box every form keeps centre and scale alone: a box that is not square is written, and
read again, as the square on its longer side, which gives the same crop. Images are named by their
path below ``root/images``, or by their bare name where they lie elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
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
from Datasets.skeletons.convert import joint_map
from Datasets.structures import OCCLUDED, VISIBLE, PoseSample
from Datasets.writers.containers import write_hdf5, write_mat
from Engine.errors import DataError
from Engine.files import write_text

_EMPTY = np.zeros((0, 0))
_UNFLAGGED = MPII_16.indices(["upper_neck", "head_top"])
"""Joints whose ``is_visible`` is empty in the official file."""


def write_mpii_json(root: Path, split: str, samples: Sequence[PoseSample]) -> Path:
    """Write ``annot/SPLIT.json``, which holds neither occlusion nor head boxes.

    Args:
        root: folder of the data set; made when missing.
        split: ``train``, ``valid``, ``trainval`` or ``test``.
        samples: people in any order.

    Returns:
        The file.

    Raises:
        DataError: a sample without a box, or a labelled joint that is not finite.
    """
    rows = []
    for sample in samples:
        centre, scale = _place(sample)
        joints, visibility = _joints(sample)
        seen = visibility > 0
        row = {"image": _name(root, sample), "center": centre.tolist(), "scale": scale}
        if split != "test":
            row["joints"] = np.where(seen[:, None], joints + 1, -1.0).tolist()
            row["joints_vis"] = seen.astype(int).tolist()
        elif seen.any():
            raise DataError(f"{_who(sample)}: test.json holds no joints; choose another split")
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
    if not samples:
        raise DataError(f"MPII: no people for {GT_VALID}; give those of valid")
    bare = next((s for s in samples if s.head_box_xyxy is None), None)
    if bare is not None:
        raise DataError(f"{_who(bare)} has no head box, which {GT_VALID} needs")
    pairs = [_joints(sample) for sample in samples]
    heads = np.stack([np.asarray(s.head_box_xyxy, dtype=np.float64) for s in samples]) + 1
    names = np.empty((1, len(MPII_16)), dtype=object)
    names[0] = MPII_16.joints
    content = {
        "dataset_joints": names,
        "jnt_missing": np.stack([v == 0 for _, v in pairs], axis=1).astype(np.float64),
        "pos_gt_src": np.stack([np.where(v[:, None] > 0, j + 1, 0) for j, v in pairs], axis=2),
        "headboxes_src": heads.reshape(-1, 2, 2).transpose(1, 2, 0),
    }
    return write_mat(Path(root) / "annot" / GT_VALID, content, "MPII")


def write_mpii_h5(root: Path, split: str, samples: Sequence[PoseSample]) -> Path:
    """Write ``annot/SPLIT.h5``.

    ``normalize`` is the sample's head length, else 0.6 of its head box's diagonal, else NaN;
    ``index`` its ``image_id``, else the image's position; ``person`` its position in the image.

    Args:
        root: folder of the data set; made when missing.
        split: ``train`` or ``valid``.
        samples: people in any order.

    Returns:
        The file.

    Raises:
        DataError: no samples, one without a box, a file name that is not ASCII, a labelled joint
            that is not finite, or one at (-1, -1), which the file writes as (0, 0): unlabelled.
    """
    if not samples:
        raise DataError(f"MPII: no people for {split}.h5; give at least one")
    pairs = [_joints(sample) for sample in samples]
    part = np.stack([np.where(v[:, None] > 0, j + 1, 0.0) for j, v in pairs])
    visibility = np.stack([v for _, v in pairs])
    lost = ((visibility > 0) & (part == 0).all(axis=2)).any(axis=1)
    if lost.any():
        raise DataError(f"{_who(samples[int(lost.argmax())])}: a joint at (-1, -1) is no h5 value")
    centre, scale = centre_and_scale(np.stack([_box(sample) for sample in samples]))
    arrays = {
        "center": centre + np.array([0.0, CENTRE_DROP]) * scale[:, None],
        "scale": H5_SCALE * scale,
        "part": part,
        "visible": (visibility == VISIBLE).astype(np.float64),
        "normalize": np.array([_head_length(sample) for sample in samples]),
        **_numbers(root, samples),
    }
    names = [_name(root, sample) for sample in samples]
    strange = next((name for name in names if not name.isascii()), None)
    if strange is not None:
        raise DataError(f"MPII: {strange}: file names in h5 are ASCII; rename the image")
    path = annotation_file(Path(root), split, "h5")
    return write_hdf5(path, {"imgname": np.array(names, dtype="S"), **arrays})


def _numbers(root: Path, samples: Sequence[PoseSample]) -> dict[str, np.ndarray]:
    """Image and person numbers."""
    names = [_name(root, sample) for sample in samples]
    order = {name: i for i, name in enumerate(dict.fromkeys(names))}
    index = [
        order[name] if sample.image_id is None else sample.image_id
        for name, sample in zip(names, samples, strict=True)
    ]
    person, people = [], dict.fromkeys(names, 0)
    for name in names:
        person.append(people[name])
        people[name] += 1
    return {"index": np.array(index, np.float64), "person": np.array(person, np.float64)}


def write_mpii_mat(
    root: Path, train: Sequence[PoseSample], test: Sequence[PoseSample] = ()
) -> Path:
    """Write the official file: people grouped by image, images in order of appearance.

    An image's activity, video (``sequence``) and second (``frame``) are those of its first person.
    ``single_person`` lists those who have nobody else's box centre inside their box.

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
    images: dict[str, tuple[int, list[PoseSample]]] = {}
    for flag, samples in ((1, train), (0, test)):
        for sample in samples:
            known, people = images.setdefault(_name(root, sample), (flag, []))
            if known != flag:
                raise DataError(f"{_who(sample)} is in train and in test; choose one")
            if not flag and (sample.visibility > 0).any():
                raise DataError(f"{_who(sample)} is labelled; the official test people are not")
            people.append(sample)
    if not images:
        raise DataError(f"MPII: no people for {MAT}; give at least one")
    groups = [people for _, people in images.values()]
    videos = list(dict.fromkeys(g[0].sequence for g in groups if g[0].sequence))
    entries = [_image(name, people, videos) for name, (_, people) in images.items()]
    release = {
        "annolist": _structs(entries),
        "img_train": np.array([[flag for flag, _ in images.values()]], dtype=np.float64),
        "version": "12",
        "single_person": _cells([_apart(people) for people in groups]),
        "act": _structs(_acts([people[0].activity for people in groups])).T,
        "video_list": _cells(videos),
    }
    return write_mat(Path(root) / MAT, {"RELEASE": _structs([release])}, "MPII")


def _image(name: str, people: list[PoseSample], videos: list[str]) -> dict[str, Any]:
    video = people[0].sequence
    return {
        "image": _structs([{"name": name}]),
        "annorect": _structs([_rect(sample) for sample in people]),
        "frame_sec": float(people[0].frame) if video else _EMPTY,
        "vididx": float(videos.index(video) + 1) if video else _EMPTY,
    }


def _rect(sample: PoseSample) -> dict[str, Any]:
    centre, scale = _place(sample)
    joints, visibility = _joints(sample)
    points = [
        {"x": x + 1, "y": y + 1, "id": float(number), "is_visible": _flag(number, seen)}
        for number, ((x, y), seen) in enumerate(zip(joints, visibility, strict=True))
        if seen > 0
    ]
    head = sample.head_box_xyxy
    corners = [_EMPTY] * 4 if head is None else [float(v) + 1 for v in head]
    return {
        **dict(zip(("x1", "y1", "x2", "y2"), corners, strict=True)),
        "annopoints": _structs([{"point": _structs(points)}]) if points else _EMPTY,
        "scale": scale,
        "objpos": _structs([{"x": float(centre[0]), "y": float(centre[1])}]),
    }


def _flag(joint: int, visibility: int) -> Any:
    if visibility == OCCLUDED:
        return 0.0
    return _EMPTY if joint in _UNFLAGGED else 1.0


def _apart(people: list[PoseSample]) -> Float[np.ndarray, "n 1"]:
    """Numbers, from 1, of the people with nobody else's centre in their box."""
    boxes = np.stack([_box(sample) for sample in people])
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
        number = float(known.index(activity) + 1) if activity else -1.0
        rows.append(
            {
                "cat_name": category if colon else "",
                "act_name": name if colon else activity,
                "act_id": number,
            }
        )
    return rows


def _box(sample: PoseSample) -> Float[np.ndarray, "4"]:
    if sample.box_xyxy is None or not np.isfinite(sample.box_xyxy).all():
        raise DataError(f"{_who(sample)} has no box, of which centre and scale are made")
    box = np.asarray(sample.box_xyxy, dtype=np.float64)
    if not (box[2:] - box[:2]).max() > 0:
        raise DataError(f"{_who(sample)} has an empty box; correct box_xyxy")
    return box


def _place(sample: PoseSample) -> tuple[np.ndarray, float]:
    centre, scale = centre_and_scale(_box(sample))
    return centre, float(scale)


def _joints(
    sample: PoseSample,
) -> tuple[Float[np.ndarray, "16 2"], UInt8[np.ndarray, "16"]]:
    mapping = joint_map(sample.skeleton, MPII_16)
    visibility = mapping.apply(np.asarray(sample.visibility)[:, None], fill=0)[:, 0]
    joints = mapping.apply(np.asarray(sample.keypoints_px, dtype=np.float64))
    if not np.isfinite(joints[visibility > 0]).all():
        raise DataError(f"{_who(sample)}: a labelled joint is not finite; correct keypoints_px")
    return joints, visibility.astype(np.uint8)


def _head_length(sample: PoseSample) -> float:
    if sample.head_length_px is not None:
        return sample.head_length_px
    return float("nan") if sample.head_box_xyxy is None else head_length(sample.head_box_xyxy)


def _who(sample: PoseSample) -> str:
    return f"MPII: {sample.image_path.name}"


def _name(root: Path, sample: PoseSample) -> str:
    folder = Path(root) / "images"
    path = sample.image_path
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


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

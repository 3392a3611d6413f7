"""The official MPII file: one MATLAB struct with every image, person and joint.

RELEASE.annolist(i) has image.name and annorect(p); a rectangle has a head box x1 y1 x2 y2, scale,
objpos and annopoints.point with x, y, id 0-15 and is_visible. Any of them may be missing, empty,
alone or a list, and ``is_visible`` may be text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.layouts.mpii import CENTRE_DROP, MAT, PERSON_PX
from Datasets.readers.base import inside
from Datasets.readers.matlab import load_mat
from Datasets.skeletons import MPII_16, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE, DataError, Dataset, PoseSample

_PLACES = ("", "annot", "annotations", "mpii_human_pose_v1_u12_2", "mpii_human_pose_v1_u12_1")
_NOTE = (
    "the official training part: it holds the people that most papers validate on; "
    "annot/train.json and valid.json keep them apart"
)


def find_mat(root: Path) -> Path | None:
    """The official file in or below a folder, or None."""
    return next((root / p / MAT for p in _PLACES if (root / p / MAT).is_file()), None)


def read_mpii_mat(root: Path | str, name: str, skeleton: Skeleton = MPII_16) -> Dataset:
    """Read people of the official file.

    Args:
        root: the folder that holds ``images`` and, directly or one level down, the file.
        name: ``train`` (people with labelled joints in images with ``img_train`` 1), or ``test``
            (people with a place but no labels).
        skeleton: convention of the samples.

    Raises:
        DataError: the file is missing or damaged, another part is asked for, a joint number is not
            0-15, a coordinate is not finite, or an image lies outside ``images``.
    """
    faults: list[str] = []
    data = collect_mat(Path(root), name, skeleton, faults)
    if faults:
        raise DataError(faults[0])
    return data


def collect_mat(root: Path, name: str, skeleton: Skeleton, faults: list[str]) -> Dataset:
    """Read the official file and add a line to ``faults`` for every person that is left out."""
    path = find_mat(root)
    if path is None:
        raise DataError(f"MPII: {root} has no {MAT}; give the folder that holds it")
    if name not in ("train", "test"):
        raise DataError(
            f"MPII: {path} knows train and test, not '{name}'; that split needs annot/{name}.json"
        )
    release = load_release(path)
    wanted = 1 if name == "train" else 0
    samples = []
    for number, (image, trains) in enumerate(images_of(release, path)):
        if trains != wanted:
            continue
        place = f"MPII: {path}, image {number + 1}"
        activity = activity_of(release, number)
        for person, rect in enumerate(people_of(image)):
            try:
                file = inside(root / "images", image_name(image, place), path)
                who = f"{place}, person {person + 1}"
                sample = _sample(rect, file, person, activity, skeleton, who)
            except DataError as error:
                faults.append(str(error))
                continue
            if sample is not None and (wanted == 0 or sample.visibility.any()):
                samples.append(sample)
    return Dataset("mpii", root, skeleton, tuple(samples), (_NOTE,) if wanted else ())


def load_release(path: Path) -> Any:
    """The struct RELEASE.

    Raises:
        DataError: the file is damaged, of version 7.3, or lacks the struct or its list of images.
    """
    content = load_mat(path, "MPII", struct_as_record=False, squeeze_me=True)
    release = content.get("RELEASE")
    if release is None or not hasattr(release, "annolist") or not hasattr(release, "img_train"):
        raise DataError(f"MPII: {path} has no RELEASE with annolist and img_train; restore it")
    return release


def images_of(release: Any, path: Path) -> Iterator[tuple[Any, int]]:
    """Every image with its training flag."""
    images, flags = _listed(release.annolist), np.atleast_1d(release.img_train)
    if len(images) != len(flags):
        raise DataError(
            f"MPII: {path} has {len(images)} images but {len(flags)} img_train; restore the file"
        )
    yield from zip(images, (int(flag) for flag in flags), strict=True)


def image_name(image: Any, place: str) -> str:
    """File name of an image."""
    name = getattr(getattr(image, "image", None), "name", None)
    if not isinstance(name, str):
        raise DataError(f"{place} has no image.name; restore the file")
    return name


def people_of(image: Any) -> list[Any]:
    """Rectangles of an image, none, one or several."""
    return [rect for rect in _listed(getattr(image, "annorect", None)) if _fields(rect)]


def activity_of(release: Any, number: int) -> str:
    """What is done in an image, empty when unknown."""
    acts = _listed(getattr(release, "act", None))
    name = getattr(acts[number], "act_name", "") if number < len(acts) else ""
    return name if isinstance(name, str) else ""


def _listed(value: Any) -> list[Any]:
    """Turn nothing, one thing or an array of things into a list."""
    if value is None:
        return []
    return list(value.ravel()) if isinstance(value, np.ndarray) else [value]


def _fields(rect: Any) -> tuple[str, ...]:
    return tuple(getattr(rect, "_fieldnames", ()))


def _number(struct: Any, name: str) -> float:
    """A field as a number, NaN where it is missing or empty."""
    value = getattr(struct, name, None)
    try:
        return float(value) if np.size(value) == 1 else float("nan")
    except (TypeError, ValueError):
        return float("nan")


def _sample(
    rect: Any, file: Path, person: int, activity: str, skeleton: Skeleton, place: str
) -> PoseSample | None:
    """One person, or None without centre and scale."""
    centre = np.array([_number(getattr(rect, "objpos", None), axis) for axis in "xy"])
    scale = _number(rect, "scale")
    if not (np.isfinite(centre).all() and scale > 0):
        return None
    joints, visibility = _joints(rect, place)
    head = np.array([_number(rect, key) for key in ("x1", "y1", "x2", "y2")]) - 1
    middle = centre - 1 + np.array([0.0, CENTRE_DROP * scale])
    half = PERSON_PX / 2 * scale
    mapping = joint_map(MPII_16, skeleton)
    return PoseSample(
        image_path=file,
        skeleton=skeleton,
        keypoints_px=mapping.apply(joints),
        visibility=mapping.apply(visibility[:, None], fill=0)[:, 0].astype(np.uint8),
        box_xyxy=np.concatenate([middle - half, middle + half]),
        frame=person,
        head_box_xyxy=head if np.isfinite(head).all() else None,
        activity=activity,
    )


def _joints(rect: Any, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Joints (16, 2) in 0-based pixels, NaN where unlabelled, and their visibility (16,)."""
    joints = np.full((len(MPII_16), 2), np.nan)
    visibility = np.full(len(MPII_16), UNLABELLED, np.uint8)
    points = getattr(getattr(rect, "annopoints", None), "point", None)
    for point in _listed(points):
        number, x, y = (_number(point, key) for key in ("id", "x", "y"))
        if number not in range(len(MPII_16)):
            raise DataError(f"{place}: joint number {number:g} is not 0 to 15; correct the file")
        if not np.isfinite([x, y]).all():
            raise DataError(f"{place}: joint {number:g} has no finite x and y; correct the file")
        joints[int(number)] = x - 1, y - 1
        # Where nothing is said, as of head and neck, the joint counts as seen.
        seen = getattr(point, "is_visible", None)
        hidden = np.size(seen) == 1 and str(seen).strip() in ("0", "0.0")
        visibility[int(number)] = OCCLUDED if hidden else VISIBLE
    return joints, visibility

"""COCO keypoints as they lie on disk (Lin et al., 2014), and data sets in the same layout.

    root/annotations/person_keypoints_train2017.json     images, annotations, categories
    root/train2017/000000000139.jpg                      or root/images/train2017/, or root/images/

SyRIP has ``person_keypoints_train200.json`` and ``images/``, a ``posture`` and an ``image_source``
per image. Pixels are 0-based; visibility is 0 unlabelled, 1 occluded, 2 visible, as here. Generated
annotations also hold ``age`` and, in ``infant_joints``, all 25 joints in 2D and 3D.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from Datasets.layouts.coco import ALL_JOINTS, PERSON, PREFIX, annotation_file
from Datasets.readers.base import inside, load_json, require_folder
from Datasets.skeletons import COCO_17, INFANT, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import UNLABELLED, VISIBLE, Dataset, PoseSample
from Engine.errors import DataError

_SPLITS = {
    "train": ("train2017", "train2014", "train200", "train"),
    "validation": ("val2017", "val2014", "validate", "val"),
    "test": ("test2017", "test2014", "test"),
}
"""File endings that a part of the data may have, the first that exists counts."""


@dataclass(frozen=True)
class CocoImage:
    """One image with everybody in it: what bottom-up training and crowds need.

    Attributes:
        path: the image.
        image_id: its number.
        size: (width, height) pixels.
        people: those with labelled joints.
        others: the other people, without joints; crowds are not among them.
        ignored: segmentations (polygons or RLE), or boxes x, y, w, h, of crowds and of people
            without labelled joints.
    """

    path: Path
    image_id: int
    size: tuple[int, int]
    people: tuple[PoseSample, ...]
    ignored: tuple[Any, ...]
    others: tuple[PoseSample, ...] = ()

    def ignore_mask(self) -> Bool[np.ndarray, "height width"]:
        """True where a network must neither be rewarded nor punished."""
        masks = [region_mask(region, self.size) for region in self.ignored]
        return np.logical_or.reduce(masks) if masks else np.zeros(self.size[::-1], dtype=bool)


def region_mask(region: Any, size: tuple[int, int]) -> Bool[np.ndarray, "height width"]:
    """Rasterise a COCO segmentation.

    Args:
        region: a list of polygons, an RLE (counts as list or text), or (x, y, width, height).
        size: (width, height) of the image.
    """
    from faster_coco_eval.core import mask

    width, height = size
    if isinstance(region, dict):
        counts = region["counts"]
        rle = mask.frPyObjects(region, height, width) if isinstance(counts, list) else region
        return mask.decode(rle).astype(bool)
    if region and isinstance(region[0], list | tuple):
        return mask.decode(mask.merge(mask.frPyObjects(region, height, width))).astype(bool)
    x, y, w, h = (round(v) for v in region)
    result = np.zeros((height, width), dtype=bool)
    result[max(y, 0) : y + h + 1, max(x, 0) : x + w + 1] = True
    return result


def open_coco(root: Path | str, split: str = "all", skeleton: Skeleton | None = None) -> Dataset:
    """Open a part of the data set.

    Args:
        root: the folder that holds ``annotations``.
        split: ``train``, ``validation``, ``test``, ``all``, or the ending of an annotation file's
            name, such as ``val2014``.
        skeleton: convention of the samples, default COCO's own.

    Raises:
        DataError: see ``read_coco``.
    """
    root = require_folder(root, "COCO")
    parts = [read_coco(root, name, skeleton=skeleton or COCO_17) for name in _named(root, split)]
    samples = tuple(sample for part in parts for sample in part.samples)
    others = tuple(sample for part in parts for sample in part.without_joints)
    return Dataset("coco", root, skeleton or COCO_17, samples, without_joints=others)


def splits_on_disk(root: Path) -> tuple[str, ...]:
    """Endings of the annotation files, sorted.

    Raises:
        DataError: there is none.
    """
    found = sorted((root / "annotations").glob(f"{PREFIX}*.json"))
    if not found:
        raise DataError(
            f"COCO: {root / 'annotations'} holds no {PREFIX}*.json; give the folder that holds "
            "annotations/ and the image folders"
        )
    return tuple(path.stem.removeprefix(PREFIX) for path in found)


def _named(root: Path, split: str) -> tuple[str, ...]:
    """Endings of the annotation files that a split stands for."""
    present = splits_on_disk(root)
    if split == "all":
        return present
    for name in (split, *_SPLITS.get(split, ())):
        if name in present:
            return (name,)
    raise DataError(f"COCO: {root} has no split '{split}'; it has {', '.join(present)}")


def read_coco(
    root: Path | str, split: str, min_keypoints: int = 1, skeleton: Skeleton = COCO_17
) -> Dataset:
    """Read the labelled people of one annotation file; images stay paths.

    Args:
        root: the folder that holds ``annotations``.
        split: ending of the annotation file's name.
        min_keypoints: people with fewer labelled joints count as ``without_joints``.
        skeleton: convention of the samples.

    Returns:
        The people, without crowds; images without any annotation are among ``without_joints``.

    Raises:
        DataError: the file is missing, is not in the layout, has another number of joints, holds
            NaN, or names an image outside the folder.
    """
    root = Path(root)
    images = read_coco_images(root, split, min_keypoints, skeleton)
    people = tuple(person for image in images for person in image.people)
    others = [other for image in images for other in image.others]
    nobody = [
        PoseSample.unlabelled(image.path, skeleton, image_id=image.image_id)
        for image in images
        if not image.people and not image.ignored
    ]
    return Dataset("coco", root, skeleton, people, without_joints=(*others, *nobody))


def read_coco_images(
    root: Path | str, split: str, min_keypoints: int = 1, skeleton: Skeleton = COCO_17
) -> tuple[CocoImage, ...]:
    """Read one annotation file image by image, in the file's order; see ``read_coco``."""
    root = Path(root)
    path = annotation_file(root, split)
    content = load_annotations(path)
    folder = image_folder(root, split)
    people = _person_categories(content, path)
    by_image: dict[int, list[dict]] = {}
    for annotation in content["annotations"]:
        if annotation.get("category_id") in people:
            by_image.setdefault(annotation.get("image_id"), []).append(annotation)
    known = {image.get("id") for image in content["images"]}
    strangers = sorted(str(key) for key in by_image.keys() - known)
    if strangers:
        raise DataError(f"COCO: {path}: annotations of image {strangers[0]}, which is not listed")
    return tuple(
        _read_image(image, by_image.get(image.get("id"), []), folder, path, min_keypoints, skeleton)
        for image in content["images"]
    )


def image_folder(root: Path, split: str) -> Path:
    """Folder of a split's images: ``SPLIT``, ``images/SPLIT`` or ``images``."""
    choices = (root / split, root / "images" / split, root / "images")
    return next((folder for folder in choices if folder.is_dir()), choices[0])


def load_annotations(path: Path) -> dict[str, Any]:
    """Read an annotation file and check its outline.

    Raises:
        DataError: it is missing, not JSON, or lacks a list.
    """
    content = load_json(path, "COCO")
    for key in ("images", "annotations", "categories"):
        listed = content.get(key) if isinstance(content, dict) else None
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise DataError(f"COCO: {path} has no list '{key}'; use an official keypoint file")
    return content


def _person_categories(content: dict[str, Any], path: Path) -> set[int]:
    """Numbers of the category ``person``, after a look at its joints."""
    people = [c for c in content["categories"] if c.get("name") == PERSON]
    if not people:
        raise DataError(f"COCO: {path} has no category '{PERSON}'; use a person keypoint file")
    for category in people:
        joints = category.get("keypoints")
        if joints is not None and list(joints) != list(COCO_17.joints):
            raise DataError(
                f"COCO: {path}: the category has {len(joints)} joints of other names or order, "
                "expected COCO's 17; correct the file"
            )
    return {category.get("id") for category in people}


def _read_image(
    image: dict,
    annotations: Sequence[dict],
    folder: Path,
    source: Path,
    min_keypoints: int,
    skeleton: Skeleton,
) -> CocoImage:
    try:
        name, image_id = str(image["file_name"]), int(image["id"])
        size = int(image["width"]), int(image["height"])
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"COCO: {source}: image {image.get('id')} needs id, file_name, width and height"
        ) from None
    path = inside(folder, name, source)
    about_image = {
        "image_id": image_id,
        "sequence": str(image.get("image_source", "")),
        "activity": str(image.get("posture", "")),
    }
    people, ignored, others = [], [], []
    for annotation in annotations:
        keypoints, visibility = load_keypoints(annotation, source)
        few = int((visibility > 0).sum()) < max(min_keypoints, 1)
        if few or annotation.get("iscrowd"):
            ignored.append(annotation.get("segmentation") or _box(annotation, source))
        if annotation.get("iscrowd"):
            continue
        person = PoseSample.unlabelled(
            path,
            skeleton,
            box_xyxy=_xyxy(_box(annotation, source)),
            annotation_id=annotation.get("id"),
            age=str(annotation.get("age", "")),
            **about_image,
        )
        if few:
            others.append(person)
        else:
            joints = _joints(annotation, keypoints, visibility, skeleton, source)
            people.append(replace(person, **joints))
    return CocoImage(path, image_id, size, tuple(people), tuple(ignored), tuple(others))


def load_keypoints(annotation: dict, source: Path) -> tuple[np.ndarray, np.ndarray]:
    """Joints (17, 2) in pixels, NaN where unlabelled, and their visibility (17,).

    Raises:
        DataError: another number of values, a value that is no finite number, or another flag.
    """
    where = f"COCO: {source}: annotation {annotation.get('id')}"
    values = annotation.get("keypoints", [0] * 3 * len(COCO_17))
    try:
        rows = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{where}: keypoints are not numbers; correct them") from None
    if rows.shape != (3 * len(COCO_17),):
        raise DataError(f"{where}: {rows.size} keypoint values, expected 51; correct them")
    rows = rows.reshape(-1, 3)
    if not np.isfinite(rows).all():
        raise DataError(f"{where}: a keypoint is not a finite number; correct it")
    if not np.isin(rows[:, 2], (UNLABELLED, 1, VISIBLE)).all():
        raise DataError(f"{where}: visibility is 0, 1 or 2; correct it")
    seen = rows[:, 2] > 0
    return np.where(seen[:, None], rows[:, :2], np.nan), rows[:, 2].astype(np.uint8)


def _joints(
    annotation: dict,
    keypoints: np.ndarray,
    visibility: np.ndarray,
    skeleton: Skeleton,
    source: Path,
) -> dict[str, Any]:
    """What labelled joints add to a sample."""
    area = {"area_px": _area(annotation, source)}
    if skeleton == INFANT and ALL_JOINTS in annotation:
        return area | _all_joints(annotation, source)
    mapping = joint_map(COCO_17, skeleton)
    seen = mapping.apply(visibility[:, None], fill=0)[:, 0].astype(np.uint8)
    return area | {"keypoints_px": mapping.apply(keypoints), "visibility": seen}


def _all_joints(annotation: dict, source: Path) -> dict[str, np.ndarray]:
    """What generated annotations know beyond COCO: all joints in 2D and 3D, and the camera."""
    try:
        arrays = {
            key: np.array(annotation[ALL_JOINTS][key], dtype=np.float64).reshape(-1, 3)
            for key in ("keypoints", "joints_mm", "intrinsics")
        }
    except (KeyError, TypeError, ValueError):
        arrays = {}
    if [len(rows) for rows in arrays.values()] != [len(INFANT), len(INFANT), 3]:
        number = annotation.get("id")
        raise DataError(f"COCO: {source}: annotation {number} has damaged {ALL_JOINTS}; remove it")
    rows = arrays["keypoints"]
    return {
        "keypoints_px": np.where(rows[:, 2:] > 0, rows[:, :2], np.nan),
        "visibility": rows[:, 2].astype(np.uint8),
        "joints_mm": arrays["joints_mm"],
        "intrinsics": arrays["intrinsics"],
    }


def _box(annotation: dict, source: Path) -> list[float]:
    box = annotation.get("bbox")
    try:
        values = [float(v) for v in box]
    except (TypeError, ValueError):
        values = []
    if len(values) != 4 or not np.isfinite(values).all():
        raise DataError(
            f"COCO: {source}: annotation {annotation.get('id')} has no bbox of four numbers"
        )
    return values


def _xyxy(box: Sequence[float]) -> Float[np.ndarray, "4"]:
    x, y, width, height = box
    return np.array([x, y, x + width, y + height])


def _area(annotation: dict, source: Path) -> float:
    try:
        area = float(annotation["area"])
    except (KeyError, TypeError, ValueError):
        area = float("nan")
    if not area > 0:
        number = annotation.get("id")
        raise DataError(f"COCO: {source}: annotation {number} needs an area above 0 for OKS")
    return area

"""COCO keypoints as they lie on disk (Lin et al., 2014), and data sets in the same layout.

    root/annotations/person_keypoints_train2017.json     images, annotations, categories
    root/train2017/000000000139.jpg                      or root/images/train2017/, or root/images/

SyRIP has ``person_keypoints_train200.json`` and ``images/``, a ``posture`` and an ``image_source``
per image. Pixels are 0-based; visibility is 0 unlabelled, 1 occluded, 2 visible, as here. Generated
annotations also hold ``age`` and, in ``infant_joints``, all 25 joints in 2D and 3D.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from Datasets.layouts.coco import PERSON, PREFIX, annotation_file
from Datasets.readers.base import Folders, inside
from Datasets.readers.coco_labels import Fault, Labels, counted, read_labels
from Datasets.skeletons import COCO_17, INFANT, Skeleton
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError
from Engine.reading import load_json, require_folder

_SPLITS = {
    "train": ("train2017", "train2014", "train200", "train"),
    "validation": ("val2017", "val2014", "validate", "val"),
    "test": ("test2017", "test2014", "test"),
}
"""File endings that a part of the data may have, the first that exists counts."""

IMAGE_MISSING = "its file is missing"


@dataclass(frozen=True)
class CocoImage:
    """One image with all its people: what bottom-up training and crowds need.

    Attributes:
        path: the image.
        image_id: its number.
        size: (width, height) pixels.
        people: those with labelled joints.
        others: the other people, without joints; crowds are not among them.
        ignored: segmentations (polygons or RLE), or boxes x, y, w, h, of crowds, of people
            without labelled joints, and of people that are left out; see ``region_mask``.
        empty: whether no person is annotated in it.
        crowds: number of groups that are not labelled one by one.
        about: further attributes of every ``PoseSample`` of it.
    """

    path: Path
    image_id: int
    size: tuple[int, int]
    people: tuple[PoseSample, ...] = ()
    ignored: tuple[Any, ...] = ()
    others: tuple[PoseSample, ...] = ()
    empty: bool = False
    crowds: int = 0
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass
class CocoPart:
    """What an annotation file holds.

    Attributes:
        path: the file.
        skeleton: of the samples.
        images: those that can be used.
        left_out: images and annotations that cannot be used, and why.
        doubtful: annotations that are kept though something in them is wrong.
        missing: images that are not there.
    """

    path: Path
    skeleton: Skeleton
    images: list[CocoImage] = field(default_factory=list)
    left_out: list[Fault] = field(default_factory=list)
    doubtful: list[Fault] = field(default_factory=list)
    missing: list[Path] = field(default_factory=list)

    @property
    def crowds(self) -> int:
        """Number of groups that are not labelled one by one."""
        return sum(image.crowds for image in self.images)

    @property
    def listed(self) -> int:
        """Number of images in the file, those left out too."""
        return len(self.images) + sum(fault.where.startswith("image") for fault in self.left_out)

    def notes(self) -> Iterator[str]:
        """What was left out, and what is doubtful, with numbers; one line each."""
        if self.left_out:
            people = sum(fault.people for fault in self.left_out)
            images = self.listed - len(self.images)
            yield (
                f"{self.path.name}: {people} people and {images} images are left out: "
                f"{counted(self.left_out)}; 'infantpose verify' names them"
            )
        if self.doubtful:
            yield f"{self.path.name}: kept in spite of {counted(self.doubtful)}"


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
    """Open a part of the data set; images stay paths.

    Args:
        root: the folder that holds ``annotations``.
        split: ``train``, ``validation``, ``test``, ``all``, or the ending of an annotation file's
            name, such as ``val2014``.
        skeleton: of the samples, default COCO's own.

    Returns:
        The people, without crowds; people without labelled joints and images without any annotation
        are ``without_joints``. What cannot be used is left out, and counted in the notes.

    Raises:
        DataError: a file is missing, is not in the layout, has another number of joints, or
            nothing in it can be used.
    """
    root, skeleton = require_folder(root, "COCO"), skeleton or COCO_17
    people: list[PoseSample] = []
    without: list[PoseSample] = []
    notes: list[str] = []
    for name in _named(root, split):
        part = read_part(root, name, skeleton)
        others = [other for image in part.images for other in image.others]
        found = [person for image in part.images for person in image.people]
        if not found and not others and any(fault.lost for fault in part.left_out):
            absent = f" ({part.missing[0]})" if part.missing else ""
            raise DataError(
                f"COCO: {part.path}: no person in it can be used: {counted(part.left_out)}{absent};"
                " correct it"
            )
        empty = [
            PoseSample.unlabelled(image.path, skeleton, image_id=image.image_id)
            for image in part.images
            if image.empty
        ]
        people, without, notes = people + found, without + others + empty, notes + [*part.notes()]
    return Dataset("coco", root, skeleton, tuple(people), tuple(notes), tuple(without))


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


def read_part(root: Path | str, split: str, skeleton: Skeleton = COCO_17) -> CocoPart:
    """Read one annotation file image by image, in the file's order; see ``open_coco``.

    Raises:
        DataError: the file is missing, is not in the layout, or has another number of joints.
    """
    root = Path(root)
    part = CocoPart(annotation_file(root, split), skeleton)
    content = load_annotations(part.path)
    by_image = _by_image(content, part)
    numbers = Counter(_key(image.get("id")) for image in content["images"])
    # SPLIT, images/SPLIT or images
    choices = (root / split, root / "images" / split, root / "images")
    folder = next((folder for folder in choices if folder.is_dir()), choices[0])
    folders = Folders()
    for entry in content["images"]:
        where, key = f"image {entry.get('id')}", _key(entry.get("id"))
        annotations = by_image.pop(key, None)
        people = len(annotations or ())
        image = _image(entry, folder, part.path)
        if isinstance(image, str) or numbers[key] > 1:
            what = image if isinstance(image, str) else "the number of another image"
            part.left_out.append(Fault(where, what, people, lost=True))
            continue
        known = len(part.left_out)
        image = _with_people(image, annotations, part)
        if image.path in folders:
            part.images.append(image)
        else:
            part.missing.append(image.path)
            people -= len(part.left_out) - known
            part.left_out.append(Fault(where, IMAGE_MISSING, people, lost=True))
    for strangers in by_image.values():
        part.left_out += [
            Fault(f"annotation {annotation.get('id')}", "its image is not listed", 1, lost=True)
            for annotation in strangers
        ]
    return part


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
        if joints is not None and joints != list(COCO_17.joints):
            raise DataError(
                f"COCO: {path}: the category has joints of another number, other names or order, "
                "expected COCO's 17; correct the file"
            )
    return {_key(category.get("id")) for category in people}


def _key(value: Any) -> Any:
    """A number as a file holds it, or None where it holds something else."""
    return value if isinstance(value, int | float | str) else None


def _by_image(content: dict[str, Any], part: CocoPart) -> dict[Any, list[dict]]:
    """Annotations of people by their image's number; notes what is wrong with any annotation."""
    people = _person_categories(content, part.path)
    listed = {_key(category.get("id")) for category in content["categories"]}
    by_image: dict[Any, list[dict]] = defaultdict(list)
    known = set()
    for annotation in content["annotations"]:
        where, category = f"annotation {annotation.get('id')}", _key(annotation.get("category_id"))
        if category in people:
            by_image[_key(annotation.get("image_id"))].append(annotation)
        elif category not in listed:
            by_image[_key(annotation.get("image_id"))] += []
            part.left_out.append(Fault(where, "its category is not listed", 1, lost=True))
        if where in known:
            part.doubtful.append(Fault(where, "the number of another annotation"))
        known.add(where)
    return by_image


def _image(entry: dict, folder: Path, source: Path) -> CocoImage | str:
    """An image without people, or what is wrong with its entry."""
    try:
        name, image_id = entry["file_name"], int(entry["id"])
        size = int(entry["width"]), int(entry["height"])
    except (KeyError, TypeError, ValueError, OverflowError):
        name, image_id, size = None, 0, (0, 0)
    if not isinstance(name, str) or min(size) < 1:
        return "needs id, file_name, width and height"
    try:
        path = inside(folder, name, source)
    except DataError:
        return "a file_name outside the folder"
    about = {"sequence": entry.get("image_source", ""), "activity": entry.get("posture", "")}
    return CocoImage(path, image_id, size, about={k: str(v) for k, v in about.items()})


def _with_people(image: CocoImage, annotations: Sequence[dict] | None, part: CocoPart) -> CocoImage:
    """Add the people of an image; notes what is wrong with their annotations."""
    people: list[PoseSample] = []
    others: list[PoseSample] = []
    ignored, crowds = [], 0
    for annotation in annotations or ():
        labels, where = read_labels(annotation, image.size), f"annotation {annotation.get('id')}"
        bare = not labels.visibility.any()
        part.doubtful += [Fault(where, what) for what in labels.doubts]
        if (bare or labels.crowd or labels.faults) and labels.region is not None:
            ignored.append(labels.region)
        if labels.faults:
            part.left_out.append(Fault(where, " and ".join(labels.faults), 1, labels.labelled))
        elif labels.crowd:
            crowds += 1
        else:
            person = PoseSample.unlabelled(
                image.path,
                part.skeleton,
                box_xyxy=labels.box_xyxy,
                image_id=image.image_id,
                annotation_id=annotation.get("id"),
                age=str(annotation.get("age", "")),
                **image.about,
            )
            (others if bare else people).append(person if bare else _labelled(person, labels))
    return replace(
        image,
        people=tuple(people),
        others=tuple(others),
        ignored=tuple(ignored),
        empty=annotations is None,
        crowds=crowds,
    )


def _labelled(person: PoseSample, labels: Labels) -> PoseSample:
    """Add the labelled joints of a person."""
    if person.skeleton == INFANT and labels.all_joints:
        return replace(person, area_px=labels.area_px, **labels.all_joints)
    own = replace(
        person,
        skeleton=COCO_17,
        area_px=labels.area_px,
        keypoints_px=labels.keypoints_px,
        visibility=labels.visibility,
    )
    return own.to(person.skeleton)


def annotation_files(root: Path, split: str) -> list[Path]:
    """The annotation files that a split stands for.

    Raises:
        DataError: the folder has no such split.
    """
    return [annotation_file(root, name) for name in _named(root, split)]

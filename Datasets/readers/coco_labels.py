"""One annotation of a COCO file, checked: the same for reading, verifying and cropping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from Datasets.geometry.boxes import box_fault
from Datasets.layouts.coco import ALL_JOINTS
from Datasets.skeletons import COCO_17, INFANT
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE

FARTHEST = 0.5
"""A labelled joint lies outside the image by at most this share of the image's longer side."""

NO_AREA = "no area above 0, which AP alone needs"


@dataclass(frozen=True)
class Fault:
    """Something in an annotation file that is left out, or is kept though it is doubtful.

    Attributes:
        where: such as ``annotation 17`` or ``image 3``.
        what: what is wrong, without a number, so that like faults can be counted.
        people: annotations that are left out for it.
        lost: whether an image or labelled joints are left out with it.
    """

    where: str
    what: str
    people: int = 0
    lost: bool = False


def counted(faults: Sequence[Fault]) -> str:
    """Name each kind of fault once, with its number."""
    kinds = Counter(fault.what for fault in faults)
    return ", ".join(f"{what} ({number})" for what, number in kinds.most_common())


@dataclass(frozen=True)
class Labels:
    """Labels of a person or a crowd in an annotation.

    Attributes:
        crowd: a group that is not labelled one by one; only its region counts.
        keypoints_px: pixels; NaN where unlabelled.
        visibility: 0 unlabelled, 1 occluded, 2 visible.
        box_xyxy: pixels, or None where it cannot be used.
        area_px: square pixels, or None where it is no number above 0.
        region: segmentation, else x, y, width, height of the box, or None without either.
        all_joints: attributes of a ``PoseSample`` of the skeleton ``infant``; empty where the
            annotation was not generated.
        faults: why the person is left out; empty when the labels can be used.
        doubts: what else is wrong; the person is kept.
        readable: whether ``visibility`` is what the file says.
    """

    crowd: bool
    keypoints_px: Float[np.ndarray, "17 2"]
    visibility: UInt8[np.ndarray, "17"]
    box_xyxy: Float[np.ndarray, "4"] | None
    area_px: float | None
    region: Any
    all_joints: dict[str, Any]
    faults: tuple[str, ...]
    doubts: tuple[str, ...]
    readable: bool = True

    @property
    def labelled(self) -> bool:
        """Whether it is a person with labelled joints, readable or not."""
        return not self.crowd and (not self.readable or bool(self.visibility.any()))


def read_labels(annotation: dict, size: tuple[int, int]) -> Labels:
    """Read one annotation, find everything that is wrong with it, raise nothing.

    Args:
        annotation: as the file holds it.
        size: (width, height) of its image in pixels.
    """
    rows, keypoint_faults = _keypoints(annotation, size)
    box, box_faults = _box(annotation, size)
    seen, crowd = rows[:, 2] > 0, annotation.get("iscrowd") or 0
    region = annotation.get("segmentation") or _numbers(annotation.get("bbox"), 4)
    stated, area = annotation.get("num_keypoints"), _positive(annotation.get("area"))
    faults = [*keypoint_faults, *box_faults]
    more: dict[str, Any] = {}
    try:
        more = _all_joints(annotation[ALL_JOINTS]) if ALL_JOINTS in annotation else {}
    except (KeyError, TypeError, ValueError, OverflowError):
        faults.append(f"damaged {ALL_JOINTS}")
    if crowd not in (0, 1):
        faults.append("iscrowd is neither 0 nor 1")
    elif crowd:
        faults = ["a crowd without segmentation and bbox"] if region is None else []
    doubts = [NO_AREA] if area is None and seen.any() and not crowd else []
    if stated is not None and not keypoint_faults and stated != int(seen.sum()):
        doubts.append("num_keypoints is another than its keypoints say")
    return Labels(
        crowd=crowd == 1,
        keypoints_px=np.where(seen[:, None], rows[:, :2], np.nan),
        visibility=rows[:, 2].astype(np.uint8),
        box_xyxy=box,
        area_px=area,
        region=region,
        all_joints=more,
        faults=tuple(faults),
        doubts=() if faults else tuple(doubts),
        readable=not keypoint_faults,
    )


def far_outside(
    points_px: Float[np.ndarray, "n 2"], size: tuple[int, int]
) -> Bool[np.ndarray, "n"]:
    """Whether points lie farther outside an image of (width, height) than a label may."""
    outside = np.maximum(-points_px, points_px - np.array(size))
    return (outside > FARTHEST * max(size)).any(axis=1)


def _keypoints(
    annotation: dict, size: tuple[int, int]
) -> tuple[Float[np.ndarray, "17 3"], list[str]]:
    """x, y, visibility; all 0 where the file has none or has a fault."""
    nothing = np.zeros((len(COCO_17), 3))
    values = annotation.get("keypoints") or nothing.ravel().tolist()
    rows = _numbers(values)
    if rows is None:
        return nothing, ["keypoints are not numbers"]
    if rows.shape != (nothing.size,):
        return nothing, [f"another number of keypoint values than {nothing.size}"]
    rows = rows.reshape(-1, 3)
    if not np.isfinite(rows).all():
        return nothing, ["a keypoint is not a finite number"]
    if not np.isin(rows[:, 2], (UNLABELLED, OCCLUDED, VISIBLE)).all():
        return nothing, ["a visibility is not 0, 1 or 2"]
    if far_outside(rows[rows[:, 2] > 0, :2], size).any():
        return nothing, ["a keypoint far outside the image"]
    return rows, []


def _box(
    annotation: dict, size: tuple[int, int]
) -> tuple[Float[np.ndarray, "4"] | None, list[str]]:
    values = _numbers(annotation.get("bbox"), 4)
    if values is None:
        return None, ["no bbox of four finite numbers"]
    box = np.array([*values[:2], *(values[:2] + values[2:])])
    fault = box_fault(box, size)
    return (None, [fault]) if fault else (box, [])


def _all_joints(values: dict) -> dict[str, Any]:
    """What generated annotations hold beyond COCO: all joints in 2D and 3D, and the camera."""
    arrays = {
        key: np.array(values[key], dtype=np.float64).reshape(rows, 3)
        for key, rows in (("keypoints", len(INFANT)), ("joints_mm", len(INFANT)), ("intrinsics", 3))
    }
    if not all(np.isfinite(rows).all() for rows in arrays.values()):
        raise ValueError("a number is not finite")
    rows = arrays["keypoints"]
    return {
        "keypoints_px": np.where(rows[:, 2:] > 0, rows[:, :2], np.nan),
        "visibility": rows[:, 2].astype(np.uint8),
        "joints_mm": arrays["joints_mm"],
        "intrinsics": arrays["intrinsics"],
    }


def _numbers(values: Any, finite: int | None = None) -> np.ndarray | None:
    """A list as numbers; None where it is another, or has not ``finite`` finite ones."""
    try:
        found = np.array(values if isinstance(values, list) else None, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    wanted = finite is None or (found.shape == (finite,) and np.isfinite(found).all())
    return found if wanted and found.ndim else None


def _positive(value: Any) -> float | None:
    number = _numbers([value], 1)
    return float(number[0]) if number is not None and number[0] > 0 else None

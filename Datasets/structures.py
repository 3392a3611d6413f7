"""What the other modules exchange: samples, frames, crops and data sets.

Pixels are 0-based with the pixel's centre at its integer coordinate. Millimetres are in the camera
frame (x right, y down, z forward). Missing joints have visibility 0 and NaN coordinates, never a
sentinel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from Datasets.geometry.affine import rotation, scale_of, scaling, transform_points, translation
from Datasets.skeletons import Skeleton
from Datasets.skeletons.convert import joint_map

UNLABELLED, OCCLUDED, VISIBLE = 0, 1, 2
"""Values of ``visibility``, as in COCO."""

Modality = Literal["rgb", "infrared", "depth", "thermal", "pressure"]
"""What an image shows: ``infrared`` is reflected light, ``thermal`` is warmth."""
Cover = Literal["", "none", "thin", "thick"]
"""How the person is covered: empty when unknown, a thin sheet, a thick blanket."""


@dataclass(frozen=True)
class PoseSample:
    """One labelled person in one image.

    Attributes:
        image_path: the image, or the video that holds it (then ``video_frame`` says where).
        skeleton: convention of every per-joint array.
        keypoints_px: (joint, 2) pixels; NaN where unlabelled.
        visibility: (joint,) 0 unlabelled, 1 occluded, 2 visible.
        joints_mm: (joint, 3) millimetres, camera frame, or None without 3D labels.
        box_xyxy: (4,) box of the person in pixels, or None.
        intrinsics: (3, 3) pixels, or None when unknown.
        mask_path: foreground mask, or None.
        sequence: name of the sequence or subject.
        frame: number within the sequence.
        head_length_px, head_length_mm: this sequence's own head lengths, or None.
        head_box_xyxy: (4,) box of the head in pixels (MPII), or None.
        area_px: area of the person that OKS divides by, square pixels, or None.
        image_id, annotation_id: numbers in the data set's own annotations, or None.
        activity: what the person does, or the posture, in the data set's words.
        age: ``infant``, ``toddler``, ``child``, ``adult`` or ``elder``; empty when unknown.
        video_frame: position in the video from 0, or None when the image is a file of its own.
        modality: what the image shows.
        cover: how the person is covered.
    """

    image_path: Path
    skeleton: Skeleton
    keypoints_px: Float[np.ndarray, "joint 2"]
    visibility: UInt8[np.ndarray, "joint"]
    joints_mm: Float[np.ndarray, "joint 3"] | None = None
    box_xyxy: Float[np.ndarray, "4"] | None = None
    intrinsics: Float[np.ndarray, "3 3"] | None = None
    mask_path: Path | None = None
    sequence: str = ""
    frame: int = 0
    head_length_px: float | None = None
    head_length_mm: float | None = None
    head_box_xyxy: Float[np.ndarray, "4"] | None = None
    area_px: float | None = None
    image_id: int | None = None
    annotation_id: int | None = None
    activity: str = ""
    age: str = ""
    video_frame: int | None = None
    modality: Modality = "rgb"
    cover: Cover = ""

    @classmethod
    def unlabelled(cls, image_path: Path, skeleton: Skeleton, **known: Any) -> PoseSample:
        """Make a sample without joints.

        Args:
            image_path: see the class.
            skeleton: see the class.
            known: other attributes.
        """
        joints = len(skeleton)
        nowhere = np.full((joints, 2), np.nan)
        return cls(image_path, skeleton, nowhere, np.full(joints, UNLABELLED, np.uint8), **known)

    def to(self, skeleton: Skeleton) -> PoseSample:
        """Return the sample in another skeleton; joints that its own lacks are unlabelled."""
        if skeleton == self.skeleton:
            return self
        mapping = joint_map(self.skeleton, skeleton)
        return replace(
            self,
            skeleton=skeleton,
            keypoints_px=mapping.apply(self.keypoints_px),
            visibility=mapping.apply(self.visibility[:, None], fill=0)[:, 0].astype(np.uint8),
            joints_mm=None if self.joints_mm is None else mapping.apply(self.joints_mm),
        )


class OnDemand(Sequence[PoseSample]):
    """Samples that are made when they are asked for."""

    def __init__(self, make: Callable[[int], PoseSample], order: range) -> None:
        """Bind a maker of samples to its positions.

        Args:
            make: gives the sample at a position.
            order: positions of the samples.
        """
        self.make, self.order = make, order

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return OnDemand(self.make, self.order[index])
        return self.make(self.order[index])


@dataclass(frozen=True)
class Frame:
    """One frame of an input, or the reason why it could not be read.

    Attributes:
        source: path of the photo or video.
        index: position in the video, from 0; 0 for a photo.
        time_s: seconds since the video's first frame, from its time stamps; 0 for a photo.
        image: upright RGB, or None when unreadable.
        error: one line saying what is wrong, or None.
        notes: what was changed or found while reading, one line each.
        full_size: (width, height) of the upright picture when ``image`` is a reduced one, or None.
        boxes_xyxy: (person, 4) true boxes in pixels, for an evaluation; or None.
        intrinsics: (3, 3) pixels, or None when unknown.
        still: a photo, not a frame of a video.
    """

    source: str
    index: int
    time_s: float
    image: Image.Image | None
    error: str | None = None
    notes: tuple[str, ...] = ()
    full_size: tuple[int, int] | None = None
    boxes_xyxy: Float[np.ndarray, "person 4"] | None = None
    intrinsics: Float[np.ndarray, "3 3"] | None = None
    still: bool = False


@dataclass(frozen=True)
class Crop:
    """A square view of an image: the matrix that made it is also the way back.

    Attributes:
        matrix: (3, 3) affine, image pixels to crop pixels.
        size: (width, height) of the crop in pixels.
    """

    matrix: Float[np.ndarray, "3 3"]
    size: tuple[int, int]

    @classmethod
    def around(
        cls,
        box_xyxy: Float[np.ndarray, "4"],
        size: int,
        margin: float = 1.25,
        degrees: float = 0.0,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> Crop:
        """Square crop centred on a box, its longer side times ``margin`` filling ``size`` pixels.

        Args:
            box_xyxy: (4,) pixels.
            size: side of the square crop in pixels.
            margin: crop side over the box's longer side.
            degrees: the content turns by this angle, positive clockwise.
            shift: offset of the centre in fractions of the box's longer side.
        """
        x1, y1, x2, y2 = (float(v) for v in box_xyxy)
        side = max(x2 - x1, y2 - y1, 1.0)
        centre = ((x1 + x2) / 2 + shift[0] * side, (y1 + y2) / 2 + shift[1] * side)
        to_centre = translation((size - 1) / 2, (size - 1) / 2)
        matrix = to_centre @ rotation(degrees) @ scaling(size / (side * margin))
        return cls(matrix @ translation(-centre[0], -centre[1]), (size, size))

    def then(self, matrix: Float[np.ndarray, "3 3"]) -> Crop:
        """Return the crop followed by one more step on crop pixels (a flip, say)."""
        return Crop(matrix @ self.matrix, self.size)

    def to_crop(self, points_px: np.ndarray) -> np.ndarray:
        """Image pixels (..., 2) to crop pixels."""
        return transform_points(self.matrix, points_px)

    def to_image(self, points_px: np.ndarray) -> np.ndarray:
        """Crop pixels (..., 2) to image pixels."""
        return transform_points(np.linalg.inv(self.matrix), points_px)

    def intrinsics(self, intrinsics: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
        """Intrinsics of the crop as a camera."""
        return self.matrix @ intrinsics

    @property
    def scale(self) -> float:
        """Crop pixels per image pixel."""
        return scale_of(self.matrix)


@dataclass(frozen=True)
class Dataset:
    """Samples with one skeleton: what every reader returns.

    Attributes:
        name: data set identifier, such as ``mini_rgbd``.
        root: the folder it was read from.
        skeleton: convention of all samples.
        samples: in a fixed order (sequence, frame); made on demand where there are very many.
        notes: remarks of the reader for the user, one line each.
        without_joints: for detectors: people with a box but without labelled joints and, without a
            box, images without a person.
    """

    name: str
    root: Path
    skeleton: Skeleton
    samples: Sequence[PoseSample]
    notes: tuple[str, ...] = ()
    without_joints: tuple[PoseSample, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    def to(self, skeleton: Skeleton | None) -> Dataset:
        """Return the data set in another skeleton; None keeps its own."""
        if skeleton is None or skeleton == self.skeleton:
            return self
        parts = (self.samples, self.without_joints)
        samples, bare = (tuple(sample.to(skeleton) for sample in part) for part in parts)
        return replace(self, skeleton=skeleton, samples=samples, without_joints=bare)

"""What the pipeline returns and every writer takes.

Pixels belong to the upright frame, x right, y down; millimetres are in camera axes (x right, y
down, z forward). Left and right are the infant's own. A missing joint has NaN coordinates and score
0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float

from Datasets.geometry.affine import resize_matrix, scale_of, transform_points
from Datasets.skeletons import Skeleton

NOTICE = "research tool, not a medical device"
"""Printed in every output."""

ASSUMED = "ASSUMED"
"""Marks what was neither given nor measured."""


_TRUNK = ("head_top", "upper_neck", "thorax", "pelvis")
_LEG = ("hip", "knee", "ankle")


def _moved_box(
    matrix: Float[np.ndarray, "3 3"], box_xyxy: Float[np.ndarray, "4"]
) -> Float[np.ndarray, "4"]:
    return transform_points(matrix, box_xyxy.reshape(2, 2)).ravel()


@dataclass(frozen=True)
class InfantPose:
    """One infant in one frame.

    Attributes:
        track_id: the same infant keeps its number throughout one video; from 1.
        box_xyxy: (4,) pixels.
        box_score: the detector's confidence, 0 to 1.
        keypoints_px: (joint, 2) pixels.
        keypoint_scores: (joint,) confidence, 0 to 1.
        sigma_px: (joint,) standard deviation of the 2D position, pixels per axis.
        joints_mm: (joint, 3) pelvis-relative, camera axes; NaN until the pose is lifted.
        sigma_mm: (joint,) standard deviation of the 3D position, mm per axis; NaN until lifted.
        root_mm: (3,) the pelvis in the camera frame, or None when it cannot be placed.
        depth_px: (joint,) behind the pelvis as the 2D network sees it, pixels, or None.
    """

    track_id: int
    box_xyxy: Float[np.ndarray, "4"]
    box_score: float
    keypoints_px: Float[np.ndarray, "joint 2"]
    keypoint_scores: Float[np.ndarray, "joint"]
    sigma_px: Float[np.ndarray, "joint"]
    joints_mm: Float[np.ndarray, "joint 3"]
    sigma_mm: Float[np.ndarray, "joint"]
    root_mm: Float[np.ndarray, "3"] | None = None
    depth_px: Float[np.ndarray, "joint"] | None = None

    @classmethod
    def in_image(cls, keypoints_px: Float[np.ndarray, "joint 2"], **known: Any) -> InfantPose:
        """Make a pose that is not lifted yet.

        Args:
            keypoints_px: see the class.
            known: the other attributes that belong to the image.
        """
        joints = len(keypoints_px)
        joints_mm, sigma_mm = np.full((joints, 3), np.nan), np.full(joints, np.nan)
        return cls(keypoints_px=keypoints_px, joints_mm=joints_mm, sigma_mm=sigma_mm, **known)

    def moved(self, matrix: Float[np.ndarray, "3 3"]) -> InfantPose:
        """The same in other pixels, of which ``matrix`` is made without turning."""
        scale, depth_px = scale_of(matrix), self.depth_px
        return replace(
            self,
            box_xyxy=_moved_box(matrix, self.box_xyxy),
            keypoints_px=transform_points(matrix, self.keypoints_px),
            sigma_px=self.sigma_px * scale,
            depth_px=None if depth_px is None else depth_px * scale,
        )

    def size_mm(self, skeleton: Skeleton) -> float:
        """Length of the chain from crown over pelvis to ankle, mean of both legs; NaN if open.

        One camera knows the pose over this length better than the length: that is an assumption.
        """
        legs = [[f"{side}_{part}" for part in _LEG] for side in ("left", "right")]
        trunk, *lengths = (self._path_mm(skeleton, path) for path in (_TRUNK, *legs))
        return trunk + float(np.mean(lengths))

    def _path_mm(self, skeleton: Skeleton, joints: Sequence[str]) -> float:
        if not set(joints) <= set(skeleton.joints):
            return float("nan")
        points = self.joints_mm[skeleton.indices(list(joints))]
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


@dataclass(frozen=True)
class Adult:
    """A carer, or anybody else who is no infant: a box and no pose.

    Attributes:
        box_xyxy: (4,) pixels.
        box_score: the detector's confidence, 0 to 1.
    """

    box_xyxy: Float[np.ndarray, "4"]
    box_score: float


@dataclass(frozen=True)
class People:
    """Who was found in a picture, best first.

    Attributes:
        infants: with their poses.
        adults: None when the detector knows infants only.
        suspected_xyxy: (k, 4) boxes of everybody whom the detector so much as suspects, or None.
    """

    infants: tuple[InfantPose, ...] = ()
    adults: tuple[Adult, ...] | None = None
    suspected_xyxy: Float[np.ndarray, "k 4"] | None = None


@dataclass(frozen=True)
class FrameResult:
    """One frame: its infants, none when none was found, or the reason why it could not be read.

    Attributes:
        source: path of the photo or video.
        index: position in the video, from 0.
        time_s: seconds since the video's first frame.
        width, height: of the upright frame in pixels, None when unreadable.
        infants: best first.
        error: one line saying what failed, or None.
        adults: best first; None when the detector knows infants only, or the frame is unreadable.
        suspected_xyxy: (k, 4) boxes of everybody whom the detector so much as suspects, for blurred
            faces; not written to files.
        notes: what was changed or found while reading, one line each.
        full_size: (width, height) of the picture when ``width``, ``height`` and all pixels are
            still of a reduced one, or None; see ``in_full_size``.
    """

    source: str
    index: int
    time_s: float
    width: int | None
    height: int | None
    infants: tuple[InfantPose, ...] = ()
    error: str | None = None
    adults: tuple[Adult, ...] | None = None
    suspected_xyxy: Float[np.ndarray, "k 4"] | None = None
    notes: tuple[str, ...] = ()
    full_size: tuple[int, int] | None = None

    def in_full_size(self) -> FrameResult:
        """The same in pixels of the full picture."""
        if self.full_size is None:
            return self
        matrix = resize_matrix((self.width, self.height), self.full_size)
        boxed = partial(_moved_box, matrix)
        return replace(
            self,
            width=self.full_size[0],
            height=self.full_size[1],
            infants=tuple(infant.moved(matrix) for infant in self.infants),
            adults=None
            if self.adults is None
            else tuple(replace(adult, box_xyxy=boxed(adult.box_xyxy)) for adult in self.adults),
            suspected_xyxy=None,
            full_size=None,
        )


@dataclass(frozen=True)
class PoseResult:
    """All frames of a prediction and what is needed to judge them.

    Attributes:
        frames: every frame of every input, in order.
        skeleton: convention of every per-joint array.
        model: name, sha256 of each network, versions.
        quality: how often an infant was found, how confidently, frame rate, duration.
        assumptions: what had to be assumed about the camera and the infant's size.
        complete: false when something could not be read.
    """

    frames: tuple[FrameResult, ...]
    skeleton: Skeleton
    model: dict[str, Any]
    quality: dict[str, Any]
    assumptions: dict[str, Any]
    complete: bool

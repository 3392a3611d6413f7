"""What the predictor returns and every writer takes.

Pixels belong to the upright frame, x right, y down; millimetres are in camera axes (x right, y
down, z forward). Left and right are the infant's own. A missing joint has NaN coordinates and score
0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float

from Datasets.geometry.affine import resize_matrix, scale_of, transform_points
from Datasets.skeletons import Skeleton
from Datasets.structures import Frame
from Engine.errors import DataError, one_line, required
from PoseEstimation.structures import Found

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
        intrinsics: (3, 3) pixels of the full picture where the frame itself has them, or None.
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
    intrinsics: Float[np.ndarray, "3 3"] | None = None

    @classmethod
    def of(cls, frame: Frame, found: Found | None, track_ids: Sequence[int]) -> FrameResult:
        """Make the result of a frame; its poses are not lifted.

        Args:
            frame: what was read.
            found: its people; None where the frame failed.
            track_ids: one per infant.
        """
        width, height = (None, None) if frame.image is None else frame.image.size
        return cls(
            source=frame.source,
            index=frame.index,
            time_s=frame.time_s,
            width=width,
            height=height,
            infants=() if found is None else tuple(_poses(found, track_ids)),
            error=None if frame.error is None else one_line(frame.error),
            adults=None if found is None else _adults(found),
            suspected_xyxy=None if found is None else found.suspected_xyxy,
            notes=frame.notes,
            full_size=None if frame.image is None else frame.full_size,
            intrinsics=frame.intrinsics,
        )

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the upright frame, pixels.

        Raises:
            DataError: it is unreadable.
        """
        what = f"{self.source}: the size of a frame"
        return required(self.width, what), required(self.height, what)

    def in_full_size(self) -> FrameResult:
        """The same in pixels of the full picture."""
        if self.full_size is None or self.width is None or self.height is None:
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


def _poses(found: Found, track_ids: Sequence[int]) -> Iterator[InfantPose]:
    """The infants of a frame with their 2D joints."""
    for i, track_id in enumerate(track_ids):
        yield InfantPose.in_image(
            track_id=track_id,
            box_xyxy=found.boxes_xyxy[i],
            box_score=float(found.scores[i]),
            keypoints_px=found.keypoints.keypoints_px[i],
            keypoint_scores=found.keypoints.scores[i],
            sigma_px=found.keypoints.sigma_px[i],
            depth_px=found.keypoints.depth_px[i],
        )


def _adults(found: Found) -> tuple[Adult, ...] | None:
    """The adults of a frame, where the detector knows any."""
    if found.adults_xyxy is None or found.adult_scores is None:
        return None
    pairs = zip(found.adults_xyxy, found.adult_scores, strict=True)
    return tuple(Adult(np.asarray(box, np.float64), float(score)) for box, score in pairs)


@dataclass(frozen=True)
class PoseResult:
    """All frames of a prediction and what is needed to judge them.

    Attributes:
        frames: every frame of every input, in order.
        skeleton: convention of every per-joint array.
        model: name, sha256 of each network, versions.
        quality: how often and how confidently an infant was found, frame rate, duration.
        assumptions: what had to be assumed about the camera and the infant's size.
    """

    frames: tuple[FrameResult, ...]
    skeleton: Skeleton
    model: dict[str, Any]
    quality: dict[str, Any]
    assumptions: dict[str, Any]

    @property
    def complete(self) -> bool:
        """False when something of a frame failed."""
        return all(frame.error is None for frame in self.frames)

    @property
    def track_ids(self) -> tuple[int, ...]:
        """Numbers of the infants, ascending; photos and videos each count from 1."""
        return tuple(sorted({infant.track_id for f in self.frames for infant in f.infants}))

    @property
    def joints_mm(self) -> Float[np.ndarray, "frame person joint 3"]:
        """Pelvis-relative joints, mm, camera axes; people by ``track_ids``, NaN where absent."""
        people = {number: i for i, number in enumerate(self.track_ids)}
        joints = np.full((len(self.frames), len(people), len(self.skeleton), 3), np.nan)
        for row, frame in zip(joints, self.frames, strict=True):
            for infant in frame.infants:
                row[people[infant.track_id]] = infant.joints_mm
        return joints

    def to_pandas(self) -> Any:
        """The tidy table of ``poses.csv`` as a pandas ``DataFrame``, missing numbers as NaN.

        Raises:
            DataError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise DataError("to_pandas: pandas is not installed; pip install pandas") from None
        return pandas.DataFrame(tidy_rows(self.frames, self.skeleton))


def tidy_rows(frames: Iterable[FrameResult], skeleton: Skeleton) -> Iterator[dict[str, Any]]:
    """One row per joint of one infant in one frame; a frame without infants has empty rows."""
    for frame in frames:
        where = {"source": frame.source, "index": frame.index}
        for infant in frame.infants:
            columns = (infant.keypoints_px, infant.keypoint_scores)
            values = np.column_stack([*columns, infant.joints_mm, infant.sigma_mm])
            for joint, row in zip(skeleton.joints, values, strict=True):
                known = dict(zip(MEASURES, row.tolist(), strict=True))
                start = {"time_s": frame.time_s, "track_id": infant.track_id, "joint": joint}
                yield {**start, **known, **where}
        if not frame.infants:
            for joint in skeleton.joints:
                start = {"time_s": frame.time_s, "track_id": None, "joint": joint}
                yield {**start, **dict.fromkeys(MEASURES, float("nan")), **where}


MEASURES = ("x_px", "y_px", "score", "x_mm", "y_mm", "z_mm", "sigma_mm")
"""Columns of numbers in ``poses.csv``."""

"""Faces made unrecognisable before anything is drawn.

What is blurred, in doubt more than needed:

- of an infant with a pose: a circle about the head, where enough of the face's joints are sure and
  lie as a head's do; else the whole box;
- of anybody else whom the detector so much as suspects (adults, infants that are not reported): the
  whole box, since no joints are known. A suspected box that all but coincides with that of an
  infant whose face is sure is this infant;
- through gaps in a video: where an infant's face was last seen, until the infant is seen again or
  the track ends; where somebody else was suspected, for ``OTHERS_GAP_S``. Both grow with time;
- in a frame without an infant: everything.

What stays visible: people whom the detector does not suspect at all, such as those whom it has not
seen yet, because a video is drawn as it is read; and a second face inside the box of an infant
whose own face is sure, where the detector takes both for one person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw, ImageFilter

from Datasets.geometry.boxes import iou
from Datasets.skeletons import Skeleton
from PoseEstimation.result import FrameResult, InfantPose

SURE, LEAST_JOINTS = 0.5, 4
"""Score of a joint, and joints of a face, that are enough to trust."""

HEAD = {
    "nose": (0.0, -0.49, -0.12),
    "left_eye": (0.16, -0.36, -0.02),
    "right_eye": (-0.16, -0.36, -0.02),
    "left_ear": (0.42, 0.07, -0.07),
    "right_ear": (-0.42, 0.07, -0.07),
    "head_top": (0.0, -0.06, 0.46),
    "upper_neck": (-0.02, 0.21, -0.46),
}
"""Joints left, back and up of the middle of a generated infant's head, over the head's height."""

REACH = 0.75
"""Radius of the circle over the head's height: about any four of the joints, the face is inside."""

PLAUSIBLE = (0.08, 0.5)
"""Radius of the circle over the longer side of the infant's box."""

BOX_MARGIN = 0.1
"""By how much a box is widened, over its longer side."""

BLUR_SHARE, LEAST_BLUR_PX = 0.25, 3.0
"""Standard deviation of the blur over the radius of the area, and the least."""

SAME_IOU = 0.5
"""Boxes that overlap by more are one person's."""

MAX_GAP_S, OTHERS_GAP_S = 2.0, 1.0
GROWTH_PER_S = 0.5
"""By how much an area is widened in a gap, over its longer side and seconds."""


@dataclass(frozen=True)
class Area:
    """A box to blur, or the ellipse in it.

    Attributes:
        box_xyxy: (4,) image pixels; may reach beyond the image.
        round: blur the ellipse only.
    """

    box_xyxy: Float[np.ndarray, "4"]
    round: bool = False

    @property
    def radius(self) -> float:
        """Of a circle, or half a box's diagonal, in pixels."""
        sides = self.box_xyxy[2:] - self.box_xyxy[:2]
        return float(sides.max() if self.round else np.hypot(*sides)) / 2

    def widened(self, share: float) -> Area:
        """Wider and higher by a share of the longer side."""
        margin = share / 2 * float((self.box_xyxy[2:] - self.box_xyxy[:2]).max())
        return replace(self, box_xyxy=self.box_xyxy + margin * np.array([-1, -1, 1, 1]))


@dataclass(frozen=True)
class _Seen:
    """Where somebody was seen last."""

    areas: tuple[Area, ...]
    time_s: float

    def by(self, time_s: float) -> list[Area]:
        """Where the face may be by now."""
        growth = GROWTH_PER_S * max(0.0, time_s - self.time_s)
        return [a.widened(growth if a.round else growth + BOX_MARGIN) for a in self.areas]

    def scaled(self, factor: Float[np.ndarray, "4"]) -> _Seen:
        return replace(
            self, areas=tuple(replace(a, box_xyxy=a.box_xyxy * factor) for a in self.areas)
        )


class FaceBlur:
    """Blurs the faces in a photo, or in a video's frames in order of time.

    Args:
        skeleton: convention of the joints.
        max_gap_s: seconds for which an infant's face stays blurred where it was last seen.
    """

    def __init__(self, skeleton: Skeleton, max_gap_s: float = MAX_GAP_S) -> None:
        self._skeleton, self._max_gap_s = skeleton, max_gap_s
        self._infants: dict[int, _Seen] = {}
        self._others: list[_Seen] = []
        self._size = (0, 0)

    def __call__(self, image: Image.Image, frame: FrameResult) -> Image.Image:
        """Return an RGB copy in which no face can be recognised; the module says of whom.

        Args:
            image: the upright frame.
            frame: its result.
        """
        self._scale_to(image.size)
        areas = self._areas(frame)
        if not frame.infants or not all(np.isfinite(area.box_xyxy).all() for area in areas):
            areas = [Area(np.array([0.0, 0.0, *image.size]))]
        return blurred(image, areas)

    def _areas(self, frame: FrameResult) -> list[Area]:
        """Areas of those in the frame, and of those whom it misses; remembers both."""
        now, seen, sure = frame.time_s, {}, []
        for infant in frame.infants:
            areas = head_areas(infant, self._skeleton)
            seen[infant.track_id] = _Seen(areas, now)
            if all(area.round for area in areas):
                sure.append(infant.box_xyxy)
        others = _others(frame, np.array(sure).reshape(-1, 4))
        here = [*others, *sure]
        old = {n: s for n, s in self._infants.items() if now - s.time_s <= self._max_gap_s}
        gone = [
            s
            for s in self._others
            if now - s.time_s <= OTHERS_GAP_S and not _among(s.areas[0].box_xyxy, here)
        ]
        self._infants = old | seen
        self._others = gone + [_Seen((Area(box),), now) for box in others]
        return [a for s in chain(self._infants.values(), self._others) for a in s.by(now)]

    def _scale_to(self, size: tuple[int, int]) -> None:
        """Carry what is remembered over to frames of another size."""
        if self._size != size and (self._infants or self._others):
            factor = np.tile(np.divide(size, self._size), 2)
            self._infants = {n: s.scaled(factor) for n, s in self._infants.items()}
            self._others = [s.scaled(factor) for s in self._others]
        self._size = size


def head_areas(infant: InfantPose, skeleton: Skeleton) -> tuple[Area, ...]:
    """Where an infant's face is: one round area where that is sure, else the box and all guesses.

    Args:
        infant: with a box and joints in pixels.
        skeleton: convention of the joints.
    """
    box = Area(np.asarray(infant.box_xyxy, dtype=np.float64))
    points, places = _sure_points(infant, skeleton, HEAD), list(HEAD.values())
    sure = np.isfinite(points).all(axis=1)
    if sure.sum() < LEAST_JOINTS:
        return (box,)
    head = _circle(points[sure], np.array(places)[sure])
    fits = _fits(head, points[sure], box) and _on_shoulders(head, infant, skeleton)
    return (head,) if fits else (box, replace(head, round=False))


def _sure_points(
    infant: InfantPose, skeleton: Skeleton, joints: Iterable[str]
) -> Float[np.ndarray, "n 2"]:
    """Pixels of joints; NaN for one that is unsure or not in the skeleton."""
    points = np.where(infant.keypoint_scores[:, None] >= SURE, infant.keypoints_px, np.nan)
    nowhere = np.full(2, np.nan)
    known = skeleton.joints
    return np.array([points[known.index(j)] if j in known else nowhere for j in joints])


def _circle(points: Float[np.ndarray, "n 2"], places: Float[np.ndarray, "n 3"]) -> Area:
    """About the joints, as large as the head whose two least foreshortened joints they hold."""
    apart, truly = (np.linalg.norm(p[:, None] - p, axis=-1) for p in (points, places))
    radius = REACH * float((apart / (truly + np.eye(len(places)))).max())
    centre = points.mean(axis=0)
    return Area(np.concatenate([centre - radius, centre + radius]), round=True)


def _fits(head: Area, points: Float[np.ndarray, "n 2"], box: Area) -> bool:
    """Whether a head is as large as a box lets expect, and its joints are inside."""
    x1, y1, x2, y2 = box.widened(2 * BOX_MARGIN).box_xyxy
    side = float((box.box_xyxy[2:] - box.box_xyxy[:2]).max())
    inside = (points >= [x1, y1]).all() and (points <= [x2, y2]).all()
    return bool(inside and PLAUSIBLE[0] * side <= head.radius <= PLAUSIBLE[1] * side)


def _on_shoulders(head: Area, infant: InfantPose, skeleton: Skeleton) -> bool:
    """Whether a head is nearer to the shoulders than to the hips, as far as these are sure."""
    middle = (head.box_xyxy[:2] + head.box_xyxy[2:]) / 2
    shoulders, hips = (
        _sure_points(infant, skeleton, (f"left_{part}", f"right_{part}")) - middle
        for part in ("shoulder", "hip")
    )
    far = np.linalg.norm(shoulders, axis=1).max() > np.linalg.norm(hips, axis=1).min()
    return not far


def _others(frame: FrameResult, infants: Float[np.ndarray, "n 4"]) -> list[Float[np.ndarray, "4"]]:
    """Boxes of adults, and of whoever is suspected and is none of these infants."""
    suspected = () if frame.suspected_xyxy is None else frame.suspected_xyxy
    return [
        *(np.asarray(adult.box_xyxy, dtype=np.float64) for adult in frame.adults or ()),
        *(box for box in suspected if not _among(box, infants)),
    ]


def _among(box: Float[np.ndarray, "4"], boxes: ArrayLike) -> bool:
    """Whether a box is that of somebody here."""
    return bool((iou(box, np.array(boxes).reshape(-1, 4)) > SAME_IOU).any())


def blurred(image: Image.Image, areas: Iterable[Area]) -> Image.Image:
    """Return an RGB copy in which nothing inside the areas can be recognised.

    Args:
        image: of any mode.
        areas: in its pixels.
    """
    result = image.convert("RGB")
    done: list[Float[np.ndarray, "4"]] = []
    for area in sorted(areas, key=lambda area: -area.radius):
        low, high = np.hsplit(area.box_xyxy, 2)
        if not any((box[:2] <= low).all() and (high <= box[2:]).all() for box in done):
            _blur(result, area)
            done += [] if area.round else [area.box_xyxy]
    return result


def _blur(image: Image.Image, area: Area) -> None:
    """Blur an area of an image that may be changed, in a small copy: what is fine does not last."""
    size = np.array(image.size)
    x1, y1 = (int(v) for v in np.clip(np.floor(area.box_xyxy[:2]), 0, size))
    x2, y2 = (int(v) for v in np.clip(np.ceil(area.box_xyxy[2:]) + 1, 0, size))
    if x2 <= x1 or y2 <= y1:
        return
    whole = float(np.hypot(*size))
    deviation = max(LEAST_BLUR_PX, BLUR_SHARE * min(area.radius, whole))
    factor = max(1, int(deviation / 4))
    part = image.crop((x1, y1, x2, y2))
    small = part.reduce(factor).filter(ImageFilter.GaussianBlur(deviation / factor))
    ellipse = area.round and area.radius < whole
    mask = Image.new("L", part.size, 0 if ellipse else 255)
    if ellipse:
        ends = area.box_xyxy - [x1, y1, x1, y1]
        ImageDraw.Draw(mask).ellipse([float(v) for v in ends], fill=255)
    image.paste(small.resize(part.size, Image.Resampling.BILINEAR), (x1, y1), mask)

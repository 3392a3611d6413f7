"""The values that travel from an image to a pose.

An image gives ``Found``: boxes with the ``Keypoints`` inside them. One infant's keypoints over the
frames of a video are a ``Track``, which a lifter turns into 3D. A ``Clip`` is keypoints with their
true 3D joints: what lifters learn from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Clip:
    """2D joints and their truth, with any leading axes.

    Attributes:
        keypoints_px: image pixels.
        scores: 0 to 1; 0 where missing.
        sigma_px: standard deviation per axis, pixels; 0 for exact joints.
        depth_px: behind the pelvis, pixels; NaN where unknown.
        joints_mm: millimetres, camera frame; NaN where unlabelled.
        intrinsics: pixels.
    """

    keypoints_px: Float[np.ndarray, "*batch joint 2"]
    scores: Float[np.ndarray, "*batch joint"]
    sigma_px: Float[np.ndarray, "*batch joint"]
    depth_px: Float[np.ndarray, "*batch joint"]
    joints_mm: Float[np.ndarray, "*batch joint 3"]
    intrinsics: Float[np.ndarray, "*batch 3 3"]

    def __getitem__(self, key) -> Clip:
        return Clip(*(getattr(self, name)[key] for name in FIELDS))


FIELDS = tuple(field.name for field in fields(Clip))


@dataclass(frozen=True)
class Keypoints:
    """2D joints of n infants, or of one infant in n frames; n may be several axes.

    Attributes:
        keypoints_px: (n, joint, 2) pixels of the frame; NaN where missing.
        scores: (n, joint) confidence, 0 to 1; 0 where missing.
        sigma_px: (n, joint) standard deviation, pixels of the frame, per axis; 0 when exact.
        depth_px: (n, joint) behind the pelvis, pixels (``DepthCodec``); NaN where unknown.
    """

    keypoints_px: Float[np.ndarray, "*n joint 2"]
    scores: Float[np.ndarray, "*n joint"]
    sigma_px: Float[np.ndarray, "*n joint"]
    depth_px: Float[np.ndarray, "*n joint"]

    @classmethod
    def exact(cls, keypoints_px: Float[np.ndarray, "n joint 2"]) -> Keypoints:
        """Joints known without error; NaN where missing."""
        seen = np.isfinite(keypoints_px).all(-1).astype(np.float64)
        return cls(keypoints_px, seen, np.zeros(seen.shape), np.full(seen.shape, np.nan))

    @classmethod
    def of(cls, clip: Clip) -> Keypoints:
        """What was observed, without the truth beside it."""
        return cls(clip.keypoints_px, clip.scores, clip.sigma_px, clip.depth_px)

    def __getitem__(self, rows) -> Keypoints:
        """Some of the rows."""
        return Keypoints(
            self.keypoints_px[rows], self.scores[rows], self.sigma_px[rows], self.depth_px[rows]
        )

    def __len__(self) -> int:
        return len(self.keypoints_px)


def joined(parts: Sequence[Keypoints]) -> Keypoints:
    """Put rows one after another."""
    names = ("keypoints_px", "scores", "sigma_px", "depth_px")
    return Keypoints(*(np.concatenate([getattr(part, n) for part in parts]) for n in names))


@dataclass(frozen=True)
class Found:
    """The people of one image, best first.

    Attributes:
        boxes_xyxy: (n, 4) infants, image pixels.
        scores: (n,) confidence of the boxes, 0 to 1.
        keypoints: of the n infants.
        adults_xyxy: (m, 4) adults, image pixels; None when the detector knows infants only.
        adult_scores: (m,) confidence, 0 to 1, or None.
        suspected_xyxy: (k, 4) everybody above a very low confidence, of any class, or None.
        disagreement: (n,) how far the members of an ensemble differ, or None.
    """

    boxes_xyxy: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, "n"]
    keypoints: Keypoints
    adults_xyxy: Float[np.ndarray, "m 4"] | None = None
    adult_scores: Float[np.ndarray, "m"] | None = None
    suspected_xyxy: Float[np.ndarray, "k 4"] | None = None
    disagreement: Float[np.ndarray, "n"] | None = None


@dataclass(frozen=True)
class Track:
    """One infant in n frames, or n infants that have nothing to do with one another.

    Attributes:
        keypoints: of the n frames.
        intrinsics: (3, 3) pixels, of all frames; or (n, 3, 3), one for each.
        times_s: (n,) seconds, increasing: the frames show one infant, and each is lifted with the
            help of the others. None: every row is lifted alone.
    """

    keypoints: Keypoints
    intrinsics: Float[np.ndarray, "*n 3 3"]
    times_s: Float[np.ndarray, "n"] | None = None

    def __len__(self) -> int:
        return len(self.keypoints)

    def __getitem__(self, rows: slice | Int[np.ndarray, "k"]) -> Track:
        """Some of the frames; every frame has its own intrinsics."""
        times_s = None if self.times_s is None else self.times_s[rows]
        return Track(self.keypoints[rows], self.intrinsics[rows], times_s)


@dataclass(frozen=True)
class Maps:
    """What a 2D network computes for a batch of images, (batch, joint, height, width) each.

    Attributes:
        heatmaps: raw maps of where joints are; the codec turns them into densities.
        depth: of joints behind the pelvis, to be read under the density (``DepthCodec``), or None.
        log_sigma: likewise the log of the standard deviation of the 2D error, map pixels, or None.
        part_fields: (batch, field, height, width) vectors along the limbs, or None.
        stacks: maps of the earlier stages of a network that refines them, for training.
    """

    heatmaps: Float[Tensor, "batch joint height width"]
    depth: Float[Tensor, "batch joint height width"] | None = None
    log_sigma: Float[Tensor, "batch joint height width"] | None = None
    part_fields: Float[Tensor, "batch field height width"] | None = None
    stacks: tuple[Maps, ...] = ()


class Lifted(NamedTuple):
    """Output of the lifter's network for clips, in the codec's unit and view.

    Attributes:
        joints: (clip, run, frame, joint, 3) relative to the root, which is at exactly (0, 0, 0).
        log_sigma: (clip, run, frame, joint) log of the standard deviation per axis.
        log_lengths: (clip, run or 1, frame or 1, bone) log of the bones' lengths.
        log_bone_sigma: (clip, run, frame, bone, 2) log of the standard deviation of a bone's vector
            over its length: per axis across the view, and along it.
        log_length_sigma: (clip, run or 1, frame or 1, bone) log of the standard deviation of
            ``log_lengths``.
    """

    joints: Float[Tensor, "clip run frame joint 3"]
    log_sigma: Float[Tensor, "clip run frame joint"]
    log_lengths: Float[Tensor, "clip run_or_1 frame_or_1 bone"]
    log_bone_sigma: Float[Tensor, "clip run frame bone 2"]
    log_length_sigma: Float[Tensor, "clip run_or_1 frame_or_1 bone"]

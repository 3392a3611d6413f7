"""The values that travel from an image to a pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float


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
    """2D joints of n infants, or of one infant in n frames.

    Attributes:
        keypoints_px: (n, joint, 2) pixels of the frame; NaN where missing.
        scores: (n, joint) confidence, 0 to 1; 0 where missing.
        sigma_px: (n, joint) standard deviation, pixels of the frame, per axis; 0 when exact.
        depth_px: (n, joint) behind the pelvis, pixels (``DepthCodec``); NaN where unknown.
    """

    keypoints_px: Float[np.ndarray, "n joint 2"]
    scores: Float[np.ndarray, "n joint"]
    sigma_px: Float[np.ndarray, "n joint"]
    depth_px: Float[np.ndarray, "n joint"]

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

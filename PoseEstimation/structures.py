"""The values that travel from an image to a pose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

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

    def map(self, function: Callable[..., Tensor], *others: Maps) -> Maps:
        """Apply a function to each kind of joint maps, together with the same kind of others.

        Returns:
            Heatmaps, depth and log_sigma, without part fields and stacks.
        """
        kinds = ("heatmaps", "depth", "log_sigma")
        columns = ([getattr(maps, kind) for maps in (self, *others)] for kind in kinds)
        return Maps(*(None if values[0] is None else function(*values) for values in columns))

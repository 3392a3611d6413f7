"""The published lifter: raw pixels in, millimetres relative to the pelvis out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from Datasets.geometry.alignment import root_relative
from Datasets.skeletons import Skeleton
from Engine.settings import Settings, share

UNIT_MM = 100.0
"""Millimetres per unit of the lifter's output."""


@dataclass(frozen=True)
class PixelCodec(Settings):
    """Joints in pixels to the lifter's input and its output to millimetres; works on batches.

    As in Ellershaw's recipe nothing is normalised: the result depends on the camera and on where in
    the frame the infant is.

    Attributes:
        skeleton: joints in and out.
        min_score: joints below it count as missing.
    """

    skeleton: Skeleton
    min_score: float = share(0.05)

    def encode_input(
        self,
        keypoints_px: Float[np.ndarray, "*batch joint 2"],
        scores: Float[np.ndarray, "*batch joint"],
    ) -> Float[np.ndarray, "*batch joint 2"]:
        """Image pixels of usable joints, 0 for those missing (NaN, or a score too low)."""
        keypoints_px = np.asarray(keypoints_px, dtype=np.float32)
        usable = np.isfinite(keypoints_px).all(-1) & (np.asarray(scores) >= self.min_score)
        return np.where(usable[..., None], keypoints_px, np.float32(0))

    def encode_target(
        self, joints_mm: Float[np.ndarray, "*batch joint 3"]
    ) -> Float[np.ndarray, "*batch joint 3"]:
        """Camera-frame millimetres to the lifter's target; NaN stays NaN."""
        relative = root_relative(joints_mm, self.skeleton.root_index)
        return (relative / UNIT_MM).astype(np.float32)

    def decode(
        self, output: Float[np.ndarray, "*batch joint 3"]
    ) -> Float[np.ndarray, "*batch joint 3"]:
        """Turn the lifter's output into millimetres relative to the root, camera axes."""
        return np.asarray(output, dtype=np.float64) * UNIT_MM

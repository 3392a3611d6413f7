"""What the lifter sees and says: 2D joints with the pelvis in the centre, 3D relative to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from Datasets.geometry.alignment import root_relative
from Datasets.geometry.camera import rays, rotation_to_axis
from Datasets.skeletons import Skeleton

UNIT_MM = 100.0
"""Millimetres per unit of the lifter's output."""


@dataclass(frozen=True)
class View:
    """How the camera was turned to look straight at the pelvis: all that is needed to turn back.

    Attributes:
        rotation: (..., 3, 3), camera axes to view axes.
    """

    rotation: Float[np.ndarray, "*batch 3 3"]


@dataclass(frozen=True)
class RootRelativeCodec:
    """Joints in pixels to the lifter's input, and its output to millimetres; works on batches.

    With ``rays`` the input depends neither on the camera's focal length nor on where in the frame
    or how large the infant is: the camera is turned until the pelvis is on its axis, and
    the joints are divided by their root mean square distance from it.

    Attributes:
        skeleton: joints in and out.
        input: ``rays`` as above, or ``pixels``: raw pixels, in camera axes (as in Ellershaw's
            recipe; 0 where missing).
        min_score: joints below it count as missing.
    """

    skeleton: Skeleton
    input: Literal["rays", "pixels"] = "rays"
    min_score: float = 0.05

    @property
    def in_features(self) -> int:
        """Values per joint of the input."""
        return 3 if self.input == "rays" else 2

    def encode_input(
        self,
        keypoints_px: Float[np.ndarray, "*batch joint 2"],
        scores: Float[np.ndarray, "*batch joint"],
        intrinsics: Float[np.ndarray, "*batch 3 3"],
    ) -> tuple[Float[np.ndarray, "*batch joint feature"], View]:
        """Prepare 2D joints for the lifter.

        Args:
            keypoints_px: image pixels; NaN where missing.
            scores: confidence 0 to 1.
            intrinsics: of the same image; one matrix, or one per pose.

        Returns:
            Features (x, y, 1) of usable joints and 0 of others, and the view they belong to. When
            the root itself is missing, the mean of the usable joints takes its place.
        """
        keypoints_px = np.asarray(keypoints_px, dtype=np.float64)
        usable = np.isfinite(keypoints_px).all(-1) & (np.asarray(scores) >= self.min_score)
        keypoints_px = np.where(usable[..., None], keypoints_px, 0.0)
        if self.input == "pixels":
            turn = np.broadcast_to(np.eye(3), (*keypoints_px.shape[:-2], 3, 3))
            return keypoints_px.astype(np.float32), View(turn)
        ray = rays(keypoints_px, intrinsics)
        turn = rotation_to_axis(self._centre(ray, usable))
        turned = ray @ np.swapaxes(turn, -1, -2)
        usable &= turned[..., 2] > 0
        xy = turned[..., :2] / np.where(usable, turned[..., 2], 1.0)[..., None]
        xy *= usable[..., None]
        count = np.maximum(usable.sum(-1), 1)
        radius = np.sqrt((xy**2).sum((-2, -1)) / count)
        xy /= np.maximum(radius, 1e-9)[..., None, None]
        return np.concatenate([xy, usable[..., None]], axis=-1).astype(np.float32), View(turn)

    def encode_target(
        self, joints_mm: Float[np.ndarray, "*batch joint 3"], view: View
    ) -> Float[np.ndarray, "*batch joint 3"]:
        """Turn camera-frame millimetres into what the lifter shall say; NaN stays NaN."""
        relative = root_relative(joints_mm, self.skeleton.root_index)
        return (relative @ np.swapaxes(view.rotation, -1, -2) / UNIT_MM).astype(np.float32)

    def decode(
        self, output: Float[np.ndarray, "*batch joint 3"], view: View
    ) -> Float[np.ndarray, "*batch joint 3"]:
        """Turn the lifter's output into millimetres relative to the root, camera axes."""
        return np.asarray(output, dtype=np.float64) @ view.rotation * UNIT_MM

    def decode_sigma(
        self, log_sigma: Float[np.ndarray, "*batch joint"]
    ) -> Float[np.ndarray, "*batch joint"]:
        """Turn the lifter's log sigma into millimetres per axis; the root's is 0."""
        sigma = np.exp(np.asarray(log_sigma, dtype=np.float64)) * UNIT_MM
        root = np.arange(len(self.skeleton)) == self.skeleton.root_index
        return np.where(root, 0.0, sigma)

    def _centre(self, ray: np.ndarray, usable: np.ndarray) -> np.ndarray:
        """Ray (..., 3) to look along: the root's, else the mean of the usable ones, else ahead."""
        root = self.skeleton.root_index
        count = usable.sum(-1)[..., None]
        mean = (ray * usable[..., None]).sum(-2) / np.maximum(count, 1)
        mean = np.where(count > 0, mean, [0.0, 0.0, 1.0])
        return np.where(usable[..., root, None], ray[..., root, :], mean)

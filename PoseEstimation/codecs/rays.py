"""The clip lifter: rays around the pelvis in, millimetres relative to it out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from Datasets.geometry.alignment import root_relative
from Datasets.geometry.camera import rays, rotation_to_axis
from Datasets.skeletons import Skeleton
from Engine.settings import Settings, limited, share

UNIT_MM = 100.0
"""Millimetres per unit of the lifter's output."""

FEATURES = 6
"""Per joint: x, y, whether usable, depth, whether its depth is known, uncertainty of x and y."""


CLIP_FRAMES = (1, 8, 27, 100, 300)
"""Lengths of clips that error bars are calibrated for; those between are interpolated."""

CORNERS = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
"""What every convention has of the trunk: their spread is the unit of a clip's 2D joints."""

CORNER_SPREAD = 0.5
"""Their root mean square distance from their mean over the unit, which is about a trunk."""

LOW = ("pelvis", "left_hip", "right_hip")
HIGH = ("upper_neck", "neck", "left_shoulder", "right_shoulder")
"""The trunk goes from the mean of the first to the mean of the second, those that there are."""


@dataclass(frozen=True)
class ViewTransform:
    """Rotation of a clip's camera towards the infant, and the unit of its 2D joints.

    Attributes:
        rotation: (clip, 3, 3), camera axes to view axes.
        radius: (clip,) unit of the 2D joints, about the trunk, over the depth.
    """

    rotation: Float[np.ndarray, "clip 3 3"]
    radius: Float[np.ndarray, "clip"]


@dataclass(frozen=True)
class RayCodec(Settings):
    """Joints in pixels to the lifter's input, and its output to millimetres, clip by clip.

    The input depends neither on the camera's focal length nor on where in the picture, how large
    and which way up the infant is: the camera is turned until the pelvis's mean place is on its
    axis and the trunk points up, and the joints are divided by the spread of shoulders and hips,
    which does not depend on what other joints are given. Rotation and unit are those of the whole
    clip: joints at rest stay at rest.

    Attributes:
        skeleton: joints in and out.
        min_score: joints below it count as missing.
        sigma_scale: factors that calibrate the network's sigma, measured on validation data, for
            clips of ``CLIP_FRAMES`` frames.
        size_sigma: standard deviation of the logarithm of the size of the body, measured likewise.
    """

    skeleton: Skeleton
    min_score: float = share(0.05)
    sigma_scale: tuple[float, ...] = limited((1.0,) * len(CLIP_FRAMES), 0.0, 1e6)
    size_sigma: float = limited(0.08, 1e-3, 10.0)

    def encode_input(
        self,
        keypoints_px: Float[np.ndarray, "clip run frame joint 2"],
        scores: Float[np.ndarray, "clip run frame joint"],
        intrinsics: Float[np.ndarray, "*cameras 3 3"],
        sigma_px: Float[np.ndarray, "clip run frame joint"] | None = None,
        depth_px: Float[np.ndarray, "clip run frame joint"] | None = None,
    ) -> tuple[Float[np.ndarray, "clip run frame joint 6"], ViewTransform]:
        """Prepare 2D joints for the lifter.

        Args:
            keypoints_px: image pixels; NaN where missing.
            scores: confidence 0 to 1.
            intrinsics: pixels; one matrix, one per clip, or (clip, run, frame, 3, 3).
            sigma_px: standard deviation per axis in pixels, or None for exact joints.
            depth_px: behind the pelvis, in pixels (``DepthCodec``); NaN or None where unknown.

        Returns:
            ``FEATURES`` of usable joints and 0 of others, and the transform that was used. Where
            the root is missing, the mean of the hips or else of a frame's usable joints takes its
            place.
        """
        keypoints_px = np.asarray(keypoints_px, dtype=np.float64)
        usable = np.isfinite(keypoints_px).all(-1) & (np.asarray(scores) >= self.min_score)
        intrinsics = np.asarray(intrinsics, dtype=np.float64)
        each = intrinsics.ndim == keypoints_px.ndim
        cameras = intrinsics if each else intrinsics.reshape(-1, 1, 1, 3, 3)
        ray = rays(np.where(usable[..., None], keypoints_px, 0.0), cameras)
        turn = rotation_to_axis(self._middle(ray, usable))
        turn = self._upright(ray @ np.swapaxes(turn, -1, -2)[:, None, None], usable) @ turn
        turned = ray @ np.swapaxes(turn, -1, -2)[:, None, None]
        usable &= turned[..., 2] > 0
        xy = turned[..., :2] / np.where(usable, turned[..., 2], 1.0)[..., None]
        xy *= usable[..., None]
        radius = self._unit(xy, usable)
        unit_px = radius[:, None, None, None] * _focal(cameras)[..., None]
        known = usable & (False if depth_px is None else np.isfinite(depth_px))
        depth = np.where(known, 0.0 if depth_px is None else depth_px, 0.0) / unit_px
        sigma = np.where(usable, 0.0 if sigma_px is None else sigma_px, 0.0) / unit_px
        parts = [
            xy / radius[:, None, None, None, None],
            np.stack([usable, depth, known, np.sqrt(np.clip(sigma, 0, 4))], axis=-1),
        ]
        return np.concatenate(parts, axis=-1).astype(np.float32), ViewTransform(turn, radius)

    def encode_target(
        self, joints_mm: Float[np.ndarray, "clip run frame joint 3"], view: ViewTransform
    ) -> Float[np.ndarray, "clip run frame joint 3"]:
        """Turn camera-frame millimetres into the lifter's target; NaN stays NaN."""
        relative = root_relative(joints_mm, self.skeleton.root_index)
        back = np.swapaxes(view.rotation, -1, -2)[:, None, None]
        return (relative @ back / UNIT_MM).astype(np.float32)

    def decode(
        self, output: Float[np.ndarray, "clip run frame joint 3"], view: ViewTransform
    ) -> Float[np.ndarray, "clip run frame joint 3"]:
        """Turn the lifter's output into millimetres relative to the root, camera axes."""
        return np.asarray(output, dtype=np.float64) @ view.rotation[:, None, None] * UNIT_MM

    def decode_sigma(
        self, log_sigma: Float[np.ndarray, "*batch joint"], frames: int
    ) -> Float[np.ndarray, "*batch joint"]:
        """Turn the lifter's log sigma into millimetres per axis; the root's is 0.

        Args:
            log_sigma: of the network.
            frames: in the whole clip.
        """
        scale = np.interp(np.log(frames), np.log(CLIP_FRAMES), self.sigma_scale)
        sigma = np.exp(np.asarray(log_sigma, dtype=np.float64)) * UNIT_MM * scale
        root = np.arange(len(self.skeleton)) == self.skeleton.root_index
        return np.where(root, 0.0, sigma)

    def _root(self, values: np.ndarray, usable: np.ndarray) -> np.ndarray:
        """The root's values (..., channel) of each frame, or the mean of what stands in for it."""
        place = np.zeros((*values.shape[:-2], values.shape[-1]))
        found = np.zeros((*values.shape[:-2], 1), dtype=bool)
        hips = tuple(j for j in CORNERS[2:] if j in self.skeleton.joints)
        for joints, enough in (
            ((self.skeleton.root,), np.all),
            (hips, np.all),
            (self.skeleton.joints, np.any),
        ):
            rows = self.skeleton.indices(joints)
            weight = usable[..., rows, None]
            mean = (values[..., rows, :] * weight).sum(-2) / np.maximum(weight.sum(-2), 1)
            place = np.where(found, place, mean)
            found |= enough(weight, axis=-2)
        return place

    def _unit(self, xy: np.ndarray, usable: np.ndarray) -> Float[np.ndarray, "clip"]:
        """Unit of the 2D joints of each clip, from the frames that have all corners.

        A clip without such a frame takes whatever corners it has, and one without two of them all
        its joints. These are its lower limit, too: a trunk seen along its axis has no size.
        """
        corners = self.skeleton.indices([j for j in CORNERS if j in self.skeleton.joints])
        own = usable[..., corners] & (usable[..., corners].sum(-1, keepdims=True) > 1)
        complete = own & own.all(-1, keepdims=True)
        chosen = np.where(complete.any((1, 2, 3), keepdims=True), complete, own)
        unit, whole = _spread(xy[..., corners, :], chosen) / CORNER_SPREAD, _spread(xy, usable)
        return np.where(chosen.any((1, 2, 3)), np.maximum(unit, whole / 2), 2 * whole)

    def _middle(self, ray: np.ndarray, usable: np.ndarray) -> Float[np.ndarray, "clip 3"]:
        """Mean ray of the frames' roots; straight ahead when no joint is usable."""
        seen = np.any(usable, axis=-1, keepdims=True)
        total = (self._root(ray, usable) * seen).sum((1, 2))
        return np.where(seen.any((1, 2)), total, [0.0, 0.0, 1.0])

    def _upright(self, ray: np.ndarray, usable: np.ndarray) -> Float[np.ndarray, "clip 3 3"]:
        """Rotation about the axis that turns the mean trunk up; none without a trunk."""
        low, high = (self._mean_of(ray, usable, joints) for joints in (LOW, HIGH))
        trunk = np.nan_to_num(high - low).sum((1, 2))
        angle = np.where((trunk**2).sum(-1) > 1e-12, np.arctan2(trunk[:, 0], -trunk[:, 1]), 0.0)
        c, s, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
        rows = [[c, s, zero], [-s, c, zero], [zero, zero, one]]
        return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)

    def _mean_of(self, ray: np.ndarray, usable: np.ndarray, joints: tuple[str, ...]) -> np.ndarray:
        """Mean place (clip, run, frame, 2) of the usable ones of some joints; NaN without any."""
        chosen = self.skeleton.indices([j for j in joints if j in self.skeleton.joints])
        weight = (usable & (ray[..., 2] > 0))[..., chosen, None].astype(np.float64)
        place = ray[..., chosen, :2] / np.where(weight > 0, ray[..., chosen, 2:], 1.0)
        count = weight.sum(-2)
        return np.where(count > 0, (place * weight).sum(-2) / np.maximum(count, 1), np.nan)


def _spread(xy: np.ndarray, usable: np.ndarray) -> Float[np.ndarray, "clip"]:
    """Root mean square distance of a frame's usable joints from their mean, per clip."""
    weight = usable[..., None].astype(np.float64)
    mean = (xy * weight).sum(-2, keepdims=True) / np.maximum(weight.sum(-2, keepdims=True), 1)
    return _length(xy - mean, usable)


def _length(xy: np.ndarray, usable: np.ndarray) -> Float[np.ndarray, "clip"]:
    """Root mean square length of the usable joints' vectors, per clip."""
    square = ((xy**2).sum(-1) * usable).sum((1, 2, 3))
    return np.maximum(np.sqrt(square / np.maximum(usable.sum((1, 2, 3)), 1)), 1e-6)


def _focal(intrinsics: np.ndarray) -> np.ndarray:
    """Geometric mean of the two focal lengths, pixels."""
    return np.sqrt(np.abs(np.linalg.det(intrinsics[..., :2, :2])))

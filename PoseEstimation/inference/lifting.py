"""From 2D joints to 3D: of single frames, or of an infant's whole clip at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from Datasets.skeletons import Skeleton
from Engine.backends import Backend
from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.inference.clip_fit import BodyTree, Fit, Prediction, Rays, fit_clip
from PoseEstimation.structures import Keypoints, Track

RATE = 30.0
"""Frames per second that clip lifters are trained at."""

SLOWEST = 20.0
"""Below this rate, in frames per second, frames are lifted one by one."""


UNKNOWN_SIZE = 0.1
"""``size_sigma`` of lifters for which it was not measured."""


@runtime_checkable
class Lifter(Protocol):
    """Turns 2D joints into 3D.

    Attributes:
        skeleton: joints in and out.
        size_sigma: standard deviation of the logarithm of the size of its bodies.
    """

    skeleton: Skeleton
    size_sigma: float

    def __call__(
        self, track: Track
    ) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
        """Lift n poses.

        Returns:
            Root-relative joints in mm, camera axes, and their standard deviation in mm per axis,
            NaN where the lifter knows none.
        """
        ...


class FrameLifting:
    """A lifter of raw pixels, frame by frame (``MartinezLifter``); it uses no times.

    Args:
        backend: encoded joints to ``joints``.
        codec: of the joints.
    """

    def __init__(self, backend: Backend, codec: PixelCodec) -> None:
        self.skeleton, self._backend, self._codec = codec.skeleton, backend, codec
        self.size_sigma = UNKNOWN_SIZE

    def __call__(
        self, track: Track
    ) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
        """See ``Lifter``."""
        found = track.keypoints
        features = self._codec.encode_input(found.keypoints_px, found.scores)
        joints = self._backend(features)["joints"]
        return self._codec.decode(joints), np.full(found.scores.shape, np.nan)


class ClipLifting:
    """A lifter of clips: the network ``ClipLifter``, then the body that fits its rays best.

    Twice: with the lengths of the first fit the network predicts directions and size anew. Its
    answers for the clip and for its mirror image are averaged.

    Args:
        backend: features and radius to the fields of ``Lifted``.
        codec: of the joints.

    Attributes:
        fit: finds the body: ``fit_clip``, or what is compared with it.
    """

    def __init__(self, backend: Backend, codec: RayCodec) -> None:
        self.skeleton, self._backend, self._codec = codec.skeleton, backend, codec
        self.size_sigma, self._tree = codec.size_sigma, BodyTree.of(codec.skeleton)
        self.fit: Callable[[BodyTree, Rays, Prediction, float], Fit] = fit_clip

    def __call__(
        self, track: Track
    ) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
        """See ``Lifter``."""
        found, times_s, intrinsics = track.keypoints, track.times_s, track.intrinsics
        if times_s is None:
            parts = [
                self._lift(found[i : i + 1][:, None, None], _own(intrinsics, i))
                for i in range(len(found))
            ]
            joints, sigmas = zip(*parts, strict=True)
            return np.concatenate(joints), np.concatenate(sigmas)
        rows = clip_rows(times_s)[None]
        clip, cameras = found[rows], intrinsics if np.ndim(intrinsics) == 2 else intrinsics[rows]
        joints_mm, sigma_mm = self._lift(clip, cameras)
        place = np.empty(len(found), dtype=np.int64)  # any of a row's places in the clip
        place[rows.ravel()[::-1]] = np.arange(rows.size)[::-1]
        return joints_mm[place], sigma_mm[place]

    def _lift(self, clip: Keypoints, cameras: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Joints (frame, joint, 3) and sigma (frame, joint) in mm of one clip (1, run, frame)."""
        features, view = self._codec.encode_input(
            clip.keypoints_px, clip.scores, cameras, clip.sigma_px, clip.depth_px
        )
        first, _ = self._predicted(features, view.radius)
        rays, radius = _rays(features[0], view.radius[0]), view.radius[0]
        fit = self.fit(self._tree, rays, first, radius)
        shape = fit.log_lengths - np.log(radius * np.median(fit.depth))
        second, log_sigma = self._predicted(features, view.radius, shape)
        fit = self.fit(self._tree, rays, _with_shape_of(second, first), radius)
        joints_mm = self._codec.decode(fit.joints[None, None], view)[0, 0]
        off = fit.residual * fit.depth[:, None]
        log_sigma = np.logaddexp(2 * log_sigma, 2 * np.log(np.maximum(off, 1e-9))) / 2
        return joints_mm, self._codec.decode_sigma(log_sigma, len(log_sigma))

    def _predicted(
        self, features: np.ndarray, radius: np.ndarray, shape: np.ndarray | None = None
    ) -> tuple[Prediction, Float[np.ndarray, "frame joint"]]:
        """What the network predicts of a clip and of its mirror image, averaged.

        Args:
            features: of ``RayCodec``.
            radius: likewise.
            shape: (bone,) logs of lengths in units of the radius, or None: the network's own.
        """
        flip, bones = list(self.skeleton.flip_indices), list(self._tree.mirrored)
        own = np.full(len(bones), np.nan) if shape is None else shape
        given = np.asarray(radius, np.float32), np.asarray(own, np.float32)[None, None, None]
        direct = self._backend(features, *given)
        mirrored = self._backend(_mirror(features, flip), *given)
        joints = (direct["joints"] + _mirror(mirrored["joints"], flip)) / 2
        sigma = (direct["log_sigma"] + mirrored["log_sigma"][..., flip]) / 2
        bone_sigma = (direct["log_bone_sigma"] + mirrored["log_bone_sigma"][..., bones, :]) / 2
        lengths, spread = (
            (direct[name] + mirrored[name][..., bones])[0].mean((0, 1)) / 2
            for name in ("log_lengths", "log_length_sigma")
        )
        joints = joints.reshape(-1, *joints.shape[-2:]).astype(np.float64)
        vectors = joints[:, self._tree.children] - joints[:, self._tree.parents]
        predicted = Prediction(
            vectors / np.exp(lengths)[:, None],
            np.exp(bone_sigma.reshape(-1, *bone_sigma.shape[-2:]).astype(np.float64)),
            lengths.astype(np.float64),
            np.exp(spread.astype(np.float64)),
        )
        return predicted, sigma.reshape(-1, sigma.shape[-1])


def _with_shape_of(size: Prediction, shape: Prediction) -> Prediction:
    """A prediction with the proportions, and their uncertainty, of another one."""
    total = np.log(np.exp(size.log_lengths).sum() / np.exp(shape.log_lengths).sum())
    lengths = shape.log_lengths + total
    return replace(size, log_lengths=lengths, length_sigma=shape.length_sigma)


def _own(intrinsics: np.ndarray, row: int) -> np.ndarray:
    return intrinsics if np.ndim(intrinsics) == 2 else intrinsics[row : row + 1][:, None, None]


def _rays(features: Float[np.ndarray, "run frame joint 6"], radius: float) -> Rays:
    """The rays of a clip's frames out of the features of ``RayCodec``."""
    frames = features.reshape(-1, *features.shape[-2:]).astype(np.float64)
    return Rays(radius * frames[..., :2], frames[..., 2] > 0, radius * frames[..., 5] ** 2)


def clip_rows(times_s: Float[np.ndarray, "n"]) -> Int[np.ndarray, "run frame"]:
    """Arrange the frames of a video as runs at about ``RATE``: row numbers (run, frame).

    A faster video becomes several interleaved runs, a slow one runs of a single frame. Where frames
    are missing, the one before stands in.
    """
    count = len(times_s)
    step = float(np.median(np.diff(times_s))) if count > 1 else 0.0
    if count == 1 or step <= 0 or step > 1 / SLOWEST:
        return np.arange(count)[:, None]
    ticks = np.round((np.asarray(times_s) - times_s[0]) / step).astype(np.int64)
    if ticks[-1] > 4 * count:  # mostly gaps
        return np.arange(count)[:, None]
    filled = np.searchsorted(ticks, np.arange(ticks[-1] + 1), side="right") - 1
    stride = max(1, round(1 / (RATE * step)))
    length = -(-len(filled) // stride)
    padded = np.pad(filled, (0, length * stride - len(filled)), mode="edge")
    return padded.reshape(length, stride).T


def _mirror(values: np.ndarray, flip: Sequence[int]) -> np.ndarray:
    """Change the sign of x, the first of the last axis, and swap left and right."""
    swapped = values[..., flip, :].copy()
    swapped[..., 0] *= -1
    return swapped

"""From 2D joints to 3D: of single frames, or of an infant's whole clip at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from Datasets.skeletons import Skeleton
from Engine.backends import Backend
from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.structures import Track

RATE = 30.0
"""Frames per second that clip lifters are trained at."""

SLOWEST = 20.0
"""Below this rate, in frames per second, frames are lifted one by one."""


@runtime_checkable
class Lifter(Protocol):
    """Turns 2D joints into 3D."""

    skeleton: Skeleton

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

    def __call__(
        self, track: Track
    ) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
        """See ``Lifter``."""
        found = track.keypoints
        features = self._codec.encode_input(found.keypoints_px, found.scores)
        joints = self._backend(features)["joints"]
        return self._codec.decode(joints), np.full(found.scores.shape, np.nan)


class ClipLifting:
    """A lifter of clips (the network ``ClipLifter``), averaged over mirror images.

    Args:
        backend: features and radius to ``joints`` and ``log_sigma``.
        codec: of the joints.
    """

    def __init__(self, backend: Backend, codec: RayCodec) -> None:
        self.skeleton, self._backend, self._codec = codec.skeleton, backend, codec

    def __call__(
        self, track: Track
    ) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
        """See ``Lifter``."""
        found, times_s, intrinsics = track.keypoints, track.times_s, track.intrinsics
        rows = np.arange(len(found))[:, None, None] if times_s is None else clip_rows(times_s)[None]
        clip, cameras = found[rows], intrinsics if np.ndim(intrinsics) == 2 else intrinsics[rows]
        features, sight = self._codec.encode_input(
            clip.keypoints_px, clip.scores, cameras, clip.sigma_px, clip.depth_px
        )
        output, log_sigma = self._averaged(features, sight.radius)
        place = np.empty(len(found), dtype=np.int64)  # any of a row's places in the clips
        place[rows.ravel()[::-1]] = np.arange(rows.size)[::-1]
        joints_mm = self._codec.decode(output, sight)
        sigma_mm = self._codec.decode_sigma(log_sigma)
        shape = found.scores.shape[1:]
        return joints_mm.reshape(-1, *shape, 3)[place], sigma_mm.reshape(-1, *shape)[place]

    def _averaged(self, features: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions and log sigma, averaged with those of the mirror image."""
        flip, sizes = list(self.skeleton.flip_indices), np.asarray(radius, dtype=np.float32)
        direct = self._backend(features, sizes)
        mirrored = self._backend(_mirror(features, flip), sizes)
        joints = (direct["joints"] + _mirror(mirrored["joints"], flip)) / 2
        return joints, (direct["log_sigma"] + mirrored["log_sigma"][..., flip]) / 2


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

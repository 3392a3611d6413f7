"""From 2D joints to 3D: of single frames, or of an infant's whole clip at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.models.clip_lifter import ClipLifter
from PoseEstimation.models.martinez import MartinezLifter
from PoseEstimation.structures import Keypoints

RATE = 30.0
"""Frames per second that clip lifters are trained at."""

SLOWEST = 20.0
"""Below this rate neighbouring frames are not looked at together."""


class FrameLifting:
    """A lifter of raw pixels, frame by frame (``MartinezLifter``)."""

    def __init__(self, network: MartinezLifter, codec: PixelCodec) -> None:
        self.network, self.codec = network.eval(), codec
        self.skeleton = codec.skeleton

    def __call__(
        self,
        found: Keypoints,
        intrinsics: Float[np.ndarray, "*n 3 3"],
        times_s: Float[np.ndarray, "n"] | None = None,
    ) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
        """Lift n poses; see ``ClipLifting``. It looks at no times, and sigma is unknown: NaN."""
        features = self.codec.encode_input(found.keypoints_px, found.scores)
        with torch.inference_mode():
            output = self.network(torch.as_tensor(features, device=_device(self.network)))
        return self.codec.decode(output.cpu().numpy()), np.full(found.scores.shape, np.nan)


class ClipLifting:
    """A lifter of clips (``ClipLifter``), averaged over mirror images."""

    def __init__(self, network: ClipLifter, codec: RayCodec) -> None:
        self.network, self.codec = network.eval(), codec
        self.skeleton = codec.skeleton

    def __call__(
        self,
        found: Keypoints,
        intrinsics: Float[np.ndarray, "*n 3 3"],
        times_s: Float[np.ndarray, "n"] | None = None,
    ) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
        """Lift n poses.

        Args:
            found: 2D joints.
            intrinsics: (3, 3) pixels, of all rows; or (n, 3, 3), one for each.
            times_s: seconds, increasing: the rows are one infant, lifted in the light of one
                another. None: the rows have nothing to do with one another.

        Returns:
            Root-relative joints in mm, camera axes, and their standard deviation in mm per axis.
        """
        rows = np.arange(len(found))[:, None, None] if times_s is None else clip_rows(times_s)[None]
        clip, cameras = found[rows], intrinsics if np.ndim(intrinsics) == 2 else intrinsics[rows]
        features, sight = self.codec.encode_input(
            clip.keypoints_px, clip.scores, cameras, clip.sigma_px, clip.depth_px
        )
        output, log_sigma = self._averaged(features, sight.radius)
        place = np.empty(len(found), dtype=np.int64)  # any of a row's places in the clips
        place[rows.ravel()[::-1]] = np.arange(rows.size)[::-1]
        joints_mm, sigma_mm = self.codec.decode(output, sight), self.codec.decode_sigma(log_sigma)
        shape = found.scores.shape[1:]
        return joints_mm.reshape(-1, *shape, 3)[place], sigma_mm.reshape(-1, *shape)[place]

    def _averaged(self, features: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions and log sigma, averaged with those of the mirror image."""
        device, flip = _device(self.network), list(self.skeleton.flip_indices)
        seen = torch.as_tensor(features, device=device)
        sizes = torch.as_tensor(radius, dtype=torch.float32, device=device)
        with torch.inference_mode():
            joints, log_sigma, _ = self.network(seen, sizes)
            mirrored, mirrored_sigma, _ = self.network(_mirror(seen, flip), sizes)
        joints = (joints + _mirror(mirrored, flip)) / 2
        log_sigma = (log_sigma + mirrored_sigma[..., flip]) / 2
        return joints.cpu().numpy(), log_sigma.cpu().numpy()


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


def _mirror(values: Tensor, flip: Sequence[int]) -> Tensor:
    """Change the sign of x, the first of the last axis, and swap left and right."""
    swapped = values[..., flip, :]
    return torch.cat([-swapped[..., :1], swapped[..., 1:]], -1)


def _device(network: torch.nn.Module) -> torch.device:
    return next(network.parameters()).device

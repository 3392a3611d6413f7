"""The camera: exposure, white balance, blur, noise, tone curve and JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

LEVELS, PEAK = 16384, 4.0
SUBJECT_WEIGHT = 0.55
"""How much people in focus count for the exposure."""
SUBJECT_BAND = (0.11, 0.5)
"""Least and largest mean of people in focus, linear."""
LEAST_SUBJECT = 0.004
"""Share of the picture from which people count."""


@dataclass(frozen=True)
class CameraEffects:
    """Settings of one camera, fixed for a sequence.

    Attributes:
        target: mean brightness (linear) that the exposure aims at.
        balance: gains of red, green, blue.
        blur_px: deviation of the lens blur in pixels.
        shot_noise: deviation at full brightness, falling with its square root.
        read_noise: deviation in the dark.
        gamma: exponent of the tone curve.
        quality: JPEG quality.
    """

    target: float
    balance: Float[np.ndarray, "3"]
    blur_px: float
    shot_noise: float
    read_noise: float
    gamma: float
    quality: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> CameraEffects:
        """Choose a camera at random."""
        return cls(
            target=rng.uniform(0.16, 0.42),
            balance=rng.normal(1, 0.05, 3),
            blur_px=rng.uniform(0.45, 1.0),
            shot_noise=rng.uniform(0.004, 0.03),
            read_noise=rng.uniform(0.001, 0.008),
            gamma=rng.uniform(2.0, 2.5),
            quality=int(rng.integers(70, 97)),
        )

    def in_the_dark(self, noisier: float) -> CameraEffects:
        """The same camera with less light and a factor more noise."""
        return replace(
            self,
            target=0.4 * self.target,
            shot_noise=noisier * self.shot_noise,
            read_noise=noisier * self.read_noise,
        )

    def gains(
        self,
        linear: Float[np.ndarray, "height width 3"],
        subject: Bool[np.ndarray, "height width"] | None = None,
    ) -> Float[np.ndarray, "3"]:
        """Exposure times white balance, set once on a sequence's first frame.

        Args:
            linear: scene light.
            subject: people in focus, for which a camera exposes more than for what is around them;
                None where it cannot tell.
        """
        level = max(float(linear.mean()), 1e-6)
        gain = self.target / level
        if subject is not None and subject.mean() > LEAST_SUBJECT:
            own = max(float(linear[subject].mean()), 1e-6)
            gain = self.target / (level ** (1 - SUBJECT_WEIGHT) * own**SUBJECT_WEIGHT)
            low, high = SUBJECT_BAND
            gain = float(np.clip(gain, min(low, 0.6 * self.target) / own, high / own))
        return self.balance * gain

    def develop(
        self,
        rng: np.random.Generator,
        linear: Float[np.ndarray, "height width 3"],
        gains: Float[np.ndarray, "3"],
    ) -> UInt8[np.ndarray, "height width 3"]:
        """Turn scene light (linear RGB) into an 8-bit picture that went through JPEG."""
        light = linear * (gains * (LEVELS / PEAK)).astype(np.float32)
        index = np.minimum(light, LEVELS - 1).astype(np.uint16)
        sharp = Image.fromarray(self._tone_curve()[index])
        shown = np.asarray(sharp.filter(ImageFilter.GaussianBlur(self.blur_px)))
        grain = rng.standard_normal(shown.shape, dtype=np.float32)
        grain *= self._grain_size()[shown]
        grain += shown
        np.clip(grain, 0, 255, out=grain)
        buffer = io.BytesIO()
        Image.fromarray(grain.astype(np.uint8)).save(buffer, "JPEG", quality=self.quality)
        return np.asarray(Image.open(buffer))

    def _tone_curve(self) -> UInt8[np.ndarray, "level"]:
        """Picture value of linear light from 0 to ``PEAK``: a soft shoulder, then the gamma."""
        light = (np.arange(LEVELS) + 0.5) / LEVELS * PEAK
        light = light / (1 + np.maximum(light - 0.8, 0))
        return (np.clip(light, 0, 1) ** (1 / self.gamma) * 255 + 0.5).astype(np.uint8)

    def _grain_size(self) -> Float[np.ndarray, "256"]:
        """Deviation of the noise at each picture value: shot and read noise through the gamma."""
        light = np.maximum(np.arange(256) / 255, 0.02) ** self.gamma
        noise = np.sqrt(self.shot_noise**2 * light + self.read_noise**2)
        slope = light ** (1 / self.gamma - 1) / self.gamma
        return (255 * noise * slope).astype(np.float32)


def defocused(
    linear: Float[np.ndarray, "height width 3"],
    depth_m: Float[np.ndarray, "height width"],
    focus_m: float,
    strength_px: float,
) -> Float[np.ndarray, "height width 3"]:
    """Blur everything nearer or farther than the focus.

    Args:
        linear: linear RGB.
        depth_m: distance along the optical axis.
        focus_m: distance at which the picture is sharp.
        strength_px: deviation of the blur at an endless distance, pixels.
    """
    away = strength_px * np.abs(1 - focus_m / np.maximum(depth_m, 0.1))
    shown = linear
    for deviation in (1.0, 2.5, 5.0):
        share = np.clip(2 * away / deviation - 1, 0, 1).astype(np.float32)[..., None]
        if not share.any():
            break
        # Weighted, so that sharp parts do not bleed into blurred ones.
        weight = gaussian_filter(share, (deviation, deviation, 0)) + 1e-4
        blurred = gaussian_filter(share * linear, (deviation, deviation, 0)) / weight
        shown = shown + share * (blurred - shown)
    return shown


def without_stairs(
    linear: Float[np.ndarray, "height width 3"], person: Int[np.ndarray, "height width"]
) -> Float[np.ndarray, "height width 3"]:
    """Mix the pixels on either side of people's outlines, which are drawn in whole pixels.

    Args:
        linear: linear RGB.
        person: number of the person at each pixel; outlines are where neighbours differ.
    """
    outline = maximum_filter(person, 3) != minimum_filter(person, 3)
    mixed = gaussian_filter(linear, (0.65, 0.65, 0), truncate=2.0)
    return np.where(outline[..., None], mixed, linear)

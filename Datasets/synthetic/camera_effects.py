"""What a camera does to light: exposure, white balance, blur, noise, tone curve and JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from scipy.ndimage import gaussian_filter


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

    def gains(self, linear: Float[np.ndarray, "height width 3"]) -> Float[np.ndarray, "3"]:
        """Exposure times white balance, set once on a sequence's first frame."""
        return self.balance * self.target / max(float(linear.mean()), 1e-6)

    def develop(
        self,
        rng: np.random.Generator,
        linear: Float[np.ndarray, "height width 3"],
        gains: Float[np.ndarray, "3"],
    ) -> UInt8[np.ndarray, "height width 3"]:
        """Turn scene light (linear RGB) into an 8-bit picture that went through JPEG."""
        light = gaussian_filter(linear * gains.astype(np.float32), (self.blur_px, self.blur_px, 0), truncate=2.5)
        light = light / (1 + np.maximum(light - 0.8, 0))  # soft shoulder instead of clipping
        noise = rng.standard_normal(light.shape, dtype=np.float32)
        light = light + noise * np.sqrt(self.shot_noise**2 * np.maximum(light, 0) + self.read_noise**2)
        shown = np.clip(light, 0, 1) ** np.float32(1 / self.gamma)
        picture = Image.fromarray((shown * 255 + 0.5).astype(np.uint8))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=self.quality)
        return np.asarray(Image.open(buffer))

"""How strongly training images vary; free of NumPy, so that ``--help`` is fast."""

from __future__ import annotations

from dataclasses import dataclass

from Engine.settings import Settings, interval, limited, share


@dataclass(frozen=True)
class WholeImageTransforms(Settings):
    """How strongly whole training images vary.

    Attributes:
        scale: range of the factor on the whole image; below 1 zooms out.
        shift: largest offset of the image, over the canvas side.
        degrees: usual range of the rotation, either way.
        any_angle_share: share of images turned by any angle.
        background_share: share of images of one masked person who is laid on another surface.
        occlusion_share: share of images with things in front.
        photometric_share: share of images with other light, lens, sensor and codec.
        empty_share: share of images whose people are taken out.
        least_visible: share of the main person's box that has to stay on the canvas.
        least_length: zooming out stops where that box's longer side has so many canvas pixels.
    """

    scale: tuple[float, float] = interval(0.5, 1.4, 0.05, 20.0)
    shift: float = share(0.2)
    degrees: float = limited(20.0, 0.0, 180.0)
    any_angle_share: float = share(0.4)
    background_share: float = share(0.3)
    occlusion_share: float = share(0.3)
    photometric_share: float = share(0.7)
    empty_share: float = share(0.08)
    least_visible: float = share(0.9)
    least_length: float = limited(32.0, 1.0, 4096.0)

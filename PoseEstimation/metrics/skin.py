"""How light skin is in a photo: the individual typology angle (Chardon et al., 1991) of the face.

It is measured, not asked: the median colour of the skin between the eyes and the nose in CIELAB,
ITA = atan2(L* - 50, b*). Light and exposure move it by some ten degrees, so only three wide classes
are distinguished, and a photo without colour, in bluish light or without a visible face has none.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageCms

from Datasets.skeletons import COCO_17

CLASSES = (("light", 41.0), ("medium", 10.0), ("dark", -np.inf))
"""Least ITA of each, degrees."""

LEAST_COLOUR = 3.0
"""Median b* below this is a grey picture, infrared or black and white, or bluish light."""


def skin_class(
    picture: UInt8[np.ndarray, "height width 3"], keypoints_px: Float[np.ndarray, "17 2"]
) -> str:
    """``light``, ``medium``, ``dark``, or ``unknown``.

    Args:
        picture: sRGB.
        keypoints_px: of COCO; NaN where unlabelled or hidden.
    """
    angle = typology_angle(picture, keypoints_px)
    if np.isnan(angle):
        return "unknown"
    return next(name for name, least in CLASSES if angle >= least)


def typology_angle(
    picture: UInt8[np.ndarray, "height width 3"], keypoints_px: Float[np.ndarray, "17 2"]
) -> float:
    """ITA in degrees of the face; NaN where it is not visible or has no colour of skin."""
    pixels = _face(picture, keypoints_px)
    if not len(pixels):
        return float("nan")
    lab = np.asarray(ImageCms.applyTransform(Image.fromarray(pixels[None]), _to_lab()))[0]
    lightness, yellow = lab[:, 0] * (100.0 / 255), lab[:, 2].view(np.int8).astype(float)
    if np.median(yellow) < LEAST_COLOUR:
        return float("nan")
    return float(np.degrees(np.arctan2(np.median(lightness) - 50, np.median(yellow))))


def _face(picture: np.ndarray, keypoints_px: np.ndarray) -> UInt8[np.ndarray, "n 3"]:
    """Pixels about the middle of each eye and the nose, to a quarter of their distance."""
    nose, *eyes = keypoints_px[COCO_17.indices(["nose", "left_eye", "right_eye"])]
    rows, columns = np.indices(picture.shape[:2])
    chosen = np.zeros(picture.shape[:2], dtype=bool)
    for eye in eyes:
        if np.isfinite([*nose, *eye]).all():
            (x, y), reach = (nose + eye) / 2, np.linalg.norm(nose - eye) / 4
            chosen |= (columns - x) ** 2 + (rows - y) ** 2 <= reach**2
    return picture[chosen]


@cache
def _to_lab() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )

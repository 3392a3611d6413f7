"""One crop applied to image, keypoints, 3D joints and camera alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from Datasets.geometry.affine import warp_image
from Datasets.structures import UNLABELLED, Crop, PoseSample

MIRROR = np.diag([-1.0, 1.0, 1.0])
"""Takes camera-frame points to the frame of the mirrored camera."""


@dataclass(frozen=True)
class CroppedSample:
    """What a network is trained on: a square picture and the labels in its pixels.

    Attributes:
        image: (size, size, 3) RGB.
        keypoints_px: (joint, 2) crop pixels; NaN where unlabelled.
        visibility: (joint,) as in ``PoseSample``; 0 also outside the crop.
        joints_mm: (joint, 3) millimetres, camera frame (mirrored when the picture is), or None.
        intrinsics: (3, 3) of the crop: projects ``joints_mm`` to ``keypoints_px``; or None.
        crop: the way back to the image.
    """

    image: UInt8[np.ndarray, "size size 3"]
    keypoints_px: Float[np.ndarray, "joint 2"]
    visibility: UInt8[np.ndarray, "joint"]
    joints_mm: Float[np.ndarray, "joint 3"] | None
    intrinsics: Float[np.ndarray, "3 3"] | None
    crop: Crop


def crop_picture(
    image: Image.Image, crop: Crop, fill: tuple[int, int, int] = (0, 0, 0)
) -> UInt8[np.ndarray, "height width 3"]:
    """Cut the crop out of an RGB image; ``fill`` is the colour outside it."""
    return np.asarray(warp_image(image, crop.matrix, crop.size, fill))


def is_mirrored(crop: Crop) -> bool:
    """Tell whether left and right are exchanged in the crop."""
    return bool(np.linalg.det(crop.matrix[:2, :2]) < 0)


def crop_sample(
    sample: PoseSample, picture: UInt8[np.ndarray, "size size 3"], crop: Crop
) -> CroppedSample:
    """Take the labels of a sample into the crop that ``picture`` was cut with.

    A mirrored crop shows the left hand as a right one: joint names are exchanged, and 3D
    joints and camera are mirrored too, so that they still project onto the keypoints.
    """
    keypoints_px, visibility = crop.to_crop(sample.keypoints_px), sample.visibility
    joints_mm = sample.joints_mm
    intrinsics = None if sample.intrinsics is None else crop.intrinsics(sample.intrinsics)
    if is_mirrored(crop):
        order = list(sample.skeleton.flip_indices)
        keypoints_px, visibility = keypoints_px[order], visibility[order]
        joints_mm = None if joints_mm is None else joints_mm[order] @ MIRROR
        intrinsics = None if intrinsics is None else intrinsics @ MIRROR
    limit = np.array(crop.size) - 0.5
    with np.errstate(invalid="ignore"):
        inside = ((keypoints_px >= -0.5) & (keypoints_px <= limit)).all(axis=-1)
    visibility = np.where(inside, visibility, UNLABELLED).astype(np.uint8)
    return CroppedSample(picture, keypoints_px, visibility, joints_mm, intrinsics, crop)

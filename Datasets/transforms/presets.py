"""The ways from a labelled image to a network's input: one for training, one for evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from PIL import Image

from Datasets.geometry.affine import horizontal_flip, warp_image
from Datasets.structures import Crop, PoseSample
from Datasets.transforms.geometric import CroppedSample, crop_picture, crop_sample
from Datasets.transforms.occlusion import train_background, train_occlusion
from Datasets.transforms.photometric import train_photometric

CROP_MARGIN = 1.25
"""Side of a crop over the longer side of its box."""


@dataclass(frozen=True)
class TrainTransforms:
    """How far training samples stray.

    Attributes:
        jitter: standard deviation of each box edge, over the box's longer side.
        scale: range of the factor on the infant's size in the crop.
        shift: largest offset of the centre, over the box's longer side.
        degrees: usual range of the rotation, either way.
        any_angle_share: share of samples turned by any angle: infants lie as they like.
        flip_share: share of mirrored samples.
        background_share: share of samples laid on another surface, where a mask exists.
        occlusion_share: share of samples with things in front.
        photometric_share: share of samples with other light, lens, sensor and codec.
    """

    jitter: float = 0.03
    scale: tuple[float, float] = (0.75, 1.35)
    shift: float = 0.08
    degrees: float = 40.0
    any_angle_share: float = 0.4
    flip_share: float = 0.5
    background_share: float = 0.25
    occlusion_share: float = 0.4
    photometric_share: float = 0.9


def eval_crop(box_xyxy: Float[np.ndarray, "4"], size: int, margin: float = CROP_MARGIN) -> Crop:
    """Upright square crop around a box."""
    return Crop.around(box_xyxy, size, margin)


def train_crop(
    box_xyxy: Float[np.ndarray, "4"],
    size: int,
    generator: np.random.Generator,
    settings: TrainTransforms | None = None,
    margin: float = CROP_MARGIN,
) -> Crop:
    """Square crop around a box with random edges, scale, shift, rotation and mirroring."""
    settings = settings or TrainTransforms()
    box = np.asarray(box_xyxy, dtype=np.float64)
    side = max(box[2] - box[0], box[3] - box[1])
    box = box + generator.normal(0, settings.jitter * side, 4)
    margin = margin / np.exp(generator.uniform(*np.log(settings.scale)))
    any_angle = generator.random() < settings.any_angle_share
    degrees = generator.uniform(-1, 1) * (180.0 if any_angle else settings.degrees)
    shift = generator.uniform(-settings.shift, settings.shift, 2)
    crop = Crop.around(box, size, margin, degrees, (float(shift[0]), float(shift[1])))
    mirrored = generator.random() < settings.flip_share
    return crop.then(horizontal_flip(size)) if mirrored else crop


def eval_sample(
    sample: PoseSample,
    image: Image.Image,
    box_xyxy: Float[np.ndarray, "4"],
    size: int,
    margin: float = CROP_MARGIN,
) -> CroppedSample:
    """Crop a sample for evaluation: the same every time."""
    crop = eval_crop(box_xyxy, size, margin)
    return crop_sample(sample, crop_picture(image, crop), crop)


def train_sample(
    sample: PoseSample,
    image: Image.Image,
    mask: Image.Image | None,
    box_xyxy: Float[np.ndarray, "4"],
    size: int,
    generator: np.random.Generator,
    settings: TrainTransforms | None = None,
    margin: float = CROP_MARGIN,
) -> CroppedSample:
    """Crop and vary a sample for training.

    Args:
        sample: labels.
        image: its RGB image.
        mask: its grey foreground mask; when given, the infant is laid on another surface.
        box_xyxy: (4,) image pixels.
        size: side of the crop in pixels.
        generator: the only source of randomness.
        settings: how far to stray.
        margin: mean side of the crop over the longer side of the box.
    """
    settings = settings or TrainTransforms()
    crop = train_crop(box_xyxy, size, generator, settings, margin)
    picture = crop_picture(image, crop, _outside(generator))
    if mask is not None:
        alpha = np.asarray(warp_image(mask, crop.matrix, crop.size), dtype=np.float32) / 255
        picture = train_background(picture, alpha, generator)
    if generator.random() < settings.occlusion_share:
        picture = train_occlusion(picture, generator)
    if generator.random() < settings.photometric_share:
        picture = train_photometric(picture, generator)
    return crop_sample(sample, picture, crop)


def _outside(generator: np.random.Generator) -> tuple[int, int, int]:
    """Colour beyond the image's edge: black as in evaluation for half of the samples, else any."""
    if generator.random() < 0.5:
        return (0, 0, 0)
    red, green, blue = (int(v) for v in generator.integers(0, 256, 3))
    return (red, green, blue)

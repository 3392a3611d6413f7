"""Settings of the trainer and of the detector recipe; free of torch, so that ``--help`` is fast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from Datasets.sources import DataSource
from Engine.settings import Settings, count, interval, limited, processes, share
from Engine.training_settings import OptimiserSettings, TrainerSettings


@dataclass(frozen=True)
class DetectorTransforms(Settings):
    """How far training images stray.

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


@dataclass(frozen=True)
class DetectorSettings(Settings):
    """The detector recipe: Faster R-CNN with two foreground classes, infant and adult.

    Attributes:
        train: data sets to learn from, mixed by ratio where a share is given; see ``DataSource``.
        validation: the data set to validate on.
        backbone: network under the feature pyramid; ``resnet18_fpn`` begins with a trained one.
        initial_weights: detector weights to start from, of infants alone too, or None.
        initial_backbone: heatmap weights whose ResNet-18 ``resnet18_fpn`` begins with where there
            are no ``initial_weights``.
        min_size: images are scaled so that the shorter side has this many pixels.
        max_size: limit of the longer side in pixels.
        box_head: width of the two fully connected layers.
        proposals: places that the first stage offers in training; in use, the best three tenths as
            many. More where people are many, small, or hidden.
        box_weight: of the second stage's box regression among the losses; above 1 where somebody is
            easy to find and hard to fit.
        batch_size: images per step.
        frame_step: use every n-th image (neighbouring frames look alike).
        validation_limit: at most this many validation images, evenly spread.
        num_workers: processes that load images.
        transforms: see ``DetectorTransforms``.
        optimiser: see ``OptimiserSettings``.
        trainer: see ``TrainerSettings``.
    """

    train: tuple[DataSource, ...] = ()
    validation: DataSource | None = None
    backbone: Literal[
        "mobilenet_v3_large_320_fpn", "mobilenet_v3_large_fpn", "resnet50_fpn_v2", "resnet18_fpn"
    ] = "mobilenet_v3_large_320_fpn"
    initial_weights: Path | None = None
    initial_backbone: Path | None = None
    min_size: int = limited(240, 32, 4096)
    max_size: int = limited(640, 32, 8192)
    box_head: int = limited(256, 1, 8192)
    proposals: int = limited(100, 1, 10_000)
    box_weight: float = limited(2.0, 0.0, 1e3)
    batch_size: int = limited(8, 1, 4096)
    frame_step: int = count(1)
    validation_limit: int = count(200)
    num_workers: int = processes(1)
    transforms: DetectorTransforms = DetectorTransforms()
    optimiser: OptimiserSettings = OptimiserSettings(warmup_steps=200)
    trainer: TrainerSettings = TrainerSettings(
        max_epochs=12, gradient_clip=5.0, steps_per_epoch=500
    )


@dataclass(frozen=True)
class RescoringSettings(Settings):
    """The close-up recipe: who it is in a detector's boxes.

    Attributes:
        train: data sets to learn from, mixed by ratio where a share is given; see ``DataSource``.
        validation: the data set to validate on.
        detector: weights whose mistakes are learnt from; what is written is them, and more.
        initial_backbone: heatmap weights with whose ResNet-18 it begins.
        images_scored: at most this many images of each data set, evenly spread, are shown to the
            detector; of the others only the true boxes count.
        per_image: close-ups of each image that is drawn.
        batch_size: images per step.
        validation_limit: at most this many validation images, evenly spread.
        num_workers: processes that load images.
        optimiser: see ``OptimiserSettings``.
        trainer: see ``TrainerSettings``.
    """

    train: tuple[DataSource, ...] = ()
    validation: DataSource | None = None
    detector: Path | None = None
    initial_backbone: Path | None = None
    images_scored: int = count(2000)
    per_image: int = limited(4, 1, 100)
    batch_size: int = limited(16, 1, 4096)
    validation_limit: int = count(400)
    num_workers: int = processes(1)
    optimiser: OptimiserSettings = OptimiserSettings(learning_rate=8e-4, warmup_steps=300)
    trainer: TrainerSettings = TrainerSettings(
        max_epochs=40, gradient_clip=5.0, steps_per_epoch=250
    )

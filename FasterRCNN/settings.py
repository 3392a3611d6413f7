"""Settings of the trainer and of the detector recipe; free of torch, so that ``--help`` is fast."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from Datasets.sources import DataSource
from Datasets.transforms.settings import WholeImageTransforms
from Engine.settings import Settings, count, limited, processes
from Engine.training_settings import OptimiserSettings, TrainerSettings
from Engine.widths import THUNDER


@dataclass(frozen=True)
class DetectorSettings(Settings):
    """The detector recipe: Faster R-CNN with two foreground classes, infant and adult.

    Attributes:
        train: data sets to learn from, mixed by ratio where a share is given; see ``DataSource``.
        validation: the data set to validate on.
        backbone: network under the feature pyramid; ``mobilenet_v2_fpn`` and ``resnet18_fpn``
            begin with a trained one.
        widths: channels of MobileNetV2's stem and seven stages, those of the heatmap network that
            it begins with.
        initial_weights: detector weights to start from, of infants alone too, or None.
        initial_backbone: heatmap weights whose MobileNetV2 or ResNet-18 the backbone begins with
            where there are no ``initial_weights``.
        min_size: images are scaled so that the shorter side has this many pixels.
        max_size: limit of the longer side in pixels.
        box_head: width of the two fully connected layers.
        proposals: proposals of the first stage in training; in use, the best three tenths as many.
            More where people are many, small, or hidden.
        box_weight: of the second stage's box regression among the losses; above 1 where people are
            easy to detect and hard to localise.
        batch_size: images per step.
        frame_step: use every n-th image (neighbouring frames look alike).
        validation_limit: at most this many validation images, evenly spread.
        num_workers: processes that load images.
        transforms: see ``WholeImageTransforms``.
        optimiser: see ``OptimiserSettings``.
        trainer: see ``TrainerSettings``.
    """

    train: tuple[DataSource, ...] = ()
    validation: DataSource | None = None
    backbone: Literal[
        "mobilenet_v3_large_320_fpn",
        "mobilenet_v3_large_fpn",
        "mobilenet_v2_fpn",
        "resnet50_fpn_v2",
        "resnet18_fpn",
    ] = "mobilenet_v3_large_320_fpn"
    widths: tuple[int, ...] = limited(THUNDER, 1, 4096)
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
    transforms: WholeImageTransforms = field(default_factory=WholeImageTransforms)
    optimiser: OptimiserSettings = OptimiserSettings(warmup_steps=200)
    trainer: TrainerSettings = TrainerSettings(
        max_epochs=12, gradient_clip=5.0, steps_per_epoch=500
    )


@dataclass(frozen=True)
class RescoringSettings(Settings):
    """The re-scoring recipe: a classifier of a detector's boxes.

    Attributes:
        train: data sets to learn from, mixed by ratio where a share is given; see ``DataSource``.
        validation: the data set to validate on.
        detector: weights whose boxes are learnt from; they are written again with the classifier.
        initial_backbone: heatmap weights with whose ResNet-18 it begins.
        images_scored: the detector runs on at most this many images of each data set, evenly
            spread; the others contribute their true boxes only.
        per_image: crops of each image that is drawn.
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

"""The recipes' settings: sections of ``config.yaml`` and flags; free of torch: help is fast."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from Datasets.sources import DataSource
from FasterRCNN.settings import OptimiserSettings, TrainerSettings


@dataclass(frozen=True)
class HeatmapSettings:
    """The 2D recipe: crops to one map per joint.

    Attributes:
        train: the data sets to learn from; see ``DataSource``.
        validation: the data set to validate on.
        skeleton: joints to predict, ``infant`` or ``mpii_16`` (the published mapping).
        frame_step: use every n-th frame of a sequence (neighbours look alike).
        validation_limit: at most this many validation images, evenly spread.
        initial_weights: weights to start from, or None for random ones.
        augment: vary crops, light and occlusion.
        input_size: side of the square crop in pixels.
        sigma: of the Gaussian targets in map pixels (a quarter of the crop's).
        loss: cross-entropy of the softmax over the map, or mse, as published.
        depth: of the ResNet: 18, 34, 50, 101 or 152.
        head_batch_norm: batch normalisation in the head; none in Ellershaw's network.
        head_channels: width of the head.
        normalise: subtract ImageNet's mean colour and divide by its deviation.
        batch_size: crops per step.
        num_workers: processes that load images.
        optimiser: see ``OptimiserSettings``.
        trainer: see ``TrainerSettings``.
    """

    train: tuple[DataSource, ...] = ()
    validation: DataSource | None = None
    skeleton: Literal["infant", "mpii_16"] = "infant"
    frame_step: int = 1
    validation_limit: int = 400
    initial_weights: Path | None = None
    augment: bool = True
    input_size: int = 256
    sigma: float = 2.0
    loss: Literal["cross_entropy", "mse"] = "cross_entropy"
    depth: Literal[18, 34, 50, 101, 152] = 18
    head_batch_norm: bool = True
    head_channels: int = 128
    normalise: bool = True
    batch_size: int = 32
    num_workers: int = 1
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    trainer: TrainerSettings = field(
        default_factory=lambda: TrainerSettings(gradient_clip=5.0, steps_per_epoch=500)
    )


@dataclass(frozen=True)
class NoiseSettings:
    """What the lifter's true 2D joints suffer in training, so that it bears a network's.

    Lengths are fractions of the pose's size: the root mean square distance of its 2D joints from
    their mean, about 30 % of the longer side of the infant's box.

    Attributes:
        sigma: largest standard deviation per axis; each pose draws its own, from 0 to this.
        hard_factor: on sigma of face, wrists, fingers and toes, where heatmaps err most (measured
            two to three times as much as at the trunk).
        outlier_share: share of joints that are far off.
        outlier_sigma: standard deviation of those.
        missing_share: largest share of joints missing; each pose draws its own, from 0 to this.
        face_missing_share: share of poses without eyes, ears and nose (seen from behind).
        mini_rgbd_share: share of poses with the joints that MINI-RGBD labels only (its true 2D).
    """

    sigma: float = 0.08
    hard_factor: float = 2.0
    outlier_share: float = 0.03
    outlier_sigma: float = 0.4
    missing_share: float = 0.2
    face_missing_share: float = 0.1
    mini_rgbd_share: float = 0.1


@dataclass(frozen=True)
class LiftingSettings:
    """The 3D recipe: 2D joints to 3D joints relative to the root.

    Attributes:
        train: the data sets to learn from; see ``DataSource``.
        pose_banks: npz files with ``keypoints_px`` (n, 25, 2), ``joints_mm`` (n, 25, 3) in the
            camera frame, ``intrinsics`` (n, 3, 3), and optionally ``scores`` (n, 25), where the
            keypoints are a network's; ``infant`` joints.
        validation: the data set to validate on.
        skeleton: joints in and out, ``infant`` or ``mpii_16`` (the published mapping).
        frame_step: use every n-th frame of a sequence.
        initial_weights: weights to start from, or None for random ones.
        input: viewing rays with the root in the centre, or raw pixels, as in Ellershaw's recipe.
        any_rotation: turn every training pose about the viewing axis by any angle.
        flip: mirror half of the training poses.
        noise: see ``NoiseSettings``; None trains on 2D as it is.
        validation_noise: standard deviation of the noisy validation, as ``noise.sigma``.
        loss: mean distance (the error measure itself) or mse, as published.
        sigma_weight: weight of the likelihood that teaches the error bars.
        width: of the hidden layers.
        blocks: residual blocks.
        dropout: share of hidden values dropped in training.
        batch_size: poses per step.
        num_workers: processes that prepare batches.
        optimiser: see ``OptimiserSettings``.
        trainer: see ``TrainerSettings``.
    """

    train: tuple[DataSource, ...] = ()
    pose_banks: tuple[Path, ...] = ()
    validation: DataSource | None = None
    skeleton: Literal["infant", "mpii_16"] = "infant"
    frame_step: int = 1
    initial_weights: Path | None = None
    input: Literal["rays", "pixels"] = "rays"
    any_rotation: bool = True
    flip: bool = True
    noise: NoiseSettings | None = field(default_factory=NoiseSettings)
    validation_noise: float = 0.06
    loss: Literal["distance", "mse"] = "distance"
    sigma_weight: float = 0.05
    width: int = 1024
    blocks: int = 2
    dropout: float = 0.1
    batch_size: int = 1024
    num_workers: int = 0
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    trainer: TrainerSettings = field(default_factory=lambda: TrainerSettings(gradient_clip=5.0))

    def __post_init__(self) -> None:
        if self.input == "pixels" and (self.any_rotation or self.flip):
            raise ValueError("lifting: raw pixels cannot be turned or mirrored; set both to false")


ELLERSHAW_HEATMAP = HeatmapSettings(
    skeleton="mpii_16",
    augment=False,
    loss="mse",
    depth=50,
    head_batch_norm=False,
    head_channels=256,
    normalise=False,
    batch_size=16,
    optimiser=OptimiserSettings(
        learning_rate=1e-4, weight_decay=0.0, warmup_steps=0, final_factor=1.0, average_decay=0.0
    ),
    trainer=TrainerSettings(),
)
"""The published 2D recipe (Ellershaw): Adam at a constant rate, MSE, no norm in the head."""

ELLERSHAW_LIFTING = LiftingSettings(
    skeleton="mpii_16",
    input="pixels",
    any_rotation=False,
    flip=False,
    noise=None,
    loss="mse",
    sigma_weight=0.0,
    dropout=0.5,
    batch_size=64,
    optimiser=OptimiserSettings(
        learning_rate=1e-2,
        weight_decay=0.0,
        warmup_steps=0,
        schedule="exponential",
        final_factor=0.9**50,
        average_decay=0.0,
    ),
    trainer=TrainerSettings(max_epochs=50),
)
"""The published 3D recipe: raw pixels in, Adam, a rate that falls to nine tenths in each epoch."""

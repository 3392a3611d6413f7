"""The recipes' settings: sections of ``config.yaml`` and flags; free of torch: help is fast."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from Datasets.sources import DataSource
from Engine.settings import Settings, count, interval, limited, processes, share
from Engine.training_settings import OptimiserSettings, TrainerSettings
from PoseEstimation.models.configs import (
    ClipLifterSettings,
    HeatmapNetworkSettings,
    MartinezSettings,
    PoseResNetSettings,
)


@dataclass(frozen=True)
class HeatmapSettings(Settings):
    """The 2D recipe: crops to one map per joint.

    Attributes:
        train: the data sets to learn from; see ``DataSource``.
        validation: the data set to validate on.
        skeleton: joints to predict, ``infant`` or ``mpii_16`` (the published mapping).
        frame_step: use every n-th frame of a sequence (neighbours look alike).
        validation_limit: at most this many validation images, evenly spread.
        initial_weights: weights to start from, or None for random ones.
        keep_first: leave the stem and the first stage as they begin, which is faster; needs
            ``initial_weights``.
        augment: vary crops, light and occlusion.
        any_angle_share: share of crops that are turned by any angle, where they vary.
        occlusion_share: share of crops with things in front, where they vary.
        photometric_share: share of crops with other light, lens, sensor and codec.
        input_size: side of the square crop in pixels.
        crop_margin: side of the crop over the longer side of the box; 1 as published.
        whole_image: crop nothing.
        sigma: of the Gaussian targets in map pixels (a quarter of the crop's).
        reach: how near counts as right when a map is read, over its side; see ``HeatmapCodec``.
        loss: cross-entropy of the softmax over the map, or mse, as published.
        network: see ``PoseResNetSettings``; its ``kind`` may choose another one.
        depth_weight: weight of the joints' depths (2.5D), in crop sides; 0 makes heatmaps alone.
        sigma_weight: weight of the likelihood that trains ``sigma_px``, beside depths.
        batch_size: crops per step.
        num_workers: processes that load images.
        optimiser: see ``OptimiserSettings``.
        trainer: see ``TrainerSettings``.
    """

    train: tuple[DataSource, ...] = ()
    validation: DataSource | None = None
    skeleton: Literal["infant", "mpii_16"] = "infant"
    frame_step: int = count(1)
    validation_limit: int = count(400)
    initial_weights: Path | None = None
    keep_first: bool = False
    augment: bool = True
    any_angle_share: float = share(0.4)
    occlusion_share: float = share(0.4)
    photometric_share: float = share(0.9)
    input_size: int = limited(256, 32, 4096)
    crop_margin: float = limited(1.25, 1.0, 4.0)
    whole_image: bool = False
    sigma: float = limited(2.0, 0.1, 100.0)
    reach: float = share(0.0)
    loss: Literal["cross_entropy", "mse"] = "cross_entropy"
    network: HeatmapNetworkSettings = field(
        default_factory=lambda: PoseResNetSettings(head_channels=128)
    )
    depth_weight: float = limited(5.0, 0.0, 1e6)
    sigma_weight: float = limited(0.02, 0.0, 1e6)
    batch_size: int = limited(32, 1, 65_536)
    num_workers: int = processes(1)
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    trainer: TrainerSettings = field(
        default_factory=lambda: TrainerSettings(gradient_clip=5.0, steps_per_epoch=500)
    )


@dataclass(frozen=True)
class LiftingSettings(Settings):
    """The published 3D recipe (Martinez, Ellershaw): raw 2D joints to 3D joints, frame by frame.

    The learning rate falls to nine tenths in each epoch.

    Attributes:
        train: the data sets to learn from, with true 2D joints; see ``DataSource``.
        detections: files of cached detections of a 2D network, to learn from.
        validation: the data set to validate on, from true 2D joints.
        validation_detections: likewise, to validate on.
        skeleton: joints in and out, ``mpii_16`` (the published mapping) or ``infant``.
        frame_step: use every n-th frame of a sequence.
        initial_weights: weights to start from, or None for random ones.
        network: see ``MartinezSettings``.
        batch_size: poses per step.
        num_workers: processes that prepare batches.
        optimiser: see ``OptimiserSettings``.
        trainer: see ``TrainerSettings``.
    """

    train: tuple[DataSource, ...] = ()
    detections: tuple[Path, ...] = ()
    validation: DataSource | None = None
    validation_detections: tuple[Path, ...] = ()
    skeleton: Literal["infant", "mpii_16"] = "mpii_16"
    frame_step: int = count(1)
    initial_weights: Path | None = None
    network: MartinezSettings = field(default_factory=MartinezSettings)
    batch_size: int = limited(64, 1, 65_536)
    num_workers: int = processes(0)
    optimiser: OptimiserSettings = field(
        default_factory=lambda: OptimiserSettings(
            learning_rate=1e-2,
            weight_decay=0.0,
            warmup_steps=0,
            schedule="exponential",
            final_factor=0.9**50,
            average_decay=0.0,
        )
    )
    trainer: TrainerSettings = field(default_factory=lambda: TrainerSettings(max_epochs=50))


@dataclass(frozen=True)
class CameraSettings(Settings):
    """Random cameras of movements: most as in MINI-RGBD, a share of any other kind.

    Attributes:
        distance_mm: range of distances.
        tilt_degrees: largest tilt from straight down, about either axis.
        fov_degrees: field of view across the longer image side.
        wide_share: share of other cameras.
        wide_distance_mm, wide_tilt_degrees, wide_fov_degrees: their ranges.
        moving_share: share of cameras that are held in a hand.
    """

    distance_mm: tuple[float, float] = interval(700.0, 1500.0, 50.0, 1e5)
    tilt_degrees: float = limited(15.0, 0.0, 180.0)
    fov_degrees: float = limited(57.0, 5.0, 170.0)
    wide_share: float = share(0.4)
    wide_distance_mm: tuple[float, float] = interval(450.0, 2000.0, 50.0, 1e5)
    wide_tilt_degrees: float = limited(80.0, 0.0, 180.0)
    wide_fov_degrees: tuple[float, float] = interval(35.0, 85.0, 5.0, 170.0)
    moving_share: float = share(0.15)


@dataclass(frozen=True)
class ClipNoiseSettings(Settings):
    """Detection noise: errors added to the 2D joints of a training clip, as a network makes them.

    Lengths are fractions of the 2D pose's standard deviation.

    Attributes:
        sigma: typical standard deviation per axis at the trunk.
        sigma_spread: of the logarithm of a joint's own level in a clip.
        soft_factor: on sigma of the face and the limbs' ends.
        bout_share: share of frames in which a joint is hard to see.
        bout_factor: on sigma then.
        bias: standard deviation of the logarithm of a bone's length as the network sees it over its
            true one, the same throughout a clip; less at the trunk, more at the limbs' ends.
        lasting_frames: how long errors last, standard deviation in frames.
        slow_share: share of the error (as amplitude) that lasts.
        missing_share: largest share of joints missing; each clip draws its own.
        depth_sigma: typical standard deviation of the depth over a bone, over the bone's length.
        depth_shrink: networks underestimate depth: least factor on true depths.
        report_spread: of the logarithm of the reported over the true sigma.
        photo_factor: ``sigma`` of a photo is larger by up to this factor, log-uniform, and
            ``depth_sigma`` by its root.
    """

    sigma: float = limited(0.04, 0.0, 10.0)
    sigma_spread: float = limited(0.5, 0.0, 10.0)
    soft_factor: float = limited(1.7, 0.0, 100.0)
    bout_share: float = share(0.08)
    bout_factor: float = limited(4.0, 0.0, 100.0)
    bias: float = limited(0.08, 0.0, 10.0)
    lasting_frames: float = limited(5.0, 0.0, 1e4)
    slow_share: float = share(0.85)
    missing_share: float = share(0.15)
    depth_sigma: float = limited(0.17, 0.0, 10.0)
    depth_shrink: float = share(0.7)
    report_spread: float = limited(0.3, 0.0, 10.0)
    photo_factor: float = limited(4.0, 1.0, 100.0)


@dataclass(frozen=True)
class ClipLiftingSettings(Settings):
    """The 3D recipe of videos: clips of 2D joints to 3D joints relative to the root.

    Attributes:
        train: data sets with 3D labels in sequences, before random cameras; see ``DataSource``.
        movement_banks: npz files of ``synth --profile movements``.
        posture_banks: npz files of ``synth --profile postures``, for photos and slow videos.
        posture_share: share of those from postures, where given.
        detections: files of cached detections on sequences with 3D labels, at 30 frames/s.
        detections_slow: likewise, on sequences whose frames are far apart, and on photos.
        detections_share: share of clips from cached detections, where given.
        detections_weak: likewise, on photos whose 3D joints are known but for their place.
        weak_share: share of photos from those, where given.
        validation: the data set to validate on, from its true 2D joints; or None.
        validation_movements: banks of movements to validate on, each infant as one sequence.
        validation_detections: cached detections on the data set, or None.
        validation_photos: likewise, of photos; all together count as one sequence.
        skeleton: joints in and out.
        initial_weights: weights to start from, or None for random ones.
        runs: runs of consecutive frames in a clip.
        frames: frames in a run.
        bone_spread: standard deviation of the logarithm of the factor on each bone's length; mirror
            images have one factor.
        joint_sets_share: share of clips that lack, in all frames, the joints that a randomly chosen
            convention lacks (``training.given_joints``).
        shape_share: share of clips whose bone lengths are given, as a fit gives them.
        exact_share: share of clips with true 2D joints and without depths.
        rounded_share: share of those in whole pixels.
        depth_share: share of the other clips that have depths.
        single_share: share of batches of single frames: photos.
        slow_share: share of batches whose frames are far apart: slow videos.
        cameras: see ``CameraSettings``.
        noise: see ``ClipNoiseSettings``.
        velocity_weight: weight of the error of frame differences.
        direction_weight: weight of the error of bone vectors over their lengths.
        bone_weight: weight of the error of the logs of bone lengths.
        sigma_weight: weight of the likelihood that trains the error bars.
        network: see ``ClipLifterSettings``.
        batch_size: clips per step.
        num_workers: processes that prepare batches.
        optimiser: see ``OptimiserSettings``.
        trainer: see ``TrainerSettings``.
    """

    train: tuple[DataSource, ...] = ()
    movement_banks: tuple[Path, ...] = ()
    posture_banks: tuple[Path, ...] = ()
    posture_share: float = share(0.7)
    detections: tuple[Path, ...] = ()
    detections_slow: tuple[Path, ...] = ()
    detections_share: float = share(0.3)
    detections_weak: tuple[Path, ...] = ()
    weak_share: float = share(0.2)
    validation: DataSource | None = None
    validation_movements: tuple[Path, ...] = ()
    validation_detections: Path | None = None
    validation_photos: Path | None = None
    skeleton: Literal["infant", "mpii_16", "mini_rgbd_25"] = "infant"
    initial_weights: Path | None = None
    runs: int = limited(5, 1, 1000)
    frames: int = limited(11, 1, 10_000)
    bone_spread: float = limited(0.08, 0.0, 10.0)
    joint_sets_share: float = share(0.6)
    shape_share: float = share(0.5)
    exact_share: float = share(0.4)
    rounded_share: float = share(0.5)
    depth_share: float = share(0.7)
    single_share: float = share(0.2)
    slow_share: float = share(0.1)
    cameras: CameraSettings = field(default_factory=CameraSettings)
    noise: ClipNoiseSettings = field(default_factory=ClipNoiseSettings)
    velocity_weight: float = limited(1.0, 0.0, 1e6)
    direction_weight: float = limited(1.0, 0.0, 1e6)
    bone_weight: float = limited(0.3, 0.0, 1e6)
    sigma_weight: float = limited(0.05, 0.0, 1e6)
    network: ClipLifterSettings = field(default_factory=ClipLifterSettings)
    batch_size: int = limited(30, 1, 65_536)
    num_workers: int = processes(1)
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    trainer: TrainerSettings = field(
        default_factory=lambda: TrainerSettings(gradient_clip=5.0, steps_per_epoch=200, patience=20)
    )

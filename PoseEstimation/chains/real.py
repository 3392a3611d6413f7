"""The chain for real photos: generated infants and carers, and the few photos there are.

It begins with the 2D network and the lifter of ``best``, which have seen nobody but generated
infants that lie. They learn any posture, place and turn of the camera from generated photos, and
what real ones look like from adults in sport and everyday life and from 200 infants. What is learnt
from photos may be used as their terms allow: research.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from Datasets.sources import DataSource
from FasterRCNN.settings import DetectorSettings, OptimiserSettings, TrainerSettings
from PoseEstimation.chains.chain import Stage
from PoseEstimation.settings import (
    CalibrationSettings,
    CameraSettings,
    ClipLiftingSettings,
    GenerateSettings,
    HeatmapSettings,
    ObserveSettings,
)

BEGIN = "infant-synthetic"
"""Weight set whose networks the chain goes on from."""


@dataclass(frozen=True)
class RealData:
    """What the chain needs beside what it generates.

    Attributes:
        begin: folder of the weight set to begin with, without photos: ``best``'s.
        sport: LSP-extended.
        everyday: COCO.
        infants: SyRIP.
        held_out: MINI-RGBD, to validate and calibrate the lifter on.
        smpl_poses: fits of people in bed, or None.
    """

    begin: Path
    sport: DataSource
    everyday: DataSource
    infants: DataSource
    held_out: DataSource
    smpl_poses: Path | None


HEATMAP = HeatmapSettings(
    input_size=192,
    any_angle_share=1.0,
    optimiser=OptimiserSettings(learning_rate=1e-3),
    trainer=TrainerSettings(max_minutes=85, steps_per_epoch=400, patience=99, gradient_clip=5.0),
)
"""First stage of the 2D network; the second has 256 pixels and gentler pictures."""

CLIPS = ClipLiftingSettings(
    observed_share=0.4,
    single_share=0.35,
    cameras=CameraSettings(wide_share=0.6, wide_tilt_degrees=90.0),
    optimiser=OptimiserSettings(learning_rate=5e-4),
    trainer=TrainerSettings(max_minutes=60, steps_per_epoch=200, patience=99, gradient_clip=5.0),
)

DETECTOR = DetectorSettings(
    backbone="resnet18_fpn",
    optimiser=OptimiserSettings(learning_rate=3e-4, warmup_steps=200),
    trainer=TrainerSettings(max_minutes=80, steps_per_epoch=300, patience=99, gradient_clip=5.0),
)


def real_chain(
    folder: Path,
    data: RealData,
    heatmap: HeatmapSettings = HEATMAP,
    clips: ClipLiftingSettings = CLIPS,
    detector: DetectorSettings = DETECTOR,
    photos: int = 3000,
) -> list[Stage]:
    """List the stages.

    Args:
        folder: of the chain.
        data: see the class.
        heatmap: first stage of the 2D network, without data.
        clips: the 3D recipe, without data.
        detector: the detector's, without data.
        photos: how many are generated with carers, dolls and empty beds; half as many of infants
            alone.
    """
    made = [
        Stage("01-scenes", GenerateSettings("scenes", photos, seed=52101)),
        Stage("02-infants", GenerateSettings("syrip", photos // 2, seed=51101)),
        Stage("03-lying", GenerateSettings("mini_rgbd", photos // 10, frames=8, seed=7901)),
    ]
    held_out = DataSource("syrip", "validation", folder / "02-infants")
    mixed = (
        *generated_sources(folder),
        *adult_sources(data),
        replace(data.infants, share=0.25),
    )
    planar = replace(
        heatmap,
        train=mixed,
        validation=held_out,
        initial_weights=data.begin / "heatmap.safetensors",
    )
    large = replace(
        planar,
        input_size=256,
        occlusion_share=0.2,
        photometric_share=0.5,
        initial_weights=folder / "04-heatmap" / "heatmap.safetensors",
    )
    return [
        *made,
        Stage("04-heatmap", planar),
        Stage("05-heatmap", large),
        *_spatial(folder, data, clips, photos),
        Stage("13-detector", _detector(folder, data, detector)),
    ]


def generated_sources(folder: Path) -> tuple[DataSource, ...]:
    """People who are generated: in scenes, alone in every posture, and lying in every place."""
    return (
        DataSource("coco", "train", folder / "01-scenes", share=0.15),
        DataSource("syrip", "train", folder / "02-infants", share=0.22),
        DataSource("mini_rgbd", "all", folder / "03-lying", share=0.1),
    )


def adult_sources(data: RealData) -> tuple[DataSource, ...]:
    """Photos of adults; whoever labelled those in sport put joints elsewhere."""
    return (
        replace(data.sport, share=0.25, shifted=True),
        replace(data.everyday, share=0.03),
    )


def _detector(folder: Path, data: RealData, detector: DetectorSettings) -> DetectorSettings:
    """Everybody, and nobody; everyday photos are left to see whom it takes for an infant there."""
    scenes = folder / "01-scenes"
    sources = (
        DataSource("coco", "train", scenes, share=0.4),
        DataSource("syrip", "train", folder / "02-infants", share=0.15),
        replace(data.sport, share=0.15),
        replace(data.infants, share=0.3),
    )
    return replace(
        detector,
        train=sources,
        validation=DataSource("coco", "validation", scenes),
        initial_backbone=folder / "04-heatmap" / "heatmap.safetensors",
    )


def _spatial(folder: Path, data: RealData, clips: ClipLiftingSettings, photos: int) -> list[Stage]:
    """The lifter: movements, postures, and what the 2D network sees of generated infants."""
    weights_2d = folder / "05-heatmap" / "heatmap.safetensors"
    seen = {
        name: folder / name / "observed.npz"
        for name in ("08-observe-photos", "09-observe-infants", "10-observe-validation")
    }
    lift = replace(
        clips,
        movement_banks=(folder / "06-movements" / "movements.npz",),
        posture_banks=(folder / "07-postures" / "postures.npz",),
        observed_slow=(seen["08-observe-photos"],),
        observed_weak=(seen["09-observe-infants"],),
        validation=data.held_out,
        validation_observed=seen["10-observe-validation"],
        initial_weights=data.begin / "lifter.safetensors",
    )
    fits = data.smpl_poses
    alone = DataSource("syrip", "train", folder / "02-infants")
    weights_3d = folder / "11-clips" / "lifter.safetensors"
    honest = CalibrationSettings((seen["10-observe-validation"],), weights_2d, weights_3d)
    return [
        Stage("06-movements", GenerateSettings("movements", photos // 2, seed=7402)),
        Stage("07-postures", GenerateSettings("postures", photos, seed=7403, smpl_poses=fits)),
        Stage("08-observe-photos", ObserveSettings(alone, weights_2d)),
        Stage("09-observe-infants", ObserveSettings(data.infants, weights_2d, weak=True)),
        Stage("10-observe-validation", ObserveSettings(data.held_out, weights_2d)),
        Stage("11-clips", lift),
        Stage("12-calibrated", honest),
    ]

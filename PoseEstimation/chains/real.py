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
from Datasets.transforms.settings import WholeImageTransforms
from Engine.training_settings import OptimiserSettings, TrainerSettings
from FasterRCNN.settings import DetectorSettings, RescoringSettings
from PoseEstimation.chains.chain import Stage
from PoseEstimation.settings import (
    CameraSettings,
    ClipLiftingSettings,
    ClipNoiseSettings,
    HeatmapSettings,
)
from PoseEstimation.stage_settings import (
    CalibrationSettings,
    DetectionCacheSettings,
    GenerateSettings,
)

BEGIN = "infant-synthetic"
"""Weight set whose networks the chain goes on from."""

HEATMAP_FILE = "heatmap.safetensors"
DETECTOR_FILE = "detector.safetensors"


@dataclass(frozen=True)
class RealData:
    """What the chain needs beside what it generates.

    Attributes:
        begin: folder of the weight set to begin with, without photos: ``best``'s.
        sport: LSP-extended.
        everyday: COCO.
        infants: SyRIP.
        held_out: MINI-RGBD, to validate the lifter on.
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
    optimiser=OptimiserSettings(learning_rate=1e-3, final_factor=0.2),
    trainer=TrainerSettings(max_minutes=35, steps_per_epoch=400, patience=99, gradient_clip=5.0),
)
"""First stage of the 2D network; the others have larger crops and gentler pictures."""

CLIPS = ClipLiftingSettings(
    observed_share=0.4,
    single_share=0.35,
    weak_share=0.4,
    cameras=CameraSettings(wide_share=0.6, wide_tilt_degrees=90.0),
    noise=ClipNoiseSettings(photo_factor=6.0),
    optimiser=OptimiserSettings(learning_rate=5e-4),
    trainer=TrainerSettings(max_minutes=35, steps_per_epoch=200, patience=99, gradient_clip=5.0),
)

DETECTOR = DetectorSettings(
    backbone="resnet18_fpn",
    min_size=320,
    proposals=300,
    box_weight=1.0,
    transforms=WholeImageTransforms(
        scale=(0.7, 1.5),
        shift=0.15,
        degrees=15.0,
        any_angle_share=0.25,
        background_share=0.15,
        occlusion_share=0.2,
        photometric_share=0.5,
        empty_share=0.05,
    ),
    optimiser=OptimiserSettings(learning_rate=4e-4, warmup_steps=200, final_factor=0.1),
    trainer=TrainerSettings(max_minutes=85, steps_per_epoch=300, patience=99, gradient_clip=5.0),
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
        photos: how many are generated first with carers, dolls and empty beds; half as many of
            infants alone.
    """
    early, late = generated_sources(folder), later_sources(folder)
    small, large, largest, last = _planar(folder, data, heatmap)
    return [
        Stage("01-scenes", GenerateSettings("scenes", photos, seed=52101)),
        Stage("02-infants", GenerateSettings("syrip", photos // 2, seed=51101)),
        Stage("03-lying", GenerateSettings("mini_rgbd", photos // 10, frames=8, seed=7901)),
        Stage("04-heatmap", replace(small, train=(*early, *photo_sources(data)))),
        Stage("05-scenes", GenerateSettings("scenes", photos * 2 // 3, seed=52102)),
        Stage("06-infants", GenerateSettings("syrip", photos * 2 // 3, seed=51102)),
        Stage("07-heatmap", replace(large, train=(*late, *photo_sources(data)))),
        Stage("08-heatmap", replace(largest, train=(*late, *photo_sources(data, careful=True)))),
        *_spatial(folder, data, clips, photos),
        *_detectors(folder, data, detector),
        Stage("22-heatmap", replace(last, train=(*late, *photo_sources(data, careful=True)))),
        *_calibrated(folder),
    ]


def generated_sources(folder: Path) -> tuple[DataSource, ...]:
    """People who are generated: in scenes, alone in every posture, and lying in every place."""
    return (
        DataSource("coco", "train", folder / "01-scenes", share=0.15),
        DataSource("syrip", "train", folder / "02-infants", share=0.22),
        DataSource("mini_rgbd", "all", folder / "03-lying", share=0.1),
    )


def later_sources(folder: Path) -> tuple[DataSource, ...]:
    """Others, of whom more are on their feet and knees, among the first ones."""
    scenes, alone, lying = generated_sources(folder)
    return (
        DataSource("coco", "train", folder / "05-scenes", share=0.12),
        DataSource("syrip", "train", folder / "06-infants", share=0.17),
        replace(scenes, share=0.05),
        replace(alone, share=0.05),
        replace(lying, share=0.08),
    )


def adult_sources(data: RealData, sport: float = 0.25) -> tuple[DataSource, ...]:
    """Photos of adults; whoever labelled those in sport put joints elsewhere."""
    return (
        replace(data.sport, share=sport, shifted=True),
        replace(data.everyday, share=0.03),
    )


def photo_sources(data: RealData, careful: bool = False) -> tuple[DataSource, ...]:
    """All photos; mostly those that were labelled with care, if wanted."""
    sport, infants = (0.15, 0.35) if careful else (0.25, 0.25)
    return (*adult_sources(data, sport), replace(data.infants, share=infants))


def _planar(folder: Path, data: RealData, heatmap: HeatmapSettings) -> tuple[HeatmapSettings, ...]:
    """Four stages of the 2D network, without training data.

    The lifter learns from what the third one sees; it takes what the last one sees, too.
    """
    small = replace(
        heatmap,
        validation=DataSource("syrip", "validation", folder / "02-infants"),
        initial_weights=data.begin / HEATMAP_FILE,
    )
    large = replace(
        small,
        validation=DataSource("syrip", "validation", folder / "06-infants"),
        keep_first=True,
        input_size=256,
        occlusion_share=0.2,
        photometric_share=0.5,
        trainer=replace(heatmap.trainer, max_minutes=85),
        initial_weights=folder / "04-heatmap" / HEATMAP_FILE,
    )
    largest = replace(
        large,
        input_size=320,
        reach=0.06,
        optimiser=replace(heatmap.optimiser, learning_rate=6e-4, final_factor=0.01),
        initial_weights=folder / "07-heatmap" / HEATMAP_FILE,
    )
    last = replace(
        largest,
        optimiser=replace(largest.optimiser, learning_rate=3e-4),
        trainer=replace(heatmap.trainer, max_minutes=50, seed=1),
        initial_weights=folder / "08-heatmap" / HEATMAP_FILE,
    )
    return small, large, largest, last


def _detectors(folder: Path, data: RealData, detector: DetectorSettings) -> list[Stage]:
    """Everybody, and nobody.

    Everyday photos are not shown, to see whom it takes for an infant there; the 2D network that it
    begins with has learnt from them.
    """
    first = replace(
        detector,
        train=(
            DataSource("coco", "train", folder / "05-scenes", share=0.3),
            DataSource("coco", "train", folder / "01-scenes", share=0.2),
            DataSource("syrip", "train", folder / "06-infants", share=0.1),
            DataSource("syrip", "train", folder / "02-infants", share=0.05),
            replace(data.sport, share=0.1),
            replace(data.infants, share=0.25),
        ),
        validation=DataSource("coco", "validation", folder / "05-scenes"),
        initial_backbone=folder / "04-heatmap" / HEATMAP_FILE,
    )
    again = replace(
        first,
        initial_backbone=None,
        initial_weights=folder / "19-detector" / DETECTOR_FILE,
        optimiser=replace(detector.optimiser, learning_rate=2e-4, final_factor=0.01),
        trainer=replace(detector.trainer, max_minutes=60),
    )
    judge = RescoringSettings(
        train=first.train,
        validation=first.validation,
        detector=folder / "20-detector" / DETECTOR_FILE,
        initial_backbone=folder / "08-heatmap" / HEATMAP_FILE,
        trainer=replace(RescoringSettings.trainer, max_minutes=85, patience=99),
    )
    return [
        Stage("19-detector", first),
        Stage("20-detector", again),
        Stage("21-close-up", judge),
    ]


def _spatial(folder: Path, data: RealData, clips: ClipLiftingSettings, photos: int) -> list[Stage]:
    """The lifter: movements, postures, and what the 2D network sees of infants it never saw.

    It has seen the real ones; ``roughened`` makes up for that.
    """
    weights_2d = folder / "08-heatmap" / HEATMAP_FILE
    alone, lying = folder / "11-unseen", DataSource("mini_rgbd", "all", folder / "12-unseen-lying")
    shown, kept = (DataSource("syrip", split, alone) for split in ("train", "validation"))
    looks = {
        "13-observe-unseen": DetectionCacheSettings(shown, weights_2d),
        "14-observe-lying": DetectionCacheSettings(lying, weights_2d),
        "15-observe-infants": DetectionCacheSettings(data.infants, weights_2d, weak=True),
        "16-observe-kept": DetectionCacheSettings(kept, weights_2d),
        "17-observe-sequences": DetectionCacheSettings(data.held_out, weights_2d),
    }
    generated, videos, infants, held_out, sequences = (
        folder / name / "observed.npz" for name in looks
    )
    lift = replace(
        clips,
        movement_banks=(folder / "09-movements" / "movements.npz",),
        posture_banks=(folder / "10-postures" / "postures.npz",),
        observed=(videos,),
        observed_slow=(generated,),
        observed_weak=(infants,),
        validation=data.held_out,
        validation_observed=sequences,
        validation_photos=held_out,
        initial_weights=data.begin / "lifter.safetensors",
    )
    fits, few = data.smpl_poses, photos * 7 // 300
    return [
        Stage("09-movements", GenerateSettings("movements", photos // 2, seed=7402)),
        Stage("10-postures", GenerateSettings("postures", photos, seed=7404, smpl_poses=fits)),
        Stage("11-unseen", GenerateSettings("syrip", photos // 2, seed=51103)),
        Stage("12-unseen-lying", GenerateSettings("mini_rgbd", few, 36, 30.0, seed=7701)),
        *(Stage(name, look) for name, look in looks.items()),
        Stage("18-clips", lift),
    ]


def _calibrated(folder: Path) -> list[Stage]:
    """Error bars of what is shipped, and how sure it has to be, on generated photos kept away."""
    kept, seen = DataSource("syrip", "validation", folder / "11-unseen"), "23-observe-kept"
    planar, spatial = folder / "22-heatmap" / HEATMAP_FILE, folder / "18-clips/lifter.safetensors"
    boxes = folder / "21-close-up" / DETECTOR_FILE
    scenes = (folder / "01-scenes", folder / "05-scenes")
    judged = tuple(DataSource("coco", "validation", root) for root in scenes)
    calibration = CalibrationSettings(
        (folder / seen / "observed.npz",), planar, spatial, boxes, judged
    )
    return [
        Stage(seen, DetectionCacheSettings(kept, planar)),
        Stage("24-calibrated", calibration),
    ]

"""The chain for real photos: generated infants and carers, and the few photos there are.

It begins with the 2D network and the lifter of ``best``, which were trained on nobody but generated
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
from PoseEstimation.chains.chain import Stages
from PoseEstimation.config import PathSettings
from PoseEstimation.settings import (
    CameraSettings,
    ClipLiftingSettings,
    ClipNoiseSettings,
    HeatmapSettings,
)
from PoseEstimation.stage_settings import (
    CalibrationSettings,
    CollectSettings,
    DetectionCacheSettings,
    GenerateSettings,
)

BEGIN = "infant-synthetic"
"""Weight set whose networks the chain goes on from."""

PHOTOS = 3000
"""Photos that are generated first with carers, dolls and empty beds; half as many of infants."""

HEATMAP = HeatmapSettings(
    input_size=192,
    any_angle_share=1.0,
    optimiser=OptimiserSettings(learning_rate=1e-3, final_factor=0.2),
    trainer=TrainerSettings(max_minutes=35, steps_per_epoch=400, patience=99, gradient_clip=5.0),
)
"""First stage of the 2D network; the others have larger crops and gentler pictures."""

CLIPS = ClipLiftingSettings(
    detections_share=0.4,
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


MOVEMENTS = {"habits": 0.6, "slp": 0.15, "cmu": 0.15, "random": 0.1}
POSTURES = {"drawn": 0.55, "slp": 0.3, "cmu": 0.05, "random": 0.1}
"""Shares of the sources of movement in the lifter's banks."""


@dataclass(frozen=True)
class RealData:
    """What the chain needs beside what it generates.

    Attributes:
        begin: folder of the weight set to begin with, without photos: ``best``'s.
        sport: LSP-extended.
        everyday: COCO.
        infants: SyRIP.
        held_out: MINI-RGBD, to validate the lifter on.
    """

    begin: Path
    sport: DataSource
    everyday: DataSource
    infants: DataSource
    held_out: DataSource

    @classmethod
    def under(cls, paths: PathSettings) -> RealData:
        """The data where config.yaml says that they lie."""
        return cls(
            paths.saved_models / BEGIN,
            DataSource("lsp", "all", paths.lsp),
            DataSource("coco", "all", paths.coco),
            DataSource("syrip", "train", paths.syrip),
            DataSource("mini_rgbd", "validation", paths.mini_rgbd),
        )


def real(folder: Path, paths: PathSettings) -> Stages:
    """List the stages.

    Args:
        folder: of the chain.
        paths: of ``lsp``, ``coco``, ``syrip``, ``mini_rgbd``, ``saved_models``, ``smpl_poses``,
            ``cmu_angles``.
    """
    stages, data = Stages(folder), RealData.under(paths)
    first, third, largest = _heatmaps(stages, data)
    lifter = _lifter(stages, data, third, paths)
    boxes = _detectors(stages, data, first, third)
    last = replace(
        largest,
        optimiser=replace(HEATMAP.optimiser, learning_rate=3e-4, final_factor=0.01),
        trainer=replace(HEATMAP.trainer, max_minutes=50, seed=1),
        initial_weights=third,
    )
    heatmap = stages.add("22-heatmap", last)
    calibrated = _calibrated(stages, boxes, heatmap, lifter)
    weights = CollectSettings(
        "photos-research",
        detector=calibrated / boxes.name,
        keypoints=calibrated / heatmap.name,
        lifter=calibrated / lifter.name,
        runs=tuple(folder / n for n in ("20-detector", "21-rescoring", "22-heatmap", "18-clips")),
        data="generated infants, adults and scenes; LSP-extended; COCO; SyRIP",
        licence="research only, non-commercial (SyRIP, LSP-extended and COCO terms)",
    )
    stages.add("25-weights", weights)
    return stages


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
    """Photos of adults; those in sport define their joints otherwise."""
    return (
        replace(data.sport, share=sport, shifted=True),
        replace(data.everyday, share=0.03),
    )


def photo_sources(data: RealData, careful: bool = False) -> tuple[DataSource, ...]:
    """All photos; mostly those that were labelled with care, if wanted."""
    sport, infants = (0.15, 0.35) if careful else (0.25, 0.25)
    return (*adult_sources(data, sport), replace(data.infants, share=infants))


def _heatmaps(stages: Stages, data: RealData) -> tuple[Path, Path, HeatmapSettings]:
    """Three stages of the 2D network; the lifter is trained on the predictions of the third.

    Returns:
        Weights of the first and of the third, and the settings of the third.
    """
    folder = stages.folder
    early, late = generated_sources(folder), later_sources(folder)
    small = replace(
        HEATMAP,
        train=(*early, *photo_sources(data)),
        validation=DataSource("syrip", "validation", folder / "02-infants"),
        initial_weights=data.begin / "heatmap.safetensors",
    )
    stages.add("01-scenes", GenerateSettings("scenes", PHOTOS, seed=52101))
    stages.add("02-infants", GenerateSettings("syrip", PHOTOS // 2, seed=51101))
    stages.add("03-lying", GenerateSettings("mini_rgbd", PHOTOS // 10, frames=8, seed=7901))
    first = stages.add("04-heatmap", small)
    stages.add("05-scenes", GenerateSettings("scenes", PHOTOS * 2 // 3, seed=52102))
    stages.add("06-infants", GenerateSettings("syrip", PHOTOS * 2 // 3, seed=51102))
    large = replace(
        small,
        train=(*late, *photo_sources(data)),
        validation=DataSource("syrip", "validation", folder / "06-infants"),
        keep_first=True,
        input_size=256,
        occlusion_share=0.2,
        photometric_share=0.5,
        trainer=replace(HEATMAP.trainer, max_minutes=85),
        initial_weights=first,
    )
    second = stages.add("07-heatmap", large)
    largest = replace(
        large,
        train=(*late, *photo_sources(data, careful=True)),
        input_size=320,
        reach=0.06,
        optimiser=replace(HEATMAP.optimiser, learning_rate=6e-4, final_factor=0.01),
        initial_weights=second,
    )
    return first, stages.add("08-heatmap", largest), largest


def _lifter(stages: Stages, data: RealData, heatmap: Path, paths: PathSettings) -> Path:
    """The lifter: movements, postures, and what the 2D network predicts of unseen infants.

    It was trained on the real ones; detection noise makes up for that.
    """
    moving = mixed_bank(GenerateSettings("movements", PHOTOS // 2, seed=7402), MOVEMENTS, paths)
    still = mixed_bank(GenerateSettings("postures", PHOTOS, seed=7404), POSTURES, paths)
    movements, postures = stages.add("09-movements", moving), stages.add("10-postures", still)
    alone = stages.add("11-unseen", GenerateSettings("syrip", PHOTOS // 2, seed=51103))
    few = GenerateSettings("mini_rgbd", PHOTOS * 7 // 300, 36, 30.0, seed=7701)
    lying = DataSource("mini_rgbd", "all", stages.add("12-unseen-lying", few))
    shown, kept = (DataSource("syrip", split, alone) for split in ("train", "validation"))
    generated, videos, infants, held_out, sequences = (
        stages.add(name, DetectionCacheSettings(source, heatmap, weak=source is data.infants))
        for name, source in (
            ("13-detections-unseen", shown),
            ("14-detections-lying", lying),
            ("15-detections-infants", data.infants),
            ("16-detections-kept", kept),
            ("17-detections-sequences", data.held_out),
        )
    )
    lift = replace(
        CLIPS,
        movement_banks=(movements / "movements.npz",),
        posture_banks=(postures / "postures.npz",),
        detections=(videos,),
        detections_slow=(generated,),
        detections_weak=(infants,),
        validation=data.held_out,
        validation_detections=sequences,
        validation_photos=held_out,
        initial_weights=data.begin / "lifter.safetensors",
    )
    return stages.add("18-clips", lift)


def mixed_bank(
    bank: GenerateSettings, sources: dict[str, float], paths: PathSettings
) -> GenerateSettings:
    """A bank of some sources of movement, without those whose file is not there."""
    files = {"slp": "smpl_poses", "cmu": "cmu_angles"}
    absent = {name for name, file in files.items() if not getattr(paths, file).is_file()}
    used = {name: share for name, share in sources.items() if name not in absent}
    texts = tuple(f"{name}={share}" for name, share in used.items())
    given = {file: getattr(paths, file) for name, file in files.items() if name in used}
    return replace(bank, sources=texts, **given)


def _detectors(stages: Stages, data: RealData, first: Path, third: Path) -> Path:
    """Infants, adults and background.

    Everyday photos are left out, to measure its false positives there; the 2D network that it
    begins with was trained on them.
    """
    folder = stages.folder
    detector = replace(
        DETECTOR,
        train=(
            DataSource("coco", "train", folder / "05-scenes", share=0.3),
            DataSource("coco", "train", folder / "01-scenes", share=0.2),
            DataSource("syrip", "train", folder / "06-infants", share=0.1),
            DataSource("syrip", "train", folder / "02-infants", share=0.05),
            replace(data.sport, share=0.1),
            replace(data.infants, share=0.25),
        ),
        validation=DataSource("coco", "validation", folder / "05-scenes"),
        initial_backbone=first,
    )
    again = replace(
        detector,
        initial_backbone=None,
        initial_weights=stages.add("19-detector", detector),
        optimiser=replace(DETECTOR.optimiser, learning_rate=2e-4, final_factor=0.01),
        trainer=replace(DETECTOR.trainer, max_minutes=60),
    )
    rescoring = RescoringSettings(
        train=detector.train,
        validation=detector.validation,
        detector=stages.add("20-detector", again),
        initial_backbone=third,
        trainer=replace(RescoringSettings.trainer, max_minutes=85, patience=99),
    )
    return stages.add("21-rescoring", rescoring)


def _calibrated(stages: Stages, detector: Path, heatmap: Path, lifter: Path) -> Path:
    """Error bars and the operating point, on generated photos that nothing was trained on."""
    kept = DataSource("syrip", "validation", stages.folder / "11-unseen")
    cached = stages.add("23-detections-kept", DetectionCacheSettings(kept, heatmap))
    scenes = tuple(
        DataSource("coco", "validation", stages.folder / name)
        for name in ("01-scenes", "05-scenes")
    )
    calibration = CalibrationSettings((cached,), heatmap, lifter, detector=detector, scenes=scenes)
    return stages.add("24-calibrated", calibration)

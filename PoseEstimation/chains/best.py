"""Our chain: everything from the generator, nothing downloaded, no adult needed.

Pictures are generated anew between the two stages of the 2D network, so that it never sees one
infant for long; the lifter learns from movements without pictures and is then tuned on what the
2D network sees of infants that neither knew. Stages are limited to what two cores do in 90 minutes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from Datasets.sources import DataSource
from Engine.training_settings import TrainerSettings
from FasterRCNN.settings import DetectorSettings
from PoseEstimation.chains.chain import Stage
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings
from PoseEstimation.stage_settings import (
    CalibrationSettings,
    DetectionCacheSettings,
    GenerateSettings,
)

PICTURES, MOVEMENTS = ("01-near", "02-far"), Path("07-movements/movements.npz")
"""Where the chain puts generated infants that others may learn from."""

SEEN_HELD_OUT = Path("13-observe-validation/observed.npz")

HEATMAP = HeatmapSettings(
    input_size=224,
    trainer=TrainerSettings(max_minutes=85, steps_per_epoch=400, patience=99, gradient_clip=5.0),
)
"""First stage of the 2D network; the second works at 256 pixels."""

CLIPS = ClipLiftingSettings(
    trainer=TrainerSettings(max_minutes=40, steps_per_epoch=200, patience=99, gradient_clip=5.0)
)

DETECTOR = DetectorSettings(
    backbone="resnet18_fpn",
    trainer=TrainerSettings(max_minutes=30, steps_per_epoch=200, patience=99, gradient_clip=5.0),
)


def best_chain(
    folder: Path,
    validation: DataSource,
    heatmap: HeatmapSettings = HEATMAP,
    clips: ClipLiftingSettings = CLIPS,
    detector: DetectorSettings = DETECTOR,
    infants: int = 300,
) -> list[Stage]:
    """List the stages.

    Args:
        folder: of the chain.
        validation: sequences that nothing learns from, such as 9-10.
        heatmap: first stage of the 2D network.
        clips: first stage of the lifter.
        detector: the detector.
        infants: pictured infants per part of the data.
    """
    planar = _planar(folder, validation, heatmap, infants)
    weights_2d = folder / planar[-1].name / "heatmap.safetensors"
    pictures = tuple(planar[-1].settings.train)
    spatial = _spatial(folder, validation, clips, weights_2d, infants)
    boxes = replace(detector, train=pictures, validation=validation, initial_backbone=weights_2d)
    honest = CalibrationSettings(
        (folder / SEEN_HELD_OUT,),
        weights_2d,
        folder / spatial[-1].name / "lifter.safetensors",
    )
    return [*planar, *spatial, Stage("15-detector", boxes), Stage("16-calibrated", honest)]


def _planar(
    folder: Path, validation: DataSource, heatmap: HeatmapSettings, infants: int
) -> list[Stage]:
    """The 2D network: fresh pictures, small crops, fresh pictures, larger crops."""
    parts = {
        "01-near": GenerateSettings("mini_rgbd", infants, seed=7101),
        "02-far": GenerateSettings("varied", infants, seed=7201),
        "04-near": GenerateSettings("mini_rgbd", infants, seed=7501),
        "05-far": GenerateSettings("varied", infants, seed=7601),
    }
    source = {name: DataSource("mini_rgbd", "all", folder / name) for name in parts}
    small = replace(heatmap, train=(source["01-near"], source["02-far"]), validation=validation)
    large = replace(
        heatmap,
        input_size=round(heatmap.input_size * 8 / 7),
        train=tuple(source.values()),
        validation=validation,
        initial_weights=folder / "03-heatmap" / "heatmap.safetensors",
    )
    made = {name: Stage(name, settings) for name, settings in parts.items()}
    return [
        made["01-near"],
        made["02-far"],
        Stage("03-heatmap", small),
        made["04-near"],
        made["05-far"],
        Stage("06-heatmap", large),
    ]


def _spatial(
    folder: Path,
    validation: DataSource,
    clips: ClipLiftingSettings,
    weights_2d: Path,
    infants: int,
) -> list[Stage]:
    """The lifter: movements without pictures, then what the 2D network sees of other infants."""
    bank = folder / MOVEMENTS
    fast, slow = (DataSource("mini_rgbd", "all", folder / n) for n in ("09-unseen", "10-unseen"))
    base = replace(clips, movement_banks=(bank,), validation=validation)
    tuned = replace(
        base,
        observed=(folder / "11-observe" / "observed.npz",),
        observed_slow=(folder / "12-observe" / "observed.npz",),
        validation_observed=folder / SEEN_HELD_OUT,
        initial_weights=folder / "08-clips" / "lifter.safetensors",
    )
    return [
        Stage("07-movements", GenerateSettings("movements", 5 * infants, seed=7401)),
        Stage("08-clips", base),
        Stage("09-unseen", GenerateSettings("mini_rgbd", infants // 4, 36, 30.0, seed=7701)),
        Stage("10-unseen", GenerateSettings("mini_rgbd", infants, 12, 1.0, seed=7801)),
        Stage("11-observe", DetectionCacheSettings(fast, weights_2d)),
        Stage("12-observe", DetectionCacheSettings(slow, weights_2d)),
        Stage(SEEN_HELD_OUT.parent.name, DetectionCacheSettings(validation, weights_2d)),
        Stage("14-clips", tuned),
    ]

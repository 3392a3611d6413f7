"""Our chain: everything from the generator, nothing downloaded, no adult needed.

Pictures are generated anew between the two stages of the 2D network, so that it does not train on
one infant for long; the lifter learns from movements without pictures and is then tuned on the 2D
network's predictions for infants that neither was trained on. Stages are limited to what two cores
do in 90 minutes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from Datasets.sources import DataSource
from Engine.training_settings import TrainerSettings
from FasterRCNN.settings import DetectorSettings
from PoseEstimation.chains.chain import Stages
from PoseEstimation.config import PathSettings
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings
from PoseEstimation.stage_settings import (
    CalibrationSettings,
    CollectSettings,
    DetectionCacheSettings,
    GenerateSettings,
)

PICTURES, MOVEMENTS = ("01-near", "02-far"), Path("07-movements/movements.npz")
"""Where the chain puts generated infants that others may learn from."""

SOURCES = ("habits=0.8", "random=0.2")
"""Shares of the sources of the lifter's movements."""

INFANTS = 300
"""Infants in each part of the pictures."""

LIMITS = TrainerSettings(steps_per_epoch=200, patience=99, gradient_clip=5.0)


def best(folder: Path, paths: PathSettings) -> Stages:
    """List the stages; sequences 9-10 of MINI-RGBD validate.

    Args:
        folder: of the chain.
        paths: of ``mini_rgbd``.
    """
    stages = Stages(folder)
    held_out = DataSource("mini_rgbd", "validation", paths.mini_rgbd)
    near, far = _pictures(stages, "01-near", 7101), _pictures(stages, "02-far", 7201, "varied")
    heatmap = HeatmapSettings(
        train=(near, far),
        validation=held_out,
        input_size=224,
        trainer=replace(LIMITS, max_minutes=85, steps_per_epoch=400),
    )
    small = stages.add("03-heatmap", heatmap)
    pictures = (
        near,
        far,
        _pictures(stages, "04-near", 7501),
        _pictures(stages, "05-far", 7601, "varied"),
    )
    large = stages.add(
        "06-heatmap", replace(heatmap, input_size=256, train=pictures, initial_weights=small)
    )
    lifter, detections = _lifter(stages, held_out, large)
    detector = DetectorSettings(
        backbone="resnet18_fpn",
        train=pictures,
        validation=held_out,
        initial_backbone=large,
        trainer=replace(LIMITS, max_minutes=30),
    )
    boxes = stages.add("15-detector", detector)
    honest = stages.add("16-calibrated", CalibrationSettings((detections,), large, lifter))
    collected = CollectSettings(
        "infant-generated",
        boxes,
        honest / large.name,
        honest / lifter.name,
        (boxes.parent, large.parent, lifter.parent),
        "generated infants only",
    )
    stages.add("17-weights", collected)
    return stages


def _pictures(stages: Stages, name: str, seed: int, profile: str = "mini_rgbd") -> DataSource:
    """Generated videos, as a data set."""
    made = stages.add(name, GenerateSettings(profile, INFANTS, seed=seed))
    return DataSource("mini_rgbd", "all", made)


def _lifter(stages: Stages, held_out: DataSource, heatmap: Path) -> tuple[Path, Path]:
    """The lifter: movements without pictures, then what the 2D network predicts of other infants.

    Returns:
        Its weights, and the detections on the held-out infants.
    """
    bank = GenerateSettings("movements", 5 * INFANTS, seed=7401, sources=SOURCES)
    made = stages.add(MOVEMENTS.parent.name, bank)
    clips = ClipLiftingSettings(
        movement_banks=(made / MOVEMENTS.name,),
        validation=held_out,
        trainer=replace(LIMITS, max_minutes=40),
    )
    first = stages.add("08-clips", clips)
    fast = stages.add("09-unseen", GenerateSettings("mini_rgbd", INFANTS // 4, 36, 30.0, seed=7701))
    slow = stages.add("10-unseen", GenerateSettings("mini_rgbd", INFANTS, 12, 1.0, seed=7801))
    sources = {
        "11-detections": DataSource("mini_rgbd", "all", fast),
        "12-detections": DataSource("mini_rgbd", "all", slow),
        "13-detections-validation": held_out,
    }
    near, far, validation = (
        stages.add(name, DetectionCacheSettings(source, heatmap))
        for name, source in sources.items()
    )
    tuned = replace(
        clips,
        detections=(near,),
        detections_slow=(far,),
        validation_detections=validation,
        initial_weights=first,
    )
    return stages.add("14-clips", tuned), validation

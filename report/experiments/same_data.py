"""Our networks on the published data: the same frames, as many pictures, an equal backbone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from Datasets.sources import DataSource
from Engine.training_settings import TrainerSettings
from PoseEstimation.chains.chain import Stages
from PoseEstimation.config import Config
from PoseEstimation.models.configs import PoseResNetSettings
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings
from PoseEstimation.stage_settings import CalibrationSettings, DetectionCacheSettings

HEATMAP = HeatmapSettings(
    network=PoseResNetSettings(depth=50),
    trainer=TrainerSettings(max_minutes=85, steps_per_epoch=400, patience=99, gradient_clip=5.0),
)

CLIPS = ClipLiftingSettings(
    bone_spread=0.15,
    trainer=TrainerSettings(max_minutes=30, steps_per_epoch=200, patience=99, gradient_clip=5.0),
)
"""Eight infants are few bodies: the lengths of their bones vary more than elsewhere."""


def same_data(folder: Path, config: Config) -> Stages:
    """List the stages: adults and infants in one run, the lifter from the infants' movements."""
    stages, root = Stages(folder), config.paths.mini_rgbd
    infants, held_out = (DataSource("mini_rgbd", s, root) for s in ("train", "validation"))
    adults = DataSource("mpii", "train", config.paths.mpii)
    planar = replace(HEATMAP, train=(adults, infants), validation=held_out)
    spatial = replace(CLIPS, train=(infants,), validation=held_out)
    add_ours(stages, "", planar, spatial, held_out)
    return stages


def add_ours(
    stages: Stages,
    prefix: str,
    heatmap: HeatmapSettings,
    clips: ClipLiftingSettings,
    held_out: DataSource,
) -> None:
    """Add a 2D network, a lifter, cached detections on held-out infants, and calibrated bars."""
    planar = stages.add(f"{prefix}1-heatmap", heatmap)
    spatial = stages.add(f"{prefix}2-clips", clips)
    detections = stages.add(
        f"{prefix}3-detections-validation", DetectionCacheSettings(held_out, planar)
    )
    stages.add(f"{prefix}4-calibrated", CalibrationSettings((detections,), planar, spatial))

"""Our networks on the published data: the same frames, as many pictures, an equal backbone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from Datasets.sources import DataSource
from Engine.training_settings import TrainerSettings
from PoseEstimation.chains.chain import Stage
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings
from PoseEstimation.stage_settings import CalibrationSettings, DetectionCacheSettings

HEATMAP = HeatmapSettings(
    depth=50,
    head_channels=256,
    trainer=TrainerSettings(max_minutes=85, steps_per_epoch=400, patience=99, gradient_clip=5.0),
)

CLIPS = ClipLiftingSettings(
    body_mixing=0.5,
    trainer=TrainerSettings(max_minutes=30, steps_per_epoch=200, patience=99, gradient_clip=5.0),
)
"""Eight infants are few bodies: mixtures of any two of them are bodies as well."""


def matched_chain(
    folder: Path,
    adults: DataSource,
    infants: DataSource,
    held_out: DataSource,
    heatmap: HeatmapSettings = HEATMAP,
    clips: ClipLiftingSettings = CLIPS,
) -> list[Stage]:
    """List the stages: adults and infants in one run, the lifter from the infants' movements.

    Args:
        folder: of the chain.
        adults: MPII.
        infants: MINI-RGBD, to learn from.
        held_out: MINI-RGBD, to validate and calibrate on.
        heatmap: the 2D recipe.
        clips: the 3D recipe.
    """
    planar = replace(heatmap, train=(adults, infants), validation=held_out)
    spatial = replace(clips, train=(infants,), validation=held_out)
    return our_stages(folder, planar, spatial, held_out)


def our_stages(
    folder: Path, heatmap: HeatmapSettings, clips: ClipLiftingSettings, held_out: DataSource
) -> list[Stage]:
    """A 2D network, a lifter, what the first sees of held-out infants, and honest error bars."""
    weights_2d = folder / "1-heatmap" / "heatmap.safetensors"
    weights_3d = folder / "2-clips" / "lifter.safetensors"
    seen = folder / "3-observe-validation" / "observed.npz"
    return [
        Stage("1-heatmap", heatmap),
        Stage("2-clips", clips),
        Stage("3-observe-validation", DetectionCacheSettings(held_out, weights_2d)),
        Stage("4-calibrated", CalibrationSettings((seen,), weights_2d, weights_3d)),
    ]

"""The published method as a chain (Ellershaw): two networks, each taught on adults first.

Everything is as published: 16 joints, a ResNet-50 without normalisation in its head, mean squared
error on heatmaps and joints, Adam, no augmentation, crops without a margin, raw pixels into the
lifter, and the stop after three epochs without a gain of a thousandth. Only the start differs: the
author began with ImageNet's weights (``initial_weights``), which not everyone may have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from Datasets.sources import DataSource
from Engine.training_settings import OptimiserSettings, TrainerSettings
from PoseEstimation.chains.chain import Stage
from PoseEstimation.settings import HeatmapSettings, LiftingSettings
from PoseEstimation.stage_settings import DetectionCacheSettings

HEATMAP = HeatmapSettings(
    skeleton="mpii_16",
    augment=False,
    loss="mse",
    depth=50,
    depth_weight=0.0,
    head_batch_norm=False,
    head_channels=256,
    crop_margin=1.0,
    normalise=False,
    batch_size=16,
    optimiser=OptimiserSettings(
        learning_rate=1e-4, weight_decay=0.0, warmup_steps=0, final_factor=1.0, average_decay=0.0
    ),
    trainer=TrainerSettings(),
)
"""The published 2D recipe: Adam at a constant rate, MSE, no norm in the head."""

LIFTING = LiftingSettings()
"""The published 3D recipe, which is the default."""

EXACT = "4-lifting-mini_rgbd"
"""Stage of the lifter that has seen infants' true 2D joints alone."""


@dataclass(frozen=True)
class Sources:
    """Data of the chain: what it learns from, and what stops it.

    Attributes:
        mpii, mpii_validation: adults in 2D.
        mpi_inf_3dhp, mpi_inf_3dhp_validation: adults in 3D.
        mini_rgbd, mini_rgbd_validation: infants.
    """

    mpii: DataSource
    mpii_validation: DataSource
    mpi_inf_3dhp: DataSource
    mpi_inf_3dhp_validation: DataSource
    mini_rgbd: DataSource
    mini_rgbd_validation: DataSource


def ellershaw_chain(
    folder: Path,
    data: Sources,
    heatmap: HeatmapSettings = HEATMAP,
    lifting: LiftingSettings = LIFTING,
    frame_step: int = 1,
) -> list[Stage]:
    """List the stages: 2D on MPII, then MINI-RGBD; 3D on 3DHP, MINI-RGBD, and predicted 2D.

    Args:
        folder: of the chain.
        data: see ``Sources``.
        heatmap: other than the published settings, for smaller runs.
        lifting: likewise.
        frame_step: look at every n-th frame before the last stage, likewise.
    """
    adult_2d, infant_2d = "1-heatmap-mpii", "2-heatmap-mini_rgbd"
    adult_3d, infant_3d = "3-lifting-3dhp", EXACT
    seen, seen_validation = "5-observe-train", "6-observe-validation"
    weights_2d = folder / infant_2d / "heatmap.safetensors"
    adults = replace(heatmap, train=(data.mpii,), validation=data.mpii_validation)
    infants = replace(
        heatmap,
        train=(data.mini_rgbd,),
        validation=data.mini_rgbd_validation,
        initial_weights=folder / adult_2d / "heatmap.safetensors",
    )
    rate = replace(lifting.optimiser, learning_rate=1e-3, final_factor=0.96**50)
    lifted = replace(
        lifting, train=(data.mpi_inf_3dhp,), validation=data.mpi_inf_3dhp_validation, optimiser=rate
    )
    lifted_infants = replace(
        lifting,
        train=(data.mini_rgbd,),
        validation=data.mini_rgbd_validation,
        initial_weights=folder / adult_3d / "lifter.safetensors",
    )
    tuned = replace(
        lifting,
        observed=(folder / seen / "observed.npz",),
        validation_observed=(folder / seen_validation / "observed.npz",),
        initial_weights=folder / infant_3d / "lifter.safetensors",
    )
    observe = DetectionCacheSettings(
        data.mini_rgbd, weights_2d, flip_test=False, frame_step=frame_step
    )
    return [
        Stage(adult_2d, adults),
        Stage(infant_2d, infants),
        Stage(adult_3d, lifted),
        Stage(infant_3d, lifted_infants),
        Stage(seen, observe),
        Stage(seen_validation, replace(observe, data=data.mini_rgbd_validation)),
        Stage("7-lifting-predicted", tuned),
    ]

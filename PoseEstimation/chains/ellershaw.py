"""The published method as a chain (Ellershaw): two networks, each trained on adults first.

Everything is as published: 16 joints, a ResNet-50 without normalisation in its head, mean squared
error on heatmaps and joints, Adam, no augmentation, crops without a margin, raw pixels into the
lifter, and the stop after three epochs without a gain of a thousandth. Only the start differs: the
author began with ImageNet's weights (``initial_weights``), which not everyone may have.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from Datasets.sources import DataSource
from Engine.training_settings import OptimiserSettings, TrainerSettings
from PoseEstimation.chains.chain import Stages
from PoseEstimation.config import PathSettings
from PoseEstimation.models.configs import PoseResNetSettings
from PoseEstimation.settings import HeatmapSettings, LiftingSettings
from PoseEstimation.stage_settings import DetectionCacheSettings

NETWORK = PoseResNetSettings(depth=50, head_batch_norm=False, normalise=False)
"""The published 2D network."""

HEATMAP = HeatmapSettings(
    skeleton="mpii_16",
    augment=False,
    loss="mse",
    network=NETWORK,
    depth_weight=0.0,
    crop_margin=1.0,
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
"""Stage of the lifter that is trained on infants' true 2D joints alone."""


class _Data(TypedDict):
    """What a network learns from and is validated on."""

    train: tuple[DataSource, ...]
    validation: DataSource


def ellershaw(
    folder: Path,
    paths: PathSettings,
    heatmap: HeatmapSettings = HEATMAP,
    lifting: LiftingSettings = LIFTING,
    frame_step: int = 1,
) -> Stages:
    """List the stages: 2D on MPII, then MINI-RGBD; 3D on 3DHP, MINI-RGBD, and predicted 2D.

    Args:
        folder: of the chain.
        paths: of ``mpii``, ``mpi_inf_3dhp`` and ``mini_rgbd``.
        heatmap: other than the published settings, for smaller runs.
        lifting: likewise.
        frame_step: detect on every n-th frame before the last stage, likewise.
    """

    def data(name: str) -> _Data:
        root = getattr(paths, name)
        held_out = DataSource(name, "validation", root)
        return {"train": (DataSource(name, "train", root),), "validation": held_out}

    stages, infants = Stages(folder), data("mini_rgbd")
    adult_2d = stages.add("1-heatmap-mpii", replace(heatmap, **data("mpii")))
    infant_2d = stages.add(
        "2-heatmap-mini_rgbd", replace(heatmap, **infants, initial_weights=adult_2d)
    )
    rate = replace(lifting.optimiser, learning_rate=1e-3, final_factor=0.96**50)
    adult_3d = stages.add(
        "3-lifting-3dhp", replace(lifting, **data("mpi_inf_3dhp"), optimiser=rate)
    )
    infant_3d = stages.add(EXACT, replace(lifting, **infants, initial_weights=adult_3d))
    cache = DetectionCacheSettings(None, infant_2d, flip_test=False, frame_step=frame_step)
    train, validation = (
        stages.add(name, replace(cache, data=part))
        for name, part in (
            ("5-detections-train", infants["train"][0]),
            ("6-detections-validation", infants["validation"]),
        )
    )
    tuned = replace(
        lifting,
        detections=(train,),
        validation_detections=(validation,),
        initial_weights=infant_3d,
    )
    stages.add("7-lifting-predicted", tuned)
    return stages

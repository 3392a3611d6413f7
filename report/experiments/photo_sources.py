"""What each source of photos adds: ``real``'s 2D network in small, with one source after another.

All begin with the same network, which has seen generated infants only, and train equally long. A
quarter of the labelled infants is kept away from all of them, to choose by; no photo shares its
source with one of another part. Self-training is measured where it could help: one part is
labelled, two more are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from Datasets.sources import DataSource
from PoseEstimation.chains.chain import Stages
from PoseEstimation.chains.real import HEATMAP, RealData, adult_sources, later_sources
from PoseEstimation.config import Config
from PoseEstimation.settings import HeatmapSettings
from PoseEstimation.stage_settings import PhotoScoreSettings, SelfLabelSettings

MINUTES = 12.0
INFANTS = 0.25
"""Share of the photos of infants, labelled or not."""

KEPT, OTHERS = "train:1of4", "train:not-1of4"
LABELLED, UNLABELLED = "train:2of4", ("train:3of4", "train:4of4")


def photo_sources(folder: Path, config: Config) -> Stages:
    """List the stages; the chain ``real``, whose generated photos are used, lies beside them."""
    stages, data, made = Stages(folder), RealData.under(config.paths), folder.parent / "real"
    adults = (*later_sources(made), *adult_sources(data))
    few = replace(data.infants, split=LABELLED, share=INFANTS / 3)
    networks = {
        name: stages.add(name, _network(sources, made, data))
        for name, sources in {
            "synthetic": later_sources(made),
            "lspet": adults,
            "syrip": (*adults, replace(data.infants, split=OTHERS, share=INFANTS)),
            "few": (*adults, replace(few, share=INFANTS)),
        }.items()
    }
    own = []
    for number, split in enumerate(UNLABELLED, 1):
        part = replace(few, split=split)
        labels = stages.add(f"self-labels-{number}", SelfLabelSettings(part, networks["few"]))
        own.append(replace(part, labels=labels))
    networks["self-training"] = stages.add(
        "self-training", _network((*adults, few, *own), made, data)
    )
    for kind, photos in _measured(data).items():
        for name, network in networks.items():
            stages.add(f"score/{name}-{kind}", PhotoScoreSettings(photos, network))
    return stages


def _network(sources: Sequence[DataSource], made: Path, data: RealData) -> HeatmapSettings:
    return replace(
        HEATMAP,
        train=tuple(sources),
        validation=DataSource("syrip", "validation", made / "06-infants"),
        validation_limit=100,
        initial_weights=data.begin / "heatmap.safetensors",
        optimiser=replace(HEATMAP.optimiser, final_factor=0.01),
        trainer=replace(HEATMAP.trainer, max_minutes=MINUTES),
    )


def _measured(data: RealData) -> dict[str, DataSource]:
    """The part kept away, to choose by, and the photos that are used once."""
    return {
        "kept": replace(data.infants, split=KEPT),
        "validation": replace(data.infants, split="validation"),
    }

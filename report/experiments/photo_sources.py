"""What each source of photos adds: ``real``'s 2D network in small, with one source after another.

All begin with the same network, which has seen generated infants only, and train equally long. A
quarter of the labelled infants is kept away from all of them, to choose by; no photo shares its
source with one of another part. Self-training is judged where it could help: one part is labelled,
two more are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from Datasets.sources import DataSource
from PoseEstimation.chains.chain import Stage
from PoseEstimation.chains.real import (
    HEATMAP,
    HEATMAP_FILE,
    RealData,
    adult_sources,
    later_sources,
)
from PoseEstimation.settings import HeatmapSettings
from PoseEstimation.stage_settings import PhotoScoreSettings, SelfLabelSettings

MINUTES = 12.0
INFANTS = 0.25
"""Share of the photos of infants, labelled or not."""

KEPT, OTHERS = "train:1of4", "train:not-1of4"
LABELLED, UNLABELLED = "train:2of4", ("train:3of4", "train:4of4")


def mix_chain(folder: Path, made: Path, data: RealData) -> list[Stage]:
    """List the stages.

    Args:
        folder: of the chain.
        made: folder of the chain ``real``, whose generated photos are used.
        data: see ``RealData``.
    """
    adults = (*later_sources(made), *adult_sources(data))
    few = replace(data.infants, split=LABELLED, share=INFANTS / 3)
    lent = [folder / f"self-labels-{number}" for number, _ in enumerate(UNLABELLED, 1)]
    own = [
        replace(few, split=split, labels=place / "labels.npz")
        for split, place in zip(UNLABELLED, lent, strict=True)
    ]
    trains = {
        "synthetic": later_sources(made),
        "lspet": adults,
        "syrip": (*adults, replace(data.infants, split=OTHERS, share=INFANTS)),
        "few": (*adults, replace(few, share=INFANTS)),
        "self-training": (*adults, few, *own),
    }
    networks = {
        name: Stage(name, _network(sources, made, data)) for name, sources in trains.items()
    }
    last = networks.pop("self-training")
    teacher = folder / "few" / HEATMAP_FILE
    labels = [
        Stage(place.name, SelfLabelSettings(replace(source, labels=None), teacher))
        for place, source in zip(lent, own, strict=True)
    ]
    scores = [
        Stage(f"score/{name}-{part}", PhotoScoreSettings(photos, folder / name / HEATMAP_FILE))
        for part, photos in _judges(data).items()
        for name in trains
    ]
    return [*networks.values(), *labels, last, *scores]


def _network(sources: Sequence[DataSource], made: Path, data: RealData) -> HeatmapSettings:
    return replace(
        HEATMAP,
        train=tuple(sources),
        validation=DataSource("syrip", "validation", made / "06-infants"),
        validation_limit=100,
        initial_weights=data.begin / HEATMAP_FILE,
        optimiser=replace(HEATMAP.optimiser, final_factor=0.01),
        trainer=replace(HEATMAP.trainer, max_minutes=MINUTES),
    )


def _judges(data: RealData) -> dict[str, DataSource]:
    """The part kept away, to choose by, and the photos that are looked at once."""
    return {
        "kept": replace(data.infants, split=KEPT),
        "validation": replace(data.infants, split="validation"),
    }

"""Everything that is compared, at a size that trains in minutes: seeds, ablations and folds.

Crops of 128 pixels, ResNet-18, and the same number of pictures for every 2D network. Boxes are the
true ones: the detector is the same for all. Rows that differ in one thing share the rest, so most
stages serve several rows. The distances of a row are in the folder ``score/ROW``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from Datasets.sources import DataSource
from Engine.training_settings import TrainerSettings
from PoseEstimation.chains import best, ellershaw
from PoseEstimation.chains.chain import Stages
from PoseEstimation.config import Config, PathSettings
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings
from PoseEstimation.stage_settings import (
    CalibrationSettings,
    DetectionCacheSettings,
    ScoreSettings,
)
from report.experiments.same_data import add_ours

PX, STEPS, MINUTES = 128, 240, 8.0
SEEDS = (0, 1, 2)
FOLDS = {
    "a": ("1-3", "4-5", "6-12"),
    "b": ("4-6", "7-8", "1-3,9-12"),
    "c": ("7-9", "10-11", "1-6,12"),
    "d": ("10-12", "1-2", "3-9"),
}
"""Sequences to test on, to calibrate on and to learn from."""


def _trainer(steps: int, seed: int = 0, **changes: Any) -> TrainerSettings:
    """One validation, at the end."""
    return TrainerSettings(
        max_epochs=1, max_minutes=MINUTES, steps_per_epoch=steps, seed=seed, **changes
    )


PLANAR = HeatmapSettings(
    input_size=PX,
    validation_limit=100,
    trainer=_trainer(2 * STEPS, gradient_clip=5.0),
)
"""Ours: 2 STEPS batches of 32."""

PUBLISHED_2D = replace(
    ellershaw.HEATMAP,
    input_size=PX,
    network=replace(ellershaw.NETWORK, depth=18),
    validation_limit=100,
)
"""As published: MPII and MINI-RGBD, 2 STEPS batches of 16 each, so that both see as many."""

CLIPS = ClipLiftingSettings(
    batch_size=32,
    trainer=_trainer(700, gradient_clip=5.0),
)

PUBLISHED_3D = replace(
    ellershaw.LIFTING, trainer=replace(ellershaw.LIFTING.trainer, max_minutes=MINUTES)
)


@dataclass(frozen=True)
class Rows:
    """Collects the stages of all rows.

    Attributes:
        stages: so far.
        paths: of ``mpii`` and ``mpi_inf_3dhp``, and of ``mini_rgbd`` with its 12 infants.
        made: folder of the chain ``best``, whose generated infants are used.
    """

    stages: Stages
    paths: PathSettings
    made: Path

    def infants(self, split: str) -> DataSource:
        """Some of the 12."""
        return DataSource("mini_rgbd", split, self.paths.mini_rgbd)

    def adults(self) -> DataSource:
        """People in 2D."""
        return DataSource("mpii", "train", self.paths.mpii)

    def settings(self, name: str) -> Any:
        """Of a stage."""
        return self.stages.listed[name].settings

    def networks(self, name: str) -> tuple[Path, Path]:
        """Calibrated weights of a run of ours."""
        folder = self.stages.folder / name / "4-calibrated"
        return folder / "heatmap.safetensors", folder / "lifter.safetensors"

    def detections(self, name: str, heatmap: Path | None, split: str, **changes: Any) -> Path:
        """Cached detections of a 2D network on some of the 12."""
        settings = DetectionCacheSettings(self.infants(split), heatmap, **changes)
        return self.stages.add(f"{name}-detections-{split}", settings)

    def scored(self, name: str, detections: Path, lifter: Path, **changes: Any) -> None:
        """A row of a table."""
        self.stages.add(f"score/{name}", ScoreSettings(detections, lifter, **changes))


def data_sources(folder: Path, config: Config) -> Stages:
    """List the stages, the headline's first; the chain ``best`` lies beside their folder."""
    rows = Rows(Stages(folder), config.paths, folder.parent / "best")
    for seed in SEEDS:
        _ours(rows, f"best-{seed}", _generated(rows), seed)
        _ours(rows, f"matched-{seed}", _matched(rows), seed)
        _published(rows, f"ellershaw-{seed}", seed)
    _published_ablations(rows)
    _ingredients(rows)
    _folds(rows)
    _zedo(rows)
    return rows.stages


def _generated(rows: Rows) -> dict[str, Any]:
    """Fresh infants: pictures for the 2D network, movements for the lifter."""
    pictures = tuple(DataSource("mini_rgbd", "all", rows.made / n) for n in best.PICTURES)
    return {"pictures": pictures, "clips": {"movement_banks": (rows.made / best.MOVEMENTS,)}}


def _matched(rows: Rows, split: str = "train") -> dict[str, Any]:
    """The frames that the published method has: adults, and sequences 1-8."""
    return {
        "pictures": (rows.adults(), rows.infants(split)),
        "clips": {"train": (rows.infants(split),), "bone_spread": 0.15},
    }


def _ours(
    rows: Rows,
    name: str,
    sources: dict[str, Any],
    seed: int = 0,
    test: str = "11-12",
    held: str = "9-10",
) -> None:
    """Our networks, calibrated on held-out sequences."""
    held_out = rows.infants(held)
    planar = replace(
        PLANAR,
        train=sources["pictures"],
        validation=held_out,
        trainer=replace(PLANAR.trainer, seed=seed),
    )
    clips = {**sources["clips"], "validation": held_out}
    spatial = replace(CLIPS, trainer=replace(CLIPS.trainer, seed=seed), **clips)
    add_ours(rows.stages, f"{name}/", planar, spatial, held_out)
    heatmap, lifter = rows.networks(name)
    rows.scored(name, rows.detections(name, heatmap, test), lifter)


def _published(rows: Rows, name: str, seed: int = 0) -> None:
    """The published chain; also from true 2D, and its lifter on what our network sees."""
    planar = replace(PUBLISHED_2D, trainer=_trainer(2 * STEPS, seed))
    spatial = replace(PUBLISHED_3D, trainer=replace(PUBLISHED_3D.trainer, seed=seed))
    folder = rows.stages.folder / name
    for stage in ellershaw.ellershaw(folder, rows.paths, planar, spatial, frame_step=4):
        rows.stages.add(f"{name}/{stage.name}", stage.settings)
    weights = folder / "2-heatmap-mini_rgbd" / "heatmap.safetensors"
    lifter = folder / "7-lifting-predicted" / "lifter.safetensors"
    rows.scored(name, rows.detections(name, weights, "11-12", flip_test=False), lifter)
    if seed == 0:
        truth = rows.detections("true-16", None, "11-12", skeleton="mpii_16")
        rows.scored("ellershaw-true-2d", truth, folder / ellershaw.EXACT / "lifter.safetensors")
        ours = rows.detections("best-0", rows.networks("best-0")[0], "11-12")
        rows.scored("ellershaw-lifter-on-ours", ours, lifter)


def _published_ablations(rows: Rows) -> None:
    """The published table: no adults, no box; each alone."""
    planar = rows.settings("ellershaw-0/2-heatmap-mini_rgbd")
    spatial = rows.settings(f"ellershaw-0/{ellershaw.EXACT}")
    exact = rows.stages.folder / "ellershaw-0" / ellershaw.EXACT / "lifter.safetensors"
    truth = rows.detections("true-16", None, "11-12", skeleton="mpii_16")
    heatmap = rows.stages.add("no-adults/2d", replace(planar, initial_weights=None))
    lifter = rows.stages.add("no-adults/3d", replace(spatial, initial_weights=None))
    rows.scored("no-adults-true-2d", truth, lifter)
    found = rows.detections("no-adults", heatmap, "11-12", flip_test=False)
    rows.scored("no-adults", found, lifter)
    uncropped = rows.stages.add("no-box/2d", replace(planar, whole_image=True))
    found = rows.detections("no-box", uncropped, "11-12", flip_test=False, whole_image=True)
    rows.scored("no-box", found, exact)


def _ingredients(rows: Rows) -> None:
    """One row per ingredient of ours, each taken away or added alone."""
    sources, (heatmap, lifter) = _generated(rows), rows.networks("best-0")
    seen = rows.detections("best-0", heatmap, "11-12")
    planar = rows.settings("best-0/1-heatmap")
    clips = rows.settings("best-0/2-clips")

    def network(**changes: Any) -> dict[str, Any]:
        return {"network": replace(clips.network, **changes)}

    with_adults = (*sources["pictures"], rows.adults())
    planar_changes: dict[str, dict[str, Any]] = {
        "mse": {"loss": "mse"},
        "no-augmentation": {"augment": False},
        "adults-too": {"train": with_adults},
    }
    for row, changes in planar_changes.items():
        raw = rows.stages.add(f"{row}/2d", replace(planar, **changes))
        other, lifted = _calibrated(rows, row, raw)
        rows.scored(row, rows.detections(row, other, "11-12"), lifted)
    clip_changes = {
        "no-clip-context": network(context=False),
        "no-time": network(dilations=()),
        "not-rigid": network(rigid=False),
        "no-noise": {"exact_share": 1.0},
        "no-bone-loss": {"bone_weight": 0.0},
        "causal": network(causal=True),
    }
    for row, changes in clip_changes.items():
        other = rows.stages.add(f"{row}/3d", replace(clips, **changes))
        rows.scored(row, seen, other)
    blind = replace(clips, depth_share=0.0)
    rows.scored("no-depth", seen, rows.stages.add("no-depth/3d", blind), depths=False)
    rows.scored("no-clip-at-all", seen, lifter, temporal=False)
    truth = rows.detections("true-25", None, "11-12")
    rows.scored("best-true-2d", truth, lifter)
    rows.scored(
        "no-flip-test", rows.detections("unflipped", heatmap, "11-12", flip_test=False), lifter
    )
    few = replace(clips, skeleton="mpii_16")
    sixteen = rows.stages.add("16-joints/3d", few)
    rows.scored("16-joints", seen, sixteen)


def _calibrated(rows: Rows, name: str, heatmap: Path) -> tuple[Path, Path]:
    """Another 2D network with the lifter of ``best-0``, both as honest as those of ``_ours``."""
    held = rows.detections(name, heatmap, "9-10")
    lifter = rows.stages.folder / "best-0" / "2-clips" / "lifter.safetensors"
    rows.stages.add(f"{name}/4-calibrated", CalibrationSettings((held,), heatmap, lifter))
    return rows.networks(name)


def _folds(rows: Rows) -> None:
    """Four folds over the 12 infants, ours with the matched data."""
    for name, (test, held, train) in FOLDS.items():
        _ours(rows, f"fold-{name}", _matched(rows, train), test=test, held=held)


def _zedo(rows: Rows) -> None:
    """True 2D in the joints of ZeDO-i, trained on 1-10 as there."""
    settings = replace(
        CLIPS,
        skeleton="mini_rgbd_25",
        train=(rows.infants("1-10"),),
        validation=rows.infants("9-10"),
        bone_spread=0.15,
        exact_share=1.0,
        joint_sets_share=0.0,
        rounded_share=0.0,
    )
    lifter = rows.stages.add("zedo/3d", settings)
    truth = rows.detections("true-mini", None, "11-12", skeleton="mini_rgbd_25")
    rows.scored("zedo", truth, lifter, joints="zedo")

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
from PoseEstimation.chains import ellershaw
from PoseEstimation.chains.chain import Stage
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings
from PoseEstimation.stage_settings import (
    CalibrationSettings,
    DetectionCacheSettings,
    ReorderSettings,
    ScoreSettings,
)
from report.experiments.same_data import our_stages

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

PUBLISHED_2D = replace(ellershaw.HEATMAP, input_size=PX, depth=18, validation_limit=100)
"""As published: MPII and MINI-RGBD, 2 STEPS batches of 16 each, so that both see as many."""

CLIPS = ClipLiftingSettings(
    width=256,
    batch_size=32,
    trainer=_trainer(700, gradient_clip=5.0),
)

PUBLISHED_3D = replace(
    ellershaw.LIFTING, trainer=replace(ellershaw.LIFTING.trainer, max_minutes=MINUTES)
)


@dataclass(frozen=True)
class LiteData:
    """What the runs learn from and are judged on.

    Attributes:
        mpii, mpi_inf_3dhp: adults; their ``train`` and ``validation`` parts.
        mini_rgbd: folder of the 12 infants, 1000 frames each.
        pictures, movements: generated infants, of the first stages of the chain ``best``.
    """

    mpii: Path
    mpi_inf_3dhp: Path
    mini_rgbd: Path
    pictures: tuple[DataSource, ...]
    movements: Path

    def infants(self, split: str) -> DataSource:
        """Some of the 12."""
        return DataSource("mini_rgbd", split, self.mini_rgbd)

    def adults(self, split: str) -> DataSource:
        """People in 2D."""
        return DataSource("mpii", split, self.mpii)


class Lite:
    """Collects the stages; each method adds one and returns the file that it makes."""

    def __init__(self, folder: Path, data: LiteData) -> None:
        self.folder, self.data = folder, data
        self.stages: dict[str, Stage] = {}

    def add(self, name: str, settings: object, made: str = "") -> Path:
        """Add a stage unless it is there."""
        self.stages.setdefault(name, Stage(name, settings))
        return self.folder / name / made

    def networks(self, name: str) -> tuple[Path, Path]:
        """Calibrated weights of a run of ours."""
        folder = self.folder / name / "4-calibrated"
        return folder / "heatmap.safetensors", folder / "lifter.safetensors"

    def observed(self, name: str, heatmap: Path | None, split: str, **changes: Any) -> Path:
        """What a 2D network sees of some of the 12."""
        settings = DetectionCacheSettings(self.data.infants(split), heatmap, **changes)
        return self.add(f"{name}-sees-{split}", settings, "observed.npz")

    def scored(self, name: str, observed: Path, lifter: Path, **changes: Any) -> None:
        """A row of a table."""
        self.add(f"score/{name}", ScoreSettings(observed, lifter, **changes))


def lite_chain(folder: Path, data: LiteData) -> list[Stage]:
    """List the stages, the headline's first."""
    lite = Lite(folder, data)
    for seed in SEEDS:
        _ours(lite, f"best-{seed}", _generated(lite), seed)
        _ours(lite, f"matched-{seed}", _matched(lite), seed)
        _published(lite, f"ellershaw-{seed}", seed)
    _published_ablations(lite)
    _ingredients(lite)
    _folds(lite)
    _zedo(lite)
    return list(lite.stages.values())


def _generated(lite: Lite) -> dict[str, Any]:
    """Fresh infants: pictures for the 2D network, movements for the lifter."""
    clips = {"movement_banks": (lite.data.movements,)}
    return {"pictures": lite.data.pictures, "clips": clips}


def _matched(lite: Lite, split: str = "train") -> dict[str, Any]:
    """The frames that the published method has: adults, and sequences 1-8."""
    return {
        "pictures": (lite.data.adults("train"), lite.data.infants(split)),
        "clips": {"train": (lite.data.infants(split),), "body_mixing": 0.5},
    }


def _ours(
    lite: Lite,
    name: str,
    sources: dict[str, Any],
    seed: int = 0,
    test: str = "11-12",
    held: str = "9-10",
) -> None:
    """Our networks, calibrated on held-out sequences."""
    held_out = lite.data.infants(held)
    planar = replace(PLANAR, train=sources["pictures"], trainer=replace(PLANAR.trainer, seed=seed))
    spatial = replace(CLIPS, trainer=replace(CLIPS.trainer, seed=seed), **sources["clips"])
    planar, spatial = (replace(part, validation=held_out) for part in (planar, spatial))
    for stage in our_stages(lite.folder / name, planar, spatial, held_out):
        lite.add(f"{name}/{stage.name}", stage.settings)
    heatmap, lifter = lite.networks(name)
    lite.scored(name, lite.observed(name, heatmap, test), lifter)


def _published(lite: Lite, name: str, seed: int = 0) -> None:
    """The published chain; also from true 2D, and its lifter on what our network sees."""
    sources = ellershaw.Sources(
        mpii=lite.data.adults("train"),
        mpii_validation=lite.data.adults("validation"),
        mpi_inf_3dhp=DataSource("mpi_inf_3dhp", "train", lite.data.mpi_inf_3dhp),
        mpi_inf_3dhp_validation=DataSource("mpi_inf_3dhp", "validation", lite.data.mpi_inf_3dhp),
        mini_rgbd=lite.data.infants("train"),
        mini_rgbd_validation=lite.data.infants("validation"),
    )
    planar = replace(PUBLISHED_2D, trainer=_trainer(2 * STEPS, seed))
    spatial = replace(PUBLISHED_3D, trainer=replace(PUBLISHED_3D.trainer, seed=seed))
    stages = ellershaw.ellershaw_chain(lite.folder / name, sources, planar, spatial, frame_step=4)
    for stage in stages:
        lite.add(f"{name}/{stage.name}", stage.settings)
    weights = lite.folder / name / stages[1].name / "heatmap.safetensors"
    lifter = lite.folder / name / stages[-1].name / "lifter.safetensors"
    exact = lite.folder / name / stages[3].name / "lifter.safetensors"
    lite.scored(name, lite.observed(name, weights, "11-12", flip_test=False), lifter)
    if seed == 0:
        truth = lite.observed("true-16", None, "11-12", skeleton="mpii_16")
        lite.scored("ellershaw-true-2d", truth, exact)
        ours = lite.observed("best-0", lite.networks("best-0")[0], "11-12")
        lite.scored("ellershaw-lifter-on-ours", ours, lifter)


def _published_ablations(lite: Lite) -> None:
    """The published table: no adults, no mapping, no box; each alone."""
    first = lite.folder / "ellershaw-0"
    planar = lite.stages["ellershaw-0/2-heatmap-mini_rgbd"].settings
    spatial = lite.stages[f"ellershaw-0/{ellershaw.EXACT}"].settings
    whole = {"whole_image": True}
    unmapped_2d = lite.add(
        "unmapped/mpii",
        ReorderSettings(first / "1-heatmap-mpii" / "heatmap.safetensors"),
        "heatmap.safetensors",
    )
    unmapped_3d = lite.add(
        "unmapped/3dhp",
        ReorderSettings(first / "3-lifting-3dhp" / "lifter.safetensors"),
        "lifter.safetensors",
    )
    rows: dict[str, tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any]]] = {
        "no-adults": ({"initial_weights": None}, {"initial_weights": None}, {}),
        "no-mapping": ({"initial_weights": unmapped_2d}, {"initial_weights": unmapped_3d}, {}),
        "no-box": (whole, None, whole),
    }
    truth = lite.observed("true-16", None, "11-12", skeleton="mpii_16")
    for row, (in_2d, in_3d, watched) in rows.items():
        heatmap = lite.add(f"{row}/2d", replace(planar, **in_2d), "heatmap.safetensors")
        lifter = first / ellershaw.EXACT / "lifter.safetensors"
        if in_3d is not None:
            lifter = lite.add(f"{row}/3d", replace(spatial, **in_3d), "lifter.safetensors")
            lite.scored(f"{row}-true-2d", truth, lifter)
        seen = lite.observed(row, heatmap, "11-12", flip_test=False, **watched)
        lite.scored(row, seen, lifter)


def _ingredients(lite: Lite) -> None:
    """One row per ingredient of ours, each taken away or added alone."""
    sources, (heatmap, lifter) = _generated(lite), lite.networks("best-0")
    seen = lite.observed("best-0", heatmap, "11-12")
    planar = lite.stages["best-0/1-heatmap"].settings
    clips = lite.stages["best-0/2-clips"].settings
    with_adults = (*sources["pictures"], lite.data.adults("train"))
    for row, changes in {
        "mse": {"loss": "mse"},
        "no-augmentation": {"augment": False},
        "adults-too": {"train": with_adults},
    }.items():
        raw = lite.add(f"{row}/2d", replace(planar, **changes), "heatmap.safetensors")
        other, told = _calibrated(lite, row, raw)
        lite.scored(row, lite.observed(row, other, "11-12"), told)
    for row, changes in {
        "no-clip-context": {"context": False},
        "no-time": {"dilations": ()},
        "not-rigid": {"rigid": False},
        "no-noise": {"exact_share": 1.0, "mini_rgbd_share": 0.0},
        "no-bone-loss": {"bone_weight": 0.0},
        "causal": {"causal": True},
    }.items():
        other = lite.add(f"{row}/3d", replace(clips, **changes), "lifter.safetensors")
        lite.scored(row, seen, other)
    blind = replace(clips, depth_share=0.0)
    lite.scored(
        "no-depth", seen, lite.add("no-depth/3d", blind, "lifter.safetensors"), depths=False
    )
    lite.scored("no-clip-at-all", seen, lifter, temporal=False)
    truth = lite.observed("true-25", None, "11-12")
    lite.scored("best-true-2d", truth, lifter)
    lite.scored(
        "no-flip-test", lite.observed("unflipped", heatmap, "11-12", flip_test=False), lifter
    )
    few = replace(clips, skeleton="mpii_16")
    sixteen = lite.add("16-joints/3d", few, "lifter.safetensors")
    lite.scored("16-joints", seen, sixteen)


def _calibrated(lite: Lite, name: str, heatmap: Path) -> tuple[Path, Path]:
    """Another 2D network with the lifter of ``best-0``, both as honest as those of ``_ours``."""
    held = lite.observed(name, heatmap, "9-10")
    lifter = lite.folder / "best-0" / "2-clips" / "lifter.safetensors"
    lite.add(f"{name}/4-calibrated", CalibrationSettings((held,), heatmap, lifter))
    return lite.networks(name)


def _folds(lite: Lite) -> None:
    """Four folds over the 12 infants, ours with the matched data."""
    for name, (test, held, train) in FOLDS.items():
        _ours(lite, f"fold-{name}", _matched(lite, train), test=test, held=held)


def _zedo(lite: Lite) -> None:
    """True 2D in the joints of ZeDO-i, trained on 1-10 as there."""
    settings = replace(
        CLIPS,
        skeleton="mini_rgbd_25",
        train=(lite.data.infants("1-10"),),
        validation=lite.data.infants("9-10"),
        body_mixing=0.5,
        exact_share=1.0,
        mini_rgbd_share=0.0,
    )
    lifter = lite.add("zedo/3d", settings, "lifter.safetensors")
    truth = lite.observed("true-mini", None, "11-12", skeleton="mini_rgbd_25")
    lite.scored("zedo", truth, lifter, joints="zedo")

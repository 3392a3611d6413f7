"""``python -m report.experiments lifter``: what each part of the lifter's training is worth.

Lifters that differ in one thing and take the same number of steps are measured on SynthInfant-2:
given its joints, fewer joints, and the same infants with the proportions of real ones. With
``--weights`` nothing is trained: the lifter of a weight set is measured, with its error bars and,
with ``--tracks``, on 2D tracks of real infants.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from Engine.errors import DataError
from Engine.files import require_writable, write_json, write_npz
from Engine.provenance import code_identity, file_sha256
from Engine.training_settings import TrainerSettings
from PoseEstimation.chains.chain import Stages, placed_stages, run_chain
from PoseEstimation.chains.real import mixed_bank
from PoseEstimation.config import Config, load_config
from PoseEstimation.evaluation.report import print_tables, write_tables
from PoseEstimation.inference.clip_fit import BodyTree, Fit, Prediction, Rays, place_on_rays
from PoseEstimation.inference.lifting import ClipLifting
from PoseEstimation.inference.weight_sets import WeightSet, find_weights
from PoseEstimation.inference.weights import load_lifter
from PoseEstimation.io.detection_cache import read_arrays
from PoseEstimation.settings import ClipLiftingSettings
from PoseEstimation.stage_settings import GenerateSettings
from report.build.lifter_tables import FULL, SCHEMA, lifter_tables
from report.experiments.lifter_measures import (
    ELDER,
    Infant,
    accuracy,
    coverages,
    read_infants,
    with_proportions,
)
from report.experiments.lifter_tracks import checked
from report.experiments.movement import read_tracks, tracks_file
from report.experiments.movement_statistics import Track

INFANTS, STEPS, WORKERS = 600, 1000, 2
"""Infants in each bank; steps of each lifter, some ten minutes on two cores."""

BANK = "movements.npz"
OTHERS = {"random": 0.4, "slp": 0.35, "cmu": 0.25}
BANKS = {
    "all": {"habits": 0.6, **{name: 0.4 * share for name, share in OTHERS.items()}},
    "habits": {"habits": 1.0},
    "others": OTHERS,
}
"""Shares of the sources of movement. Without their files, ``slp`` and ``cmu`` are left out."""

SEED, VALIDATION_SEED, VALIDATION_INFANTS = 7406, 7407, 12


@dataclass(frozen=True)
class Variant:
    """A row: a lifter that lacks one thing.

    Attributes:
        name: of the row.
        bank: of ``BANKS``, or ``elder``: all, with the body model's own proportions.
        changes: of the settings of its training.
    """

    name: str
    bank: str = "all"
    changes: dict[str, Any] = field(default_factory=dict)


VARIANTS = (
    Variant(FULL),
    Variant("one set of proportions", "elder", {"bone_spread": 0.0}),
    Variant("no habits", "others"),
    Variant("habits alone", "habits"),
    Variant("all joints given", changes={"joint_sets_share": 0.0}),
)
UNBOUND = "full, not fitted to the rays"

CLIPS = ClipLiftingSettings(trainer=TrainerSettings(max_epochs=1, gradient_clip=5.0))


def main(arguments: Sequence[str]) -> int:
    """Measure, write ``lifter.json`` and ``table.md``, print the tables; returns the exit code."""
    options = _options(arguments)
    output, config = require_writable(options.output), load_config(options.config)
    infants, labels_sha256 = read_infants(options.labels, options.limit, options.frames)
    if options.weights:
        rows = [_of_weights(options, config, infants)]
    else:
        rows = _compared(options, config, infants)
    record = {
        "schema": SCHEMA,
        "command": _command(options),
        **code_identity(),
        "labels_sha256": labels_sha256,
        "infants": [infant.name for infant in infants],
        "seen": [infant.seen for infant in infants],
        "rows": rows,
    }
    write_json(output / "lifter.json", record)
    write_tables(output, lifter_tables(record), ())
    print_tables(lifter_tables(record), ())
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m report.experiments lifter", description=__doc__)
    option = parser.add_argument
    option("--labels", type=Path, required=True, help="folder of SynthInfant-2, labels suffice")
    option("--output", type=Path, default=Path("runs/lifter"))
    option("--config", type=Path, help="default: config.yaml")
    option("--weights", metavar="NAME", help="measure this weight set, or lifter file; no training")
    option("--tracks", type=Path, help="2D tracks of real infants, with --weights")
    option("--infants", type=int, default=INFANTS, help=f"in each bank, default {INFANTS}")
    option("--steps", type=int, default=STEPS, help=f"of each lifter, default {STEPS}")
    option("--limit", type=int, help="measure on the first so many infants")
    option("--frames", type=int, help="and on the first so many frames of each, tracks too")
    option("--workers", type=int, default=WORKERS, help=f"that generate, default {WORKERS}")
    return parser.parse_args(arguments)


def _command(options: argparse.Namespace) -> str:
    """What was asked for, without the folders of one machine."""
    names = ("weights", "tracks") if options.weights else ("infants", "steps")
    words = [f"--labels {options.labels.name}"]
    for name in (*names, "limit", "frames"):
        value = getattr(options, name)
        if value is not None:
            words.append(f"--{name} {Path(str(value)).name}")
    return " ".join(["python -m report.experiments lifter", *words])


def _of_weights(
    options: argparse.Namespace, config: Config, infants: Sequence[Infant]
) -> dict[str, Any]:
    """The row of a weight set, with its error bars and, if asked for, the tracks."""
    path = Path(options.weights)
    if path.suffix != ".safetensors":
        folder = find_weights(config.paths.saved_models, options.weights)
        path = WeightSet.open(folder).path("lifter")
    lifting = _clip_lifter(path)
    row = _row(Path(options.weights).stem, path, lifting, infants)
    row["coverage"] = coverages(lifting, infants)
    if options.tracks is None:
        return row
    tracks = read_tracks(tracks_file(options.tracks))
    tracks = [Track(track.keypoints_px[: options.frames], track.fps) for track in tracks]
    return row | {"tracks": [checked(lifting, track) for track in tracks]}


def _compared(
    options: argparse.Namespace, config: Config, infants: Sequence[Infant]
) -> list[dict[str, Any]]:
    """Train all variants that are not trained yet, and measure them."""
    weights = trained(options.output, config, options.infants, options.steps, options.workers)
    rows = [_row(name, path, _clip_lifter(path), infants) for name, path in weights.items()]
    unbound = _clip_lifter(weights[FULL])
    unbound.fit = as_predicted
    return [*rows, _row(UNBOUND, weights[FULL], unbound, infants)]


def _clip_lifter(path: Path) -> ClipLifting:
    lifting = load_lifter(path)
    if not isinstance(lifting, ClipLifting):
        raise DataError(f"lifter: {path} lifts frames one by one; give a lifter of clips")
    return lifting


def _row(name: str, path: Path, lifting: ClipLifting, infants: Sequence[Infant]) -> dict[str, Any]:
    measured = accuracy(lifting, infants)
    return {"name": name, "weights_sha256": file_sha256(path), "cases": measured}


def trained(
    folder: Path, config: Config, infants: int, steps: int, workers: int
) -> dict[str, Path]:
    """Make the banks, then the lifters of all variants; what is there stays.

    Args:
        folder: of everything.
        config: its ``paths`` name the files of sources.
        infants: in each bank.
        steps: of each lifter.
        workers: processes that generate.

    Returns:
        The weights, by the variant's name.
    """
    banks = _banks(folder / "banks", config, infants, workers)
    stages = Stages(folder / "lifters")
    trainer = replace(CLIPS.trainer, steps_per_epoch=steps)
    weights = {}
    for variant in VARIANTS:
        settings = replace(
            CLIPS,
            movement_banks=(banks[variant.bank],),
            validation_movements=(banks["validation"],),
            trainer=trainer,
            **variant.changes,
        )
        weights[variant.name] = stages.add(variant.name.replace(" ", "-"), settings)
    run_chain(placed_stages(stages, config), stages.folder)
    return weights


def _banks(folder: Path, config: Config, infants: int, workers: int) -> dict[str, Path]:
    """Generate the banks; ``elder`` is the same movements as all, on bodies of one kind."""
    stages = Stages(folder)
    made = {
        name: mixed_bank(GenerateSettings("movements", infants, seed=SEED), shares, config.paths)
        for name, shares in BANKS.items()
    }
    made["validation"] = replace(made["all"], infants=VALIDATION_INFANTS, seed=VALIDATION_SEED)
    banks = {
        name: stages.add(name, replace(settings, workers=workers)) / BANK
        for name, settings in made.items()
    }
    run_chain(placed_stages(stages, config), folder)
    banks["elder"] = folder / "elder" / BANK
    if not banks["elder"].is_file():
        arrays = read_arrays(banks["all"])
        resized = np.stack([with_proportions(infant, ELDER) for infant in arrays["joints_mm"]])
        banks["elder"].parent.mkdir(parents=True, exist_ok=True)
        write_npz(banks["elder"], **(arrays | {"joints_mm": resized.astype(np.float32)}))
    return banks


def as_predicted(tree: BodyTree, rays: Rays, predicted: Prediction, trunk: float) -> Fit:
    """The network's own joints, in place of ``fit_clip``."""
    joints = tree.reaches @ (np.exp(predicted.log_lengths)[:, None] * predicted.vectors)
    depth = place_on_rays(joints, rays.xy, rays.usable.astype(np.float64))[:, 2]
    return Fit(joints, np.zeros(rays.usable.shape), depth, predicted.log_lengths)

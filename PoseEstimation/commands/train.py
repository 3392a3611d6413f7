"""``infantpose train``: one network, from its section of config.yaml, or all stages of a chain."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from Datasets.sources import DATASETS, GENERATED, DataSource
from Engine.errors import DataError
from Engine.files import require_writable
from PoseEstimation.config import Config, load_config, placed

if TYPE_CHECKING:
    from PoseEstimation.chains.chain import Stage

FILES = {
    "detector": "detector.safetensors",
    "rescoring": "detector.safetensors",
    "heatmap": "heatmap.safetensors",
    "lifting": "lifter.safetensors",
    "clip_lifting": "lifter.safetensors",
}


def run(args: argparse.Namespace) -> int:
    """Train and name the weights."""
    if args.recipe == "chain":
        return _run_chain(args)
    config = load_config(args.config, args.overrides)
    output = require_writable(args.output or Path("runs") / args.recipe)
    _require_inputs(getattr(config, args.recipe), args.recipe)
    if args.recipe == "detector":
        from FasterRCNN.train import train_detector

        summary = train_detector(config.detector, output, args.resume)
    elif args.recipe == "rescoring":
        from FasterRCNN.train_rescoring import train_rescoring

        summary = train_rescoring(config.rescoring, output, args.resume)
    elif args.recipe == "heatmap":
        from PoseEstimation.training.heatmap import train_heatmap

        summary = train_heatmap(config.heatmap, output, args.resume)
    elif args.recipe == "lifting":
        from PoseEstimation.training.lifting import train_lifting

        summary = train_lifting(config.lifting, output, args.resume)
    else:
        from PoseEstimation.training.clip_lifting import train_clip_lifting

        summary = train_clip_lifting(config.clip_lifting, output, args.resume)
    print(
        f"{output / FILES[args.recipe]}: {summary.epochs} epochs, {summary.steps} steps, "
        f"{summary.minutes:.1f} min, stopped by {summary.stopped_by}, "
        f"best validation loss {summary.best_loss} at step {summary.best_step}"
    )
    return 0


def _run_chain(args: argparse.Namespace) -> int:
    """Run the stages that are not done yet and name the folder."""
    if args.overrides:
        raise DataError(f"train chain: '{args.overrides[0]}' is no option; edit the recipe's file")
    config = load_config(args.config, ())
    name = args.chain or "best"
    output = require_writable(args.output or Path("runs") / "chain" / name)
    from PoseEstimation.chains.chain import run_chain

    run_chain(stages_of(name, config, output), output)
    return 0


def _require_inputs(settings: object, recipe: str) -> None:
    """Find out before anything heavy is loaded whether what a recipe names is there.

    Raises:
        DataError: an unknown data set, one without a folder, or a path that does not exist.
    """
    for field in dataclasses.fields(settings):
        value, key = getattr(settings, field.name), f"{recipe}.{field.name}"
        for item in value if isinstance(value, tuple) else (value,):
            paths = (item,)
            if isinstance(item, DataSource):
                _require_known(item, key)
                paths = (item.root, item.labels)
            for path in paths:
                if isinstance(path, Path) and not path.exists():
                    raise DataError(f"{key}: {path} does not exist; check the path")


def _require_known(source: DataSource, key: str) -> None:
    if source.dataset not in (*DATASETS, GENERATED):
        known = ", ".join((*DATASETS, GENERATED))
        raise DataError(f"{key}: data set '{source.dataset}' is unknown; choose one of {known}")


def stages_of(name: str, config: Config, folder: Path) -> list[Stage]:
    """List the stages of a chain on the data, and with the cache, that ``config.paths`` name."""
    stages = _stages(name, config, folder)
    return [replace(stage, settings=placed(stage.settings, config.paths)) for stage in stages]


def _stages(name: str, config: Config, folder: Path) -> list[Stage]:
    from PoseEstimation.chains import best, ellershaw, real
    from report.experiments import data_sources as lite
    from report.experiments import parts as shipped
    from report.experiments import photo_sources as real_mix
    from report.experiments import same_data as matched

    paths = config.paths
    infants = {
        split: DataSource("mini_rgbd", split, paths.mini_rgbd) for split in ("train", "validation")
    }
    if name == "best":
        return best.best_chain(folder, infants["validation"])
    if name == "lite":
        made = folder.parent / "best"
        pictures = tuple(DataSource("mini_rgbd", "all", made / part) for part in best.PICTURES)
        data = lite.LiteData(
            paths.mpii, paths.mpi_inf_3dhp, paths.mini_rgbd, pictures, made / best.MOVEMENTS
        )
        return lite.lite_chain(folder, data)
    if name in ("real", "real_mix"):
        fits = paths.smpl_poses if paths.smpl_poses.is_file() else None
        photos = real.RealData(
            paths.saved_models / real.BEGIN,
            DataSource("lsp", "all", paths.lsp),
            DataSource("coco", "all", paths.coco),
            DataSource("syrip", "train", paths.syrip),
            infants["validation"],
            fits,
        )
        if name == "real":
            return real.real_chain(folder, photos)
        return real_mix.mix_chain(folder, folder.parent / "real", photos)
    if name == "shipped":
        weights = paths.saved_models / config.weights
        published = folder.parent / "ellershaw" / ellershaw.EXACT / "lifter.safetensors"
        return shipped.shipped_chain(folder, weights, published, paths.mini_rgbd)
    adults_2d = [DataSource("mpii", split, paths.mpii) for split in infants]
    if name == "matched":
        return matched.matched_chain(folder, adults_2d[0], *infants.values())
    adults_3d = [DataSource("mpi_inf_3dhp", split, paths.mpi_inf_3dhp) for split in infants]
    sources = ellershaw.Sources(*adults_2d, *adults_3d, *infants.values())
    return ellershaw.ellershaw_chain(folder, sources)

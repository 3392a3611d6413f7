"""``infantpose train``: one recipe, from its section of config.yaml, or all stages of a chain."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from Datasets.sources import DataSource, dataset_named
from Engine.errors import DataError
from Engine.files import require_writable
from Engine.settings import Settings
from PoseEstimation import recipes
from PoseEstimation.config import Config, load_config

if TYPE_CHECKING:
    from PoseEstimation.chains.chain import Stage


def run(args: argparse.Namespace) -> int:
    """Run a recipe and name what it made."""
    if args.recipe == "chain":
        return _run_chain(args)
    recipe = next(row for row in recipes.RECIPES if row.name == args.recipe)
    settings = getattr(load_config(args.config, args.overrides), recipe.name)
    output = require_writable(args.output or Path("runs") / recipe.name)
    _require_inputs(settings, recipe.name)
    found = recipe.run(settings, output, args.resume)
    if recipe.trains:
        said = (
            f"{found['epochs']} epochs, {found['steps']} steps, {found['minutes']:.1f} min, "
            f"stopped by {found['stopped_by']}, best validation loss {found['best_loss']} "
            f"at step {found['best_step']}"
        )
    else:
        said = ", ".join(f"{name} {value}" for name, value in found.items())
    print(f"{output / recipe.product}: {said}")
    return 0


def _run_chain(args: argparse.Namespace) -> int:
    """Run the stages that are not done yet and name the folder."""
    if args.overrides:
        raise DataError(f"train chain: '{args.overrides[0]}' is no option; edit the chain's file")
    config = load_config(args.config, ())
    name = args.chain or "best"
    output = require_writable(args.output or Path("runs") / "chain" / name)
    from PoseEstimation.chains.chain import run_chain

    run_chain(stages_of(name, config, output), output)
    return 0


def stages_of(name: str, config: Config, folder: Path) -> list[Stage]:
    """List the stages of a chain on the data, and with the cache, that ``config.paths`` name."""
    from PoseEstimation.chains.chain import placed_stages

    row = next(row for row in recipes.CHAINS if row.name == name)
    return placed_stages(resolve_name(row.stages)(folder, config.paths), config)


def _require_inputs(settings: Settings, recipe: str) -> None:
    """Find out before anything heavy is loaded whether what a recipe names is there.

    Raises:
        DataError: an unknown data set, one without a folder, or a path that does not exist.
    """
    for field in dataclasses.fields(settings):
        value, key = getattr(settings, field.name), f"{recipe}.{field.name}"
        for item in value if isinstance(value, tuple) else (value,):
            paths: tuple[object, ...] = (item,)
            if isinstance(item, DataSource):
                dataset_named(item.dataset, f"{key}: data set")
                paths = (item.root, item.labels)
            for path in paths:
                if isinstance(path, Path) and not path.exists():
                    raise DataError(f"{key}: {path} does not exist; check the path")

"""``infantpose evaluate``: run a protocol and set our numbers beside the published."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from Engine.errors import DataError
from Engine.files import require_writable
from Engine.reading import require_folder
from PoseEstimation import recipes
from PoseEstimation.config import Config, load_config
from PoseEstimation.inference.weight_sets import WeightSet, find_weights
from PoseEstimation.recipes import Protocol

if TYPE_CHECKING:
    from rich.console import Console

    from PoseEstimation.inference.predictor import Predictor

TABLE_WIDTH = 120
OPTIONS = {"input": "input_kind", "boxes": "box_kind", "every": "every", "dataset": "dataset"}
"""Options that only some protocols take, and the arguments that they become."""


def run(args: argparse.Namespace) -> int:
    """Check what was asked before anything heavy is loaded; evaluate, print, name the files."""
    config = load_config(args.config, args.overrides)
    protocol = next(row for row in recipes.PROTOCOLS if row.name == args.protocol)
    options = _options(args, protocol)
    split = args.split or protocol.split
    part = resolve_name(protocol.parse)(split) if protocol.parse else split
    subject: str | Path | Predictor = _subject(args, config, protocol)
    dataset = options.get("dataset", protocol.data or protocol.name)
    root = require_folder(args.root or getattr(config.paths, dataset), dataset)
    require_writable(args.output)
    if not protocol.role:
        from PoseEstimation.inference.predictor import Predictor

        subject = Predictor.named(config.paths.saved_models, str(subject), config.predict)
    metrics = resolve_name(protocol.function)(
        subject, root=root, split=part, output=args.output, command=command_line(), **options
    )
    if protocol.show:
        resolve_name(protocol.show)(metrics, wide_console())
    else:
        print(*(f"{name}: {value}" for name, value in metrics["clean"].items()), sep="\n")
    print(f"{args.output}: {', '.join(sorted(path.name for path in args.output.iterdir()))}")
    return 0


def _options(args: argparse.Namespace, protocol: Protocol) -> dict[str, Any]:
    """What was given of ``OPTIONS``.

    Raises:
        DataError: the protocol does not take one of them.
    """
    given = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    for name in given.keys() - set(protocol.options):
        takes = ", ".join(f"--{option}" for option in protocol.options)
        raise DataError(f"evaluate {protocol.name}: takes no --{name}, only {takes}")
    defaults = {"dataset": protocol.data} if "dataset" in protocol.options else {}
    return defaults | {OPTIONS[name]: value for name, value in given.items()}


def _subject(args: argparse.Namespace, config: Config, protocol: Protocol) -> str | Path:
    """Name of the weight set; or the file of the one network that the protocol measures."""
    name = args.weights or config.weights
    if protocol.role and Path(name).is_file():
        return Path(name)
    folder = find_weights(config.paths.saved_models, name)
    return WeightSet.open(folder).path(protocol.role) if protocol.role else name


def wide_console() -> Console:
    """Standard output; a table in a file or pipe, where no width is known, stays readable."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=TABLE_WIDTH)


def command_line() -> str:
    """What the user typed, for provenance."""
    return shlex.join(["infantpose", *sys.argv[1:]])

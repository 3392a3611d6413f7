"""``infantpose evaluate``: run a protocol and set our numbers beside the published."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import TYPE_CHECKING

from Datasets.selection import MINI_RGBD_SPLIT, parse_sequences
from Engine.errors import DataError
from Engine.files import require_writable
from Engine.reading import require_folder
from PoseEstimation.config import load_config
from PoseEstimation.inference.weight_sets import find_weights

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from PoseEstimation.inference.predictor import Predictor

TABLE_WIDTH = 120


def run(args: argparse.Namespace) -> int:
    """Check what was asked before anything heavy is loaded; evaluate, print, name the files."""
    config = load_config(args.config, args.overrides)
    name, saved_models = args.weights or config.weights, config.paths.saved_models
    if args.protocol == "syrip" and (args.input != "predicted" or args.every != 1):
        raise DataError("evaluate syrip: photos have no true 2D input and no frames to leave out")
    if args.protocol == "mini_rgbd":
        split_sequences(args.split or "test")
    find_weights(saved_models, name)
    root = require_folder(args.root or getattr(config.paths, args.protocol), args.protocol)
    require_writable(args.output)
    from PoseEstimation.inference.predictor import Predictor

    pipeline = Predictor.named(saved_models, name, config.predict)
    (_syrip if args.protocol == "syrip" else _mini_rgbd)(pipeline, args, root)
    print(f"{args.output}: {', '.join(sorted(path.name for path in args.output.iterdir()))}")
    return 0


def _mini_rgbd(pipeline: Predictor, args: argparse.Namespace, root: Path) -> None:
    from PoseEstimation.evaluation.mini_rgbd import evaluate_mini_rgbd, print_mini_rgbd

    metrics = evaluate_mini_rgbd(
        pipeline,
        root,
        split_sequences(args.split or "test"),
        input_kind=args.input,
        box_kind=args.boxes or "own",
        output=args.output,
        command=command_line(),
        every=args.every,
    )
    print_mini_rgbd(metrics, wide_console())


def _syrip(pipeline: Predictor, args: argparse.Namespace, root: Path) -> None:
    from PoseEstimation.evaluation.report import print_tables
    from PoseEstimation.evaluation.syrip import evaluate_syrip, syrip_notes, syrip_tables

    metrics = evaluate_syrip(
        pipeline,
        root,
        args.split or "validation",
        box_kind=args.boxes or "true",
        output=args.output,
        command=command_line(),
    )
    print_tables(syrip_tables(metrics), syrip_notes(metrics), wide_console())


def wide_console() -> Console:
    """A console as wide as the tables need where no terminal sets a limit."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=TABLE_WIDTH)


def split_sequences(text: str) -> tuple[str, ...] | None:
    """Turn a part of the published split, or a list such as 11-12, into sequence names."""
    if text == "all":
        return None
    return parse_sequences(text) if text[:1].isdigit() else MINI_RGBD_SPLIT.part(text)


def command_line() -> str:
    """What the user typed, for provenance."""
    return shlex.join(["infantpose", *sys.argv[1:]])

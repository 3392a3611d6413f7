"""``infantpose evaluate``: run a protocol and set our numbers beside the published."""

from __future__ import annotations

import argparse
import shlex
import sys

from rich.console import Console

from Datasets.splits import MINI_RGBD_SPLIT, parse_sequences
from Engine.errors import DataError
from PoseEstimation.config import Config, load_config
from PoseEstimation.evaluation.mini_rgbd import evaluate_mini_rgbd, print_mini_rgbd
from PoseEstimation.evaluation.report import print_tables
from PoseEstimation.evaluation.syrip import evaluate_syrip, syrip_notes, syrip_tables
from PoseEstimation.inference.pipeline import PosePipeline

TABLE_WIDTH = 120


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the tables and name the files."""
    config = load_config(args.config, args.overrides)
    name = args.weights or config.weights
    pipeline = PosePipeline.named(config.paths.saved_models, name, config.predict)
    (_syrip if args.protocol == "syrip" else _mini_rgbd)(pipeline, args, config)
    print(f"{args.output}: {', '.join(sorted(path.name for path in args.output.iterdir()))}")
    return 0


def _mini_rgbd(pipeline: PosePipeline, args: argparse.Namespace, config: Config) -> None:
    metrics = evaluate_mini_rgbd(
        pipeline,
        args.root or config.paths.mini_rgbd,
        split_sequences(args.split or "test"),
        input_kind=args.input,
        box_kind=args.boxes or "own",
        output=args.output,
        command=command_line(),
        every=args.every,
    )
    print_mini_rgbd(metrics, wide_console())


def _syrip(pipeline: PosePipeline, args: argparse.Namespace, config: Config) -> None:
    if args.input != "predicted" or args.every != 1:
        raise DataError("evaluate syrip: photos have no true 2D input and no frames to leave out")
    metrics = evaluate_syrip(
        pipeline,
        args.root or config.paths.syrip,
        args.split or "validation",
        box_kind=args.boxes or "true",
        output=args.output,
        command=command_line(),
    )
    print_tables(syrip_tables(metrics), syrip_notes(metrics), wide_console())


def wide_console() -> Console:
    """A console as wide as the tables need where no terminal sets a limit."""
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

"""``infantpose evaluate``: run a protocol and set our numbers beside the published."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import Any

from rich.console import Console

from Datasets.splits import MINI_RGBD_SPLIT, parse_sequences
from PoseEstimation.config import load_config
from PoseEstimation.evaluation.mini_rgbd import evaluate_mini_rgbd, print_mini_rgbd
from PoseEstimation.inference.pipeline import PosePipeline
from PoseEstimation.inference.weights import find_weights

TABLE_WIDTH = 120


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the tables and name the files."""
    config = load_config(args.config, args.overrides)
    folder = find_weights(config.paths.saved_models, args.weights or config.weights)
    metrics = evaluate_mini_rgbd(
        PosePipeline.from_weights(folder, settings=config.predict),
        args.root or config.paths.mini_rgbd,
        split_sequences(args.split),
        input_kind=args.input,
        box_kind=args.boxes,
        output=args.output,
        command=command_line(),
        every=args.every,
    )
    print_tables(metrics)
    print(f"{args.output}: metrics.json, table.md, errors.npz")
    return 0


def print_tables(metrics: dict[str, Any]) -> None:
    """Print the tables as wide as they need where no terminal sets a limit."""
    console = Console()
    print_mini_rgbd(metrics, console if console.is_terminal else Console(width=TABLE_WIDTH))


def split_sequences(text: str) -> tuple[str, ...] | None:
    """Turn a part of the published split, or a list such as 11-12, into sequence names."""
    if text == "all":
        return None
    return parse_sequences(text) if text[:1].isdigit() else MINI_RGBD_SPLIT.part(text)


def command_line() -> str:
    """What the user typed, for provenance."""
    return shlex.join(["infantpose", *sys.argv[1:]])

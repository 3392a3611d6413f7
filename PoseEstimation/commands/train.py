"""``infantpose train``: one network, from its section of config.yaml."""

from __future__ import annotations

import argparse
from pathlib import Path

from PoseEstimation.config import load_config

FILES = {
    "detector": "detector.safetensors",
    "heatmap": "heatmap.safetensors",
    "lifting": "lifter.safetensors",
}


def run(args: argparse.Namespace) -> int:
    """Train and name the weights."""
    config = load_config(args.config, args.overrides)
    output = args.output or Path("runs") / args.recipe
    if args.recipe == "detector":
        from FasterRCNN.train import train_detector

        summary = train_detector(config.detector, output, args.resume)
    elif args.recipe == "heatmap":
        from PoseEstimation.training.heatmap import train_heatmap

        summary = train_heatmap(config.heatmap, output, args.resume)
    else:
        from PoseEstimation.training.lifting import train_lifting

        summary = train_lifting(config.lifting, output, args.resume)
    print(
        f"{output / FILES[args.recipe]}: {summary.epochs} epochs, {summary.steps} steps, "
        f"{summary.minutes:.1f} min, stopped by {summary.stopped_by}, "
        f"best validation loss {summary.best_loss} at step {summary.best_step}"
    )
    return 0

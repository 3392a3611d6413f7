"""``infantpose verify``: compare a folder with an official layout."""

from __future__ import annotations

import argparse

from Datasets.catalogue import verify_dataset
from PoseEstimation.config import load_config


def run(args: argparse.Namespace) -> int:
    """Print what was found; 2 when something is missing or wrong."""
    paths = load_config(args.config, args.overrides).paths
    report = verify_dataset(args.dataset, args.root or getattr(paths, args.dataset))
    print(report)
    return 0 if report.ok else 2

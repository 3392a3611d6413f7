"""``infantpose verify``: compare a folder with an official layout."""

from __future__ import annotations

import argparse

from Engine.reading import require_folder
from PoseEstimation.config import load_config


def run(args: argparse.Namespace) -> int:
    """Print what was found; 2 when something is missing or wrong."""
    paths = load_config(args.config, args.overrides).paths
    root = require_folder(args.root or getattr(paths, args.dataset), args.dataset)
    from Datasets.catalogue import verify_dataset

    report = verify_dataset(args.dataset, root)
    print(report)
    return 0 if report.ok else 2

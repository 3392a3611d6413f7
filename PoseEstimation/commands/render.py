"""``infantpose render``: draw samples of a data set with their labels."""

from __future__ import annotations

import argparse

from Engine.files import require_writable
from Engine.reading import require_folder
from PoseEstimation.config import load_config


def run(args: argparse.Namespace) -> int:
    """Draw and name the files."""
    paths = load_config(args.config, args.overrides).paths
    root = require_folder(args.root or getattr(paths, args.dataset), args.dataset)
    require_writable(args.output)
    from Datasets.rendering import render_dataset

    for path in render_dataset(args.dataset, root, args.split, args.output, cache=paths.cache):
        print(path)
    return 0

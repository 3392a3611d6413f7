"""``infantpose render``: draw samples of a data set with their labels."""

from __future__ import annotations

import argparse

from Datasets.rendering import render_dataset


def run(args: argparse.Namespace) -> int:
    """Draw and name the files."""
    for path in render_dataset(args.dataset, args.root, args.split, args.output):
        print(path)
    return 0

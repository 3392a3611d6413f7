"""``infantpose verify``: compare a folder with an official layout."""

from __future__ import annotations

import argparse

from Datasets.catalogue import verify_dataset


def run(args: argparse.Namespace) -> int:
    """Print what was found; 2 when something is missing or wrong."""
    report = verify_dataset(args.dataset, args.root)
    print(report)
    return 0 if report.ok else 2

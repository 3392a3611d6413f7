"""``python -m Datasets``: look at data sets without loading any network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from Engine.errors import ReportedError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code (2 for bad input)."""
    options = _parser().parse_args(arguments)
    try:
        return _verify(options) if options.command == "verify" else _render(options)
    except ReportedError as error:
        print(f"infantpose: error: {error}", file=sys.stderr)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m Datasets", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="is this folder the official layout?")
    render = commands.add_parser("render", help="draw samples of a data set")
    for command in (verify, render):
        command.add_argument("dataset", help="such as mini_rgbd")
        command.add_argument("--root", type=Path, required=True, help="folder of the data set")
    render.add_argument("--split", help="train, validation, test or a list such as 1-3,11")
    render.add_argument("--output", type=Path, default=Path("runs/render"), help="folder to write")
    return parser


def _verify(options: argparse.Namespace) -> int:
    from Datasets.catalogue import verify_dataset

    report = verify_dataset(options.dataset, options.root)
    print(report)
    return 0 if report.ok else 2


def _render(options: argparse.Namespace) -> int:
    from Datasets.rendering import render_dataset

    for path in render_dataset(options.dataset, options.root, options.split, options.output):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

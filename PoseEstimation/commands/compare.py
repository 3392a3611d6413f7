"""``infantpose compare``: evaluations side by side, with intervals."""

from __future__ import annotations

import argparse

from Engine.files import require_writable
from Engine.reading import require_folder
from PoseEstimation.evaluation.compare_spec import read_spec

WIDTH = 180


def run(args: argparse.Namespace) -> int:
    """Compare, print the table and name the files."""
    title, rows = read_spec(args.spec)
    for row in rows:
        for run in row.runs:
            require_folder(run, f"compare: row '{row.name}'")
    require_writable(args.output)
    from rich.console import Console

    from PoseEstimation.evaluation.compare import compare, table, write_comparison

    results = compare(rows)
    write_comparison(args.output, title, results)
    console = Console()
    shown = console if console.is_terminal else Console(width=WIDTH)
    shown.print(table(title, results).rich())
    print(f"{args.output}: compare.json, table.md")
    return 0

"""The report's page of results, rebuilt from stored ones: ``make report``.

The same tables go into other pages (README, model card) between the two ``MARKS``. Each file of the
results folder is the ``metrics.json`` of an evaluation, its name saying what was evaluated; every
number on the pages comes from one of them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from Datasets.readers.base import load_json, require_folder
from Datasets.structures import DataError
from PoseEstimation.evaluation.mini_rgbd_tables import mini_rgbd_tables
from PoseEstimation.evaluation.report import SCHEMA, Table
from PoseEstimation.io.atomic import replacing

MARKS = ("<!-- results: begin, written by make report -->", "<!-- results: end -->")

_HEAD = """# Measured results

Written by `make report` from `report/results/`; do not edit. Rates in percent. Bold rows are ours;
the others were published by their authors. `clean` counts a distance of exactly 0 as a hit, `paper`
as a miss.
"""


def load_results(folder: Path) -> dict[str, dict[str, Any]]:
    """Read every ``NAME.json`` of a folder, by name, in order.

    Raises:
        DataError: no such folder, nothing in it, or a file of something else.
    """
    paths = sorted(require_folder(folder, "results").glob("*.json"))
    if not paths:
        raise DataError(f"results: {folder} holds none; copy a metrics.json there as NAME.json")
    return {path.stem: _load_result(path) for path in paths}


def _load_result(path: Path) -> dict[str, Any]:
    metrics = load_json(path, "result")
    kind = {"schema": SCHEMA, "protocol": "mini_rgbd"}
    if not isinstance(metrics, dict) or {key: metrics.get(key) for key in kind} != kind:
        raise DataError(
            f"result: {path} is none of schema {SCHEMA} and protocol mini_rgbd; "
            "copy the metrics.json of 'infantpose evaluate mini_rgbd'"
        )
    return metrics


def page(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page: a table per kind of pose, our rows above the published ones, then sources.

    Args:
        results: contents of ``metrics.json`` by name, at least one.
    """
    return "\n".join(
        [_HEAD, *(table.markdown() for table in [*_tables(results), _sources(results)])]
    )


def _tables(results: Mapping[str, Mapping[str, Any]]) -> list[Table]:
    """A table per kind of pose, our rows above the published ones."""
    by_title: dict[str, list[Table]] = {}
    for name, metrics in results.items():
        for table in mini_rgbd_tables({**metrics, "weights": {"name": name}}):
            if table.ours:
                by_title.setdefault(table.title, []).append(table)
    return [_merged(same) for same in by_title.values()]


def with_tables(text: str, results: Mapping[str, Mapping[str, Any]], where: Path) -> str:
    """Return a page with what stands between its ``MARKS`` replaced by the tables.

    Raises:
        DataError: ``where``, the page's path, lacks the marks.
    """
    begin, end = MARKS
    if text.count(begin) != 1 or text.count(end) != 1:
        raise DataError(f"{where}: needs one line '{begin}' and one line '{end}'")
    before, rest = text.split(begin)
    tables = "\n".join(table.markdown() for table in _tables(results))
    return f"{before}{begin}\n\n{tables}\n{end}{rest.split(end)[1]}"


def _merged(tables: list[Table]) -> Table:
    """Our rows of every table, then the published rows, which are the same in each."""
    first = tables[0]
    ours = [table.rows[i] for table in tables for i in sorted(table.ours)]
    published = [row for i, row in enumerate(first.rows) if i not in first.ours]
    return Table(first.title, first.header, (*ours, *published), frozenset(range(len(ours))))


def _sources(results: Mapping[str, Mapping[str, Any]]) -> Table:
    """What made each result and on which labels."""
    header = ("result", "frames", "sequences", "labels sha256", "code", "command")
    rows = tuple(
        (
            name,
            str(metrics["data"]["frames"]),
            ", ".join(metrics["data"]["sequences"]),
            metrics["data"]["root_sha256"][:12],
            metrics["code_version"],
            f"`{metrics['command']}`",
        )
        for name, metrics in results.items()
    )
    return Table("Sources", header, rows)


def main(arguments: list[str] | None = None) -> int:
    """Write the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="folder of NAME.json")
    parser.add_argument("--output", type=Path, required=True, help="the page, Markdown")
    parser.add_argument("--into", type=Path, nargs="*", default=[], help="pages with the marks")
    options = parser.parse_args(arguments)
    try:
        results = load_results(options.results)
        pages = {options.output: page(results)}
        for path in options.into:
            pages[path] = with_tables(path.read_text(encoding="utf-8"), results, path)
    except DataError as error:
        print(f"infantpose: error: {error}", file=sys.stderr)
        return 2
    for path, text in pages.items():
        with replacing(path) as file:
            file.write(text)
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

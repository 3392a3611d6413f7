"""Numbers as files and tables: metrics.json, table.md and the same tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

from Engine.files import write_json, write_text
from Engine.provenance import code_identity

SCHEMA = "infantpose-metrics/1"


@dataclass(frozen=True)
class Table:
    """A titled table of text; the rows in ``ours`` are this project's and stand out."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    ours: frozenset[int] = frozenset()

    def markdown(self, level: int = 2) -> str:
        """Return a GitHub table under a heading of a level."""
        rule = _line(["---"] * len(self.header))
        lines = [f"{'#' * level} {self.title}", "", _line(self.header), rule]
        for i, row in enumerate(self.rows):
            lines.append(_line([_bold(cell) for cell in row] if i in self.ours else row))
        return "\n".join(lines) + "\n"

    def rich(self) -> RichTable:
        """Return a table for the terminal; in a narrow one text breaks, numbers never do."""
        table = RichTable(
            title=self.title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
        )
        for name, *cells in zip(self.header, *self.rows, strict=True):
            if all(cell == "-" or cell[:1].isdigit() for cell in cells):
                longest = max(len(word) for cell in (name, *cells) for word in cell.split())
                table.add_column(name, justify="right", min_width=longest)
            else:
                table.add_column(name, overflow="fold")
        for i, row in enumerate(self.rows):
            table.add_row(*row, style="bold" if i in self.ours else None)
        return table


def _bold(cell: str) -> str:
    return cell if cell == "-" else f"**{cell}**"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def number(value: float | None, decimals: int = 2) -> str:
    """Format a value that may not exist."""
    return "-" if value is None else f"{value:.{decimals}f}"


def metrics_header(
    protocol: str, weights: Mapping[str, Any], command: str, data: Mapping[str, Any]
) -> dict[str, Any]:
    """How each ``metrics.json`` begins: what was measured, on which data, and what made it."""
    return {
        "schema": SCHEMA,
        "protocol": protocol,
        "data": dict(data),
        "weights": dict(weights),
        "command": command,
        **code_identity(),
    }


def write_metrics(output: Path, metrics: Mapping[str, Any]) -> Path:
    """Write ``output/metrics.json``; NaN is refused, a measure without a count is absent."""
    path = output / "metrics.json"
    write_json(path, metrics, indent=2)
    return path


def write_tables(output: Path, tables: Sequence[Table], notes: Sequence[str]) -> Path:
    """Write ``output/table.md``: the tables, then one line per note."""
    path = output / "table.md"
    remarks = [f"- {note}" for note in notes]
    write_text(path, "\n".join([*(table.markdown() for table in tables), *remarks]) + "\n")
    return path


def print_tables(
    tables: Sequence[Table], notes: Sequence[str], console: Console | None = None
) -> None:
    """Print the same on the terminal."""
    console = console or Console()
    for table in tables:
        console.print(table.rich())
    for note in notes:
        console.print(note, markup=False, highlight=False)

"""What ``infantpose compare`` is asked: rows of evaluations, read from YAML."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from Engine.errors import DataError
from Engine.reading import load_yaml


@dataclass(frozen=True)
class Row:
    """One system.

    Attributes:
        name: as the table shows it.
        runs: folders of its evaluations, one per seed.
        against: name of the row that it is compared with, or None.
        pooled: the runs are parts of one evaluation, such as folds, not seeds.
        note: what the reader must know.
    """

    name: str
    runs: tuple[Path, ...]
    against: str | None = None
    pooled: bool = False
    note: str = ""


def read_spec(path: Path) -> tuple[str, list[Row]]:
    """Read a comparison: YAML with ``title`` and ``rows``; folders count from the file.

    Raises:
        DataError: not such a file, or a row names one that is not there.
    """
    try:
        spec = load_yaml(path, "compare")
        rows = [
            Row(
                str(row["name"]),
                tuple(path.parent / run for run in row["runs"]),
                row.get("against"),
                bool(row.get("pooled", False)),
                str(row.get("note", "")),
            )
            for row in spec["rows"]
        ]
        title = str(spec["title"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(f"compare: {path} is no comparison ({reason}); see the README") from None
    names = {row.name for row in rows}
    for row in rows:
        if not row.runs or (row.against is not None and row.against not in names):
            raise DataError(f"compare: row '{row.name}' of {path} has no runs or no such 'against'")
    return title, rows

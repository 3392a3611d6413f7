"""A CSV file as rows of cells, and cells as numbers, with the line where something is wrong."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

import numpy as np
from jaxtyping import Float

from Engine.errors import DataError
from Engine.reading import read_text

MISSING = frozenset(("", "na", "n/a", "null", "none", "nan"))
"""Cells without a number, in lower case."""


class Table:
    """A CSV file.

    Attributes:
        path: of the file.
        head: its first lines, as cells.

    Raises:
        DataError: the file is missing or not UTF-8.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._text = path, read_text(path, "lift")
        lines = (cells for _, cells in self._lines())
        self.head = [cells for cells, _ in zip(lines, range(4), strict=False)]

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(StringIO(self._text, newline=""))
        try:
            for cells in reader:
                if any(cells):
                    yield reader.line_num, [cell.strip() for cell in cells]
        except csv.Error as error:
            raise self.fault(reader.line_num, f"{error}; save it as CSV again") from None

    def rows(self, header: int) -> Iterator[tuple[int, list[str]]]:
        """Line number and cells of each row below the header lines.

        Raises:
            DataError: a row has another number of cells than the header, or there is none.
        """
        width, count = len(self.head[0]), 0
        for number, (line, cells) in enumerate(self._lines()):
            if number < header:
                continue
            if len(cells) != width:
                what = f"has {len(cells)} cells, the header {width}; correct the row"
                raise self.fault(line, what)
            count += 1
            yield line, cells
        if not count:
            raise DataError(f"lift: {self.path} has no row below its header; check the file")

    def numbers(self, line: int, cells: Sequence[str]) -> Float[np.ndarray, "cell"]:
        """Cells as numbers, NaN where missing.

        Raises:
            DataError: a cell holds something else.
        """
        try:
            return np.array([float(cell or "nan") for cell in cells])
        except ValueError:
            return np.array([self._number(line, cell) for cell in cells])

    def _number(self, line: int, cell: str) -> float:
        try:
            return float("nan") if cell.lower() in MISSING else float(cell)
        except ValueError:
            raise self.fault(line, f"'{cell}' is not a number; correct it") from None

    def integer(self, line: int, cell: str, column: str) -> int:
        """A cell as a whole number.

        Raises:
            DataError: it is something else.
        """
        value = self._number(line, cell)
        if not float(value).is_integer():
            raise self.fault(line, f"{column} '{cell}' is not a whole number; correct it")
        return int(value)

    def fault(self, line: int, what: str) -> DataError:
        """The error that names a line of the file."""
        return DataError(f"lift: {self.path}, line {line}: {what}")

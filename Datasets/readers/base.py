"""What several readers need: tables, npz files and names of files, with one-line errors."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
from jaxtyping import Float

from Engine.errors import DataError
from Engine.reading import read_ascii, require_file


def inside(root: Path, name: str, source: Path) -> Path:
    """Join a file name from an annotation to the folder that must hold it.

    Args:
        root: the folder.
        name: relative path as written in the annotation.
        source: the annotation file, for the message.

    Raises:
        DataError: the name is absolute or leads out of the folder.
    """
    parts = Path(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or not parts.parts or "\0" in name:
        raise DataError(f"annotation: {source} names {name!r}, outside {root}; correct the name")
    return root / parts


class Folders:
    """Tells whether a file exists; each folder is listed once."""

    def __init__(self) -> None:
        self._names: dict[Path, frozenset[str]] = {}

    def __contains__(self, path: Path) -> bool:
        folder = path.parent
        if folder not in self._names:
            self._names[folder] = frozenset(os.listdir(folder) if folder.is_dir() else ())
        return path.name in self._names[folder] or path.is_file()  # or spelt otherwise


def load_npz(
    path: Path, what: str, names: Iterable[str], advice: str = "restore the file"
) -> dict[str, np.ndarray]:
    """Read arrays of an npz file.

    Args:
        path: the file.
        what: said first in an error.
        names: of the arrays.
        advice: said last in an error.

    Raises:
        DataError: the file is missing, damaged or lacks an array.
    """
    try:
        with (
            require_file(path, what).open("rb") as opened,
            np.load(opened, allow_pickle=False) as file,
        ):
            return {name: file[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{what}: {path} is damaged ({reason}); {advice}") from None


def load_rows(path: Path, rows: int, columns: int) -> Float[np.ndarray, "rows columns"]:
    """Read a text table of numbers, one row per line, separated by white space.

    Args:
        path: the file; blank lines do not count.
        rows: exact number of rows.
        columns: leading columns to keep; further ones are ignored.

    Raises:
        DataError: missing file, wrong number of rows, too few columns, or a value not finite.
    """
    try:
        text = read_ascii(path)
    except OSError:
        raise DataError(f"table: {path} is missing or unreadable; restore the file") from None
    except UnicodeError:
        raise DataError(f"table: {path} is not plain text; restore the file") from None
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1)]
    filled = [(number, cells) for number, cells in lines if cells]
    if len(filled) != rows:
        raise DataError(f"table: {path} has {len(filled)} rows, expected {rows}; restore the file")
    values = np.full((rows, columns), np.nan)
    for row, (number, cells) in enumerate(filled):
        where = f"table: {path}, line {number}"
        if len(cells) < columns:
            raise DataError(f"{where}: {len(cells)} values, expected {columns}; restore the file")
        for column, cell in enumerate(cells[:columns]):
            with suppress(ValueError):
                values[row, column] = float(cell)
            if not np.isfinite(values[row, column]):
                raise DataError(f"{where}: '{cell}' is not a finite number; restore the file")
    return values

"""What every reader needs: files that must exist and tables, with one-line errors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from Engine.errors import DataError


def require_folder(path: Path | str, what: str) -> Path:
    """Return ``path`` when it is a folder.

    Raises:
        DataError: it is missing or is a file.
    """
    path = Path(path)
    if not os.path.isdir(path):
        raise DataError(
            f"{what}: {path} {state_of(path, 'is a file, not a folder')}; check the path"
        )
    return path


def require_file(path: Path | str, what: str) -> Path:
    """Return ``path`` when it is a file.

    Raises:
        DataError: it is missing or is a folder.
    """
    path = Path(path)
    if not os.path.isfile(path):
        state = state_of(path, "is a folder, not a file")
        raise DataError(f"{what}: {path} {state}; restore the file or check the path")
    return path


def state_of(path: Path, other: str) -> str:
    """Say why a path cannot be used: absent, unreadable, or of another kind (``other``)."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return "does not exist"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return other


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
        text = path.read_text(encoding="ascii")
    except OSError:
        raise DataError(f"table: {path} is missing or unreadable; restore the file") from None
    except UnicodeDecodeError:
        raise DataError(f"table: {path} is not plain text; restore the file") from None
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1)]
    filled = [(number, cells) for number, cells in lines if cells]
    if len(filled) != rows:
        raise DataError(f"table: {path} has {len(filled)} rows, expected {rows}; restore the file")
    try:
        values = np.array([cells[:columns] for _, cells in filled], dtype=np.float64)
    except ValueError:
        values = np.full((rows, columns), np.nan)
    if values.shape != (rows, columns) or not np.isfinite(values).all():
        raise DataError(_first_bad_row(path, filled, columns))
    return values


def _first_bad_row(path: Path, filled: list[tuple[int, list[str]]], columns: int) -> str:
    """Name the first line that does not hold ``columns`` finite numbers."""
    for number, cells in filled:
        where = f"table: {path}, line {number}"
        if len(cells) < columns:
            return f"{where}: {len(cells)} values, expected {columns}; restore the file"
        for cell in cells[:columns]:
            if not _is_finite(cell):
                return f"{where}: '{cell}' is not a finite number; restore the file"
    return f"table: {path} cannot be read as numbers; restore the file"


def _is_finite(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def load_json(path: Path, what: str) -> Any:
    """Read a JSON file, with or without a byte order mark.

    Raises:
        DataError: it is missing or not JSON.
    """
    try:
        return json.loads(require_file(path, what).read_text(encoding="utf-8-sig"))
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{what}: {path} is not valid JSON ({reason}); correct it") from None

"""Files and folders that must be there; one loader for each kind of text that people edit.

Editors on Windows begin UTF-8 files with a byte order mark; it is not part of the text.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml

from Engine.errors import DataError

ENCODING = "utf-8-sig"
"""UTF-8, with or without a byte order mark."""


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


def read_text(path: Path | str, what: str) -> str:
    """Read a UTF-8 text file.

    Raises:
        DataError: it is missing, may not be read, or is not UTF-8.
    """
    path = require_file(path, what)
    try:
        return path.read_text(encoding=ENCODING)
    except UnicodeDecodeError:
        raise DataError(f"{what}: {path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise DataError(f"{what}: {path} cannot be read ({error.strerror or error})") from None


def read_ascii(path: Path) -> str:
    """Read a text file of ASCII characters, with or without a byte order mark.

    Raises:
        OSError: it is missing or may not be read.
        UnicodeError: it holds anything else.
    """
    text = path.read_text(encoding=ENCODING)
    if not text.isascii():
        raise UnicodeError(f"{path} is not ASCII")
    return text


def load_json(path: Path | str, what: str) -> Any:
    """Read a JSON file.

    Raises:
        DataError: it is missing or not JSON.
    """
    try:
        return json.loads(read_text(path, what))
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{what}: {path} is not valid JSON ({reason}); correct it") from None


def load_yaml(path: Path | str, what: str) -> Any:
    """Read a YAML file; None when it is empty.

    Raises:
        DataError: it is missing or not YAML, or a key stands twice.
    """
    try:
        return yaml.load(read_text(path, what), Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f", line {mark.line + 1}"
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        advice = "indent with spaces, not tabs" if "\\t" in reason else "correct it"
        raise DataError(f"{what}: {path}{where} is not valid YAML ({reason}); {advice}") from None


class _Loader(yaml.SafeLoader):
    """Plain values only; refuses what YAML lets pass in silence: a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name in seen:
                problem = f"key '{name}' stands twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen |= {name} - {None}
        return super().construct_mapping(node, deep)

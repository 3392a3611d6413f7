"""Files that are either whole or as they were before."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Open a temporary text file beside ``path`` that takes its place when the block succeeds.

    Args:
        path: the final file; its folder is made.

    Yields:
        A UTF-8 handle.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any, indent: int = 1) -> None:
    """Write a JSON file, whole or not at all; NaN is refused."""
    with replacing(path) as file:
        file.write(json.dumps(content, indent=indent, allow_nan=False) + "\n")

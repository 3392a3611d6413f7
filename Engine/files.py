"""The one writer of files: a file is either whole or as it was before.

Every file that this project makes is written through ``replacing``: into a temporary file in the
same folder, which takes the final name in one step when everything succeeded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

from Engine.errors import WriteError

TEMPORARY = ".infantpose-"
"""What the name of an unfinished file begins with."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Name a temporary file that takes the place of ``path`` when the block succeeds.

    Args:
        path: the final file; its folder is made.

    Yields:
        A path in the same folder with the same suffix, to be written by any means.

    Raises:
        WriteError: the system refuses to write: no space, no permission, no such device.
    """
    temporary = path.with_name(f"{TEMPORARY}{uuid4().hex[:12]}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_text(path: Path) -> Iterator[TextIO]:
    r"""Open a UTF-8 text file that takes the place of ``path`` when the block succeeds.

    A byte of a file name that is no UTF-8 (a lone surrogate in Python) is written as ``\udcXX``,
    which JSON reads back as the same name.

    Args:
        path: the final file; its folder is made.

    Raises:
        WriteError: see ``replacing``.
    """
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        yield file


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file, whole or not at all."""
    with replacing_text(path) as file:
        file.write(text)


def write_json(path: Path, content: Any, indent: int | None = 1) -> None:
    """Write a JSON file, whole or not at all; NaN is refused."""
    write_text(path, json.dumps(content, indent=indent, allow_nan=False) + "\n")


def portable_name(name: str) -> str:
    """The name of a file as the same text in every locale.

    Bytes that are UTF-8 become its characters, also where the locale knows none of them; any other
    byte stays what ``os.fsdecode`` makes of it, a lone surrogate.
    """
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, as Windows allows
        return name


def cannot_write(path: Path, error: OSError) -> WriteError:
    """Say in one line which file could not be written, and why."""
    return WriteError(
        f"output: {path} cannot be written ({error.strerror or error}); make room or choose "
        "another folder"
    )

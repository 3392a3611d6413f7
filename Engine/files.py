"""The one writer of files: a file is either whole or as it was before.

Every file that this project makes is written through ``replacing``: into a temporary file in the
same folder, which takes the final name in one step when everything succeeded. By convention that
file is called ``temporary`` wherever it is written; tests/test_architecture.py looks for it.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO
from uuid import uuid4

from Engine.errors import DataError, WriteError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

TEMPORARY = ".infantpose-"
"""What the name of an unfinished file begins with."""


def prepare_folder(folder: Path) -> None:
    """Make a folder and try to write in it.

    Raises:
        DataError: nothing can be written there, or it is a file.
    """
    _try(folder, folder)


def require_writable(folder: Path) -> Path:
    """Return ``folder`` when it, or the folder that it will be made in, can be written.

    Nothing is left behind: whoever asks may still refuse to work for another reason.

    Raises:
        DataError: nothing can be written there, or it lies below a file.
    """
    place = next((p for p in (folder, *folder.parents) if os.path.lexists(p)), folder)
    _try(place, folder)
    return folder


def _try(place: Path, folder: Path) -> None:
    """Make ``place`` and write in it; the error names ``folder``."""
    if os.path.lexists(place) and not os.path.isdir(place):
        raise DataError(f"output: {place} is a file; name a folder")
    try:
        place.mkdir(parents=True, exist_ok=True)
        probe = place / f"{TEMPORARY}{uuid4().hex[:12]}"
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as error:
        reason = error.strerror or error
        raise DataError(
            f"output: {folder} cannot be written ({reason}); choose another folder"
        ) from error


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files of a run that was killed; nobody else may be writing there."""
    for unfinished in folder.glob(f"{TEMPORARY}*"):
        with suppress(OSError):
            unfinished.unlink()


def lock(file: BinaryIO, path: Path) -> None:
    """Keep other processes from locking an open file, until it is closed or the process ends.

    Where the system has no such locks (Windows), nothing happens.

    Raises:
        DataError: another process has locked it.
    """
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DataError(
            f"output: {path.parent} is in use by another run; wait or choose another --output"
        ) from None


@contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[Path]:
    """Name a temporary file that takes the place of ``path`` when the block succeeds.

    Args:
        path: the final file; its folder is made.
        durable: wait until the content is on the disk, so that not even a power failure leaves an
            empty file. That takes some 10 ms: pictures of a data set, which are made again by the
            same command, go without.

    Yields:
        A path in the same folder with the same suffix, to be written by any means.

    Raises:
        WriteError: the system refuses to write: no space, no permission, no such device.
    """
    # savers choose the format by the suffix; all of a very long one would be too long a name
    temporary = path.with_name(f"{TEMPORARY}{uuid4().hex[:12]}{path.suffix[-16:]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if durable:
            with temporary.open("r+b") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_text(path: Path, durable: bool = True) -> Iterator[TextIO]:
    r"""Open a UTF-8 text file that takes the place of ``path`` when the block succeeds.

    A byte of a file name that is no UTF-8 (a lone surrogate in Python) is written as ``\udcXX``,
    which JSON reads back as the same name.

    Args:
        path: the final file; its folder is made.
        durable: see ``replacing``.

    Raises:
        WriteError: see ``replacing``.
    """
    with (
        replacing(path, durable) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        yield file


def write_text(path: Path, text: str, durable: bool = True) -> None:
    """Write a UTF-8 text file, whole or not at all."""
    with replacing_text(path, durable) as file:
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


def write_bytes(path: Path, content: bytes | memoryview, durable: bool = True) -> None:
    """Write bytes, whole or not at all."""
    with replacing(path, durable) as temporary:
        temporary.write_bytes(content)


def write_npy(path: Path, array: np.ndarray, durable: bool = True) -> None:
    """Write one array as an npy file, whole or not at all."""
    import numpy as np

    buffer = io.BytesIO()  # straight to a file, NumPy overlooks that a full disk cut it short
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getbuffer(), durable)


def write_npz(path: Path, /, **arrays: np.ndarray) -> None:
    """Write named arrays as a compressed npz file, whole or not at all."""
    import numpy as np

    # an open file: NumPy would add a suffix to a path that has another one
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def write_image(path: Path, image: Image.Image, durable: bool = True, **options: Any) -> None:
    """Write a picture, whole or not at all.

    Args:
        path: the file; its suffix says the format unless the options do.
        image: the picture.
        durable: see ``replacing``.
        options: of ``Image.save``, such as ``format`` and ``quality``.
    """
    buffer = io.BytesIO()  # straight to a file, Pillow overlooks that a full disk cut it short
    buffer.name = path.name
    image.save(buffer, **options)
    write_bytes(path, buffer.getbuffer(), durable)


def cannot_write(path: Path, error: OSError) -> WriteError:
    """Say in one line which file could not be written, and why."""
    return WriteError(
        f"output: {path} cannot be written ({error.strerror or error}); make room or choose "
        "another folder"
    )

"""Where numbers and files come from: the code, and hashes of data and weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def hash_files(root: Path, paths: Iterable[Path]) -> str:
    """SHA-256 over the names (relative to ``root``) and contents of files, whatever their order."""
    total = hashlib.sha256()
    for path in sorted(paths):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return total.hexdigest()


def code_version() -> str:
    """Version of the installed package."""
    try:
        return version("infantpose")
    except PackageNotFoundError:
        return "unknown"


def file_sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

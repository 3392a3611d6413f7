"""Where numbers and files come from: the code, and hashes of data and weights."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What made a number or a file; ``vars`` of it is JSON-able.

    Attributes:
        code_version: of the installed package.
        commit: of the checkout that the code lies in, or None.
        data_sha256: of the data, or None.
        weights_sha256: of each file of weights, by name.
    """

    code_version: str
    commit: str | None
    data_sha256: str | None = None
    weights_sha256: Mapping[str, str] = dataclasses.field(default_factory=dict)


def provenance(
    data: Iterable[Path] | None = None, root: Path = Path(), weights: Iterable[Path] = ()
) -> Provenance:
    """Name the code, and hash the data and the weights that made something.

    Args:
        data: files of the data, if any; they lie below ``root``.
        root: folder of the data.
        weights: files of weights.
    """
    return Provenance(
        code_version(),
        code_commit(),
        None if data is None else hash_files(root, data),
        {path.name: file_sha256(path) for path in weights},
    )


def hash_files(root: Path, paths: Iterable[Path]) -> str:
    """SHA-256 over the names (relative to ``root``) and contents of files, whatever their order."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.relative_to(root).as_posix()} {file_sha256(path)}\n".encode())
    return total.hexdigest()


def file_sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def code_version() -> str:
    """Version of the installed package, or ``unknown``."""
    try:
        return version("infantpose")
    except PackageNotFoundError:
        return "unknown"


@cache
def code_commit() -> str | None:
    """Commit of the checkout that this code lies in; None without one, or without git."""
    if not (CHECKOUT / ".git").exists():  # a repository further up is not ours
        return None
    command = ["git", "-C", str(CHECKOUT), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None

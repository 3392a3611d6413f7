"""Where numbers and files come from: the code, and hashes of data and weights."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]


def code_identity() -> dict[str, str | None]:
    """The code that made something: ``code_version`` of the package, ``commit`` of the checkout."""
    return {"code_version": code_version(), "commit": code_commit()}


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


def content_sha256(content: Any) -> str:
    """Hex digest of plain values, as JSON has them; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


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

"""What a user names as input: files, folders and patterns become photos and videos, each once."""

from __future__ import annotations

import glob
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from Engine.errors import DataError, one_line
from Engine.reading import state_of

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif"),
    *(".heic", ".heif", ".hif"),
)
"""HEIC is listed so that it is refused by name instead of being passed over."""
VIDEO_SUFFIXES = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mts", ".m2ts", ".m2t", ".ts", ".mod"),
    *(".tod", ".mpg", ".mpeg", ".vob", ".3gp", ".3g2", ".wmv", ".asf", ".flv", ".ogv", ".dv"),
    ".gif",
)
"""An animated GIF is a short video, a still one a video of one frame."""

_SYSTEM_FILES = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Inputs:
    """What the user's arguments stand for.

    Attributes:
        paths: photos and videos, each once, in the order given.
        skipped: files of folders and patterns that are neither by their name.
    """

    paths: tuple[Path, ...]
    skipped: tuple[Path, ...] = ()

    def notes(self) -> list[str]:
        """Name what is skipped, one line per folder."""
        folders: dict[Path, list[Path]] = {}
        for path in self.skipped:
            folders.setdefault(path.parent, []).append(path)
        return [
            one_line(f"{folder}: {_kinds(paths)} skipped, no photo or video by name")
            for folder, paths in folders.items()
        ]


def is_video(path: Path) -> bool:
    """Whether the file has a video's suffix."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def expand_inputs(patterns: Sequence[str | Path]) -> Inputs:
    """Turn files, folders and glob patterns into the photos and videos they name.

    Args:
        patterns: a file stands for itself, a folder for the photos and videos directly in it, a
            pattern with ``*``, ``?`` or ``[`` for those that match; each sorted by name. Parts of
            a pattern that exist count literally, and so do brackets where nothing matches them as
            a pattern; ``~`` is the home folder. Hidden files and those of the system are passed
            over.

    Returns:
        The paths as given. A file that is reached twice (``..``, links, upper and lower case on a
        disk that does not tell them apart) comes once; hard links are files of their own.

    Raises:
        DataError: a path is empty or missing, holds nothing readable or is no photo or video by
            its name.
    """
    found = [path for pattern in patterns for path in _expand(str(pattern))]
    kept = {path: _is_known(path) for path in _once(found)}
    return Inputs(
        tuple(path for path, known in kept.items() if known),
        tuple(path for path, known in kept.items() if not known),
    )


def _is_known(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES + VIDEO_SUFFIXES


def _expand(pattern: str) -> list[Path]:
    """Expand one argument to files, at least one of them a photo or video."""
    if not pattern:
        raise DataError("input: an empty path; check the variable or name the folder")
    pattern = pattern if os.path.lexists(pattern) else os.path.expanduser(pattern)
    path = Path(pattern)
    if os.path.isfile(path):
        if not _is_known(path):
            names = " ".join(IMAGE_SUFFIXES + VIDEO_SUFFIXES)
            raise DataError(f"input: {path} is no photo or video by its name; use one of {names}")
        return [path]
    if os.path.isdir(path):
        try:
            files = list(path.iterdir())
        except OSError as error:
            raise DataError(
                f"input: {path} cannot be listed ({error.strerror}); check its permissions"
            ) from None
    elif glob.has_magic(pattern):
        files = _matches(path)
    else:
        state = state_of(path, "is neither a file nor a folder")
        raise DataError(f"input: {path} {state}; check the path")
    shown = (p for p in files if p.name[:1] != "." and p.name.lower() not in _SYSTEM_FILES)
    files = sorted(path for path in shown if os.path.isfile(path))
    if not any(map(_is_known, files)):
        others = f", only {_kinds(files)}" if files else ""
        raise DataError(
            f"input: {path} holds no photo or video{others}; use files named "
            f"{' '.join(IMAGE_SUFFIXES + VIDEO_SUFFIXES)}"
        )
    return files


def _matches(pattern: Path) -> list[Path]:
    """What a pattern matches; if nothing, what it does when its brackets are letters of names."""
    start, rest = _literal(pattern)
    for parts in (rest, [part.replace("[", "[[]") for part in rest]):
        found = glob.glob(os.path.join(start, *parts), recursive=True)
        if found:
            return [Path(path) for path in found]
    advice = "; [ ] stands for one of its characters, write [[] for a bracket of a name"
    hint = advice if "[" in "".join(rest) else "; check the path"
    raise DataError(f"input: {pattern} matches nothing{hint}")


def _literal(pattern: Path) -> tuple[str, Sequence[str]]:
    """The leading parts of a pattern that exist as they are written, escaped, and the others."""
    literal = Path(pattern.anchor)
    parts = pattern.relative_to(literal).parts
    count = 0
    while count < len(parts) and os.path.lexists(literal / parts[count]):
        literal, count = literal / parts[count], count + 1
    return glob.escape(str(literal)), parts[count:]


def _kinds(paths: Sequence[Path]) -> str:
    """Count files by suffix."""
    counts = Counter(path.suffix.lower() or "without suffix" for path in paths)
    listed = ", ".join(f"{number} {suffix}" for suffix, number in sorted(counts.items()))
    return f"{len(paths)} file{'s' * (len(paths) > 1)} ({listed})"


def _once(paths: Iterable[Path]) -> list[Path]:
    """Leave out what is the same file under another path."""
    kept: list[Path] = []
    known: dict[str, list[str]] = {}
    for path in paths:
        real = os.path.realpath(path)
        # Names that differ in case or in the form of their accents may be one file.
        alike = known.setdefault(unicodedata.normalize("NFC", real).casefold(), [])
        if any(real == other or _is_same(real, other) for other in alike):
            continue
        alike.append(real)
        kept.append(path)
    return kept


def _is_same(first: str, second: str) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False

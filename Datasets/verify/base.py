"""What a verification finds, and the checks that every data set shares."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from Datasets.readers.images import load_mask
from Engine.errors import DataError

SHOWN = 10
PNG = b"\x89PNG\r\n\x1a\n"
ORIENTATION = 0x0112
TURNED = (5, 6, 7, 8)
"""Values of EXIF's orientation with which a picture lies on its side."""


@dataclass(frozen=True)
class Verification:
    """What was found in a folder.

    Attributes:
        name: data set.
        root: folder.
        counts: lines that say how much there is, beside the official number.
        missing: files that are not there.
        problems: other faults, one line each.
        notes: remarks that are no fault.
    """

    name: str
    root: Path
    counts: tuple[str, ...]
    missing: tuple[Path, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when nothing is missing or wrong."""
        return not self.missing and not self.problems

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.root}", *(f"  {line}" for line in self.counts)]
        for title, faults in (("missing files", self.missing), ("problems", self.problems)):
            lines.append(f"  {title}: {len(faults)}")
            lines += [f"    {fault}" for fault in faults[:SHOWN]]
            if len(faults) > SHOWN:
                lines.append(f"    ... and {len(faults) - SHOWN} more")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join([*lines, f"  {'OK' if self.ok else 'NOT OK'}"])


@dataclass
class Findings:
    """Collects while a folder is looked through.

    Attributes:
        missing: files that are not there.
        problems: other faults, one line each.
        notes: remarks that are no fault.
        worst_px: largest projection residual so far, pixels.
    """

    missing: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    worst_px: float = 0.0

    def compare_count(self, what: str, found: int, official: int, generated: bool) -> str:
        """Note a number that is not the official one and return the line that shows both."""
        if found != official and not generated:
            self.problems.insert(0, f"{found} {what}, the official set has {official}")
        return f"{what}: {found} (official {official})"

    def close(self, name: str, root: Path, counts: Sequence[str]) -> Verification:
        """Finish."""
        found = (tuple(self.missing), tuple(self.problems), tuple(self.notes))
        return Verification(name, root, tuple(counts), *found)


def is_generated(root: Path, found: Findings) -> bool:
    """Whether the folder says that it was generated; adds the remark that explains its counts."""
    generated = (root / "generator.json").exists()
    if generated:
        found.notes.append(
            "generated data (generator.json): counts may differ from the official set"
        )
    return generated


def image_faults(path: Path) -> list[str]:
    """Check a picture without decoding it: a cut file lacks its end, PNG has checksums."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            file.seek(max(path.stat().st_size - 64, 0))
            end = file.read()
            if start == PNG and end[-8:-4] == b"IEND":
                return [] if _is_whole_png(file) else [f"{path} is damaged: a checksum differs"]
    except OSError as error:
        return [f"{path} cannot be read ({error.strerror})"]
    if start == PNG:
        return [f"{path} is truncated"]
    if start[:3] == b"\xff\xd8\xff":
        return [] if b"\xff\xd9" in end else [f"{path} is truncated"]
    return [f"{path} is not a {'JPEG' if path.suffix in ('.jpg', '.jpeg') else 'PNG'} file"]


def _is_whole_png(file: BinaryIO) -> bool:
    """Whether the checksum of every chunk fits."""
    file.seek(len(PNG))
    kind = b""
    while kind != b"IEND":
        head = file.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        content, check = file.read(length), file.read(4)
        if len(check) < 4 or zlib.crc32(kind + content) != int.from_bytes(check, "big"):
            return False
    return True


def mask_faults(path: Path) -> list[str]:
    """Check a foreground mask, which must show somebody."""
    faults = image_faults(path)
    if faults:
        return faults
    try:
        shown = np.asarray(load_mask(path)).max() > 127
    except DataError as error:
        return [str(error)]
    return [] if shown else [f"{path} shows nobody"]


def size_faults(path: Path, stated: tuple[int, int]) -> list[str]:
    """Compare a picture's size, upright as it is read, with the (width, height) of its labels."""
    try:
        with Image.open(path) as picture:
            size = picture.size
            turned = picture.getexif().get(ORIENTATION, 1) in TURNED
    except Exception:  # a damaged header or EXIF block can raise anything
        return [f"{path} has no readable header"]
    width, height = size[::-1] if turned else size
    if (width, height) == tuple(stated):
        return []
    return [f"{path} has {width} x {height} pixels upright, its labels {stated[0]} x {stated[1]}"]

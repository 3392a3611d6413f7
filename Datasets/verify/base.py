"""What a verification finds, and the checks that every data set shares."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from Datasets.readers.images import load_image, load_mask
from Datasets.readers.picture_files import END_OF_JPEG, format_of, take_apart
from Engine.errors import DataError

SHOWN = 10
PNG = b"\x89PNG\r\n\x1a\n"
LEAST_TURNED = 5
"""EXIF's orientations from this one on say that a picture lies on its side."""


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
    """Check a picture, decoding it only in doubt: a JPEG has an end, a PNG checksums.

    A JPEG whose end is missing is as good as ``load_image`` finds it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        return [f"{path} cannot be read ({error.strerror})"]
    name = format_of(data[:64])
    if name == "PNG":
        return _png_faults(path, io.BytesIO(data))
    if name != "JPEG":
        return [f"{path} is not a {'JPEG' if path.suffix in ('.jpg', '.jpeg') else 'PNG'} file"]
    if END_OF_JPEG in take_apart(name, data).data:  # without that of a preview
        return []
    try:
        load_image(path)
    except DataError as error:
        return [str(error)]
    return []


def _png_faults(path: Path, file: BinaryIO) -> list[str]:
    """Compare the checksum of every chunk up to the last."""
    file.seek(len(PNG))
    kind = b""
    while kind != b"IEND":
        head = file.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        content, check = file.read(length), file.read(4)
        if len(check) < 4:
            return [f"{path} is truncated"]
        if zlib.crc32(kind + content) != int.from_bytes(check, "big"):
            return [f"{path} is damaged: a checksum differs"]
    return []


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
        data = path.read_bytes()
        file = take_apart(format_of(data[:64]) or "", data)
        decoder = {"JPEG": JpegImageFile, "PNG": PngImageFile}[file.format]
        width, height = decoder(io.BytesIO(file.data)).size
    except Exception:  # a damaged header can raise anything
        return [f"{path} has no readable header"]
    if file.orientation >= LEAST_TURNED:
        width, height = height, width
    if (width, height) == tuple(stated):
        return []
    return [f"{path} has {width} x {height} pixels upright, its labels {stated[0]} x {stated[1]}"]

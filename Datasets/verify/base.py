"""What a verification finds, and the checks that all data sets share."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from Datasets.readers.base import Folders
from Datasets.readers.images import load_image, load_mask
from Datasets.readers.picture_files import END_OF_JPEG, PictureFile, format_of, take_apart
from Engine.errors import DataError

SHOWN = 10
SIGNATURE_BYTES = 8
T = TypeVar("T")
LEAST_TURNED = 5
"""EXIF's orientations from this one on say that a picture lies on its side."""


@dataclass
class Verification:
    """What is found while a folder is looked through.

    Attributes:
        name: data set.
        root: folder.
        counts: lines that say how much there is, beside the official number.
        missing: files that are not there.
        problems: other faults, one line each.
        notes: remarks that are no fault.
        worst_px: largest projection residual so far, pixels.
    """

    name: str
    root: Path
    counts: list[str] = field(default_factory=list)
    missing: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    worst_px: float = 0.0

    def __post_init__(self) -> None:
        if self.generated:
            self.notes.append(
                "generated data (generator.json): counts may differ from the official set"
            )

    @property
    def generated(self) -> bool:
        """Whether the folder says that it was generated."""
        return (self.root / "generator.json").exists()

    @property
    def ok(self) -> bool:
        """True when nothing is missing or wrong."""
        return not self.missing and not self.problems

    def attempt(self, read: Callable[..., T], *arguments: Any) -> T | None:
        """Call a reader; a DataError is noted as a problem and gives None."""
        try:
            return read(*arguments)
        except DataError as error:
            self.problems.append(str(error))
            return None

    def count(self, what: str, found: int, official: int, may_differ: bool = False) -> None:
        """Add a line with a number beside the official one; another number is a problem."""
        if found != official and not (self.generated or may_differ):
            self.problems.insert(0, f"{found} {what}, the official set has {official}")
        self.counts.append(f"{what}: {found} (official {official})")

    def look_at(
        self, pictures: Iterable[Path], faults: Callable[[Path], list[str]] | None = None
    ) -> None:
        """Note pictures that are missing or damaged; ``faults`` is ``image_faults`` by default."""
        folders = Folders()
        for path in pictures:
            if path in folders:
                self.problems += (faults or image_faults)(path)
            else:
                self.missing.append(path)

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.root}", *(f"  {line}" for line in self.counts)]
        for title, faults in (("missing files", self.missing), ("problems", self.problems)):
            lines.append(f"  {title}: {len(faults)}")
            lines += [f"    {fault}" for fault in faults[:SHOWN]]
            if len(faults) > SHOWN:
                lines.append(f"    ... and {len(faults) - SHOWN} more")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join([*lines, f"  {'OK' if self.ok else 'NOT OK'}"])


def image_faults(path: Path, stated: tuple[int, int] | None = None) -> list[str]:
    """Check a picture, decoding it only in doubt: a JPEG has an end, a PNG checksums.

    A JPEG whose end is missing is as good as ``load_image`` finds it.

    Args:
        path: the picture.
        stated: (width, height) of its labels, to compare with its size, upright as it is read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        return [f"{path} cannot be read ({error.strerror})"]
    name = format_of(data[:64])
    if name not in ("PNG", "JPEG"):
        return [f"{path} is not a {'JPEG' if path.suffix in ('.jpg', '.jpeg') else 'PNG'} file"]
    file = take_apart(name, data)
    if name == "PNG":
        faults = _png_faults(path, io.BytesIO(data))
    elif END_OF_JPEG in file.data:  # without that of a preview
        faults = []
    else:
        faults = _faults_in(load_image, path)
    return faults or ([] if stated is None else _size_faults(path, file, stated))


def _faults_in(read: Callable[[Path], Any], path: Path) -> list[str]:
    try:
        read(path)
    except DataError as error:
        return [str(error)]
    return []


def _png_faults(path: Path, file: BinaryIO) -> list[str]:
    """Compare the checksum of every chunk up to the last."""
    file.seek(SIGNATURE_BYTES)
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
    """Check a foreground mask, which must not be empty."""
    return image_faults(path) or _faults_in(_require_person, path)


def _require_person(path: Path) -> None:
    if np.asarray(load_mask(path)).max() <= 127:
        raise DataError(f"{path} shows no person")


def _size_faults(path: Path, file: PictureFile, stated: tuple[int, int]) -> list[str]:
    try:
        decoder = {"JPEG": JpegImageFile, "PNG": PngImageFile}[file.format]
        width, height = decoder(io.BytesIO(file.data)).size
    except Exception:  # a damaged header can raise anything
        return [f"{path} has no readable header"]
    if file.orientation is not None and file.orientation >= LEAST_TURNED:
        width, height = height, width
    if (width, height) == tuple(stated):
        return []
    return [f"{path} has {width} x {height} pixels upright, its labels {stated[0]} x {stated[1]}"]

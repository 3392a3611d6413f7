"""Picture files taken apart: the bytes that make the picture, and the few facts around it.

Decoders trip over metadata that they do not need: a damaged EXIF block, a text chunk of megabytes,
a colour profile cut short. Here a JPEG, PNG or TIFF is reduced to what its pixels are made of; the
orientation (EXIF tag 0x112) is read alone, and damage around it means no turn, never an error.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

END_OF_JPEG = b"\xff\xd9"
ORIENTATION = 0x112

_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}
_EXIF_HEADER = b"Exif\0\0"
_RAW_PROFILES = (b"Raw profile type exif", b"Raw profile type APP1")
_MAX_PROFILE = 1 << 20
# Width to planar configuration, fax options, predictor, colours, tiles, sample format and range,
# JPEG tables (new and old), YCbCr.
_TIFF_PICTURE_TAGS = {
    *(256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320),
    *(322, 323, 324, 325, 332, 338, 339, 340, 341, 347, *range(512, 522), *range(529, 533)),
}


@dataclass(frozen=True)
class PictureFile:
    """What a decoder needs of a file, and what the file states besides.

    Attributes:
        format: Pillow's name of it.
        data: the file without metadata, where that is known how to do.
        orientation: 1 to 8, as in EXIF; None where the decoder reads it (WebP, AVIF).
        stated_bits: of 16 bits those that the file says are used (PNG's sBIT), or None.
        several: whether further pictures follow the first (pages, animation).
    """

    format: str
    data: bytes
    orientation: int | None = 1
    stated_bits: int | None = None
    several: bool = False


def format_of(header: bytes) -> str | None:
    """Name the format by its first 64 bytes: Pillow's name, ``HEIC``, or None when unknown."""
    for signature, name in _SIGNATURES.items():
        if header.startswith(signature):
            return name
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "WEBP"
    if header[4:8] == b"ftyp":
        brands = header[8:64]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if brands[:4] in _HEIC_BRANDS:
            return "HEIC"
    return None


def take_apart(name: str, data: bytes) -> PictureFile:
    """Separate a picture from its metadata.

    Args:
        name: what ``format_of`` says.
        data: the whole file. Where its structure is broken, it is handed on as it is.
    """
    part = {"JPEG": _jpeg, "PNG": _png, "TIFF": _tiff}.get(name)
    try:
        return PictureFile(name, data, None) if part is None else part(data)
    except struct.error:
        return PictureFile(name, data)


def orientation(exif: bytes) -> int:
    """Read the orientation of an EXIF block, 1 (upright) when it has none or is damaged."""
    try:
        return _Directory(exif.removeprefix(_EXIF_HEADER)).orientation()
    except struct.error:
        return 1


def last_scan_refines(data: bytes) -> bool | None:
    """Whether the last scan that a JPEG begins only adds precision to a picture that is there.

    Returns:
        None when there is one scan, which holds the whole picture.
    """
    scans = []
    at = data.find(b"\xff\xda")
    while at >= 0 and at + 5 < len(data):
        # After the components: first and last coefficient, then the two bit positions.
        last = at + 5 + 2 * data[at + 4] + 2
        scans.append(data[last] >> 4 > 0 if last < len(data) else False)
        at = data.find(b"\xff\xda", at + 2)
    return scans[-1] if len(scans) > 1 else None


def _jpeg(data: bytes) -> PictureFile:
    """Leave out application segments (except JFIF and Adobe, which tell colours) and comments."""
    kept, exif, at = [data[:2]], b"", 2
    while data[at : at + 1] == b"\xff":
        marker, size = struct.unpack_from(">xBH", data, at)
        if marker == 0xFF:  # padding
            at += 1
            continue
        if 0xD0 <= marker <= 0xDA:  # the picture begins; the others belong inside it
            break
        segment = data[at : at + 2 + size]
        if marker == 0xE1 and segment[4:].startswith(_EXIF_HEADER):
            exif += segment[10:]
        if not 0xE1 <= marker <= 0xED and marker not in (0xEF, 0xFE):
            kept.append(segment)
        at += 2 + size
    return PictureFile("JPEG", b"".join([*kept, data[at:]]), orientation(exif))


def _png(data: bytes) -> PictureFile:
    """Keep the critical chunks and transparency."""
    kept, exif, bits, several, at = [data[:8]], b"", None, False, 8
    deep, grey = data[24:25] == b"\x10", data[25:26] in (b"\0", b"\4")
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        body = data[at + 8 : end - 4]
        if kind == b"eXIf":
            exif = body
        elif kind in (b"tEXt", b"zTXt") and body.startswith(_RAW_PROFILES):
            exif = exif or _raw_profile(kind, body)
        elif kind == b"sBIT" and deep:
            bits = max(body[: 1 if grey else 3], default=0)
        several |= kind == b"acTL"
        if not kind[0] & 0x20 or kind == b"tRNS":
            kept.append(data[at:end])
        at = end
    stated = bits if bits is not None and 8 <= bits < 16 else None
    return PictureFile("PNG", b"".join(kept), orientation(exif), stated, several)


def _raw_profile(kind: bytes, body: bytes) -> bytes:
    """Decode the EXIF block that ImageMagick writes into a text chunk; empty when damaged."""
    text = body.partition(b"\0")[2]
    try:
        if kind == b"zTXt":
            text = zlib.decompressobj().decompress(text[1:], _MAX_PROFILE)
        # A line with the name, a line with the length, then hexadecimal digits.
        return bytes.fromhex(b"".join(text.split()[2:]).decode("ascii"))
    except (zlib.error, ValueError):
        return b""


def _tiff(data: bytes) -> PictureFile:
    """Keep the entries of the first directory that the pixels depend on."""
    directory = _Directory(data)
    return PictureFile("TIFF", directory.reduced(), directory.orientation(), several=directory.next)


class _Directory:
    """First directory of a TIFF or BigTIFF file or EXIF block.

    Raises:
        struct.error: it is damaged.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
        if not self.order:
            raise struct.error("no byte order")
        big = self._unpack("H", 2)[0] == 43
        self._number, self._pointer, entry = ("Q", "Q", 20) if big else ("H", "I", 12)
        (self.start,) = self._unpack(self._pointer, 8 if big else 4)
        (count,) = self._unpack(self._number, self.start)
        first = self.start + struct.calcsize(self._number)
        end = first + min(count, (len(data) - first) // entry) * entry
        self.entries = [data[at : at + entry] for at in range(first, end, entry)]
        # Some cameras leave out the pointer to the next directory.
        self.next = any(data[end : end + struct.calcsize(self._pointer)])

    def _unpack(self, layout: str, at: int) -> tuple[int, ...]:
        if at > len(self.data):
            raise struct.error("beyond the end")
        return struct.unpack_from(self.order + layout, self.data, at)

    def orientation(self) -> int:
        """Value of tag 0x112 when it is one whole number from 1 to 8, else 1."""
        for entry in self.entries:
            tag, kind = struct.unpack_from(self.order + "HH", entry)
            if tag == ORIENTATION and kind in (3, 4):
                long = "I" if self._pointer == "I" else "Q"
                (count,) = struct.unpack_from(self.order + long, entry, 4)
                (value,) = struct.unpack_from(
                    self.order + ("H" if kind == 3 else "I"), entry, 4 + struct.calcsize(long)
                )
                return value if count == 1 and 1 <= value <= 8 else 1
        return 1

    def reduced(self) -> bytes:
        """The file with this directory alone, of what the pixels depend on."""
        kept = [
            entry
            for entry in self.entries
            if struct.unpack_from(self.order + "H", entry)[0] in _TIFF_PICTURE_TAGS
        ]
        block = b"".join(
            [
                struct.pack(self.order + self._number, len(kept)),
                *kept,
                struct.pack(self.order + self._pointer, 0),
            ]
        )
        return self.data[: self.start] + block + self.data[self.start + len(block) :]

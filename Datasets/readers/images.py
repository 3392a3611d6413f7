"""Photos and the images of data sets: upright, 8-bit RGB, nothing silently wrong.

``read_photo`` reads what it can of a user's file and notes what it did. ``load_image`` is strict:
the labels of a data set belong to the file's own pixels, and the frames of a sequence must be
mapped alike, so nothing depends on the range of one picture's values, is reduced or filled.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from Datasets.readers.deep_pixels import eight_bits, is_deep
from Datasets.readers.picture_files import (
    END_OF_JPEG,
    PictureFile,
    format_of,
    last_scan_refines,
    orientation,
    take_apart,
)
from Datasets.structures import Frame
from Engine.errors import DataError
from Engine.reading import require_file

MAX_PIXELS = 50_000_000
"""Larger images are refused before their pixels are decoded; a JPEG photo is halved up to four
times as many."""
MAX_BYTES = 1_000_000_000
MAX_ROWS_MISSING = 0.05
"""Share of a cut JPEG photo's rows that may be missing."""

# Opened by their own classes: ``Image.open`` would warn, process-wide, above 89 megapixels.
_DECODERS: dict[str, type[ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "AVIF": AvifImageFile,
}
Upright = tuple[Image.Image, tuple[str, ...], tuple[int, int] | None]
"""Upright RGB, and ``notes`` and ``full_size`` of a ``Frame``."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_photo(path: Path | str) -> Frame:
    """Read a user's photo: upright, transparent parts over white.

    A JPEG of 50 to 200 megapixels is read at half its size; values of more than 8 bits are scaled
    by what the file says or by their range; a JPEG may lack its last rows. The notes say so.

    Raises:
        DataError: it is missing, not an image of a known format, damaged or too large.
    """
    image, notes, full_size = _read(path, strict=False)
    where = Path(path).as_posix()
    return Frame(where, 0, 0.0, image, None, notes, full_size, still=True)


def load_image(path: Path | str) -> Image.Image:
    """Read an image of a data set at its own size, upright, as 8-bit RGB, transparent over white.

    Of 16 bits the upper 8 are kept, unless the file states fewer in use.

    Raises:
        DataError: as ``read_photo``; also above 50 megapixels, with rows missing, and for values
            of more than 8 bits whose range is not stated.
    """
    return _read(path, strict=True)[0]


def load_mask(path: Path | str) -> Image.Image:
    """Decode a foreground mask as 8-bit grey, 255 on the person; transparent parts are background.

    Raises:
        DataError: as ``load_image``.
    """
    return _read(path, strict=True, background="black")[0].convert("L")


def _read(path: Path | str, strict: bool, background: str = "white") -> Upright:
    """Read a file; whatever goes wrong is one line."""
    path = require_file(path, "image")
    try:
        return _Picture(path, _taken_apart(path), strict).upright(background)
    except DataError:
        raise
    except MemoryError:
        raise DataError(f"image: {path} needs more memory than there is; reduce it first") from None
    except Image.DecompressionBombError:
        raise DataError(_too_large(path)) from None
    except Exception as error:  # what decoders raise on damaged files has no common type
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"image: {path} is damaged or of a kind that is not read ({reason}); restore, convert "
            "or remove it"
        ) from None


def _taken_apart(path: Path) -> PictureFile:
    """Read the bytes of a file of a known format."""
    try:
        with path.open("rb") as stream:
            name = format_of(header := stream.read(64))
            known = name in _DECODERS and path.stat().st_size <= MAX_BYTES
            data = header + stream.read() if known else b""
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"image: {path} cannot be read ({reason}); check the file") from None
    if name == "HEIC":
        raise DataError(f"image: {path} is HEIC, which is not read here; export it as JPEG or PNG")
    if name is None:
        raise DataError(f"image: {path} is not a {'/'.join(_DECODERS)} image; convert or remove it")
    if not known:
        raise DataError(f"image: {path} is larger than {MAX_BYTES:,} bytes; reduce it first")
    return take_apart(name, data)


def _too_large(path: Path) -> str:
    return f"image: {path} has more than {MAX_PIXELS // 1_000_000} megapixels; reduce it first"


class _Picture:
    """One picture on its way from the file to upright RGB, and what is to be said about it."""

    def __init__(self, path: Path, file: PictureFile, strict: bool) -> None:
        self.path, self.file, self.strict = path, file, strict
        self.full_size = (0, 0)
        self.notes: list[str] = []

    def upright(self, background: str) -> Upright:
        """Decode, convert and turn it."""
        stored = self._decoded()
        turn = self.file.orientation
        if turn is None:
            turn = orientation(stored.info.get("exif", b""))
        if self.file.several or getattr(stored, "n_frames", 1) > 1:
            self.notes.append("the file holds several pictures; the first is read")
        image = self._rgb(stored, background)
        if turn in _TURNS:
            image = image.transpose(_TURNS[turn])
        full_size = None
        if stored.size != self.full_size:
            full_size = self.full_size[::-1] if turn >= 5 else self.full_size
            self.notes.append(f"read at 1/2 scale, as {image.width}x{image.height}")
        return image, tuple(self.notes), full_size

    def _decoded(self) -> ImageFile:
        """Decode the pixels; a JPEG without its end is ended and examined."""
        image = self._opened(self.file.data)
        try:
            image.load()
        except OSError:
            if self.file.format != "JPEG":
                raise
            image = self._opened(self.file.data + END_OF_JPEG)
            image.load()
            self._without_end(image)
        return image

    def _opened(self, data: bytes) -> ImageFile:
        """Read the header and choose the scale, before memory is taken."""
        image = _DECODERS[self.file.format](io.BytesIO(data))
        self.full_size = image.size
        pixels = image.width * image.height
        if pixels > MAX_PIXELS:
            if self.strict or self.file.format != "JPEG" or pixels > 4 * MAX_PIXELS:
                raise DataError(_too_large(self.path))
            image.draft(None, (image.width // 2, image.height // 2))
        return image

    def _without_end(self, image: Image.Image) -> None:
        """Note which rows of a cut JPEG are missing, or refuse it."""
        # The decoder leaves blocks without data at exactly medium grey. In a picture of several
        # scans nothing shows what is missing, unless the cut one only refines.
        refines = last_scan_refines(self.file.data)
        corner = np.asarray(image)[::-1, -8:].reshape(image.height, -1).astype(np.int16)
        blank = np.abs(2 * corner - 255).max(axis=1) <= 5
        rows = int(np.logical_and.accumulate(blank).sum()) if refines is None else 0
        # Colours bleed into the first missing row; blocks have 8.
        rows = rows and image.height - (image.height - rows) // 8 * 8
        most = 0 if self.strict else MAX_ROWS_MISSING * image.height
        if refines is False or rows > most:
            what = f"its last {rows} of {image.height} rows" if rows else "a part of it"
            raise DataError(f"image: {self.path} is damaged ({what} missing); restore or remove it")
        lost = f"{rows} of {image.height} rows are grey" if rows else "no row is lost"
        self.notes.append(f"the end of the file is missing, {lost}")

    def _rgb(self, stored: ImageFile, background: str) -> Image.Image:
        """Convert any mode to 8-bit RGB."""
        image: Image.Image = stored
        if is_deep(stored, self.file):
            image, note = eight_bits(self.path, stored, self.file, self.strict)
            self.notes += [note] if note else []
        if not image.has_transparency_data:
            return image.convert("RGB")
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() == (255, 255):
            return image.convert("RGB")
        self.notes.append(f"transparent parts are shown over {background}")
        under = Image.new("RGBA", image.size, background)
        under.alpha_composite(image)
        return under.convert("RGB")

"""Pixels of more than 8 bits (16-bit, 32-bit, float) as 8-bit grey or RGB, scaled by a stated rule.

Whole numbers are scaled by a number of bits, not by the picture's own range: 12-bit values in 16
bits lose their lower 4 bits, so that the frames of a sequence keep their brightness.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image
from PIL.ImageFile import ImageFile

from Datasets.readers.picture_files import PictureFile
from Engine.errors import DataError

USUAL_BITS = (8, 10, 12, 14, 16)
BLACK = 16
"""A picture whose brightest value lies below this of 255 is black to the eye and to a network."""

_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT, _LOWEST, _HIGHEST = 258, 262, 339, 340, 341
_COLOURS = ("RGB", "RGBA")


def is_deep(image: ImageFile, file: PictureFile) -> bool:
    """Whether a decoded picture has, or had in its file, more than 8 bits per value."""
    return image.mode[0] in "IF" or (image.mode in _COLOURS and _bits(image, file) > 8)


def eight_bits(
    path: Path, image: ImageFile, file: PictureFile, strict: bool
) -> tuple[Image.Image, str | None]:
    """Scale a deep picture to 8 bits.

    By the range or bits that the file states (TIFF's SMinSampleValue and SMaxSampleValue or
    BitsPerSample, PNG's sBIT); else 0 to 1 for floats and 16 bits for whole numbers. A picture
    that does not fit, or would be black, is scaled by its range: whole numbers to the next usual
    number of bits, others from their lowest to their highest value.

    Args:
        path: the file, for the message.
        image: decoded, see ``is_deep``.
        file: what it was decoded from.
        strict: refuse what would be scaled by its range.

    Returns:
        The picture (grey, RGB or RGBA) and what is to be said about it, if anything.

    Raises:
        DataError: see ``strict``; or no value is finite.
    """
    bits = _bits(image, file)
    if image.mode in _COLOURS:
        # Pillow keeps the upper 8 of 16 bits of a colour: right, unless that leaves little.
        if np.asarray(image)[..., :3].max() >= 64:
            return image, None
        values = _colours(file)
    else:
        values = np.asarray(image)
        if bits == 32 and _tag(image, _SAMPLE_FORMAT, 1) == 1:
            values = values.view(np.uint32)  # which Pillow reads as signed
    low, high, note = _range(path, values, min(bits, 16), _stated(image), file.stated_bits, strict)
    scaled = _scale(values, low, high)
    if image.mode == "RGBA":
        scaled = np.dstack([scaled, np.asarray(image)[..., 3]])
    elif image.mode != "RGB" and _tag(image, _PHOTOMETRIC, 1) == 0:
        scaled = 255 - scaled  # 0 is white
    return Image.fromarray(scaled), note


def _bits(image: ImageFile, file: PictureFile) -> int:
    """Bits per value in the file."""
    if file.format == "PNG":
        return file.data[24]
    return int(_tag(image, _BITS_PER_SAMPLE, 8))


def _tag(image: ImageFile, number: int, default: float) -> float:
    """First value of a TIFF tag."""
    value = getattr(image, "tag_v2", {}).get(number, default)
    return value[0] if isinstance(value, tuple) else value


def _stated(image: ImageFile) -> tuple[float, float] | None:
    """Range that a TIFF states for its values."""
    low, high = _tag(image, _LOWEST, 0), _tag(image, _HIGHEST, 0)
    return (low, high) if np.isfinite([low, high]).all() and low < high else None


def _colours(file: PictureFile) -> Shaped[np.ndarray, "height width 3"]:
    """Decode 16-bit colours in full, which Pillow cannot."""
    import av

    with av.open(io.BytesIO(file.data), "r", f"{file.format.lower()}_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb48le")


def _range(
    path: Path,
    values: Shaped[np.ndarray, "..."],
    bits: int,
    stated: tuple[float, float] | None,
    stated_bits: int | None,
    strict: bool,
) -> tuple[float, float, str | None]:
    """Choose which values become 0 and 256, and what is to be said about it."""
    whole = values.dtype.kind in "iu"
    finite = values if whole else values[np.isfinite(values)]
    if not finite.size:
        raise DataError(f"image: {path} holds no finite value; restore or remove it")
    low, high = finite.min().item(), finite.max().item()
    if stated is not None and (high - stated[0]) * 256 >= BLACK * (stated[1] - stated[0]):
        return *stated, f"values from {stated[0]:g} to {stated[1]:g} (stated) scaled to 8 bits"
    if whole and low >= 0 and high < 1 << 16:
        used = _bits_in_use(high, bits, stated_bits, strict)
        if used is not None:
            note = f"{bits}-bit values up to {high} scaled to 8 bits as {used}-bit values"
            return 0.0, float(1 << used), None if used == bits else note
    elif low >= 0 and (high == 0 or BLACK / 256 <= high <= 1):
        return 0.0, 1.0, None
    if strict:
        raise DataError(
            f"image: {path} holds values from {low:g} to {high:g} and does not state their range; "
            "convert it to 8 bits"
        )
    return low, high if high > low else low + 1, f"values from {low:g} to {high:g} scaled to 8 bits"


def _bits_in_use(high: int, bits: int, stated_bits: int | None, strict: bool) -> int | None:
    """Bits that values up to ``high`` are taken to have; None when nothing says it."""
    if stated_bits is not None and high < 1 << stated_bits:
        return stated_bits
    if bits < 16 or high == 0:
        return bits
    if strict:
        return bits if high * 256 >= BLACK << bits else None
    return next(usual for usual in USUAL_BITS if high < 1 << usual)


def _scale(values: Shaped[np.ndarray, "..."], low: float, high: float) -> UInt8[np.ndarray, "..."]:
    """Map ``low`` to 0 and ``high`` to 256, cut off at 255; what is not finite becomes black."""
    scaled = values.astype(np.float32)
    scaled -= low
    scaled *= 256 / (high - low)
    return np.nan_to_num(scaled, nan=0, posinf=0, neginf=0).clip(0, 255).astype(np.uint8)

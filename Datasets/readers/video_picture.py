"""A decoded video frame as a player shows it: square pixels, upright, mirrored where asked."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image

from Engine.errors import DataError

if TYPE_CHECKING:
    from av.sidedata.sidedata import SideDataContainer
    from av.video.frame import VideoFrame

MAX_PIXELS = 50_000_000
"""Larger frames are refused; an 8K video has 33 million."""
MAX_PIXEL_RATIO = 4
"""Wider or narrower pixels than any camera or broadcast has are taken for a fault of the file."""
SQUARE = 0.005
"""A ratio this near to 1 comes from rounding the size, and changes no pose."""
ODD_DEGREES = 1.0
"""A turn farther than this from the next quarter is not what a camera writes."""

_TURNS = {
    (1, 0, 0, 1): None,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}
"""By (a, b, c, d) of the display matrix: x is shown at a x + c y, y at b x + d y (y down)."""


def shown_picture(
    frame: VideoFrame, pixel_ratio: Fraction | None
) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert a frame to what a player shows of it.

    Args:
        frame: as decoded: any pixel format, bit depth and range.
        pixel_ratio: width of a stored pixel by its height, or None when the file does not say.

    Returns:
        8-bit RGB, and one line for each change that the user should know of.

    Raises:
        DataError: the frame is too large.
    """
    stored = frame.width, frame.height
    size, wide = square_size(stored, pixel_ratio)
    if max(stored[0] * stored[1], size[0] * size[1]) > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise DataError(f"has {size[0]}x{size[1]} pixels, more than {limit} million; reduce it")
    turn, turned = _turn(_display_matrix(frame))
    image = frame.to_image()
    if size != stored:
        image = image.resize(size, Image.Resampling.BICUBIC)
    if turn is not None:
        image = image.transpose(turn)
    return image, (*wide, *turned)


def is_square(pixel_ratio: Fraction | None) -> bool:
    """Whether pixels of this width by height count as square; unknown ones do."""
    return pixel_ratio is None or abs(pixel_ratio - 1) < SQUARE


def square_size(
    size: tuple[int, int], pixel_ratio: Fraction | None
) -> tuple[tuple[int, int], tuple[str, ...]]:
    """Size of a frame with square pixels; the shorter side of its pixels is enlarged.

    Args:
        size: stored width and height.
        pixel_ratio: width of a stored pixel by its height, or None.

    Returns:
        Width and height, and what to say about them.
    """
    if pixel_ratio is None or is_square(pixel_ratio):
        return size, ()
    near = pixel_ratio.limit_denominator(1000)
    said = f"{near.numerator}:{near.denominator}"
    if not Fraction(1, MAX_PIXEL_RATIO) <= pixel_ratio <= MAX_PIXEL_RATIO:
        return size, (f"the file's pixel shape {said} is not possible; pixels count as square",)
    width, height = size
    if pixel_ratio > 1:
        width = round(width * pixel_ratio)
    else:
        height = round(height / pixel_ratio)
    was = f"{size[0]}x{size[1]}"
    return (width, height), (f"pixels of shape {said} made square: {was} is {width}x{height}",)


def _display_matrix(frame: VideoFrame) -> tuple[float, float, float, float] | None:
    """(a, b, c, d) of the matrix that says how to show the frame, or None."""
    try:
        entries = cast("SideDataContainer", frame.side_data)  # PyAV's stubs say one entry
        data = next((s for s in entries if s.type.name == "DISPLAYMATRIX"), None)
    except ValueError:
        # PyAV does not list side data that holds a kind unknown to it; it knows the rotation.
        angle = np.deg2rad(frame.rotation)
        return np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
    if data is None:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
    return a, b, c, d


def _turn(
    matrix: tuple[float, float, float, float] | None,
) -> tuple[Image.Transpose | None, tuple[str, ...]]:
    """Nearest of the eight ways to turn and mirror a picture, and what to say about it."""
    if matrix is None:
        return None, ()
    asked = np.array(matrix, dtype=np.float64).reshape(2, 2)
    lengths = np.linalg.norm(asked, axis=1, keepdims=True)
    if not lengths.all() or abs(np.linalg.det(asked / lengths)) < 0.5:
        return None, ("the file's display matrix is no turn or mirror; it is not applied",)
    asked /= lengths
    turns = list(_TURNS)
    fits = [np.sum(asked * np.reshape(turn, (2, 2)), axis=1) for turn in turns]
    best = int(np.argmax([fit.sum() for fit in fits]))
    notes = []
    if np.rad2deg(np.arccos(np.clip(fits[best].min(), -1, 1))) > ODD_DEGREES:
        notes.append("the file asks for an odd angle; the frame is turned to the nearest quarter")
    if np.linalg.det(asked) < 0:
        notes.append("the file asks for a mirrored picture; check left and right")
    return _TURNS[turns[best]], tuple(notes)

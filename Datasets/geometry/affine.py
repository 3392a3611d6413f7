"""2D affine steps as 3x3 matrices that act on points, images and intrinsics alike."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from PIL import Image


def translation(dx: float, dy: float) -> Float[np.ndarray, "3 3"]:
    """Shift by (dx, dy) pixels."""
    return np.array([[1.0, 0, dx], [0, 1, dy], [0, 0, 1]])


def scaling(sx: float, sy: float | None = None) -> Float[np.ndarray, "3 3"]:
    """Scale about pixel coordinate (0, 0)."""
    return np.diag([sx, sx if sy is None else sy, 1.0])


def rotation(degrees: float) -> Float[np.ndarray, "3 3"]:
    """Rotate about pixel coordinate (0, 0); positive turns x towards y, clockwise on the screen."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def horizontal_flip(width: int) -> Float[np.ndarray, "3 3"]:
    """Mirror an image of ``width`` pixels: x becomes width - 1 - x."""
    return np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])


def resize_matrix(source: tuple[int, int], target: tuple[int, int]) -> Float[np.ndarray, "3 3"]:
    """Matrix of resizing an image from (width, height) to (width, height) with edges aligned.

    Pixel centres are integers, so the image spans -0.5 to size - 0.5 and x maps to
    (x + 0.5) * scale - 0.5.
    """
    sx, sy = target[0] / source[0], target[1] / source[1]
    return translation(-0.5, -0.5) @ scaling(sx, sy) @ translation(0.5, 0.5)


def transform_points(matrix: Float[np.ndarray, "3 3"], points: np.ndarray) -> np.ndarray:
    """Apply an affine matrix to (..., 2) pixel coordinates; NaN stays NaN."""
    points = np.asarray(points, dtype=np.float64)
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def scale_of(matrix: Float[np.ndarray, "3 3"]) -> float:
    """Return the length factor of an affine matrix (square root of its area factor)."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def warp_image(
    image: Image.Image, matrix: np.ndarray, size: tuple[int, int], fill=0
) -> Image.Image:
    """Resample an image so that the pixel at ``p`` lands at ``matrix @ p``.

    Args:
        image: any mode that Pillow resamples.
        matrix: (3, 3) affine, source pixels to output pixels.
        size: (width, height) of the output.
        fill: colour outside the source.

    Returns:
        The warped image; strong reductions average before they sample, so that they do not alias.
    """
    factor = int(1.0 / max(scale_of(matrix), 1e-6))
    if factor > 1:
        reduced = image.reduce(factor)
        exact = (reduced.width * factor, reduced.height * factor)
        matrix = matrix @ np.linalg.inv(resize_matrix(exact, reduced.size))
        image = reduced
    # Pillow samples at (x + 0.5, y + 0.5) with pixel centres at half-integers.
    inverse = translation(0.5, 0.5) @ np.linalg.inv(matrix) @ translation(-0.5, -0.5)
    return image.transform(
        size,
        Image.Transform.AFFINE,
        data=tuple(inverse[:2].ravel()),
        resample=Image.Resampling.BILINEAR,
        fillcolor=fill,
    )

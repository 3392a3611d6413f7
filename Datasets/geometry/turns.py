"""Photos turned by quarters: a method that knows no way up finds the same in all four."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from PIL import Image

QUARTERS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
"""Degrees, anticlockwise."""


def turn_matrix(degrees: int, size: tuple[int, int]) -> Float[np.ndarray, "3 3"]:
    """Pixels of an image of (width, height) to those of the image turned by ``QUARTERS``."""
    right, bottom = size[0] - 1.0, size[1] - 1.0
    rows: dict[int, list[list[float]]] = {
        90: [[0, 1, 0], [-1, 0, right]],
        180: [[-1, 0, right], [0, -1, bottom]],
        270: [[0, -1, bottom], [1, 0, 0]],
    }
    return np.array([*rows[degrees], [0, 0, 1]], dtype=np.float64)


def quarter_turned(image: Image.Image, degrees: int) -> Image.Image:
    """The image turned anticlockwise; no pixel changes its value."""
    return image.transpose(QUARTERS[degrees])

"""Boxes as (x1, y1, x2, y2) in pixels; corners are pixel coordinates, width is x2 - x1."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Num

from Datasets.geometry.affine import transform_points

LEAST_SIDE_PX = 4.0
"""The sides of a person's box are longer: 4 x 4 pixels are fewer than the 17 joints of COCO, which
labels joints from an area of some 32 x 32 on."""

LEAST_INSIDE = 0.5
"""Least share of a person's box that lies in the image."""


def box_from_mask(
    mask: Bool[np.ndarray, "height width"], padding: float = 0.0
) -> Float[np.ndarray, "4"] | None:
    """Return the padded box around the true pixels, inside the image; None for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    box = np.array([columns[0], rows[0], columns[-1], rows[-1]], dtype=np.float64)
    return clip_box(box + [-padding, -padding, padding, padding], (mask.shape[1], mask.shape[0]))


def quarter_turned_box(
    matrix: Float[np.ndarray, "3 3"], box_xyxy: Float[np.ndarray, "4"]
) -> Float[np.ndarray, "4"]:
    """Return a box in pixels of the image that ``matrix`` mirrors or turns by right angles."""
    corners = transform_points(matrix, box_xyxy.reshape(2, 2))
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def box_from_points(
    points: np.ndarray, padding: float = 0.0, share: float = 0.0
) -> Float[np.ndarray, "4"] | None:
    """Return the padded box around (n, 2) points, ignoring NaN rows, or None without any.

    Args:
        points: pixels.
        padding: least margin on every side, pixels.
        share: margin as a share of the box's longer side.
    """
    points = np.asarray(points, dtype=np.float64)
    points = points[np.isfinite(points).all(axis=-1)]
    if len(points) == 0:
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    margin = max(padding, share * (high - low).max())
    return np.concatenate([low - margin, high + margin])


def clip_box(
    box: Num[np.ndarray, "*batch 4"], size: tuple[int, int]
) -> Float[np.ndarray, "*batch 4"]:
    """Keep boxes inside an image of (width, height)."""
    limit = np.array([size[0] - 1, size[1] - 1] * 2, dtype=np.float64)
    return np.clip(np.asarray(box, dtype=np.float64), 0, limit)


def box_fault(box: Float[np.ndarray, "4"], size: tuple[int, int]) -> str:
    """Say why a box cannot be a person's in an image; empty where it can.

    Args:
        box: pixels.
        size: (width, height) of the image, whose edges are 0 and these.
    """
    box = np.asarray(box, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        if not (box[2:] - box[:2] > LEAST_SIDE_PX).all():
            return f"a box with a side of {LEAST_SIDE_PX:g} px or less"
        inside = area(np.clip(box, 0, [*size, *size]))
        return "" if inside >= LEAST_INSIDE * area(box) else "a box far outside the image"


def area(boxes: np.ndarray) -> np.ndarray:
    """Areas of (..., 4) boxes; an inverted box has area 0."""
    boxes = np.asarray(boxes, dtype=np.float64)
    sides = np.clip(boxes[..., 2:] - boxes[..., :2], 0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


def iou(a: Float[np.ndarray, "*n 4"], b: Float[np.ndarray, "*m 4"]) -> Float[np.ndarray, "n m"]:
    """Intersection over union of the boxes (or box) of ``a`` and of ``b``; 0 for empty boxes."""
    a, b = np.asarray(a, np.float64).reshape(-1, 4), np.asarray(b, np.float64).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.prod(np.clip(high - low, 0, None), axis=-1)
    union = area(a)[:, None] + area(b)[None] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)

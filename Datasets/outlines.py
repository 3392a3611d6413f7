"""Outlines and boxes of people in images: of a mask, or of a box and joints."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image

from Datasets.geometry.boxes import clip_box
from Datasets.readers.images import load_mask
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError
from Engine.files import write_npz
from Engine.reading import require_file

PADDING_PX = 5.0
"""Of the published protocol, in pixels of the 640 x 480 image."""

DIRECTIONS = 64
_ANGLES = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
_UNIT_VECTORS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


def outline(mask: Bool[np.ndarray, "height width"]) -> Float[np.ndarray, "64 2"] | None:
    """Farthest mask pixels in evenly spread directions, or None for an empty mask.

    The box of a turned mask is the box of its turned outline, to a thousandth of its radius, so
    that training need not decode masks.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    lines = mask[rows]
    first, last = lines.argmax(axis=1), mask.shape[1] - 1 - lines[:, ::-1].argmax(axis=1)
    points = np.stack([np.concatenate([first, last]), np.concatenate([rows, rows])], axis=1)
    return _farthest(points.astype(np.float64))


def _farthest(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "64 2"]:
    """The point that lies farthest in each direction."""
    return points[(points @ _UNIT_VECTORS.T).argmax(axis=0)]


def rounded(
    box: Float[np.ndarray, "4"], keypoints: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "64 2"]:
    """Outline of a person with a known box and some joints (or NaN).

    It touches the four sides of the box and holds its inscribed ellipse and the joints. The box's
    corners would be too wide: turned by 45 degrees, the box around a square has twice its area.
    """
    low, high = box[:2], box[2:]
    ellipse = (low + high) / 2 + _UNIT_VECTORS * (high - low) / 2
    joints = np.clip(keypoints[np.isfinite(keypoints).all(axis=1)], low, high)
    return _farthest(np.concatenate([ellipse, joints]))


def outline_of(sample: PoseSample) -> Float[np.ndarray, "64 2"]:
    """Outline of a sample's mask; without a mask, of its box and its keypoints.

    Raises:
        DataError: the mask is empty, or the sample has neither mask, box nor keypoints.
    """
    if sample.mask_path is not None:
        points = outline(np.asarray(load_mask(sample.mask_path)) > 127)
        if points is None:
            raise DataError(f"mask: {sample.mask_path} is empty; restore it or leave the frame out")
        return points
    keypoints = np.asarray(sample.keypoints_px, np.float64)
    if sample.box_xyxy is not None:
        return rounded(np.asarray(sample.box_xyxy, np.float64), keypoints)
    keypoints = keypoints[np.isfinite(keypoints).all(axis=1)]
    if not len(keypoints):
        raise DataError(f"labels: {sample.image_path} has neither mask, box nor keypoints")
    return _farthest(keypoints)


def padding_of(sample: PoseSample) -> float:
    """Pixels between outline and box at an image height of 480; 0 where the box was given."""
    given = sample.mask_path is None and sample.box_xyxy is not None
    return 0.0 if given else PADDING_PX


def box_target(sample: PoseSample) -> Float[np.ndarray, "4"]:
    """Box of the mask plus 5 pixels, inside the image, pixels.

    Raises:
        DataError: see ``outline_of``.
    """
    return clip_box(_padded(outline_of(sample)), _image_size(sample))


def true_box(sample: PoseSample) -> Float[np.ndarray, "4"]:
    """The box of a sample, pixels; around its mask or joints where none is given.

    Raises:
        DataError: see ``outline_of``.
    """
    box = box_target(sample) if sample.box_xyxy is None else sample.box_xyxy
    return np.asarray(box, np.float64)


def boxes_of(dataset: Dataset, cache: Path | None = None) -> Float[np.ndarray, "n 4"]:
    """Return the box of every sample, pixels: its own where all have one, else of its mask.

    Args:
        dataset: n samples with masks.
        cache: see ``outlines_of``.

    Raises:
        DataError: see ``outline_of``.
    """
    given = [s.box_xyxy for s in dataset.samples if s.box_xyxy is not None]
    if len(given) == len(dataset):
        return np.stack(given).astype(np.float64)
    points, sizes = outlines_of(dataset.samples, cache)
    return np.clip(_padded(points), 0, np.tile(sizes, 2) - 1.0)


def _padded(points: Float[np.ndarray, "*n 64 2"]) -> Float[np.ndarray, "*n 4"]:
    low, high = points.min(axis=-2) - PADDING_PX, points.max(axis=-2) + PADDING_PX
    return np.concatenate([low, high], axis=-1)


def image_boxes(dataset: Dataset) -> Float[np.ndarray, "n 4"]:
    """Return the box of every sample's whole image, pixels."""
    sizes = np.array([_image_size(sample) for sample in dataset.samples], dtype=np.float64)
    return np.hstack([np.zeros_like(sizes), sizes - 1])


def outlines_of(
    samples: Sequence[PoseSample], cache: Path | None = None
) -> tuple[Float[np.ndarray, "n 64 2"], Float[np.ndarray, "n 2"]]:
    """Outlines of samples in pixels, and the (width, height) of their images.

    Args:
        samples: n people.
        cache: an npz file kept between runs; made again when masks or labels have changed.

    Raises:
        DataError: see ``outline_of``.
    """
    key = _fingerprint(samples)
    if cache is not None and cache.is_file():
        with np.load(cache, allow_pickle=False) as file:
            if str(file["key"]) == key:
                return file["outlines"].astype(np.float64), file["sizes"].astype(np.float64)
    outlines = np.array([outline_of(sample) for sample in samples]).reshape(-1, DIRECTIONS, 2)
    sizes = np.array([_image_size(sample) for sample in samples], np.float64).reshape(-1, 2)
    if cache is not None:
        write_npz(cache, key=np.array(key), outlines=outlines.astype(np.float32), sizes=sizes)
    return outlines, sizes


def _image_size(sample: PoseSample) -> tuple[int, int]:
    """Width and height from the header of the mask (or, without one, of the image)."""
    path = require_file(sample.mask_path or sample.image_path, "image")
    try:
        with Image.open(path) as image:
            return image.size
    except OSError:
        raise DataError(f"image: {path} is damaged; restore or remove it") from None


def _fingerprint(samples: Sequence[PoseSample]) -> str:
    """Digest of the masks' paths and times of change, and of the labels of people without one."""
    digest = hashlib.sha256()
    for sample in samples:
        path = sample.mask_path or sample.image_path
        stamp = path.stat().st_mtime_ns if path.exists() else 0
        digest.update(f"{path} {stamp}\n".encode())
        if sample.mask_path is None:
            digest.update(f"{sample.box_xyxy}".encode() + sample.keypoints_px.tobytes())
    return digest.hexdigest()

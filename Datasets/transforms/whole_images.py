"""Transforms of whole images with all their people. Training only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from Datasets.geometry.affine import (
    horizontal_flip,
    rotation,
    scaling,
    transform_points,
    translation,
    warp_image,
)
from Datasets.geometry.boxes import area, clip_box
from Datasets.transforms.occlusion import train_background, train_occlusion
from Datasets.transforms.photometric import train_photometric
from Datasets.transforms.settings import WholeImageTransforms
from Datasets.transforms.textures import random_texture

REFERENCE_HEIGHT = 480
"""Height in pixels of the images that the published padding of 5 pixels refers to."""

LEAST_INSIDE, LEAST_SIDE = 0.5, 8.0
"""A person is labelled whose box has this share on the canvas and sides of so many pixels."""

Canvas = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class OutlinedPeople:
    """The people of one image.

    Attributes:
        outlines: (n, 64, 2) image pixels.
        padding_px: (n,) distance between outline and box, in pixels of a canvas of
            ``REFERENCE_HEIGHT``.
        main: position of the person who stays visible, or None.
        load_mask: reads the grey foreground mask of the only person, or None.
    """

    outlines: Float[np.ndarray, "n 64 2"]
    padding_px: Float[np.ndarray, "n"]
    main: int | None = None
    load_mask: Callable[[], Image.Image] | None = None


def train_whole_image(
    picture: Image.Image,
    people: OutlinedPeople,
    size: tuple[int, int],
    generator: np.random.Generator,
    settings: WholeImageTransforms,
) -> tuple[Canvas, Float[np.ndarray, "n 4"], Bool[np.ndarray, "n"]]:
    """Place and vary an image for training.

    Args:
        picture: RGB.
        people: everybody in it.
        size: (width, height) of the canvas.
        generator: the only source of randomness.
        settings: how strongly to vary.

    Returns:
        The canvas, the box of each person in its pixels, and which of them are labelled.
    """
    main = None if people.main is None else people.outlines[people.main]
    matrix = placement(picture.size, size, main, generator, settings)
    boxes, labelled = boxes_on_canvas(matrix, people, size)
    fill = tuple(int(v) for v in generator.integers(0, 256, 3))
    canvas = np.asarray(warp_image(picture, matrix, size, fill))
    if people.load_mask is not None and generator.random() < settings.background_share:
        mask = warp_image(people.load_mask(), matrix, size)
        canvas = train_background(canvas, np.asarray(mask, dtype=np.float32) / 255, generator)
    if generator.random() < settings.empty_share:
        canvas, labelled = _without_people(canvas, boxes, generator), np.zeros_like(labelled)
    elif generator.random() < settings.occlusion_share:
        canvas = train_occlusion(canvas, generator)
    if generator.random() < settings.photometric_share:
        canvas = train_photometric(canvas, generator)
    return canvas, boxes, labelled


def boxes_on_canvas(
    matrix: Float[np.ndarray, "3 3"], people: OutlinedPeople, size: tuple[int, int]
) -> tuple[Float[np.ndarray, "n 4"], Bool[np.ndarray, "n"]]:
    """Boxes of an image's people on a canvas of (width, height), and who is labelled there."""
    whole = _boxes_around(transform_points(matrix, people.outlines))
    inside = area(clip_box(whole, size)) >= LEAST_INSIDE * area(whole)
    padding = people.padding_px.reshape(-1, 1) * size[1] / REFERENCE_HEIGHT
    boxes = clip_box(whole + padding * np.array([-1, -1, 1, 1]), size)
    large = (boxes[:, 2:] - boxes[:, :2] >= LEAST_SIDE).all(axis=1)
    return boxes, inside & large


def placement(
    source: tuple[int, int],
    size: tuple[int, int],
    main: Float[np.ndarray, "64 2"] | None,
    generator: np.random.Generator,
    settings: WholeImageTransforms,
) -> Float[np.ndarray, "3 3"]:
    """Draw the matrix from image to canvas pixels, with less change while the main person is cut.

    Args:
        source: (width, height) of the image.
        size: (width, height) of the canvas.
        main: outline of the person who stays visible, image pixels, or None.
        generator: source of randomness.
        settings: how strongly to vary.
    """
    fit = min(size[0] / source[0], size[1] / source[1])
    smallest, largest = settings.scale
    if main is not None:
        length = float(np.ptp(main, axis=0).max()) * fit
        smallest = max(smallest, min(settings.least_length / max(length, 1.0), 1.0))
    strength = 1.0
    while True:
        any_angle = generator.random() < settings.any_angle_share
        degrees = generator.uniform(-1, 1) * (180.0 if any_angle else settings.degrees)
        scale = np.exp(strength * generator.uniform(*np.log((smallest, largest))))
        shift = strength * generator.uniform(-settings.shift, settings.shift, 2)
        matrix = _matrix(source, size, degrees, fit * scale, shift)
        if generator.random() < 0.5:
            matrix = horizontal_flip(size[0]) @ matrix
        if main is None:
            return matrix
        whole = _boxes_around(transform_points(matrix, main))
        if area(clip_box(whole, size)) >= settings.least_visible * area(whole):
            return matrix
        if strength < 0.1:
            return _matrix(source, size, 0.0, fit, np.zeros(2))
        strength *= 0.7


def _boxes_around(points: Float[np.ndarray, "*n 64 2"]) -> Float[np.ndarray, "*n 4"]:
    return np.concatenate([points.min(axis=-2), points.max(axis=-2)], axis=-1)


def _matrix(
    source: tuple[int, int],
    size: tuple[int, int],
    degrees: float,
    scale: float,
    shift: Float[np.ndarray, "2"],
) -> Float[np.ndarray, "3 3"]:
    """Turn and scale an image about its middle, which lies at the canvas's middle plus a shift."""
    to_origin = translation(-(source[0] - 1) / 2, -(source[1] - 1) / 2)
    x, y = (np.array(size) - 1) / 2 + shift * size
    return translation(x, y) @ rotation(degrees) @ scaling(scale) @ to_origin


def _without_people(
    canvas: Canvas, boxes: Float[np.ndarray, "n 4"], generator: np.random.Generator
) -> Canvas:
    """Cover everybody with a texture, or the whole canvas."""
    if generator.random() < 0.5:
        covered = canvas.copy()
        for x1, y1, x2, y2 in boxes.astype(int):
            size = (x2 - x1 + 1, y2 - y1 + 1)
            covered[y1 : y2 + 1, x1 : x2 + 1] = random_texture(size, generator)
        return covered
    return random_texture((canvas.shape[1], canvas.shape[0]), generator)

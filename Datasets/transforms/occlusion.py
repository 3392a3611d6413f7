"""Things in front of and behind the infant: occluders and other beds. Training only."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFilter

from Datasets.transforms.textures import random_texture

BLANKET_SHARE = 0.1
MAX_OCCLUDERS = 3


def train_occlusion(
    picture: UInt8[np.ndarray, "height width 3"], generator: np.random.Generator
) -> UInt8[np.ndarray, "height width 3"]:
    """Put one to three textured things over the picture, now and then a blanket over one side.

    Labels stay: a network has to guess a covered joint from the visible ones.
    """
    height, width = picture.shape[:2]
    for _ in range(int(generator.integers(1, MAX_OCCLUDERS + 1))):
        stencil = _stencil((width, height), generator)
        texture = random_texture((width, height), generator)
        picture = _blend(picture, texture, stencil)
    return picture


def train_background(
    picture: UInt8[np.ndarray, "height width 3"],
    alpha: Float[np.ndarray, "height width"],
    generator: np.random.Generator,
) -> UInt8[np.ndarray, "height width 3"]:
    """Lay the infant on another, random surface.

    Args:
        picture: the crop.
        alpha: 1 on the infant, 0 beside it.
        generator: source of randomness.
    """
    size = (picture.shape[1], picture.shape[0])
    surface = random_texture(size, generator)
    if generator.random() < 0.5:  # a second thing on the bed
        surface = _blend(surface, random_texture(size, generator), _stencil(size, generator))
    return _blend(surface, picture, alpha)


def _blend(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Mix two pictures: ``above`` where ``alpha`` is 1."""
    mixed = below + alpha[..., None] * (above.astype(np.float32) - below)
    return mixed.astype(np.uint8)


def _stencil(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Soft-edged shape of an occluder, 0 to 1: (height, width)."""
    stencil = Image.new("L", size)
    draw = ImageDraw.Draw(stencil)
    draw.polygon(_outline(size, generator), fill=255)
    radius = generator.uniform(0.3, 1.5) * max(size) / 256
    return np.asarray(stencil.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / 255


def _outline(size: tuple[int, int], generator: np.random.Generator) -> list[tuple[float, float]]:
    """Corners of a blob, a box, a bar (a carer's arm, a tube) or a blanket."""
    side = max(size)
    centre = generator.uniform(0, 1, 2) * size
    angle = generator.uniform(0, 2 * np.pi)
    kind = generator.choice(["blob", "box", "bar"])
    if generator.random() < BLANKET_SHARE:
        corners = np.array([[0, -2], [2, -2], [2, 2], [0, 2]]) * side
        centre = np.array(size) / 2 + 0.3 * side * np.array([np.cos(angle), np.sin(angle)])
    elif kind == "blob":
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        lobes = 1 + 0.25 * np.cos(generator.integers(2, 6) * turn + angle)
        half = generator.uniform(0.03, 0.16, 2) * side
        corners = np.stack([half[0] * lobes * np.cos(turn), half[1] * lobes * np.sin(turn)], axis=1)
    else:
        longest = 0.16 if kind == "box" else 0.6
        thickest = 0.16 if kind == "box" else 0.05
        half = (
            np.array([generator.uniform(0.03, longest), generator.uniform(0.01, thickest)]) * side
        )
        corners = half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    c, s = np.cos(angle), np.sin(angle)
    turned = corners @ np.array([[c, s], [-s, c]]) + centre
    return [(float(x), float(y)) for x, y in turned]

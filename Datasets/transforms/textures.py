"""Random textures: cloth, paper, toys and skin-like blotches, made of a few numbers each."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image


def smooth_field(
    size: tuple[int, int], cells: int, generator: np.random.Generator
) -> Float[np.ndarray, "height width"]:
    """Normal noise on a ``cells`` x ``cells`` grid, enlarged smoothly to (width, height)."""
    grid = generator.standard_normal((cells, cells), dtype=np.float32)
    return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC))


def pixel_grid(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x (1, width) and y (height, 1), running over the longer side from -0.5 to 0.5."""
    width, height = size
    x = (np.arange(width, dtype=np.float32)[None] - (width - 1) / 2) / max(size)
    y = (np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2) / max(size)
    return x, y


def random_texture(
    size: tuple[int, int], generator: np.random.Generator
) -> UInt8[np.ndarray, "height width 3"]:
    """Blend two random colours by a random pattern, with a little grain.

    Args:
        size: (width, height) in pixels.
        generator: source of randomness.
    """
    pattern = (_plain, _blotches, _stripes, _checks, _dots)[generator.integers(5)]
    weight = np.clip(pattern(size, generator), 0, 1)[..., None]
    first, second = generator.uniform(0, 255, (2, 3)).astype(np.float32)
    if generator.random() < 0.5:
        second = np.clip(first + generator.normal(0, 40, 3).astype(np.float32), 0, 255)
    colours = first + weight * (second - first)
    shade = 1 + 0.15 * smooth_field(size, int(generator.integers(2, 6)), generator)[..., None]
    return np.clip(colours * shade, 0, 255).astype(np.uint8)


def _plain(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    x, y = pixel_grid(size)
    angle = generator.uniform(0, 2 * np.pi)
    return 0.5 + np.cos(angle) * x + np.sin(angle) * y


def _blotches(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    coarse = smooth_field(size, int(generator.integers(3, 12)), generator)
    fine = smooth_field(size, int(generator.integers(16, 64)), generator)
    return 0.5 + generator.uniform(0.3, 2.0) * coarse + 0.3 * fine


def _waves(size: tuple[int, int], generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two perpendicular phases in periods of a random width, at a random angle."""
    x, y = pixel_grid(size)
    angle, turns = generator.uniform(0, np.pi), np.exp(generator.uniform(1.0, 3.7))
    c, s = np.float32(np.cos(angle) * turns), np.float32(np.sin(angle) * turns)
    return 2 * np.pi * (c * x + s * y), 2 * np.pi * (c * y - s * x)


def _stripes(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    along, _ = _waves(size, generator)
    return 0.5 + generator.uniform(0.5, 4.0) * np.sin(along)


def _checks(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    along, across = _waves(size, generator)
    return 0.5 + 0.25 * (np.sign(np.sin(along)) + np.sign(np.sin(across)))


def _dots(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    along, across = _waves(size, generator)
    return 3.0 * (np.sin(along) * np.sin(across) - generator.uniform(0.0, 0.8))

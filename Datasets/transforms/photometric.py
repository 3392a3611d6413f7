"""What light, lens, sensor and codec do to a picture, far beyond one data set. Training only.

Strong on purpose: a network trained on renderings has to work on photographs. The order is
physical: light on the scene, colours of the camera, optics, sensor, file.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageFilter

from Datasets.transforms.textures import pixel_grid, smooth_field

Picture = UInt8[np.ndarray, "height width 3"]

LUMA = np.array([0.299, 0.587, 0.114])


def train_photometric(picture: Picture, generator: np.random.Generator) -> Picture:
    """Apply a random choice of ``STEPS``.

    Args:
        picture: any size; step sizes in pixels scale with it.
        generator: source of randomness.
    """
    for share, step in STEPS:
        if generator.random() < share:
            picture = step(picture, generator)
    return picture


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def _unit(picture: Picture) -> float:
    """Pixels of this picture per pixel of a 256-pixel one."""
    return max(picture.shape[:2]) / 256


def _clipped(values: np.ndarray) -> Picture:
    return np.clip(values, 0, 255, out=values).astype(np.uint8)


def light_field(picture: Picture, generator: np.random.Generator) -> Picture:
    """Uneven light with a colour of its own, brighter here and darker there."""
    strength = generator.uniform(0.1, 0.45)
    field = np.exp(
        strength * smooth_field(_size(picture), int(generator.integers(2, 5)), generator)
    )
    tint = np.exp(generator.normal(0, 0.08, 3)).astype(np.float32)
    return _clipped(picture * (field[..., None] * tint))


def shadow_bands(picture: Picture, generator: np.random.Generator) -> Picture:
    """One to three shadows (or strips of sun) with straight, more or less soft edges."""
    x, y = pixel_grid(_size(picture))
    light = np.ones(picture.shape[:2], dtype=np.float32)
    for _ in range(int(generator.integers(1, 4))):
        angle = generator.uniform(0, 2 * np.pi)
        across = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y
        softness, half = np.exp(generator.uniform(-5, -2)), generator.uniform(0.03, 0.4)
        distance = (half - np.abs(across - generator.uniform(-0.5, 0.5))) / softness
        inside = 0.5 + 0.5 * np.clip(distance, -1, 1).astype(np.float32)
        gain = (
            generator.uniform(0.25, 0.85)
            if generator.random() < 0.8
            else generator.uniform(1.2, 1.8)
        )
        light *= 1 + np.float32(gain - 1) * inside
    return _clipped(picture * light[..., None])


def colours(picture: Picture, generator: np.random.Generator) -> Picture:
    """Turn the hue and change the saturation; for a share of the pictures by any angle."""
    degrees = generator.normal(0, 12) if generator.random() < 0.85 else generator.uniform(-180, 180)
    return _mix(picture, _saturation(generator.uniform(0.1, 1.7)) @ _hue(degrees))


def _saturation(factor: float) -> np.ndarray:
    return factor * np.eye(3) + (1 - factor) * np.tile(LUMA, (3, 1))


def _hue(degrees: float) -> np.ndarray:
    """Rotate colours about the grey axis (Rodrigues)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees)) / np.sqrt(3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    return c * np.eye(3) + s * cross + (1 - c) / 3


def _mix(picture: Picture, matrix: np.ndarray) -> Picture:
    """Multiply every RGB value by a (3, 3) matrix."""
    rows = tuple(float(v) for v in np.hstack([matrix, np.zeros((3, 1))]).ravel())
    return np.asarray(Image.fromarray(picture).convert("RGB", rows))


def grey(picture: Picture, generator: np.random.Generator) -> Picture:
    """Grey picture of random channel weights; half of them like an infrared camera's.

    Infrared: skin and cloth are both bright, the lamp sits at the camera (bright centre, dark rim),
    and the display may tint the picture.
    """
    infrared = generator.random() < 0.5
    weights = generator.dirichlet([4.0, 1.0, 1.0] if infrared else [3.0, 6.0, 1.0])
    picture = _mix(picture, np.tile(weights, (3, 1)))
    if not infrared:
        return picture
    x, y = pixel_grid(_size(picture))
    centre = generator.uniform(-0.25, 0.25, 2).astype(np.float32)
    lamp = 1.3 / (1 + generator.uniform(0.5, 5) * ((x - centre[0]) ** 2 + (y - centre[1]) ** 2))
    tint = 1 - generator.uniform(0, 0.4, 3) * (generator.random() < 0.3)
    lifted = 255 * (picture * np.float32(1 / 255)) ** np.float32(generator.uniform(0.5, 1.1))
    return _clipped(lifted * lamp[..., None].astype(np.float32) * tint.astype(np.float32))


def tones(picture: Picture, generator: np.random.Generator) -> Picture:
    """Exposure, contrast, gamma, black level and white balance, as one table per channel."""
    level = np.linspace(0, 1, 256)[None]
    warmth = np.exp(generator.normal(0, 0.15))
    cast = np.array([warmth, 1, 1 / warmth]) * np.exp(generator.normal(0, 0.06, 3))
    table = level ** np.exp(generator.uniform(-0.5, 0.5)) * cast[:, None]
    table = table * np.exp(generator.uniform(-0.6, 0.5))
    table = 0.45 + generator.uniform(0.6, 1.5) * (table - 0.45) + generator.uniform(-0.1, 0.1)
    table = np.clip(table * 255, 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(picture).point(table.ravel().tolist()))


def resolution(picture: Picture, generator: np.random.Generator) -> Picture:
    """A small or digitally zoomed picture: pixels lost, then made up again."""
    factor = generator.uniform(0.25, 0.8)
    width, height = (max(8, round(side * factor)) for side in _size(picture))
    ways = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
    back = ways[generator.integers(3)]
    reduced = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(reduced.resize(_size(picture), back))


def focus(picture: Picture, generator: np.random.Generator) -> Picture:
    """Out of focus."""
    radius = generator.uniform(0.4, 2.5) * _unit(picture)
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def sharpening(picture: Picture, generator: np.random.Generator) -> Picture:
    """Halos of a telephone's sharpening."""
    radius, percent = generator.uniform(0.6, 2.0) * _unit(picture), int(generator.integers(60, 250))
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.UnsharpMask(radius, percent, 2)))


def motion(picture: Picture, generator: np.random.Generator) -> Picture:
    """Blur along a line, as a moving camera or infant leaves it."""
    length, angle = generator.uniform(2, 12) * _unit(picture), generator.uniform(0, np.pi)
    steps = min(9, int(length) + 2)
    travel = np.linspace(-length / 2, length / 2, steps)
    offsets = {(round(t * np.cos(angle)), round(t * np.sin(angle))) for t in travel}
    margin = int(np.ceil(length / 2)) + 1
    padded = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    height, width = picture.shape[:2]
    total = np.zeros(picture.shape, dtype=np.uint16)
    for dx, dy in offsets:
        total += padded[margin + dy : margin + dy + height, margin + dx : margin + dx + width]
    return (total // len(offsets)).astype(np.uint8)


def noise(picture: Picture, generator: np.random.Generator) -> Picture:
    """Sensor noise, grey or coloured, of one pixel or (after a codec) coarser grain."""
    return _clipped(picture + generator.uniform(2, 14) * _grain(picture, generator))


def low_light(picture: Picture, generator: np.random.Generator) -> Picture:
    """A dark room: few photons, then the camera's gain."""
    photons = picture * np.float32(generator.uniform(0.08, 0.3))
    photons += np.sqrt(photons + 1) * _grain(picture, generator)
    return _clipped(photons * np.float32(generator.uniform(2.0, 5.0)))


def _grain(picture: Picture, generator: np.random.Generator) -> np.ndarray:
    """Standard normal noise: (height, width, 1 or 3)."""
    width, height = _size(picture)
    channels = 1 if generator.random() < 0.4 else 3
    coarse = 2 if generator.random() < 0.3 else 1
    shape = (-(-height // coarse), -(-width // coarse), channels)
    grain = generator.standard_normal(shape, dtype=np.float32)
    if coarse > 1:
        grain = grain.repeat(coarse, axis=0).repeat(coarse, axis=1)[:height, :width]
    return grain


def jpeg(picture: Picture, generator: np.random.Generator) -> Picture:
    """Blocks and colour bleeding of a compressed file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=int(generator.integers(12, 85)))
    return np.asarray(Image.open(buffer).convert("RGB"))


STEPS: tuple[tuple[float, Callable[[Picture, np.random.Generator], Picture]], ...] = (
    (0.35, light_field),
    (0.25, shadow_bands),
    (0.5, colours),
    (0.2, grey),
    (0.85, tones),
    (0.15, resolution),
    (0.2, focus),
    (0.1, sharpening),
    (0.12, motion),
    (0.08, low_light),
    (0.4, noise),
    (0.35, jpeg),
)
"""(share of pictures, step), in the order in which they happen to a picture."""

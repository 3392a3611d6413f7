"""What floors, walls, furniture and open land look like: linear RGB over surface coordinates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.sheets import cloth, mix, noise
from Datasets.synthetic.wardrobe import colour

Painter = Callable[[np.random.Generator, np.ndarray], np.ndarray]
"""Takes a source of randomness and metres (n, 1, 2); gives linear RGB (n, 1, 3)."""


def paint(
    rng: np.random.Generator, painters: tuple[Painter, ...], xy: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "n 3"]:
    """Paint points of one surface with one of some painters."""
    painter = painters[int(rng.integers(len(painters)))]
    return np.clip(painter(rng, xy[:, None])[:, 0], 0.005, 0.97)


def wood(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Planks with grain, each of its own shade."""
    light = np.array([0.45, 0.26, 0.13]) * rng.uniform(0.25, 1.4)
    width, length = rng.uniform(0.05, 0.22), rng.uniform(0.5, 2.0)
    row = np.floor(xy[..., 0] / width)
    column = np.floor(xy[..., 1] / length + 0.37 * row)
    shade = 1 + 0.16 * np.sin(row * 12.9 + column * 78.2)
    grain = 1 + 0.12 * noise(rng, xy * np.array([12.0, 1.0]), 0.25)
    seam = (xy[..., 0] / width % 1.0 > 0.96).astype(float)
    return light * (shade * grain * (1 - 0.5 * seam))[..., None]


def tiles(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Square tiles with joints, plain or in two colours."""
    cell = xy / rng.uniform(0.1, 0.6)
    first = colour(rng, 0.5)
    second = colour(rng, 0.5) if rng.random() < 0.35 else first
    which = (np.floor(cell).sum(axis=-1) % 2).astype(float)
    joint = (np.abs(cell % 1.0 - 0.5).max(axis=-1) > 0.485).astype(float)
    return mix(first, second, which) * (1 - 0.45 * joint)[..., None]


def bricks(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Bricks with mortar."""
    height = rng.uniform(0.06, 0.12)
    row = np.floor(xy[..., 1] / height)
    along = xy[..., 0] / (height * 3) + 0.5 * (row % 2)
    shade = 1 + 0.2 * np.sin(row * 33.7 + np.floor(along) * 91.1)
    mortar = (xy[..., 1] / height % 1.0 > 0.88) | (along % 1.0 > 0.95)
    red = np.array([0.36, 0.14, 0.08]) * rng.uniform(0.6, 1.5, 3)
    return np.where(mortar[..., None], rng.uniform(0.2, 0.6), red * shade[..., None])


def even(tone: np.ndarray, rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """One colour with faint stains."""
    return tone * (1 + 0.03 * noise(rng, xy, 0.8))[..., None]


def plaster(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A painted wall, a little stained."""
    tone = colour(rng, 0.55, (0.4, 0.97))
    return tone * (1 + rng.uniform(0.0, 0.06) * noise(rng, xy, rng.uniform(0.3, 1.5)))[..., None]


def wallpaper(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A wall with a printed pattern, larger than on cloth."""
    return cloth(rng, xy * rng.uniform(0.2, 0.6))[0]


def carpet(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Speckled pile."""
    speckle = 1 + rng.uniform(0.08, 0.25) * noise(rng, xy, rng.uniform(0.015, 0.04))
    return colour(rng, 0.8, (0.15, 0.8)) * speckle[..., None]


def rug(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A patterned mat."""
    return cloth(rng, xy * rng.uniform(0.35, 0.9))[0]


def fabric(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Upholstery and bedding."""
    return cloth(rng, xy)[0]


def lacquer(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Even furniture paint with a gap between panels."""
    gap = np.abs(xy / rng.uniform(0.3, 0.6) % 1.0 - 0.5).max(axis=-1) > 0.488
    return colour(rng) * np.where(gap, 0.45, 1.0)[..., None]


def shelf(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Rows of books and things."""
    row = np.floor(xy[..., 1] / rng.uniform(0.22, 0.4))
    item = np.floor(xy[..., 0] / rng.uniform(0.03, 0.12) + row * 0.61)
    colours = np.stack([colour(rng, 1.0, (0.05, 0.9)) for _ in range(11)])
    return colours[((row * 5 + item * 7) % 11).astype(int)]


def windows(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """The front of a building."""
    cell = xy / np.array([rng.uniform(0.8, 2.5), rng.uniform(1.5, 3.2)])
    open_ = (np.abs(cell % 1.0 - 0.5) < [rng.uniform(0.2, 0.4), rng.uniform(0.2, 0.4)]).all(axis=-1)
    pane = np.array([0.1, 0.14, 0.18]) * rng.uniform(0.3, 3)
    return np.where(open_[..., None], pane, colour(rng, 0.5, (0.3, 0.9)))


def land(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Grass, sand, earth, asphalt or snow."""
    tones = np.array(
        [
            [0.09, 0.16, 0.03],
            [0.5, 0.4, 0.26],
            [0.2, 0.13, 0.08],
            [0.1, 0.1, 0.11],
            [0.8, 0.84, 0.9],
        ]
    )
    tone = tones[int(rng.choice(5, p=[0.4, 0.2, 0.15, 0.15, 0.1]))] * rng.uniform(0.7, 1.4, 3)
    rough = 0.25 * noise(rng, xy, 0.08) + 0.2 * noise(rng, xy, 1.1) + 0.15 * noise(rng, xy, 0.02)
    return tone * np.clip(1 + rng.uniform(0.4, 1.0) * rough, 0.2, 2)[..., None]


FLOORS: tuple[Painter, ...] = (wood, wood, tiles, carpet, carpet, rug, plaster)
WALLS: tuple[Painter, ...] = (plaster, plaster, plaster, wallpaper, bricks, tiles, wood)
FURNITURE: tuple[Painter, ...] = (wood, lacquer, lacquer, fabric, fabric, shelf)
PICTURES: tuple[Painter, ...] = (fabric, fabric, shelf, lacquer)
BUILDINGS: tuple[Painter, ...] = (windows, windows, bricks, plaster, wood)
LANDS: tuple[Painter, ...] = (land, land, land, tiles, bricks)

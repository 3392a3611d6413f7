"""Patterns of bed sheets, blankets and play mats, as linear RGB over the bed plane."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, map_coordinates

from Datasets.synthetic.people.clothing import colour

TILE = 512


def sheet_albedo(
    rng: np.random.Generator, xy: Float[np.ndarray, "height width 2"]
) -> Float[np.ndarray, "height width 3"]:
    """Paint the bed: a sheet, often a blanket or towel over a part of it, sometimes the bed's edge.

    Args:
        rng: source of randomness.
        xy: metres on the bed, one point per pixel.

    Returns:
        Linear RGB per pixel.
    """
    albedo = cloth(rng, xy)
    if rng.random() < 0.4:
        inside = _rounded_patch(rng, xy)
        over = cloth(rng, xy)
        hem = np.exp(-((inside / 0.006) ** 2)) * 0.35
        albedo = np.where(inside[..., None] > 0, over, albedo) * (1 - hem[..., None])
    if rng.random() < 0.25:
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.33, 0.5)
        beyond = xy[..., 0] * np.cos(angle) + xy[..., 1] * np.sin(angle) - distance
        floor = cloth(rng, xy * 0.6)
        shade = np.clip(0.35 + beyond * 2.0, 0.3, 0.8)[..., None]
        albedo = np.where(beyond[..., None] > 0, floor * shade, albedo)
    return np.clip(albedo, 0.005, 0.97)


def _rounded_patch(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Signed distance (metres, positive inside) to a turned rectangle near the infant."""
    angle = rng.uniform(0, np.pi)
    c, s = np.cos(angle), np.sin(angle)
    centred = xy - rng.normal(0, 0.15, 2)
    x, y = np.abs(centred @ [c, s]), np.abs(centred @ [-s, c])
    half = rng.uniform(0.15, 0.5, 2)
    return np.minimum(half[0] - x, half[1] - y)


def cloth(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """One fabric: a pattern in two or more colours with wear and weave."""
    painters = (_plain, _stripes, _checks, _dots, _print, _marble, _quilt)
    painter = painters[int(rng.choice(len(painters), p=[0.24, 0.13, 0.1, 0.1, 0.25, 0.1, 0.08]))]
    angle = rng.choice([0.0, rng.uniform(0, np.pi)])
    c, s = np.cos(angle), np.sin(angle)
    turned = np.stack([xy @ [c, s], xy @ [-s, c]], axis=-1) + rng.uniform(0, 1, 2)
    albedo = painter(rng, turned)
    wear = 1 + rng.uniform(0.02, 0.10) * noise(rng, turned, rng.uniform(0.05, 0.3))
    weave = 1 + rng.uniform(0.0, 0.06) * noise(rng, turned, 0.004)
    return albedo * (wear * weave)[..., None]


def noise(rng: np.random.Generator, xy: np.ndarray, period: float) -> np.ndarray:
    """Smooth periodic noise of unit deviation with features of ``period`` metres."""
    tile = gaussian_filter(rng.normal(size=(128, 128)), 2.0, mode="wrap")
    tile /= tile.std()
    at = np.moveaxis(xy, -1, 0) / period * 5.0
    return map_coordinates(tile, at, order=1, mode="grid-wrap")


def mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Blend two colours by a share per pixel."""
    return first + (second - first) * share[..., None]


def _plain(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    return np.broadcast_to(colour(rng), (*xy.shape[:2], 3))


def _stripes(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    part = xy[..., 0] / rng.uniform(0.01, 0.12) % 1.0
    return mix(colour(rng), colour(rng), (part < rng.uniform(0.2, 0.7)).astype(float))


def _checks(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    part = xy / rng.uniform(0.015, 0.15) % 1.0
    return mix(colour(rng), colour(rng), (part < 0.5).mean(axis=-1))


def _dots(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    cell = xy / rng.uniform(0.015, 0.09)
    cell = cell + np.stack([np.zeros(cell.shape[:2]), 0.5 * (np.floor(cell[..., 0]) % 2)], axis=-1)
    away = np.linalg.norm(cell % 1.0 - 0.5, axis=-1)
    return mix(colour(rng), colour(rng), (away < rng.uniform(0.12, 0.4)).astype(float))


def _marble(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    period = rng.uniform(0.04, 0.4)
    waves = noise(rng, xy, period) + 0.5 * noise(rng, xy, period / 3)
    return mix(colour(rng), colour(rng), 1 / (1 + np.exp(-waves * rng.uniform(1, 6))))


def _quilt(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Patches of different colours with darker seams."""
    cell = xy / rng.uniform(0.06, 0.25)
    colours = np.stack([colour(rng) for _ in range(7)])
    which = (np.floor(cell[..., 0]) * 3 + np.floor(cell[..., 1]) * 5).astype(int) % 7
    seam = np.abs(cell % 1.0 - 0.5).max(axis=-1) > 0.47
    return colours[which] * np.where(seam, 0.6, 1.0)[..., None]


def _print(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A repeating tile of scattered shapes, as on children's bedding."""
    ground = tuple(int(255 * v) for v in colour(rng))
    image = Image.new("RGB", (TILE, TILE), ground)
    draw = ImageDraw.Draw(image)
    inks = [tuple(int(255 * v) for v in colour(rng, 1.0, (0.1, 0.95))) for _ in range(4)]
    for _ in range(int(rng.integers(8, 60))):
        _shape(rng, draw, inks[int(rng.integers(len(inks)))])
    tile = gaussian_filter(np.asarray(image, np.float64) / 255, (0.8, 0.8, 0), mode="wrap")
    at = np.moveaxis(xy, -1, 0) / rng.uniform(0.12, 0.7) * TILE
    channels = [map_coordinates(tile[..., k], at, order=1, mode="grid-wrap") for k in range(3)]
    return np.stack(channels, axis=-1)


def _shape(rng: np.random.Generator, draw: ImageDraw.ImageDraw, ink: tuple[int, ...]) -> None:
    """Draw a disc, ring, polygon, star or stroke, wrapped at the tile's edges."""
    centre, radius = rng.uniform(0, TILE, 2), rng.uniform(8, 60)
    kind, corners, start = int(rng.integers(4)), int(rng.integers(3, 9)), rng.uniform(0, 2 * np.pi)
    depth = rng.uniform(0.35, 0.9)
    for shift in ((0, 0), (TILE, 0), (0, TILE), (TILE, TILE), (-TILE, 0), (0, -TILE)):
        x, y = centre + shift
        box = (x - radius, y - radius, x + radius, y + radius)
        if kind == 0:
            draw.ellipse(box, fill=ink)
        elif kind == 1:
            draw.ellipse(box, outline=ink, width=max(2, int(radius / 5)))
        elif kind == 2:
            turn, width = np.degrees(start), max(2, int(radius / 6))
            draw.arc(box, turn, turn + 200, fill=ink, width=width)
        else:
            angles = start + np.arange(2 * corners) * np.pi / corners
            radii = np.where(np.arange(2 * corners) % 2, radius * depth, radius)
            points = [x, y] + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            draw.polygon([tuple(point) for point in points], fill=ink)

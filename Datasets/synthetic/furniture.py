"""Furniture, toys and clutter as boxes, each a list of ``Box`` that stands on the floor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from Datasets.synthetic.solids import Box

Part = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Centre and half size of a part in the piece's own axes, metres."""


def furnish(
    rng: np.random.Generator,
    places: list[tuple[np.ndarray, float]],
    new_material: Callable[[], int],
    free: Sequence[tuple[np.ndarray, float]],
) -> list[Box]:
    """Put a piece of furniture on every place where it does not stand in the way.

    Args:
        rng: source of randomness.
        places: (x, y) and turn in radians.
        new_material: gives the number of a material of its own.
        free: circles that stay empty: (x, y) and radius, metres.
    """
    boxes: list[Box] = []
    for spot, yaw in places:
        piece = PIECES[int(rng.integers(len(PIECES)))]
        materials = [new_material(), new_material()]
        parts = [
            part_at(spot, yaw, centre, half, materials[min(number, 1)])
            for number, (centre, half) in enumerate(piece(rng))
        ]
        if not any(_in_the_way(part, *circle) for part in parts for circle in free):
            boxes += parts
    return boxes


def _in_the_way(part: Box, middle: np.ndarray, radius: float) -> bool:
    """Whether a part's footprint touches a circle."""
    local = part.to_local(np.append(middle, 0.0) - part.centre)[:2]
    outside = np.maximum(np.abs(local) - part.half[:2], 0.0)
    return bool(np.linalg.norm(outside) < radius)


def part_at(spot: np.ndarray, yaw: float, centre, half, material: int) -> Box:
    """A part of a piece that stands at (x, y) and is turned by ``yaw``."""
    c, s = np.cos(yaw), np.sin(yaw)
    x = spot[0] + c * centre[0] - s * centre[1]
    y = spot[1] + s * centre[0] + c * centre[1]
    return Box(np.array([x, y, centre[2]]), np.array(half, dtype=float), yaw, material)


def _legs(width: float, depth: float, height: float, thick: float) -> Iterator[Part]:
    for x in (-1, 1):
        for y in (-1, 1):
            corner = (x * (width - thick), y * (depth - thick), height / 2)
            yield corner, (thick, thick, height / 2)


def table(rng: np.random.Generator) -> list[Part]:
    """A top on four legs."""
    width, depth, height = rng.uniform(0.35, 0.9), rng.uniform(0.25, 0.5), rng.uniform(0.35, 0.8)
    return [
        ((0, 0, height), (width, depth, 0.02)),
        *_legs(width, depth, height, rng.uniform(0.015, 0.04)),
    ]


def cabinet(rng: np.random.Generator) -> list[Part]:
    """A closed block, low or high."""
    height = rng.uniform(0.2, 1.0)
    return [((0, 0, height), (rng.uniform(0.25, 0.8), rng.uniform(0.15, 0.35), height))]


def sofa(rng: np.random.Generator) -> list[Part]:
    """A seat with back and arms."""
    width, depth, seat = rng.uniform(0.4, 1.1), rng.uniform(0.35, 0.5), rng.uniform(0.18, 0.24)
    parts: list[Part] = [
        ((0, 0, seat), (width, depth, seat)),
        ((0, depth - 0.08, 0.42), (width, 0.1, 0.42)),
    ]
    parts += [((side * (width - 0.07), 0, 0.3), (0.08, depth, 0.3)) for side in (-1, 1)]
    return parts


def bed(rng: np.random.Generator) -> list[Part]:
    """A mattress on a frame, with a pillow."""
    width, depth, height = rng.uniform(0.4, 0.9), rng.uniform(0.7, 1.05), rng.uniform(0.18, 0.3)
    return [
        ((0, 0, height), (width, depth, height)),
        ((0, depth - 0.2, 2 * height + 0.05), (width * 0.8, 0.17, 0.06)),
    ]


def cot(rng: np.random.Generator) -> list[Part]:
    """A child's bed with bars."""
    width, depth, height = 0.35, 0.65, rng.uniform(0.25, 0.5)
    parts: list[Part] = [((0, 0, height), (width, depth, 0.06))]
    for y in np.arange(-depth, depth + 0.01, 0.13):
        parts += [((side * width, y, 0.45), (0.009, 0.009, 0.45)) for side in (-1, 1)]
    return parts


def chair(rng: np.random.Generator) -> list[Part]:
    """A seat with a back on four legs."""
    height, thick = rng.uniform(0.4, 0.48), 0.02
    return [
        ((0, 0, height), (0.21, 0.21, 0.02)),
        ((0, 0.2, height + 0.25), (0.2, 0.015, 0.22)),
        *_legs(0.21, 0.21, height, thick),
    ]


def boxes(rng: np.random.Generator) -> list[Part]:
    """A few cartons or toys on the floor."""
    parts: list[Part] = []
    for _ in range(int(rng.integers(1, 6))):
        half = rng.uniform(0.03, 0.2, 3)
        x, y = rng.uniform(-0.4, 0.4, 2)
        parts.append(((x, y, half[2]), tuple(half)))
    return parts


def lamp(rng: np.random.Generator) -> list[Part]:
    """A post with something on it."""
    height = rng.uniform(0.6, 0.9)
    return [
        ((0, 0, 2 * height), (0.15, 0.15, 0.14)),
        ((0, 0, height), (0.015, 0.015, height)),
        ((0, 0, 0.015), (0.13, 0.13, 0.015)),
    ]


PIECES = (table, cabinet, cabinet, sofa, bed, cot, chair, boxes, boxes, lamp)

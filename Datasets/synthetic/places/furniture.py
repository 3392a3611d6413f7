"""Furniture, plants, toys and clutter, each a list of parts that stand on the floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.places import surfaces
from Datasets.synthetic.places.solids import Ball, Box, Drum, Foliage, Solid
from Datasets.synthetic.places.surfaces import Painter

Vector = tuple[float, float, float]

WOODEN: tuple[Painter, ...] = (surfaces.wood, surfaces.lacquer)
CASES: tuple[Painter, ...] = (surfaces.wood, surfaces.lacquer, surfaces.lacquer, surfaces.shelf)
TOYS: tuple[Painter, ...] = (surfaces.rug, surfaces.lacquer, surfaces.plaster)


class Part(NamedTuple):
    """One solid of a piece, in the piece's own axes.

    Attributes:
        centre, half: metres.
        made_of: which parts of a piece share a number, share a material.
        painters: of which one paints it.
        solid: its shape.
    """

    centre: Vector
    half: Vector
    made_of: int = 0
    painters: tuple[Painter, ...] = WOODEN
    solid: type[Solid] = Box


@dataclass(frozen=True)
class Veil:
    """A thin upright or level box of netting or clear plastic.

    Attributes:
        centre, half: metres, in the axes of the place.
        colour: linear RGB.
        share: opacity, 0 to 1.
    """

    centre: Vector
    half: Vector
    colour: Vector
    share: float


@dataclass(frozen=True)
class Tube:
    """A cable or a tube.

    Attributes:
        points: (n, 3) its course in the world, metres.
        radius_m: half of its thickness.
        colour: linear RGB.
    """

    points: Float[np.ndarray, "n 3"]
    radius_m: float
    colour: Float[np.ndarray, "3"]


Piece = Callable[[np.random.Generator], list[Part]]
"""Draws a piece of furniture."""


def _legs(width: float, depth: float, height: float, thick: float) -> list[Part]:
    corners = [(x * (width - thick), y * (depth - thick)) for x in (-1, 1) for y in (-1, 1)]
    half = (thick, thick, height / 2)
    return [Part((*corner, height / 2), half, 1, WOODEN, Drum) for corner in corners]


def table(rng: np.random.Generator) -> list[Part]:
    """A top, round at times, on four legs, with something on it."""
    width, depth, height = rng.uniform(0.35, 0.9), rng.uniform(0.25, 0.5), rng.uniform(0.35, 0.8)
    round_ = rng.random() < 0.3
    parts = [Part((0, 0, height), (width, depth, 0.02), solid=Drum if round_ else Box)]
    inset = 0.6 if round_ else 1.0
    parts += _legs(inset * width, inset * depth, height, rng.uniform(0.015, 0.03))
    for number in range(int(rng.integers(0, 4))):
        half = tuple(rng.uniform([0.03, 0.03, 0.02], [0.12, 0.1, 0.12]))
        x, y = rng.uniform(-0.6, 0.6, 2) * [width, depth]
        solid = (Box, Drum)[int(rng.integers(2))]
        parts.append(Part((x, y, height + 0.02 + half[2]), half, 2 + number, TOYS, solid))
    return parts


def case(rng: np.random.Generator) -> list[Part]:
    """A chest or a cupboard with a top, or a bookcase."""
    width, depth, height = rng.uniform(0.25, 0.8), rng.uniform(0.15, 0.35), rng.uniform(0.2, 1.0)
    return [
        Part((0, 0, height), (width, depth, height), 0, CASES),
        Part((0, 0, 2 * height), (width + 0.015, depth + 0.015, 0.015), 1),
    ]


def sofa(rng: np.random.Generator) -> list[Part]:
    """A seat with back, arms and cushions."""
    width, depth, seat = rng.uniform(0.4, 1.1), rng.uniform(0.35, 0.5), rng.uniform(0.18, 0.24)
    soft = surfaces.SOFT
    parts = [
        Part((0, 0, seat), (width, depth, seat), 0, soft),
        Part((0, depth - 0.08, 0.42), (width, 0.1, 0.42), 0, soft),
        *(Part((i * (width - 0.07), 0, 0.3), (0.08, depth, 0.3), 0, soft) for i in (-1, 1)),
    ]
    for number in range(int(rng.integers(0, 4))):
        half = (rng.uniform(0.15, 0.24), 0.08, rng.uniform(0.14, 0.2))
        x = rng.uniform(-0.7, 0.7) * width
        parts.append(Part((x, depth - 0.24, 2 * seat + half[2]), half, 1 + number, soft, Ball))
    return parts


def bed(rng: np.random.Generator) -> list[Part]:
    """A mattress on a frame, with a blanket and a pillow."""
    width, depth, height = rng.uniform(0.4, 0.9), rng.uniform(0.7, 1.05), rng.uniform(0.18, 0.3)
    reach = rng.uniform(0.3, 0.75) * depth
    top, thick, soft = 1.6 * height, height * 0.4, surfaces.BEDDING
    return [
        Part((0, 0, height * 0.6), (width + 0.03, depth + 0.03, height * 0.6), 0),
        Part((0, 0, top), (width, depth, thick), 1, soft),
        Part((0, reach - depth, top), (width + 0.02, reach, thick + 0.03), 2, soft),
        Part((0, depth - 0.2, 2 * height + 0.04), (0.7 * width, 0.2, 0.09), 3, soft, Ball),
        Part((0, depth + 0.05, 0.45), (width + 0.04, 0.03, 0.45), 0),
    ]


def cot(rng: np.random.Generator) -> list[Part]:
    """A child's bed with bars and rails."""
    width, depth, height = 0.35, 0.65, rng.uniform(0.25, 0.5)
    parts = [Part((0, 0, height), (width, depth, 0.06), 1, surfaces.BEDDING)]
    for side in (-1, 1):
        for y in np.arange(-depth, depth + 0.01, 0.1):
            parts.append(Part((side * width, y, 0.45), (0.009, 0.009, 0.45)))
        parts += [Part((side * width, 0, z), (0.016, depth, 0.02)) for z in (height - 0.1, 0.9)]
        parts.append(Part((0, side * depth, 0.5), (width, 0.015, 0.42)))
    return parts


def chair(rng: np.random.Generator) -> list[Part]:
    """A seat with a back on four legs."""
    height = rng.uniform(0.4, 0.48)
    return [
        Part((0, 0, height), (0.21, 0.21, 0.025), 0, surfaces.FURNITURE),
        Part((0, 0.2, height + 0.3), (0.2, 0.015, 0.17), 0, surfaces.FURNITURE),
        *_legs(0.21, 0.21, height, 0.018),
        *(Part((x, 0.2, height + 0.1), (0.015, 0.012, 0.1), 1) for x in (-0.17, 0.17)),
    ]


def toys(rng: np.random.Generator) -> list[Part]:
    """A few cartons, balls and toys on the floor."""
    parts = []
    for number in range(int(rng.integers(1, 6))):
        half = rng.uniform(0.03, 0.16, 3)
        solid = (Box, Box, Ball, Drum)[int(rng.integers(4))]
        half = np.full(3, half[0]) if solid is Ball else half
        x, y = rng.uniform(-0.45, 0.45, 2)
        parts.append(Part((x, y, half[2]), tuple(half), number, TOYS, solid))
    return parts


def lamp(rng: np.random.Generator) -> list[Part]:
    """A post with a shade."""
    height, wide = rng.uniform(0.6, 0.9), rng.uniform(0.12, 0.24)
    return [
        Part((0, 0, 2 * height), (wide, wide, rng.uniform(0.1, 0.18)), 0, surfaces.BEDDING, Drum),
        Part((0, 0, height), (0.012, 0.012, height), 1, WOODEN, Drum),
        Part((0, 0, 0.015), (0.13, 0.13, 0.015), 1, WOODEN, Drum),
    ]


def screen(rng: np.random.Generator) -> list[Part]:
    """A television or a machine on a low case."""
    width, low = rng.uniform(0.3, 0.7), rng.uniform(0.15, 0.4)
    middle = (0, 0, 2 * low + 0.03 + 0.56 * width)
    return [
        Part((0, 0, low), (width + 0.1, 0.2, low), 0, CASES),
        Part(middle, (width, 0.03, 0.56 * width), 1, (surfaces.dark,)),
    ]


def plant(rng: np.random.Generator) -> list[Part]:
    """Foliage in a pot."""
    wide, pot, size = rng.uniform(0.09, 0.2), rng.uniform(0.1, 0.25), rng.uniform(0.15, 0.4)
    parts = [Part((0, 0, pot), (wide, wide, pot), 0, (surfaces.plaster, surfaces.concrete), Drum)]
    return parts + _crown(rng, 2 * pot + size * 0.8, size, 7)


def small_toy(rng: np.random.Generator) -> list[Part]:
    """A ball, a block, a ring of beads or a rattle, on z = 0."""
    size, kind = rng.uniform(0.015, 0.05), int(rng.integers(5))
    paint = (surfaces.vinyl, surfaces.vinyl, surfaces.rug)
    if kind < 3:
        half = (size,) * 3 if kind == 0 else tuple(size * rng.uniform(0.4, 1.3, 3))
        return [Part((0, 0, half[2]), half, 0, paint, (Ball, Box, Drum)[kind])]
    if kind == 3:
        bead, turns = 0.32 * size, np.linspace(0, 2 * np.pi, 12, endpoint=False)
        ring = [(size * np.cos(turn), size * np.sin(turn), bead) for turn in turns]
        return [Part(spot, (bead,) * 3, n % 3, paint, Ball) for n, spot in enumerate(ring)]
    stick = Part((1.6 * size, 0, 0.5 * size), (size, 0.2 * size, 0.2 * size), 1, paint)
    return [Part((0, 0, 0.6 * size), (0.8 * size, 0.6 * size, 0.6 * size), 0, paint, Ball), stick]


def cushion(rng: np.random.Generator) -> list[Part]:
    """A cushion or a folded blanket."""
    wide, deep, high = rng.uniform(0.14, 0.28), rng.uniform(0.12, 0.22), rng.uniform(0.03, 0.08)
    solid, paint = (Ball, Box)[int(rng.random() < 0.3)], (surfaces.fabric, surfaces.bedding)
    return [Part((0, 0, 0.8 * high), (wide, deep, high), 0, paint, solid)]


def cloth(rng: np.random.Generator) -> list[Part]:
    """A muslin or a small blanket that lies flat."""
    half = (rng.uniform(0.12, 0.45), rng.uniform(0.12, 0.35), 0.002)
    return [Part((0, 0, 0.002), half, 0, (surfaces.crumpled, surfaces.rug))]


def curtain(rng: np.random.Generator) -> list[Part]:
    """Folds that hang side by side."""
    count, height = int(rng.integers(5, 14)), rng.uniform(0.9, 1.25)
    return [
        Part((0.085 * (k - count / 2), 0, height), (0.052, 0.04, height), 0, surfaces.SOFT, Drum)
        for k in range(count)
    ]


def bush(rng: np.random.Generator) -> list[Part]:
    """Foliage on the ground."""
    size = rng.uniform(0.3, 1.1)
    return _crown(rng, 0.6 * size, size, 6)


def tree(rng: np.random.Generator) -> list[Part]:
    """A stem with a crown."""
    height, size = rng.uniform(1.2, 3.5), rng.uniform(0.8, 2.4)
    thick = rng.uniform(0.05, 0.2)
    stem = Part((0, 0, height / 2), (thick, thick, height / 2 + size / 2), 0, surfaces.STEMS, Drum)
    return [stem, *_crown(rng, height + 0.7 * size, size, 9)]


def hedge(rng: np.random.Generator) -> list[Part]:
    """A wall of foliage or boards."""
    half = (rng.uniform(1.0, 5.0), rng.uniform(0.03, 0.4), rng.uniform(0.35, 0.95))
    painters = surfaces.PLANTS if half[1] > 0.15 else surfaces.FENCES
    return [Part((0, 0, half[2]), half, 0, painters)]


def building(rng: np.random.Generator) -> list[Part]:
    """A house or a tower, with a roof that juts out."""
    half = tuple(rng.uniform([2.0, 2.0, 1.3], [7.0, 5.0, 7.0]))
    roof = (half[0] + 0.3, half[1] + 0.3, rng.uniform(0.08, 0.4))
    return [
        Part((0, 0, half[2]), half, 0, surfaces.BUILDINGS),
        Part((0, 0, 2 * half[2]), roof, 1, (surfaces.dark, surfaces.concrete, surfaces.plaster)),
    ]


def _crown(rng: np.random.Generator, height: float, size: float, balls: int) -> list[Part]:
    """Balls of foliage around a point above the ground."""
    parts = []
    for _ in range(balls):
        x, y, z = rng.normal(0, 0.42 * size, 3)
        half = size * rng.uniform(0.3, 0.6, 3)
        parts.append(Part((x, y, height + 0.8 * z), tuple(half), 9, surfaces.PLANTS, Foliage))
    return parts


INDOORS = (table, case, case, sofa, bed, cot, chair, toys, toys, lamp, screen, plant, curtain)
NURSERY = (case, bed, cot, cot, chair, toys, toys, toys, lamp, plant, curtain)
GARDEN = (table, chair, toys, plant, bush, bush, hedge)
FAR_OFF = (tree, tree, tree, bush, hedge, hedge, building, building)
CLUTTER = (small_toy, small_toy, small_toy, cushion, cloth)
"""What lies around infants."""

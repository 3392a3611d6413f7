"""Resting places of infants: cots, mats, beds, sofas, couches and warmers.

Frame of a resting place: metres, the origin is the middle of the surface, z up, the head end +y.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from Datasets.synthetic.people.clothing import colour
from Datasets.synthetic.places import surfaces
from Datasets.synthetic.places.furniture import CASES, TOYS, WOODEN, Part, Tube, Vector, Veil
from Datasets.synthetic.places.solids import Ball, Bars, Box, Drum
from Datasets.synthetic.places.surfaces import SHEETS, Painter

SHELL, SHEET, SOFT, TRIM, MORE = range(5)
"""Numbers of materials: frame, surface to lie on, padding, rails; all above are for the rest."""
METAL: tuple[Painter, ...] = (surfaces.plaster, surfaces.dark)
PLASTIC: tuple[Painter, ...] = (surfaces.plaster,)
CUSHION = 50
"""First of the material numbers of cushions."""
SIDES = (-1, 1)


@dataclass(frozen=True)
class RestingPlace:
    """A bed or another thing to lie on.

    Attributes:
        name: of its kind.
        half_m: half of the free width and length.
        floor_m: height of the room's floor, 0 or below.
        parts: its solids.
        veils: its see-through sides.
        tubes: its arches.
        azimuth_degrees: directions from which a camera can look into it; -90 is its foot end.
        elevation_degrees: angles from which a camera can look down into it.
        clinic: in a hospital, not at home.
        outdoors: on open land.
    """

    name: str
    half_m: tuple[float, float]
    floor_m: float
    parts: tuple[Part, ...]
    veils: tuple[Veil, ...] = ()
    tubes: tuple[Tube, ...] = ()
    azimuth_degrees: tuple[float, float] = (-180.0, 180.0)
    elevation_degrees: tuple[float, float] = (8.0, 88.0)
    clinic: bool = False
    outdoors: bool = False


def draw_resting_place(rng: np.random.Generator, wide: bool = False) -> RestingPlace:
    """Choose a resting place and its measures.

    Args:
        rng: source of randomness.
        wide: with room for an adult, on the level of the floor.
    """
    kinds = WIDE if wide else RESTING_PLACES
    makers, shares = list(kinds), np.array(list(kinds.values()))
    return makers[int(rng.choice(len(makers), p=shares / shares.sum()))](rng)


def _mattress(x: float, y: float, deep: float) -> Part:
    return Part((0, 0, -deep / 2), (x, y, deep / 2), SHEET, SHEETS)


def _walls(
    x: float, y: float, low: float, high: float, least: float = 0.0
) -> list[tuple[Vector, Vector]]:
    """Middles and half measures of upright thin boxes at the left, foot end, right and head end.

    ``least`` is their least half thickness.
    """
    middle, thick, tall = (low + high) / 2, max(0.011, least), max((high - low) / 2, least)
    side, end = (thick, y, tall), (x, thick, tall)
    pairs = [(((i * x, 0, middle), side), ((0, i * y, middle), end)) for i in SIDES]
    return [*pairs[0], *pairs[1]]


def _posts(x: float, y: float, low: float, high: float, painters=WOODEN) -> list[Part]:
    half, corners = (0.02, 0.02, (high - low) / 2), [(i * x, j * y) for i in SIDES for j in SIDES]
    return [Part((*corner, (low + high) / 2), half, SHELL, painters) for corner in corners]


def _cot(rng: np.random.Generator) -> RestingPlace:
    """Bars around a mattress; now and then a side is down."""
    x, y = rng.uniform(0.27, 0.36), rng.uniform(0.5, 0.68)
    rail, floor = rng.uniform(0.2, 0.52), -rng.uniform(0.2, 0.6)
    painters = (surfaces.wood, surfaces.plaster)
    down = int(rng.choice([-1, 0, 1], p=[0.2, 0.6, 0.2]))
    ends = Box if rng.random() < 0.4 else Bars
    parts, middle, tall = [_mattress(x, y, 0.1)], (rail - 0.1) / 2, (rail + 0.1) / 2
    for i in SIDES:
        side, end = i * (x + 0.012), i * (y + 0.012)
        if i != down:
            parts += [
                Part((side, 0, middle), (0.011, y, tall), SHELL, painters, Bars),
                Part((side, 0, rail), (0.017, y + 0.02, 0.02), SHELL, painters),
            ]
        parts += [
            Part((0, end, middle), (x, 0.011, tall), SHELL, painters, ends),
            Part((0, end, rail), (x + 0.02, 0.017, 0.02), SHELL, painters),
        ]
    parts += _posts(x + 0.012, y + 0.012, floor, rail, painters)
    if rng.random() < 0.3:
        # padding inside the bars at the head end
        high, soft = rng.uniform(0.06, 0.12), surfaces.BEDDING
        parts.append(Part((0, y - 0.02, high), (x, 0.02, high), SOFT, soft))
        parts += [
            Part((i * (x - 0.02), 0.6 * y, high), (0.02, 0.4 * y, high), SOFT, soft) for i in SIDES
        ]
    return RestingPlace("cot", (x, y), floor, tuple(parts))


def spare_cot(rng: np.random.Generator) -> list[Part]:
    """An unused cot, on a floor at z = 0."""
    cot = _cot(rng)
    return [p._replace(centre=(*p.centre[:2], p.centre[2] - cot.floor_m)) for p in cot.parts]


def _travel_cot(rng: np.random.Generator) -> RestingPlace:
    """Netting between padded posts."""
    x, y = rng.uniform(0.28, 0.36), rng.uniform(0.48, 0.62)
    rail, floor = rng.uniform(0.3, 0.62), -rng.uniform(0.05, 0.3)
    band, tone = rng.uniform(0.02, 0.14), float(rng.choice([0.02, 0.05, 0.85]))
    parts, veils, soft = [_mattress(x, y, 0.04)], [], surfaces.SOFT
    lower, nets = _walls(x, y, floor, band), _walls(x, y, band, rail)
    upper = _walls(x, y, rail - 0.025, rail + 0.025, least=0.022)
    for wall, net, padding in zip(lower, nets, upper, strict=True):
        parts += [Part(*wall, SOFT, soft), Part(*padding, SOFT, soft)]
        veils.append(Veil(*net, (tone,) * 3, float(rng.uniform(0.3, 0.55))))
    parts += _posts(x, y, floor, rail, soft)
    return RestingPlace("travel cot", (x - 0.02, y - 0.02), floor, tuple(parts), tuple(veils))


def _basket(rng: np.random.Generator) -> RestingPlace:
    """A small bed with low walls, on the floor or on legs."""
    x, y, high = rng.uniform(0.18, 0.24), rng.uniform(0.36, 0.44), rng.uniform(0.1, 0.24)
    floor = -rng.choice([0.08, rng.uniform(0.3, 0.6)])
    painters, parts = (surfaces.fabric, surfaces.wood, surfaces.carpet), [_mattress(x, y, 0.06)]
    middle, tall = (high - 0.08) / 2, (high + 0.08) / 2
    for i in SIDES:
        parts += [
            Part((i * (x + 0.02), 0, middle), (0.02, y, tall), SHELL, painters),
            Part((0, i * (y + 0.02), middle), (x + 0.03, 0.02, tall), SHELL, painters),
        ]
    if floor < -0.1:
        parts += _posts(0.8 * x, 0.8 * y, floor, -0.08)
    return RestingPlace("basket", (x, y), floor, tuple(parts), elevation_degrees=(20.0, 88.0))


def _changing_mat(rng: np.random.Generator) -> RestingPlace:
    """A pad with raised sides on a chest of drawers, or on the floor."""
    x, y, thick = rng.uniform(0.22, 0.28), rng.uniform(0.33, 0.42), rng.uniform(0.02, 0.04)
    high = rng.random() < 0.7
    floor = -rng.uniform(0.75, 0.95) if high else -thick
    pad = (surfaces.vinyl, surfaces.rug, surfaces.bedding)
    parts = [
        Part((0, 0, -thick / 2), (x, y, thick / 2), SHEET, pad),
        *(Part((i * x, 0, 0), (0.04, 1.02 * y, 0.05), SHEET, pad, Ball) for i in SIDES),
        Part((0, y, 0), (1.05 * x, 0.04, 0.045), SHEET, pad, Ball),
    ]
    if high:
        deep, wide = rng.uniform(0.02, 0.08), rng.uniform(0.02, 0.3)
        half = (x + wide, y + deep, (-thick - floor) / 2)
        parts.append(Part((0, 0, (floor - thick) / 2), half, SHELL, CASES))
    if rng.random() < 0.4:
        parts.append(Part((0, 0, 0.002), (0.8 * x, 0.7 * y, 0.002), MORE, SHEETS))
    return RestingPlace("changing mat", (x - 0.04, y - 0.03), floor, tuple(parts))


def _play_mat(rng: np.random.Generator) -> RestingPlace:
    """A printed mat on the floor, often with arches that toys hang from."""
    x, y, thick = rng.uniform(0.42, 0.9), rng.uniform(0.45, 0.9), rng.uniform(0.003, 0.02)
    painters = (surfaces.rug, surfaces.rug, surfaces.foam, surfaces.foam, surfaces.vinyl)
    parts, arches = [Part((0, 0, -thick / 2), (x, y, thick / 2), SHEET, painters)], []
    if rng.random() < 0.55:
        reach, high = min(x, y, 0.55), rng.uniform(0.42, 0.56)
        for turn in (1, -1):
            angle = np.linspace(0, np.pi, 12)[:, None]
            arch = np.hstack([np.cos(angle) * [reach, turn * reach], high * np.sin(angle)])
            arches.append(Tube(arch, rng.uniform(0.008, 0.018), colour(rng)))
            parts += _hanging_toys(rng, reach, turn * reach, high)
    return RestingPlace("play mat", (x, y), -thick, tuple(parts), tubes=tuple(arches))


def _hanging_toys(rng: np.random.Generator, x: float, y: float, high: float) -> list[Part]:
    """Toys on strings under an arch that goes from (-x, -y) to (x, y)."""
    parts = []
    for number in range(int(rng.integers(1, 4))):
        c = rng.uniform(-0.6, 0.6)
        top = high * np.sqrt(1 - c * c)
        drop, size = rng.uniform(0.06, 0.18), rng.uniform(0.02, 0.05)
        solid, material = (Ball, Ball, Drum, Box)[int(rng.integers(4))], MORE + 10 + number
        parts += [
            Part((x * c, y * c, top - drop / 2), (0.002, 0.002, drop / 2), TRIM, (surfaces.vinyl,)),
            Part((x * c, y * c, top - drop - size / 2), (size,) * 3, material + 5 * (y > 0), TOYS,
                 solid),
        ]  # fmt: skip
    return parts


def _bed(rng: np.random.Generator) -> RestingPlace:
    """A large bed with pillows, a cover drawn back and a board at its head."""
    x, y, floor = rng.uniform(0.45, 0.95), rng.uniform(0.9, 1.05), -rng.uniform(0.35, 0.6)
    board = (*WOODEN, surfaces.fabric)
    parts = [
        _mattress(x, y, 0.2),
        Part((0, 0, (floor - 0.2) / 2), (x + 0.03, y + 0.03, (-floor - 0.2) / 2), SHELL, WOODEN),
        Part((0, y + 0.05, 0.1), (x + 0.04, 0.03, 0.1 - floor), SHELL, board),
    ]
    for side in SIDES if x > 0.65 else (0,):
        if rng.random() < 0.85:
            spot = (side * 0.48 * x + rng.normal(0, 0.03), y - rng.uniform(0.2, 0.3), 0.03)
            parts.append(Part(spot, (0.3, 0.2, rng.uniform(0.06, 0.1)), SOFT, SHEETS, Ball))
    if rng.random() < 0.6:
        reach, thick = rng.uniform(0.1, 0.35) * y, rng.uniform(0.012, 0.04)
        parts.append(Part((0, reach - y, 0), (x + 0.03, reach, thick), MORE, SHEETS))
    free = (x - 0.05, 0.62 * y)
    # not from behind the board at its head
    return RestingPlace("bed", free, floor, tuple(parts), azimuth_degrees=(-225.0, 45.0))


def _sofa(rng: np.random.Generator) -> RestingPlace:
    """A seat with cushions before a back, between arms."""
    x, y, floor = rng.uniform(0.55, 1.1), rng.uniform(0.27, 0.4), -rng.uniform(0.36, 0.46)
    back, half, soft = rng.uniform(0.15, 0.24), floor / 2, surfaces.SOFT
    arm = (0.08, y + 0.05, 0.08 - half)
    parts = [
        Part((0, 0, half), (x, y, -half), SOFT, soft),
        Part((0, y + 0.1, back + half), (x + 0.1, 0.1, back - half), SOFT, soft),
        *(Part((i * (x + 0.08), 0.05, half + 0.08), arm, SOFT, soft) for i in SIDES),
    ]
    for number in range(int(rng.integers(0, 4))):
        size = (rng.uniform(0.15, 0.22), 0.07, rng.uniform(0.13, 0.18))
        spot = (rng.uniform(-0.85, 0.85) * x, y - 0.08, size[2] - 0.01)
        parts.append(Part(spot, size, CUSHION + number, soft, Ball))
    views = (-165.0, -15.0), (5.0, 75.0)
    return RestingPlace("sofa", (x, y), floor, tuple(parts), (), (), *views)


def open_floor(rng: np.random.Generator) -> RestingPlace:
    """A floor with nothing on it."""
    return RestingPlace("floor", (0.35, 0.35), 0.0, (), outdoors=rng.random() < 0.15)


def _carpet(rng: np.random.Generator) -> RestingPlace:
    """The floor, with a rug or a blanket on it or not; now and then on a lawn."""
    half, outdoors = rng.uniform(0.4, 1.3, 2), rng.random() < 0.3
    painters = (surfaces.rug, surfaces.bedding, surfaces.carpet)
    rug = outdoors or rng.random() < 0.6
    parts = (Part((0, 0, 0), (*half, 0.002), SHEET, painters),) if rug else ()
    return RestingPlace("floor", (*half,), 0.0, parts, outdoors=outdoors)


def _couch(rng: np.random.Generator) -> RestingPlace:
    """An examination couch with a strip of paper."""
    x, y, floor = rng.uniform(0.28, 0.36), rng.uniform(0.75, 0.95), -rng.uniform(0.5, 0.85)
    parts = [
        Part((0, 0, -0.035), (x, y, 0.035), SOFT, (surfaces.vinyl,)),
        Part((0, 0, -0.09), (x - 0.02, y - 0.02, 0.02), SHELL, METAL),
        *_posts(x - 0.04, y - 0.06, floor, -0.1, METAL),
    ]
    if rng.random() < 0.75:
        parts.append(Part((0, 0, 0), (0.85 * x, y + 0.002, 0.001), SHEET, (surfaces.paper,)))
    if rng.random() < 0.4:
        pillow = (surfaces.vinyl, surfaces.paper)
        parts.append(Part((0, y - 0.2, 0.02), (0.8 * x, 0.17, 0.06), MORE, pillow, Ball))
    return RestingPlace("couch", (x - 0.02, 0.6 * y), floor, tuple(parts), clinic=True)


def _warmer(rng: np.random.Generator) -> RestingPlace:
    """A hospital's open bed with clear walls under a heater, or an incubator under a hood."""
    x, y, floor = rng.uniform(0.25, 0.32), rng.uniform(0.34, 0.42), -rng.uniform(0.8, 1.0)
    wall, clear = rng.uniform(0.1, 0.2), (0.75, 0.8, 0.82)
    hood, half = rng.random() < 0.3, floor / 2
    wall = rng.uniform(0.3, 0.38) if hood else wall
    parts = [
        _mattress(x, y, 0.03),
        Part((0, 0, -0.08), (x + 0.06, y + 0.06, 0.05), SHELL, PLASTIC),
        Part((0, 0, half - 0.06), (0.5 * x, 0.6 * y, -half - 0.06), SHELL, METAL),
        Part((0, y + 0.14, 0.5 + half), (0.07, 0.04, 0.5 - half), SHELL, PLASTIC),
        Part((x + 0.2, y + 0.1, 0.35), (0.13, 0.03, 0.1), MORE, (surfaces.dark, surfaces.house)),
    ]
    veils = []
    walls, rims = _walls(x, y, 0.0, wall), _walls(x, y, wall - 0.004, wall + 0.004)
    for number in (1, 0, 3, 2):
        veils.append(Veil(*walls[number], clear, float(rng.uniform(0.08, 0.2))))
        parts.append(Part(*rims[number], TRIM, PLASTIC))
    if hood:
        veils.append(Veil((0, 0, wall), (x, y, 0.004), clear, float(rng.uniform(0.1, 0.22))))
    else:
        heater = (0, 0.4 * y, rng.uniform(0.8, 1.0))
        parts.append(Part(heater, (0.13, 0.7 * y, 0.05), SHELL, PLASTIC))
    return RestingPlace(
        "warmer", (x - 0.02, y - 0.02), floor, tuple(parts), tuple(veils), (),
        (-170.0, -10.0), (15.0, 65.0), clinic=True,
    )  # fmt: skip


Maker = Callable[[np.random.Generator], RestingPlace]
RESTING_PLACES: dict[Maker, float] = {
    _cot: 3, _travel_cot: 1.5, _basket: 1, _changing_mat: 2, _play_mat: 2.5, _bed: 2.5, _sofa: 1.5,
    _carpet: 2, _couch: 1.5, _warmer: 1.5,
}  # fmt: skip
"""How often each is drawn."""
WIDE: dict[Maker, float] = {_play_mat: 2, _carpet: 3}

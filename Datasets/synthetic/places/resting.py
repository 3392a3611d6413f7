"""Where infants lie and are filmed: cots, mats, beds, sofas, couches and warmers.

Frame of a place: metres, the origin is the middle of what one lies on, z up, the head end +y.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from Datasets.synthetic.people.clothing import colour
from Datasets.synthetic.places import surfaces
from Datasets.synthetic.places.furniture import CASES, TOYS, WOODEN, Part
from Datasets.synthetic.places.solids import Ball, Bars, Box, Drum
from Datasets.synthetic.places.surfaces import Painter
from Datasets.synthetic.render.veils import Tube, Veil

SHELL, SHEET, SOFT, TRIM, MORE = range(5)
"""Numbers of materials: frame, what one lies on, padding, rails, and from there on the rest."""
METAL: tuple[Painter, ...] = (surfaces.plaster, surfaces.dark)
CUSHION = 50
"""First of the material numbers of cushions."""


@dataclass(frozen=True)
class RestingPlace:
    """Something to lie on.

    Attributes:
        name: of its kind.
        half_m: half of the free width and length.
        floor_m: height of the room's floor, 0 or below.
        parts: its solids.
        veils: its see-through sides.
        tubes: its arches.
        azimuth_degrees: range of directions from which one looks into it; -90 is its foot end.
        elevation_degrees: range of angles from which one looks down into it.
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

    @property
    def long(self) -> bool:
        """Whether it is longer than wide."""
        return self.half_m[1] > self.half_m[0]

    @property
    def radius_m(self) -> float:
        """Of the circle around it, metres."""
        return float(np.hypot(*self.half_m))


def draw_resting_place(rng: np.random.Generator, wide: bool = False) -> RestingPlace:
    """Choose a place and its measures.

    Args:
        rng: source of randomness.
        wide: with room for somebody grown, on the level of the floor.
    """
    kinds = WIDE if wide else RESTING_PLACES
    makers, shares = list(kinds), np.array(list(kinds.values()))
    return makers[int(rng.choice(len(makers), p=shares / shares.sum()))](rng)


def _mattress(x: float, y: float, deep: float, made_of: int = SHEET) -> Part:
    return Part((0, 0, -deep / 2), (x, y, deep / 2), made_of, surfaces.SHEETS)


def _side(x: float, y: float, low: float, high: float, across: bool) -> tuple[tuple, tuple]:
    """Middle and half measures of an upright thin box at a side or at an end."""
    half = (abs(x), 0.011, (high - low) / 2) if across else (0.011, abs(y), (high - low) / 2)
    return ((0, y, (low + high) / 2) if across else (x, 0, (low + high) / 2)), half


def _cot(rng: np.random.Generator) -> RestingPlace:
    """Bars around a mattress; now and then a side is down."""
    x, y = rng.uniform(0.27, 0.36), rng.uniform(0.5, 0.68)
    rail, floor = rng.uniform(0.2, 0.52), -rng.uniform(0.2, 0.6)
    painters = (surfaces.wood, surfaces.plaster)
    parts = [_mattress(x, y, 0.1)]
    down = int(rng.choice([-1, 0, 1], p=[0.2, 0.6, 0.2]))
    boards = rng.random() < 0.4
    for sign in (-1, 1):
        if sign != down:
            middle, half = _side(sign * (x + 0.012), y, -0.1, rail, False)
            parts.append(Part(middle, half, SHELL, painters, Bars))
            parts.append(
                Part((sign * (x + 0.012), 0, rail), (0.017, y + 0.02, 0.02), SHELL, painters)
            )
        middle, half = _side(x, sign * (y + 0.012), -0.1, rail, True)
        parts.append(Part(middle, half, SHELL, painters, Box if boards else Bars))
        parts.append(Part((0, sign * (y + 0.012), rail), (x + 0.02, 0.017, 0.02), SHELL, painters))
    parts += _posts(x + 0.012, y + 0.012, floor, rail, painters)
    if rng.random() < 0.3:
        parts += _bumpers(rng, x, y)
    return RestingPlace("cot", (x, y), floor, tuple(parts))


def spare_cot(rng: np.random.Generator) -> list[Part]:
    """A cot that stands about, on a floor at z = 0."""
    cot = _cot(rng)
    return [
        part._replace(centre=(*part.centre[:2], part.centre[2] - cot.floor_m)) for part in cot.parts
    ]


def _posts(x: float, y: float, low: float, high: float, painters=WOODEN) -> list[Part]:
    half = (0.02, 0.02, (high - low) / 2)
    return [
        Part((i * x, j * y, (low + high) / 2), half, SHELL, painters)
        for i in (-1, 1)
        for j in (-1, 1)
    ]


def _bumpers(rng: np.random.Generator, x: float, y: float) -> list[Part]:
    """Padding inside the bars at the head end."""
    high = rng.uniform(0.06, 0.12)
    return [
        Part((0, y - 0.02, high), (x, 0.02, high), SOFT, surfaces.BEDDING),
        *(
            Part((i * (x - 0.02), 0.6 * y, high), (0.02, 0.4 * y, high), SOFT, surfaces.BEDDING)
            for i in (-1, 1)
        ),
    ]


def _travel_cot(rng: np.random.Generator) -> RestingPlace:
    """Netting between padded posts."""
    x, y = rng.uniform(0.28, 0.36), rng.uniform(0.48, 0.62)
    rail, floor = rng.uniform(0.3, 0.62), -rng.uniform(0.05, 0.3)
    band, tone = rng.uniform(0.02, 0.14), float(rng.choice([0.02, 0.05, 0.85]))
    parts, veils = [_mattress(x, y, 0.04)], []
    for sign in (-1, 1):
        for across in (False, True):
            spot = (x, sign * y, True) if across else (sign * x, y, False)
            middle, half = _side(*spot[:2], floor, band, spot[2])
            parts.append(Part(middle, half, SOFT, surfaces.SOFT))
            middle, half = _side(*spot[:2], band, rail, spot[2])
            veils.append(Veil(middle, half, (tone,) * 3, float(rng.uniform(0.3, 0.55))))
            middle, half = _side(*spot[:2], rail - 0.025, rail + 0.025, spot[2])
            parts.append(Part(middle, tuple(np.maximum(half, 0.022)), SOFT, surfaces.SOFT))
    parts += _posts(x, y, floor, rail, surfaces.SOFT)
    return RestingPlace("travel cot", (x - 0.02, y - 0.02), floor, tuple(parts), tuple(veils))


def _basket(rng: np.random.Generator) -> RestingPlace:
    """A small bed with low walls, on the floor or on legs."""
    x, y, high = rng.uniform(0.18, 0.24), rng.uniform(0.36, 0.44), rng.uniform(0.1, 0.24)
    floor = -rng.choice([0.08, rng.uniform(0.3, 0.6)])
    painters = (surfaces.fabric, surfaces.wood, surfaces.carpet)
    parts = [_mattress(x, y, 0.06)]
    for sign in (-1, 1):
        for spot in ((sign * (x + 0.02), y, False), (x + 0.03, sign * (y + 0.02), True)):
            middle, half = _side(*spot[:2], -0.08, high, spot[2])
            parts.append(Part(middle, tuple(np.maximum(half, 0.02)), SHELL, painters))
    if floor < -0.1:
        parts += _posts(0.8 * x, 0.8 * y, floor, -0.08)
    return RestingPlace("basket", (x, y), floor, tuple(parts), elevation_degrees=(20.0, 88.0))


def _changing_mat(rng: np.random.Generator) -> RestingPlace:
    """A pad with raised sides on a chest of drawers, or on the floor."""
    x, y, thick = rng.uniform(0.22, 0.28), rng.uniform(0.33, 0.42), rng.uniform(0.02, 0.04)
    high = rng.random() < 0.7
    floor = -rng.uniform(0.75, 0.95) if high else -thick
    pad = (surfaces.vinyl, surfaces.rug, surfaces.bedding)
    parts = [Part((0, 0, -thick / 2), (x, y, thick / 2), SHEET, pad)]
    for sign in (-1, 1):
        parts.append(Part((sign * x, 0, 0), (0.04, 1.02 * y, 0.05), SHEET, pad, Ball))
    parts.append(Part((0, y, 0), (1.05 * x, 0.04, 0.045), SHEET, pad, Ball))
    if high:
        deep, wide = rng.uniform(0.02, 0.08), rng.uniform(0.02, 0.3)
        half = (x + wide, y + deep, (-thick - floor) / 2)
        parts.append(Part((0, 0, (floor - thick) / 2), half, SHELL, CASES))
    if rng.random() < 0.4:
        parts.append(Part((0, 0, 0.002), (0.8 * x, 0.7 * y, 0.002), MORE, surfaces.SHEETS))
    return RestingPlace("changing mat", (x - 0.04, y - 0.03), floor, tuple(parts))


def _play_mat(rng: np.random.Generator) -> RestingPlace:
    """A printed mat on the floor, often with arches that toys hang from."""
    x, y, thick = rng.uniform(0.42, 0.9), rng.uniform(0.45, 0.9), rng.uniform(0.003, 0.02)
    painters = (surfaces.rug, surfaces.rug, surfaces.tiles, surfaces.vinyl)
    parts = [Part((0, 0, -thick / 2), (x, y, thick / 2), SHEET, painters)]
    arches = []
    if rng.random() < 0.55:
        reach, high = min(x, y, 0.55), rng.uniform(0.42, 0.56)
        for turn in (1, -1):
            angle = np.linspace(0, np.pi, 12)[:, None]
            arch = np.hstack([np.cos(angle) * [reach, turn * reach], high * np.sin(angle)])
            arches.append(Tube(arch, rng.uniform(0.008, 0.018), colour(rng)))
            parts += _hung(rng, reach, turn * reach, high)
    return RestingPlace("play mat", (x, y), -thick, tuple(parts), tubes=tuple(arches))


def _hung(rng: np.random.Generator, x: float, y: float, high: float) -> list[Part]:
    """What hangs from an arch that goes from (-x, -y) to (x, y)."""
    parts = []
    for number in range(int(rng.integers(1, 4))):
        c = rng.uniform(-0.6, 0.6)
        top, drop, size = (
            high * np.sqrt(1 - c * c),
            rng.uniform(0.06, 0.18),
            rng.uniform(0.02, 0.05),
        )
        string = (x * c, y * c, top - drop / 2)
        parts.append(Part(string, (0.002, 0.002, drop / 2), TRIM, (surfaces.vinyl,)))
        solid = (Ball, Ball, Drum, Box)[int(rng.integers(4))]
        hung = (x * c, y * c, top - drop - size / 2)
        parts.append(Part(hung, (size,) * 3, MORE + 10 + number + 5 * (y > 0), TOYS, solid))
    return parts


def _bed(rng: np.random.Generator) -> RestingPlace:
    """A large bed with pillows, a cover drawn back and a board at its head."""
    x, y, floor = rng.uniform(0.45, 0.95), rng.uniform(0.9, 1.05), -rng.uniform(0.35, 0.6)
    parts = [
        _mattress(x, y, 0.2),
        Part((0, 0, (floor - 0.2) / 2), (x + 0.03, y + 0.03, (-floor - 0.2) / 2), SHELL, WOODEN),
        Part((0, y + 0.05, 0.1), (x + 0.04, 0.03, 0.1 - floor), SHELL, (*WOODEN, surfaces.fabric)),
    ]
    for side in (-1, 1) if x > 0.65 else (0,):
        if rng.random() < 0.85:
            spot = (side * 0.48 * x + rng.normal(0, 0.03), y - rng.uniform(0.2, 0.3), 0.03)
            parts.append(
                Part(spot, (0.3, 0.2, rng.uniform(0.06, 0.1)), SOFT, surfaces.SHEETS, Ball)
            )
    if rng.random() < 0.6:
        reach, thick = rng.uniform(0.1, 0.35) * y, rng.uniform(0.012, 0.04)
        parts.append(Part((0, reach - y, 0), (x + 0.03, reach, thick), MORE, surfaces.SHEETS))
    # not from behind the board at its head
    return RestingPlace(
        "bed", (x - 0.05, 0.62 * y), floor, tuple(parts), azimuth_degrees=(-225.0, 45.0)
    )


def _sofa(rng: np.random.Generator) -> RestingPlace:
    """A seat before a back, between arms."""
    x, y, floor = rng.uniform(0.55, 1.1), rng.uniform(0.27, 0.4), -rng.uniform(0.36, 0.46)
    back = rng.uniform(0.15, 0.24)
    parts = [
        Part((0, 0, floor / 2), (x, y, -floor / 2), SOFT, surfaces.SOFT),
        Part((0, y + 0.1, back + floor / 2), (x + 0.1, 0.1, back - floor / 2), SOFT, surfaces.SOFT),
    ]
    parts += [
        Part((i * (x + 0.08), 0.05, floor / 2 + 0.08), (0.08, y + 0.05, 0.08 - floor / 2), SOFT,
             surfaces.SOFT)
        for i in (-1, 1)
    ]  # fmt: skip
    parts += _cushions(rng, x, y)
    return RestingPlace(
        "sofa", (x, y), floor, tuple(parts), azimuth_degrees=(-165.0, -15.0),
        elevation_degrees=(5.0, 75.0),
    )  # fmt: skip


def _cushions(rng: np.random.Generator, x: float, y: float) -> list[Part]:
    """Cushions along the back."""
    parts = []
    for number in range(int(rng.integers(0, 4))):
        half = (rng.uniform(0.15, 0.22), 0.07, rng.uniform(0.13, 0.18))
        spot = (rng.uniform(-0.85, 0.85) * x, y - 0.08, half[2] - 0.01)
        parts.append(Part(spot, half, CUSHION + number, surfaces.SOFT, Ball))
    return parts


def open_floor(rng: np.random.Generator) -> RestingPlace:
    """A floor with nothing on it."""
    return RestingPlace("floor", (0.35, 0.35), 0.0, (), outdoors=rng.random() < 0.15)


def _carpet(rng: np.random.Generator) -> RestingPlace:
    """The floor, with a rug or a blanket on it or not; now and then on a lawn."""
    half, parts = rng.uniform(0.4, 1.3, 2), []
    outdoors = rng.random() < 0.3
    if outdoors or rng.random() < 0.6:
        painters = (surfaces.rug, surfaces.bedding, surfaces.carpet)
        parts.append(Part((0, 0, 0), (*half, 0.002), SHEET, painters))
    return RestingPlace("floor", (*half,), 0.0, tuple(parts), outdoors=outdoors)


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
        spot = (0, y - 0.2, 0.02)
        parts.append(
            Part(spot, (0.8 * x, 0.17, 0.06), MORE, (surfaces.vinyl, surfaces.paper), Ball)
        )
    return RestingPlace("couch", (x - 0.02, 0.6 * y), floor, tuple(parts), clinic=True)


def _warmer(rng: np.random.Generator) -> RestingPlace:
    """A hospital's open bed with clear walls under a heater, or an incubator under a hood."""
    x, y, floor = rng.uniform(0.25, 0.32), rng.uniform(0.34, 0.42), -rng.uniform(0.8, 1.0)
    wall, clear = rng.uniform(0.1, 0.2), (0.75, 0.8, 0.82)
    hood = rng.random() < 0.3
    wall = rng.uniform(0.3, 0.38) if hood else wall
    parts = [
        _mattress(x, y, 0.03),
        Part((0, 0, -0.08), (x + 0.06, y + 0.06, 0.05), SHELL, (surfaces.plaster,)),
        Part((0, 0, floor / 2 - 0.06), (0.5 * x, 0.6 * y, -floor / 2 - 0.06), SHELL, METAL),
        Part(
            (0, y + 0.14, 0.5 + floor / 2),
            (0.07, 0.04, 0.5 - floor / 2),
            SHELL,
            (surfaces.plaster,),
        ),
        Part((x + 0.2, y + 0.1, 0.35), (0.13, 0.03, 0.1), MORE, (surfaces.dark, surfaces.house)),
    ]
    veils = []
    for sign in (-1, 1):
        for spot in ((x, sign * y, True), (sign * x, y, False)):
            middle, half = _side(*spot[:2], 0.0, wall, spot[2])
            veils.append(Veil(middle, half, clear, float(rng.uniform(0.08, 0.2))))
            middle, half = _side(*spot[:2], wall - 0.004, wall + 0.004, spot[2])
            parts.append(
                Part(middle, tuple(np.minimum(half, [9, 9, 0.005])), TRIM, (surfaces.plaster,))
            )
    if hood:
        veils.append(Veil((0, 0, wall), (x, y, 0.004), clear, float(rng.uniform(0.1, 0.22))))
    else:
        heater = (0, 0.4 * y, rng.uniform(0.8, 1.0))
        parts.append(Part(heater, (0.13, 0.7 * y, 0.05), SHELL, (surfaces.plaster,)))
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

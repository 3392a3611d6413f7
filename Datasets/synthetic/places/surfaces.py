"""Painters of floors, walls, furniture and open land: linear RGB over surface coordinates.

Coordinates are metres on the surface; on walls and on solids the second one points upwards.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people.clothing import colour
from Datasets.synthetic.places.sheets import cloth, mix, noise

Painter = Callable[[np.random.Generator, np.ndarray], np.ndarray]
"""Takes a source of randomness and metres (n, sample, 2); gives linear RGB (n, sample, 3)."""

BRIGHTEST = 2.0
"""Windows may be brighter than a surface that reflects all light."""


def paint(
    rng: np.random.Generator, painters: tuple[Painter, ...], xy: Float[np.ndarray, "n sample 2"]
) -> tuple[Float[np.ndarray, "n 3"], Painter]:
    """Paint points of one surface, averaged over samples, with one of some painters."""
    painter = painters[int(rng.integers(len(painters)))]
    samples = np.moveaxis(painter(rng, xy), 1, 0)
    return np.clip(sum(samples) / len(samples), 0.005, BRIGHTEST), painter


def muted(rng: np.random.Generator, value: tuple[float, float] = (0.45, 0.95)) -> np.ndarray:
    """A linear RGB colour as walls and furniture have: mostly greyish, warm more often than not."""
    hue = rng.normal(0.09, 0.03) % 1 if rng.random() < 0.6 else rng.random()
    rgb = colorsys.hsv_to_rgb(hue, 0.5 * rng.beta(1.1, 3), rng.uniform(*value))
    return np.clip(np.array(rgb) ** 2, 0.01, 0.95)


def wood(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Planks with grain, each of its own shade."""
    tone = np.array([0.45, 0.26, 0.13]) * rng.uniform(0.2, 1.4)
    tone = tone + rng.uniform(0, 0.7) * (tone.mean() - tone)
    width, length = rng.uniform(0.05, 0.22), rng.uniform(0.5, 2.0)
    row = np.floor(xy[..., 0] / width)
    column = np.floor(xy[..., 1] / length + 0.37 * row)
    shade = 1 + rng.uniform(0.04, 0.18) * np.sin(row * 12.9 + column * 78.2)
    grain = 1 + 0.12 * noise(rng, xy * np.array([12.0, 1.0]), 0.25)
    seam = (xy[..., 0] / width % 1.0 > 0.97).astype(float)
    return tone * (shade * grain * (1 - 0.4 * seam))[..., None]


def tiles(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Rectangular tiles with joints, mostly plain, sometimes in two colours."""
    side = rng.uniform(0.1, 0.6)
    cell = xy / (side * np.array([1.0, rng.choice([0.5, 1.0, 1.0])]))
    first = muted(rng)
    second = muted(rng, (0.15, 0.95)) if rng.random() < 0.25 else first
    which = (np.floor(cell) @ np.ones(2)) % 2
    of_its_own = 1 + 0.05 * np.sin(np.floor(cell) @ np.array([12.9, 78.2]))
    away = np.abs(cell % 1.0 - 0.5)
    joint = (np.maximum(away[..., 0], away[..., 1]) > 0.5 - 0.004 / side).astype(float)
    clouds = 1 + rng.uniform(0, 0.1) * noise(rng, xy, 0.3)
    shade = of_its_own * clouds * (1 - rng.uniform(0.15, 0.6) * joint)
    return mix(first, second, which) * shade[..., None]


def bricks(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Bricks with mortar."""
    height = rng.uniform(0.06, 0.1)
    row = np.floor(xy[..., 1] / height)
    along = xy[..., 0] / (height * 3) + 0.5 * (row % 2)
    shade = 1 + 0.2 * np.sin(row * 33.7 + np.floor(along) * 91.1) + 0.1 * noise(rng, xy, 0.1)
    mortar = (xy[..., 1] / height % 1.0 > 0.88) | (along % 1.0 > 0.95)
    tones = np.array([[0.36, 0.14, 0.08], [0.3, 0.2, 0.13], [0.35, 0.33, 0.3], [0.7, 0.68, 0.64]])
    tone = tones[int(rng.integers(len(tones)))] * rng.uniform(0.6, 1.3)
    return np.where(mortar[..., None], tone.mean() * rng.uniform(0.6, 1.8), tone * shade[..., None])


def _grained(tone: np.ndarray, *grain: np.ndarray) -> np.ndarray:
    """One colour, brighter and darker by shares per point."""
    return tone * np.asarray(1 + sum(grain))[..., None]


def even(tone: np.ndarray, rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """One colour with faint stains."""
    return _grained(tone, 0.03 * noise(rng, xy, 0.8))


def plaster(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A painted wall, a little stained."""
    tone = colour(rng, 0.55, (0.4, 0.97)) if rng.random() < 0.2 else muted(rng, (0.6, 0.97))
    return _grained(tone, rng.uniform(0.0, 0.06) * noise(rng, xy, rng.uniform(0.3, 1.5)))


def concrete(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Cast or trodden grey, in clouds and spots."""
    clouds = [high * noise(rng, xy, at) for high, at in ((0.14, 0.9), (0.08, 0.12), (0.06, 0.02))]
    tone = muted(rng, (0.35, 0.75))
    return _grained(tone + 0.7 * (tone.mean() - tone), *clouds)


def ceiling(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """White or nearly so, at times in panels."""
    panel = (np.abs(xy / 0.6 % 1.0 - 0.5).max(axis=-1) > 0.49) * rng.choice([0.0, 0.0, 0.35])
    return muted(rng, (0.85, 0.97)) * (1 - panel)[..., None]


def wall(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A wall of some make, often with a skirting board, at times in two parts."""
    painters = (plaster, plaster, plaster, plaster, wallpaper, bricks, tiles, wood, concrete)
    painter = painters[int(rng.integers(len(painters)))]
    shown, up = painter(rng, xy), xy[..., 1:]
    if rng.random() < 0.15:
        line = rng.uniform(0.8, 1.4)
        lower = (plaster, tiles, wood)[int(rng.integers(3))](rng, xy)
        shown = np.where(up < line, lower, shown) * np.where(np.abs(up - line) < 0.02, 0.7, 1.0)
    if rng.random() < 0.6:
        top, board = rng.uniform(0.05, 0.14), muted(rng, (0.7, 0.97))
        shown = np.where(up < top, board, shown) * np.where(np.abs(up - top) < 0.008, 0.6, 1.0)
    return shown


def wallpaper(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A wall with a pale print, larger than on cloth."""
    printed, ground = cloth(rng, xy * rng.uniform(0.2, 0.6)), muted(rng, (0.7, 0.97))
    return ground + rng.uniform(0.15, 0.7) * (printed - ground)


def carpet(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Fine pile, walked on here and there, at times in rows of loops."""
    pile = rng.uniform(0.03, 0.12) * noise(rng, xy, rng.uniform(0.004, 0.012))
    if rng.random() < 0.3:
        row = np.sin(2 * np.pi * xy[..., 0] / rng.uniform(0.008, 0.03))
        pile = pile + rng.uniform(0.02, 0.1) * row
    trodden = 0.07 * noise(rng, xy, 0.6) + 0.04 * noise(rng, xy, 0.15)
    tone = colour(rng, 0.7, (0.15, 0.8)) if rng.random() < 0.3 else muted(rng, (0.35, 0.92))
    return _grained(tone, pile, trodden)


def foam(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Foam tiles of a play mat in bright colours, that interlock along wavy seams."""
    side, teeth = rng.choice([0.3, 0.6]), rng.uniform(0.03, 0.05)
    wave = 0.012 * np.sign(np.sin(np.pi * xy[..., ::-1] / teeth))
    near = np.abs((xy / side + 0.5) % 1.0 - 0.5) * side < 0.02
    cell = np.floor((xy + np.where(near, wave, 0.0)) / side)
    which = (cell @ np.array([1.0, 2.0]) % int(rng.integers(2, 5))).astype(int)
    tones = np.stack([colour(rng, 0.9, (0.5, 0.98)) for _ in range(4)])
    inside = np.abs(xy / side % 1.0 - 0.5)
    drawn = np.linalg.norm(inside, axis=-1) < rng.uniform(0.0, 0.3)
    shown = np.where(drawn[..., None], tones[(which + 1) % 4], tones[which])
    seam = (inside.max(axis=-1) > 0.5 - 0.003 / side)[..., None]
    return np.where(seam, 0.6 * shown, shown) * (1 + 0.02 * noise(rng, xy, 0.006))[..., None]


def rug(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A patterned mat."""
    return cloth(rng, xy * rng.uniform(0.35, 0.9))


def fabric(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Upholstery and bedding."""
    return carpet(rng, xy * 2) if rng.random() < 0.5 else cloth(rng, xy)


def bedding(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Sheets and blankets, half of them plain and pale."""
    if rng.random() < 0.5:
        return _grained(muted(rng, (0.75, 0.97)), 0.04 * noise(rng, xy, 0.2))
    return cloth(rng, xy)


def crumpled(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A used sheet, with creases."""
    crease = np.exp(-((noise(rng, xy, rng.uniform(0.3, 0.7)) / 0.22) ** 2))
    crease *= np.clip(noise(rng, xy, 0.5), 0, 1)
    return bedding(rng, xy) * (1 - rng.uniform(0.1, 0.3) * crease)[..., None]


def paper(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Paper or oilcloth of a clinic: pale, faintly wrinkled."""
    tint = np.array([0.8, 0.83, 0.84]) * rng.uniform(0.75, 1.1)
    return _grained(tint, 0.03 * noise(rng, xy, 0.1))


def vinyl(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Smooth upholstery of one colour."""
    return np.broadcast_to(colour(rng, 0.8, (0.15, 0.9)), (*xy.shape[:-1], 3))


def lacquer(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Even furniture paint with gaps between doors and drawers, and their handles."""
    width, height = rng.uniform(0.3, 0.6), rng.uniform(0.2, 0.9)
    cell = np.abs(xy / np.array([width, height]) % 1.0 - 0.5)
    gap = (cell > 0.5 - 0.004 / np.array([width, height])).any(axis=-1)
    handle = (cell < np.array([0.12, 0.012 / height])).all(axis=-1)
    tone = colour(rng) if rng.random() < 0.25 else muted(rng, (0.1, 0.97))
    shown = tone * np.where(gap, 0.4, 1.0)[..., None]
    return np.where(handle[..., None], 0.5 * tone.mean() + 0.05, shown)


def dark(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Screens and machines."""
    return _grained(np.full(3, rng.uniform(0.01, 0.08)), 0.1 * noise(rng, xy, 0.5))


def shelf(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Rows of books and things of different heights on boards."""
    step = rng.uniform(0.22, 0.4)
    row, level = np.floor(xy[..., 1] / step), xy[..., 1] / step % 1.0
    place = xy[..., 0] / rng.uniform(0.025, 0.07) + row * 0.61
    item = np.floor(place + 0.3 * np.sin(np.floor(place) * 5.1))
    which = ((row * 5 + item * 7) % 11).astype(int)
    colours = np.stack([colour(rng, 0.9, (0.05, 0.9)) for _ in range(11)])
    tall = rng.uniform(0.45, 0.9, 11)
    board = muted(rng, (0.1, 0.95))
    shown = np.where((level < tall[which])[..., None], colours[which], 0.12 * board)
    return np.where((level > 0.93)[..., None], board, shown)


def leaves(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Foliage: bright leaves before dark gaps."""
    tone = np.array([0.12, 0.2, 0.04]) * rng.uniform(0.5, 1.6) * rng.uniform(0.7, 1.3, 3)
    light = noise(rng, xy, 0.05) + 0.8 * noise(rng, xy, 0.2) + 0.5 * noise(rng, xy, 0.02)
    return tone * np.clip(0.9 + 0.6 * light, 0.08, 2.5)[..., None]


def bark(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """The stem of a tree."""
    ridges = noise(rng, xy * np.array([4.0, 1.0]), 0.3) + 0.5 * noise(rng, xy, 0.06)
    return np.array([0.16, 0.11, 0.07]) * np.clip(1 + 0.35 * ridges, 0.2, 2)[..., None]


def house(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """The front of a building: rows of windows with frames in a wall."""
    cell = xy / np.array([rng.uniform(1.2, 3.0), rng.uniform(2.4, 3.4)])
    half = np.array([rng.uniform(0.15, 0.35), rng.uniform(0.18, 0.35)])
    away = np.abs(cell % 1.0 - 0.5) / half
    pane = np.array([0.1, 0.14, 0.18]) * rng.uniform(0.3, 3)
    pane = _grained(pane, 0.6 * noise(rng, xy, 2.0))
    front = (plaster, plaster, bricks, concrete)[int(rng.integers(4))](rng, xy)
    shown = np.where((away < 1.2).all(axis=-1)[..., None], muted(rng, (0.3, 0.95)), front)
    return np.where((away < 1.0).all(axis=-1)[..., None], pane, shown)


def fence(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Boards side by side, weathered."""
    width = rng.uniform(0.08, 0.16)
    board = np.floor(xy[..., 0] / width)
    gap = np.where(xy[..., 0] / width % 1.0 > 0.92, 0.15, 1.0)
    shade = gap * (1 + 0.15 * np.sin(board * 12.9) + 0.1 * noise(rng, xy * [6.0, 1.0], 0.3))
    return muted(rng, (0.25, 0.9)) * shade[..., None]


def land(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Grass, sand, earth, asphalt or snow, often with patches of another or a path across."""
    shown = _ground(rng, xy)
    draw = rng.random()
    if draw < 0.4:
        patch = noise(rng, xy, rng.uniform(0.8, 4.0)) + 0.4 * noise(rng, xy, 0.3)
        share = 1 / (1 + np.exp(-5 * (patch - rng.uniform(-0.5, 1.5))))
        shown = shown + share[..., None] * (_ground(rng, xy) - shown)
    elif draw < 0.6:
        angle = rng.uniform(0, np.pi)
        across = xy @ np.array([np.cos(angle), np.sin(angle)]) - rng.uniform(-3, 3)
        path = np.abs(across + 0.08 * noise(rng, xy, 0.7)) < rng.uniform(0.5, 2.0)
        paved = (concrete, tiles, _ground)[int(rng.integers(3))](rng, xy)
        shown = np.where(path[..., None], paved, shown)
    return shown


GROUNDS = (
    (0.09, 0.15, 0.03), (0.45, 0.36, 0.24), (0.2, 0.13, 0.08), (0.1, 0.1, 0.105),
    (0.75, 0.79, 0.85),
)  # fmt: skip
"""Linear RGB of grass, sand, earth, asphalt and snow."""


def _ground(rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    tone = np.array(GROUNDS[int(rng.choice(5, p=[0.45, 0.18, 0.15, 0.15, 0.07]))])
    tone = tone * rng.uniform(0.7, 1.4) * rng.uniform(0.93, 1.07, 3)
    rough = 0.25 * noise(rng, xy, 0.08) + 0.2 * noise(rng, xy, 1.1) + 0.2 * noise(rng, xy, 0.02)
    rough = rough + 0.16 * noise(rng, xy * [1.0, 1.3], 0.006)
    return tone * np.clip(1 + rng.uniform(0.4, 1.0) * rough, 0.2, 2)[..., None]


def framed(half: np.ndarray, rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A print or a photograph in a frame on a box of half measures ``half``, metres."""
    inside = 1 - np.abs(xy) / half[[0, 2]]
    edge = (inside * half[[0, 2]]).min(axis=-1)[..., None]
    border, frame = rng.uniform(0.012, 0.05), muted(rng, (0.05, 0.97))
    if rng.random() < 0.4:
        shown = cloth(rng, xy)
    else:
        far = 1 / (1 + np.exp(-12 * (inside[..., 1] - rng.uniform(0.2, 0.8))))
        shown = _grained(mix(colour(rng), colour(rng), far), 0.3 * noise(rng, xy, 0.1))
    shown = np.where(edge < border + rng.choice([0.0, 0.05]), 0.85, shown)
    return np.where(edge < border, frame, shown)


def window(half: np.ndarray, rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """Bright panes between bars; see ``framed``."""
    edge = (half[[0, 2]] - np.abs(xy)).min(axis=-1)
    bars = np.abs(xy[..., 0]) < 0.03
    if rng.random() < 0.5:
        bars = bars | (np.abs(xy[..., 1] - 0.1) < 0.02)
    sky = np.array([0.75, 0.85, 1.0]) * rng.uniform(0.8, 2.0)
    green = np.array([0.2, 0.3, 0.12]) * rng.uniform(0.5, 2.0)
    line = rng.uniform(-1.0, 0.6) * half[2] + 0.08 * noise(rng, xy * [1.0, 0.0], 0.5)
    view = mix(green, sky, 1 / (1 + np.exp(-(xy[..., 1] - line) / 0.03)))
    return np.where((bars | (edge < 0.05))[..., None], rng.uniform(0.5, 0.95), view)


def door(half: np.ndarray, rng: np.random.Generator, xy: np.ndarray) -> np.ndarray:
    """A door with panels and a handle; see ``framed``."""
    tone = muted(rng, (0.2, 0.97))
    cell = np.abs((xy / half[[0, 2]] + 1) * [1.0, rng.choice([1.0, 1.5])] % 1.0 - 0.5)
    groove = np.abs(cell.max(axis=-1) - 0.38) < 0.025
    edge = (half[[0, 2]] - np.abs(xy)).min(axis=-1)
    shown = tone * np.where(groove | (edge < 0.012), 0.6, 1.0)[..., None]
    knob = np.linalg.norm(xy - np.array([0.8 * half[0], 0.0]), axis=-1) < 0.035
    return np.where(knob[..., None], 0.25, shown)


FLOORS: tuple[Painter, ...] = (wood, wood, wood, tiles, carpet, carpet, concrete, rug)
SOFT_FLOORS: tuple[Painter, ...] = (rug, foam, carpet, carpet, bedding, crumpled, wood, wood)
WALLS: tuple[Painter, ...] = (wall,)
CEILINGS: tuple[Painter, ...] = (ceiling,)
FURNITURE: tuple[Painter, ...] = (wood, lacquer, lacquer, fabric, fabric, shelf, dark)
SOFT: tuple[Painter, ...] = (fabric,)
BEDDING: tuple[Painter, ...] = (bedding,)
SHEETS: tuple[Painter, ...] = (bedding, crumpled, crumpled)
PLANTS: tuple[Painter, ...] = (leaves,)
STEMS: tuple[Painter, ...] = (bark,)
BUILDINGS: tuple[Painter, ...] = (house, house, house, bricks, concrete)
FENCES: tuple[Painter, ...] = (fence,)
LANDS: tuple[Painter, ...] = (land, land, land, land, tiles, concrete)

RELIEF: dict[Painter, tuple[float, float]] = {
    bedding: (0.14, 0.22), fabric: (0.08, 0.3), leaves: (0.7, 0.12), land: (0.2, 0.07),
    bark: (0.3, 0.08), carpet: (0.03, 0.012), bricks: (0.05, 0.1), concrete: (0.03, 0.2),
    crumpled: (0.22, 0.16), paper: (0.1, 0.12),
}  # fmt: skip
"""How much bumps tilt a surface, as a tangent, and how far they are apart, metres."""

"""The kinds of pictures that an infant detector must tell apart: one function composes each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from Datasets.synthetic.compose.carers import bend_over, hold, reach_over
from Datasets.synthetic.compose.composition import Composition, dangling_cable
from Datasets.synthetic.compose.dolls import make_doll, plush
from Datasets.synthetic.compose.figures import Figure, draw_figure, side_by_side
from Datasets.synthetic.places.background import Background
from Datasets.synthetic.places.furniture import small_toy
from Datasets.synthetic.places.resting_places import draw_resting_place, open_floor
from Datasets.synthetic.render.covers import THICK, THIN, crumpled, draw_cover, tuck_in
from Datasets.synthetic.render.overlays import draw_tubes
from Datasets.synthetic.render.renderer import Rendering

ABOVE, ASIDE = (45.0, 88.0), (8.0, 45.0)
YOUNG = ("infant", "toddler")
LYING = ("supine", "supine", "prone", "on the side")
NEIGHBOURS = ("sitting", "sitting", "kneeling", "standing", "on the side", "squatting", "on a seat")
"""Postures of carers beside an infant."""
GRASPED = ("spine03", "spine03", "head", "foot.L", "wrist.R")
"""Bones of an infant that carers take hold of."""


def _empty_place(rng: np.random.Generator, wide: bool = False, above: float = 0.55) -> Composition:
    """A resting place without people, looked at from above in a share of cases."""
    place = draw_resting_place(rng, wide)
    low, high = place.elevation_degrees
    wanted = ABOVE if rng.random() < above else ASIDE
    angles = (max(low, min(wanted[0], high - 5)), min(high, max(wanted[1], low + 5)))
    made = Composition(rng, place, azimuth_degrees=place.azimuth_degrees, elevation_degrees=angles)
    if rng.random() < 0.25:
        made.scatter_toys(int(rng.integers(1, 5)))
    if angles[0] >= ABOVE[0] and rng.random() < 0.2:
        _leave_blanket(made)
    return made


def _leave_blanket(made: Composition) -> None:
    """Leave a crumpled blanket on the place."""
    middle = tuple(made.rng.uniform(-0.8, 0.8, 2) * made.place.half_m)
    blanket = crumpled(made.rng, middle, made.place.half_m)
    made.overlays.append(partial(draw_cover, blanket))


def _add_infant(made: Composition) -> Figure:
    """Put an infant on the place, in a hospital often with cables."""
    rng = made.rng
    infant = made.settle(draw_figure(rng, YOUNG[int(rng.random() < 0.2)]))
    made.figures.append(infant)
    if rng.random() < (0.6 if made.place.clinic else 0.08):
        made.connect(infant, int(rng.integers(1, 5)))
    return infant


def _add_toy_infant(made: Composition) -> None:
    """Put a doll or a plush animal on the place."""
    if made.rng.random() < 0.68:
        made.dolls.append(made.settle(make_doll(made.rng)))
        return
    animal = plush(made.rng)
    reach = max(abs(part.centre[1]) + part.half[1] for part in animal)
    made.put(animal, reach)
    spot = made.things[-1][1]
    made.aims.append(spot + np.array([[-reach, -reach, 0.0], [reach, reach, 1.5 * reach]]))


def _add_carers(made: Composition, spot: np.ndarray, count: int = 1) -> None:
    """Bend carers over a point of the place; the camera looks from elsewhere, or past them."""
    rng, place, half = made.rng, made.place, np.array(made.place.half_m)
    first = rng.choice([0.0, 180.0, -90.0], p=[0.42, 0.42, 0.16])
    if place.name == "sofa":
        first = -90.0
    for number in range(count):
        azimuth = first + 180.0 * number + rng.normal(0, 10)
        across = int(abs(np.sin(np.radians(azimuth))) > 0.7)
        sign = np.sign((np.cos, np.sin)[across](np.radians(azimuth)))
        high = place.floor_m < -0.05
        edge = half[across] - sign * spot[across] if high else rng.uniform(0.12, 0.3)
        palms = np.append(spot[:2], spot[2] + rng.uniform(0.02, 0.12)) + rng.normal(0, 0.05, (2, 3))
        age = str(rng.choice(["adult", "adult", "adult", "elder", "child"]))
        made.figures.append(bend_over(rng, palms, azimuth, edge, place.floor_m, age))
    if rng.random() < 0.5 or len(made.figures) == count:
        made.aims += [carer.posed.place for carer in made.figures[-count:]]
    if rng.random() < 0.85 and place.azimuth_degrees == (-180.0, 180.0):
        made.azimuth_degrees = (first + 50.0, first + (310.0 if count == 1 else 130.0))


def _alone(rng: np.random.Generator) -> Composition:
    """One infant, seldom two."""
    made = _empty_place(rng)
    for _ in range(2 if rng.random() < 0.08 else 1):
        _add_infant(made)
    return made


def _cared(rng: np.random.Generator) -> Composition:
    """Carers who hold an infant, are beside it or bend over it."""
    draw = rng.random()
    if draw < 0.18:
        return _held(rng, doll=False)
    if draw < 0.45:
        return _beside(rng)
    made = _empty_place(rng, above=0.45)
    for _ in range(2 if rng.random() < 0.1 else 1):
        infant = _add_infant(made)
    grasped = infant.at(GRASPED[int(rng.integers(5))])
    _add_carers(made, grasped, 2 if rng.random() < 0.2 else 1)
    return made


def _beside(rng: np.random.Generator) -> Composition:
    """Carers who sit, kneel, stand or lie beside an infant."""
    made = _empty_place(rng, wide=True, above=0.3)
    ages = ("adult",) if rng.random() < 0.75 else ("adult", "adult")
    figures = [draw_figure(rng, "infant")]
    figures += [draw_figure(rng, age, str(rng.choice(NEIGHBOURS))) for age in ages]
    infant, *carers = side_by_side(figures, apart=(-0.12, 0.12))
    made.figures += [infant, *(reach_over(rng, carer, infant) for carer in carers)]
    made.aims += [figure.posed.place for figure in made.figures]
    return made


def _held(rng: np.random.Generator, doll: bool) -> Composition:
    """An infant or a doll in a person's hands."""
    made = Composition(rng, open_floor(rng), elevation_degrees=(0.0, 45.0))
    age = str(rng.choice(["child", "adult", "elder"] if doll else ["adult", "adult", "elder"]))
    if doll:
        small = make_doll(rng, str(rng.choice(["sitting", "standing"])))
    else:
        kind = str(rng.choice(["squatting", "sitting", "standing held"]))
        small = draw_figure(rng, YOUNG[int(rng.random() < 0.3)], kind)
    holder, small = hold(rng, small, age)
    (made.dolls if doll else made.figures).append(small)
    made.figures.append(holder)
    made.aims.append(small.posed.place)
    if rng.random() < 0.75:
        made.aims.append(holder.posed.place)
    return made


def _grown(rng: np.random.Generator) -> Composition:
    """Adults or children at an empty place, with toys or a blanket on it."""
    made = _empty_place(rng, above=0.35)
    made.scatter_toys(int(rng.integers(0, 4)))
    spot = np.append(made.free_spot(0.15), 0.03)
    made.aims.append(spot + rng.uniform(-0.25, 0.25, (6, 3)) * [1, 1, 0])
    _add_carers(made, spot, 2 if rng.random() < 0.25 else 1)
    return made


def _doll(rng: np.random.Generator) -> Composition:
    """Dolls or plush animals, held, beside an infant or alone, sometimes with a carer."""
    draw = rng.random()
    if draw < 0.18:
        return _held(rng, doll=True)
    made = _empty_place(rng)
    if draw < 0.42:
        _add_infant(made)
    for _ in range(int(rng.choice([1, 2, 3], p=[0.75, 0.18, 0.07]))):
        _add_toy_infant(made)
    if draw > 0.88:
        _add_carers(made, np.append(rng.normal(0, 0.05, 2), 0.05))
    return made


def _empty(rng: np.random.Generator) -> Composition:
    """No person: a resting place from near, or a room from afar."""
    if rng.random() < 0.14:
        made = Composition(rng, open_floor(rng), elevation_degrees=(0.0, 40.0))
        made.aims.append(rng.uniform(0.5, 1.6) * np.array([[-1, -1, 0], [1, 1, 0.8]]))
        return made
    made = _empty_place(rng)
    made.scatter_toys(int(rng.choice([0, 0, 1, 3])))
    if made.elevation_degrees[0] >= ABOVE[0] and rng.random() < 0.5:
        _leave_blanket(made)
    x, y = np.maximum(rng.uniform(0.7, 1.2) * np.array(made.place.half_m), 0.25)
    made.aims.append(np.array([[-x, -y, 0.0], [x, y, 0.1]]))
    return made


def _hidden(rng: np.random.Generator) -> Composition:
    """An infant under a blanket, behind hands, toys or cables."""
    covered = rng.random() < 0.5
    made = _empty_place(rng, above=1.0 if covered else 0.5)
    made.visible = 0.3
    covered = covered and made.elevation_degrees[0] > 30 and made.place.half_m[1] > 0.3
    (_add_tucked_in if covered else _add_infant)(made)
    infant, hands = made.figures[0], rng.random() < (0.1 if covered else 0.5)
    if hands:
        _add_carers(made, infant.at(GRASPED[int(rng.integers(5))]))
    if rng.random() < (0.1 if covered else 0.5) or not (covered or hands):
        _add_toys_on(made, infant)
    if rng.random() < 0.4:
        made.connect(infant, int(rng.integers(1, 4)))
    if rng.random() < 0.2:
        root = infant.posed.place[0]
        made.overlays.append(partial(_draw_dangling_cable, int(rng.integers(2**31)), root))
    return made


def _add_tucked_in(made: Composition) -> None:
    """Lay an infant down, head up the place, under a blanket."""
    rng = made.rng
    infant = draw_figure(rng, "infant", str(rng.choice(LYING))).headed(90.0)
    infant = infant.moved(*made.free_spot(0.3))
    made.figures.append(infant)
    made.aims.append(infant.posed.place)
    kind = (THIN, THICK)[int(rng.integers(2))]
    half = tuple(np.minimum(made.place.half_m, rng.uniform(0.3, 0.7, 2)) + 0.01)
    made.overlays.append(partial(draw_cover, tuck_in(rng, kind, infant.surface(), half)))


def _add_toys_on(made: Composition, infant: Figure) -> None:
    """Lay toys on and beside an infant."""
    rng = made.rng
    for _ in range(int(rng.integers(1, 4))):
        toy = plush(rng) if rng.random() < 0.3 else small_toy(rng)
        xy = infant.posed.place[0][:2] + rng.normal(0, 0.12, 2)
        spot = np.append(xy, max(infant.top(xy, 0.03) - 0.01, 0.0))
        made.things.append((toy, spot, rng.uniform(-np.pi, np.pi)))


def _draw_dangling_cable(
    seed: int, focus: np.ndarray, background: Background, frame: Rendering
) -> Rendering:
    """Hang a cable between the camera and a point."""
    camera = background.camera
    nearest = float(np.linalg.norm(camera.position - focus))
    cable = dangling_cable(np.random.default_rng(seed), camera, nearest)
    return draw_tubes([cable], background, frame)


Compose = Callable[[np.random.Generator], Composition]
KINDS: dict[str, tuple[Compose, float]] = {
    "alone": (_alone, 0.2),
    "cared": (_cared, 0.25),
    "grown": (_grown, 0.12),
    "doll": (_doll, 0.17),
    "empty": (_empty, 0.11),
    "hidden": (_hidden, 0.15),
}
"""Kinds of pictures, how each is composed, and how often."""


def draw_kind(rng: np.random.Generator) -> str:
    """Choose a kind of picture."""
    shares = np.array([share for _, share in KINDS.values()])
    return tuple(KINDS)[int(rng.choice(len(KINDS), p=shares / shares.sum()))]

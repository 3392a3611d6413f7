"""What a detector of infants must tell apart, put on a stage: one function per kind of picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from Datasets.synthetic.compose.blankets import heap, spread, tuck_in
from Datasets.synthetic.compose.dolls import make_doll, plush
from Datasets.synthetic.compose.gathering import Guest, invite, reach_of, seated
from Datasets.synthetic.compose.nursing import attend, embrace, reach_over
from Datasets.synthetic.compose.staging import Stage, dangle, headed, small_toy, top_of
from Datasets.synthetic.people.body import rig
from Datasets.synthetic.places.bed import Scene
from Datasets.synthetic.places.covers import THICK, THIN
from Datasets.synthetic.places.resting import draw_resting_place, open_floor
from Datasets.synthetic.render.studio import Shot
from Datasets.synthetic.render.veils import lead

ABOVE, ASIDE = (45.0, 88.0), (8.0, 45.0)
YOUNG = ("infant", "toddler")
LYING = ("supine", "supine", "prone", "on the side")


def _stage(rng: np.random.Generator, wide: bool = False, above: float = 0.55) -> Stage:
    """An empty place and the angle to film it from."""
    place = draw_resting_place(rng, wide)
    low, high = place.elevation_degrees
    wanted = ABOVE if rng.random() < above else ASIDE
    angles = (max(low, min(wanted[0], high - 5)), min(high, max(wanted[1], low + 5)))
    stage = Stage(place, azimuth_degrees=place.azimuth_degrees, elevation_degrees=angles)
    if rng.random() < 0.25:
        stage.scatter_toys(rng, int(rng.integers(1, 5)))
    if angles[0] >= ABOVE[0] and rng.random() < 0.2:
        _crumple(rng, stage)
    return stage


def _crumple(rng: np.random.Generator, stage: Stage) -> None:
    """Leave a blanket lying on the place."""
    middle = rng.uniform(-0.8, 0.8, 2) * stage.place.half_m
    stage.lay.append(partial(spread, heap(rng, tuple(middle), stage.place.half_m)))


def _infant(rng: np.random.Generator, stage: Stage, kind: str | None = None) -> Guest:
    """Put an infant on the place, in a hospital often with cables."""
    infant = invite(rng, YOUNG[int(rng.random() < 0.2)], kind)
    infant = stage.settle(rng, infant, reach_of(infant))
    stage.guests.append(infant)
    if rng.random() < (0.6 if stage.place.clinic else 0.08):
        stage.connect(rng, infant, int(rng.integers(1, 5)))
    return infant


def _toy_baby(rng: np.random.Generator, stage: Stage) -> None:
    """Put a doll or a plush animal on the place."""
    if rng.random() < 0.68:
        doll = make_doll(rng)
        stage.dolls.append(stage.settle(rng, doll, reach_of(doll)))
        return
    animal = plush(rng)
    reach = max(abs(part.centre[1]) + part.half[1] for part in animal)
    stage.put(rng, animal, reach)
    spot = stage.things[-1][1]
    stage.watched.append(spot + np.array([[-reach, -reach, 0.0], [reach, reach, 1.5 * reach]]))


def _alone(rng: np.random.Generator) -> Stage:
    stage = _stage(rng)
    for _ in range(2 if rng.random() < 0.08 else 1):
        _infant(rng, stage)
    return stage


def _attended(rng: np.random.Generator, stage: Stage, spot: np.ndarray, count: int = 1) -> None:
    """Bend carers over a point of the place; the camera looks from elsewhere, or past them."""
    half = np.array(stage.place.half_m)
    first = rng.choice([0.0, 180.0, -90.0], p=[0.42, 0.42, 0.16])
    if stage.place.name == "sofa":
        first = -90.0
    for number in range(count):
        azimuth = first + 180.0 * number + rng.normal(0, 10)
        across = int(abs(np.sin(np.radians(azimuth))) > 0.7)
        sign = np.sign((np.cos, np.sin)[across](np.radians(azimuth)))
        high = stage.place.floor_m < -0.05
        edge = half[across] - sign * spot[across] if high else rng.uniform(0.12, 0.3)
        palms = np.append(spot[:2], spot[2] + rng.uniform(0.02, 0.12)) + rng.normal(0, 0.05, (2, 3))
        age = str(rng.choice(["adult", "adult", "adult", "elder", "child"]))
        stage.guests.append(attend(rng, palms, azimuth, edge, stage.place.floor_m, age))
    if rng.random() < 0.5 or len(stage.guests) == count:
        stage.watched += [carer.posed.place for carer in stage.guests[-count:]]
    if rng.random() < 0.85 and stage.place.azimuth_degrees == (-180.0, 180.0):
        stage.azimuth_degrees = (first + 50.0, first + (310.0 if count == 1 else 130.0))


def _cared(rng: np.random.Generator) -> Stage:
    draw = rng.random()
    if draw < 0.18:
        return _held(rng, doll=False)
    if draw < 0.45:
        return _beside(rng)
    stage = _stage(rng, above=0.45)
    for _ in range(2 if rng.random() < 0.1 else 1):
        infant = _infant(rng, stage)
    _attended(rng, stage, _breast(rng, infant), 2 if rng.random() < 0.2 else 1)
    return stage


def _breast(rng: np.random.Generator, guest: Guest) -> np.ndarray:
    """A point on somebody small where hands take hold."""
    bone = ("spine03", "spine03", "head", "foot.L", "wrist.R")[int(rng.integers(5))]
    return guest.posed.place[rig().index(bone)]


def _beside(rng: np.random.Generator) -> Stage:
    """Carers who sit, kneel, stand or lie beside an infant."""
    stage = _stage(rng, wide=True, above=0.3)
    kinds = ("sitting", "sitting", "kneeling", "standing", "on the side", "squatting", "on a seat")
    ages = ("infant", "adult") if rng.random() < 0.75 else ("infant", "adult", "adult")
    guests = [invite(rng, "infant")]
    guests += [invite(rng, age, str(rng.choice(kinds))) for age in ages[1:]]
    infant, *carers = seated(guests, apart=(-0.12, 0.12))
    stage.guests += [infant, *(reach_over(rng, carer, infant) for carer in carers)]
    stage.watched += [guest.posed.place for guest in stage.guests]
    return stage


def _held(rng: np.random.Generator, doll: bool) -> Stage:
    """An infant or a doll in somebody's hands."""
    stage = Stage(open_floor(rng), elevation_degrees=(0.0, 45.0))
    age = str(rng.choice(["child", "adult", "elder"] if doll else ["adult", "adult", "elder"]))
    if doll:
        small = make_doll(rng, str(rng.choice(["sitting", "standing"])))
    else:
        kind = str(rng.choice(["squatting", "sitting", "standing held"]))
        small = invite(rng, YOUNG[int(rng.random() < 0.3)], kind)
    holder, small = embrace(rng, small, age)
    (stage.dolls if doll else stage.guests).append(small)
    stage.guests.append(holder)
    stage.watched.append(small.posed.place)
    if rng.random() < 0.75:
        stage.watched.append(holder.posed.place)
    return stage


def _grown(rng: np.random.Generator) -> Stage:
    """Somebody grown at an empty place, with toys or a blanket on it."""
    stage = _stage(rng, above=0.35)
    stage.scatter_toys(rng, int(rng.integers(0, 4)))
    spot = np.append(stage.free_spot(rng, 0.15), 0.03)
    stage.watched.append(spot + rng.uniform(-0.25, 0.25, (6, 3)) * [1, 1, 0])
    _attended(rng, stage, spot, 2 if rng.random() < 0.25 else 1)
    return stage


def _doll(rng: np.random.Generator) -> Stage:
    draw = rng.random()
    if draw < 0.18:
        return _held(rng, doll=True)
    stage = _stage(rng)
    if draw < 0.42:
        _infant(rng, stage)
    for _ in range(int(rng.choice([1, 2, 3], p=[0.75, 0.18, 0.07]))):
        _toy_baby(rng, stage)
    if draw > 0.88:
        _attended(rng, stage, np.append(rng.normal(0, 0.05, 2), 0.05))
    return stage


def _empty(rng: np.random.Generator) -> Stage:
    """Nobody: a place from near, or a room from afar."""
    if rng.random() < 0.14:
        stage = Stage(open_floor(rng), elevation_degrees=(0.0, 40.0))
        reach = rng.uniform(0.5, 1.6)
        stage.watched.append(reach * np.array([[-1, -1, 0], [1, 1, 0.8]]))
        return stage
    stage = _stage(rng)
    stage.scatter_toys(rng, int(rng.choice([0, 0, 1, 3])))
    if stage.elevation_degrees[0] >= ABOVE[0] and rng.random() < 0.5:
        _crumple(rng, stage)
    x, y = np.maximum(rng.uniform(0.7, 1.2) * np.array(stage.place.half_m), 0.25)
    stage.watched.append(np.array([[-x, -y, 0.0], [x, y, 0.1]]))
    return stage


def _hidden(rng: np.random.Generator) -> Stage:
    """An infant under a blanket, behind hands, toys or cables."""
    covered = rng.random() < 0.5
    stage = _stage(rng, above=1.0 if covered else 0.5)
    stage.shown = 0.3
    covered = covered and stage.elevation_degrees[0] > 30 and stage.place.half_m[1] > 0.3
    if covered:
        _tucked(rng, stage)
    else:
        _infant(rng, stage)
    infant, hands = stage.guests[0], rng.random() < (0.1 if covered else 0.5)
    if hands:
        _attended(rng, stage, _breast(rng, infant))
    if rng.random() < (0.1 if covered else 0.5) or not (covered or hands):
        _toys_on(rng, stage, infant)
    if rng.random() < 0.4:
        stage.connect(rng, infant, int(rng.integers(1, 4)))
    if rng.random() < 0.2:
        stage.lay.append(partial(_dangling, int(rng.integers(2**31)), infant.posed.place[0]))
    return stage


def _tucked(rng: np.random.Generator, stage: Stage) -> None:
    """Lay an infant down, head up the place, under a blanket."""
    infant = headed(invite(rng, "infant", str(rng.choice(LYING))), 90.0)
    infant = infant.moved(*stage.free_spot(rng, 0.3))
    stage.guests.append(infant)
    stage.watched.append(infant.posed.place)
    kind = (THIN, THICK)[int(rng.integers(2))]
    half = np.minimum(stage.place.half_m, rng.uniform(0.3, 0.7, 2)) + 0.01
    stage.lay.append(partial(spread, tuck_in(rng, kind, infant.surface(), tuple(half))))


def _toys_on(rng: np.random.Generator, stage: Stage, infant: Guest) -> None:
    """Lay toys on and beside an infant."""
    for _ in range(int(rng.integers(1, 4))):
        toy = plush(rng) if rng.random() < 0.3 else small_toy(rng)
        xy = infant.posed.place[0][:2] + rng.normal(0, 0.12, 2)
        spot = np.append(xy, max(top_of(infant, xy, 0.03) - 0.01, 0.0))
        stage.things.append((toy, spot, rng.uniform(-np.pi, np.pi)))


def _dangling(seed: int, focus: np.ndarray, scene: Scene, shot: Shot) -> Shot:
    """Hang a cable between the camera and a point."""
    nearest = float(np.linalg.norm(scene.camera.position - focus))
    return lead([dangle(np.random.default_rng(seed), scene.camera, nearest)], scene, shot)


Compose = Callable[[np.random.Generator], Stage]
SCENES: dict[str, tuple[Compose, float]] = {
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
    shares = np.array([share for _, share in SCENES.values()])
    return tuple(SCENES)[int(rng.choice(len(SCENES), p=shares / shares.sum()))]

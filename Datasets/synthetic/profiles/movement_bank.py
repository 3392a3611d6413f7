"""Joints without pictures: movements at video rate, and postures one by one, of several sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape
from Datasets.synthetic.people.motion_sources import HABITS, move_infant, usable_shares
from Datasets.synthetic.people.phenotypes import LYING_INFANT, draw_body, draw_person
from Datasets.synthetic.people.postures import draw_posture
from Datasets.synthetic.people.signals import choose
from Datasets.synthetic.profiles.generation import random_source
from Datasets.synthetic.workers import Progress, collect
from Engine.errors import DataError
from Engine.files import write_npz

FPS, FRAMES = 30.0, 288
POSTURES, APART_S = 36, 8.0
"""Of each infant in a bank of postures, and seconds between those out of one movement."""

TODDLERS = 0.25
"""Share of toddlers among the bodies of a bank of postures."""

DRAWN = "drawn"
"""Name of the source of postures that are no part of a movement: sitting, crawling and all."""

TILT_DEGREES = {DRAWN: 80.0}
LYING_TILT_DEGREES = 40.0
"""Up to which the bed of an infant in postures is tilted, so that cameras above see its sides."""


@dataclass(frozen=True)
class Mixture:
    """Where movements come from.

    Attributes:
        shares: per source of ``motion_sources``, or ``drawn``, how often an infant takes it.
        files: per setting of ``motion_sources.FILES``, where the file is.
    """

    shares: Mapping[str, float]
    files: Mapping[str, Path]


class BankedInfant(NamedTuple):
    """Joints (frame, 25, 3) in mm and world axes, float32; age, length and source of one infant."""

    joints_mm: Float[np.ndarray, "frame 25 3"]
    age_weeks: float
    length_mm: float
    source: str


def write_movement_bank(
    output: Path,
    infants: int,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
    sources: Mapping[str, float] | None = None,
    **files: Path | None,
) -> None:
    """Write ``FRAMES`` frames of each infant to one compressed npz.

    ``joints_mm`` (infant, frame, 25, 3) float32: the ``infant`` skeleton, millimetres, world axes
    (the bed is z = 0, z up); ``age_weeks``, ``length_mm`` and ``source`` (infant,); ``fps``.

    Args:
        output: the npz file.
        infants: number of bodies.
        seed: with the infant's number decides its body and movement.
        workers: processes; any number gives the same file.
        progress: called with (infants done, infants in all).
        sources: share of each source of movement; habits alone if none is given.
        files: those that sources need, by the names of ``motion_sources.FILES``.

    Raises:
        DataError: no infant asked for, or a source that cannot be used.
    """
    given = {name: path for name, path in files.items() if path is not None}
    mixture = Mixture(usable_shares(sources or {HABITS: 1.0}, given), given)
    _write_bank(output, movement_of_infant, infants, (seed, mixture), FPS, workers, progress)


def write_posture_bank(
    output: Path,
    infants: int,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
    sources: Mapping[str, float] | None = None,
    **files: Path | None,
) -> None:
    """Write ``POSTURES`` postures of each infant: as ``write_movement_bank``, with ``fps`` 0.

    ``sources`` may hold ``drawn``, postures of all kinds, which are all if none is given.
    """
    given = {name: path for name, path in files.items() if path is not None}
    shares = dict(sources or {DRAWN: 1.0})
    drawn = shares.pop(DRAWN, 0.0)
    used = usable_shares(shares, given) if shares or not drawn > 0 else {}
    mixture = Mixture({DRAWN: drawn, **used} if drawn > 0 else used, given)
    _write_bank(output, postures_of_infant, infants, (seed, mixture), 0.0, workers, progress)


def _write_bank(
    output: Path,
    make: Any,
    infants: int,
    first: tuple[Any, ...],
    fps: float,
    workers: int,
    progress: Progress | None,
) -> None:
    if infants < 1:
        raise DataError("a bank needs at least one infant: give --sequences 1 or more")
    jobs = [(*first, number) for number in range(infants)]
    made = collect(make, jobs, workers, progress)
    joints_mm, age_weeks, length_mm, source = zip(*made, strict=True)
    write_npz(
        output,
        joints_mm=np.stack(joints_mm),
        age_weeks=np.array(age_weeks, np.float32),
        length_mm=np.array(length_mm, np.float32),
        source=np.array(source),
        fps=np.array(fps, np.float32),
    )


def movement_of_infant(seed: int, mixture: Mixture, number: int) -> BankedInfant:
    """Move one infant on the bed."""
    rng = random_source(seed, "movement_bank", number)
    shape, source = draw_body(rng, LYING_INFANT), choose(rng, mixture.shares)
    movement = move_infant(source, rng, shape, np.arange(FRAMES) / FPS, mixture.files)
    movement = movement.moved(yaw_degrees=rng.uniform(-180, 180)).centred()
    return _banked(shape, bodies.infant_joints(shape, movement.turn, movement.place), source)


def postures_of_infant(seed: int, mixture: Mixture, number: int) -> BankedInfant:
    """Put one infant into many postures; world axes of a tilted bed."""
    rng = random_source(seed, "posture_bank", number)
    age = "toddler" if rng.random() < TODDLERS else "infant"
    shape, source = draw_person(rng, age), choose(rng, mixture.shares)
    if source == DRAWN:
        posed = [draw_posture(rng, shape, age) for _ in range(POSTURES)]
        turn, place = (np.stack([getattr(p, part) for p in posed]) for part in ("turn", "place"))
    else:
        times = APART_S * np.arange(POSTURES)
        movement = move_infant(source, rng, shape, times, mixture.files)
        turn, place = movement.turn, movement.place
    joints = bodies.infant_joints(shape, turn, place)
    about = rng.uniform(0, 2 * np.pi)
    angle = np.radians(rng.uniform(0, TILT_DEGREES.get(source, LYING_TILT_DEGREES)))
    tilt = Rotation.from_rotvec(angle * np.array([np.cos(about), np.sin(about), 0.0])).as_matrix()
    return _banked(shape, (joints - joints.mean(axis=(0, 1))) @ tilt.T, source)


def _banked(shape: BodyShape, joints_m: np.ndarray, source: str) -> BankedInfant:
    joints_mm = (1000 * joints_m).astype(np.float32)
    return BankedInfant(joints_mm, shape.age_weeks, 1000 * shape.length_m, source)

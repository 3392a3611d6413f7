"""Joints without pictures: movements at video rate, and postures one by one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.phenotypes import LYING_INFANT, draw_body, draw_person
from Datasets.synthetic.people.postures import draw_posture
from Datasets.synthetic.people.smpl_kinematics import read_smpl_poses
from Datasets.synthetic.people.supine_movement import supine_movement
from Datasets.synthetic.profiles.generation import random_source
from Datasets.synthetic.workers import Progress, collect
from Engine.errors import DataError
from Engine.files import write_npz

FPS, FRAMES = 30.0, 288
POSTURES = 36
"""Of each infant in a bank of postures."""

TODDLERS = 0.25
"""Share of toddlers among the bodies of a bank of postures."""

SMPL_SHARE = 0.4
"""Share of the infants in fitted poses, where there are some."""

LARGEST_TILT = {"drawn": 80.0, "fitted": 40.0}
"""Degrees by which the bed of an infant in postures is tilted, so that cameras above see its sides;
fitted poses are of people lying down."""


def write_movement_bank(
    output: Path,
    infants: int,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Write ``FRAMES`` frames of each infant to one compressed npz.

    ``joints_mm`` (infant, frame, 25, 3) float32: the ``infant`` skeleton, millimetres, world axes
    (the bed is z = 0, z up); ``fps``.

    Args:
        output: the npz file.
        infants: number of bodies.
        seed: with the infant's number decides its body and movement.
        workers: processes; any number gives the same file.
        progress: called with (infants done, infants in all).

    Raises:
        DataError: no infant asked for.
    """
    _write_bank(output, movement_of_infant, infants, seed, FPS, workers, progress)


def write_posture_bank(
    output: Path,
    infants: int,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
    smpl_poses: Path | None = None,
) -> None:
    """Write ``POSTURES`` postures of each infant: as ``write_movement_bank``, with ``fps`` 0.

    Args:
        output: the npz file.
        infants: number of bodies.
        seed: with the infant's number decides its body and postures.
        workers: processes; any number gives the same file.
        progress: called with (infants done, infants in all).
        smpl_poses: fits that a share of the infants take; see ``read_smpl_poses``.

    Raises:
        DataError: no infant asked for, or damaged fits.
    """
    fitted = None if smpl_poses is None else read_smpl_poses(smpl_poses)
    make = partial(postures_of_infant, fitted=fitted)
    _write_bank(output, make, infants, seed, 0.0, workers, progress)


def _write_bank(
    output: Path,
    make: Callable[[int, int], np.ndarray],
    infants: int,
    seed: int,
    fps: float,
    workers: int,
    progress: Progress | None,
) -> None:
    if infants < 1:
        raise DataError("a bank needs at least one infant: give --sequences 1 or more")
    joints_mm = collect(make, [(seed, number) for number in range(infants)], workers, progress)
    write_npz(output, joints_mm=np.stack(joints_mm), fps=np.array(fps, np.float32))


def movement_of_infant(seed: int, number: int) -> Float[np.ndarray, "frame 25 3"]:
    """Move one infant on its back; millimetres, world axes, float32."""
    rng = random_source(seed, "movement_bank", number)
    shape = draw_body(rng, LYING_INFANT)
    movement = supine_movement(rng, shape, np.arange(FRAMES) / FPS)
    movement = movement.moved(yaw_degrees=rng.uniform(-180, 180)).centred()
    joints = bodies.infant_joints(shape, movement.turn, movement.place)
    return (1000 * joints).astype(np.float32)


def postures_of_infant(
    seed: int, number: int, fitted: Float[np.ndarray, "pose 24 3"] | None = None
) -> Float[np.ndarray, "frame 25 3"]:
    """Put one infant into many postures; millimetres, world axes of a tilted bed, float32."""
    rng = random_source(seed, "posture_bank", number)
    age = "toddler" if rng.random() < TODDLERS else "infant"
    shape = draw_person(rng, age)
    tilt_kind = "drawn"
    if fitted is not None and rng.random() < SMPL_SHARE:
        tilt_kind = "fitted"
        chosen = fitted[rng.integers(len(fitted), size=POSTURES)]
        joints = smpl_posed_joints(shape, chosen) * [1, -1, -1]
    else:
        posed = [draw_posture(rng, shape, age) for _ in range(POSTURES)]
        turn, place = (np.stack([getattr(p, part) for p in posed]) for part in ("turn", "place"))
        joints = bodies.infant_joints(shape, turn, place)
    about = rng.uniform(0, 2 * np.pi)
    angle = np.radians(rng.uniform(0, LARGEST_TILT[tilt_kind]))
    tilt = Rotation.from_rotvec(angle * np.array([np.cos(about), np.sin(about), 0.0])).as_matrix()
    centred = joints - joints.mean(axis=(0, 1))
    return (1000 * centred @ tilt.T).astype(np.float32)

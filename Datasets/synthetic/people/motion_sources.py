"""Where the movements of infants come from: a table of sources, drawn by their shares.

Several worlds that know nothing of each other show whether what is learnt from one carries over.
To add one: a function of (rng, shape, times), and of what its file holds if it needs one, that
returns a ``Posed`` or the poses that ``rest_on_bed`` takes; and a row in ``SOURCES``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people.body import BodyShape, Posed
from Datasets.synthetic.people.cmu_kinematics import read_recordings, recorded_movement
from Datasets.synthetic.people.random_movement import random_movement
from Datasets.synthetic.people.reaching import reaching
from Datasets.synthetic.people.resting import rest_on_bed
from Datasets.synthetic.people.smpl_kinematics import fitted_movement, read_smpl_poses
from Datasets.synthetic.people.supine_movement import supine_movement
from Datasets.synthetic.people.weak_poses import read_weak_poses, weak_movement
from Engine.errors import DataError


@dataclass(frozen=True)
class MotionSource:
    """A row: one way in which movements are made.

    Attributes:
        name: in settings and on the command line.
        move: function of (rng, shape, times) and, if ``read`` is given, of what it returned.
        read: reads the file that the source takes its poses from.
        file: name of the setting that says where it is.
        held_out: for benchmarks alone; banks to train from do not take it.
    """

    name: str
    move: Callable[..., Posed | tuple[dict[str, np.ndarray], np.ndarray]]
    read: Callable[[Path], Any] | None = None
    file: str = ""
    held_out: bool = False


HABITS = "habits"
SOURCES = {
    source.name: source
    for source in (
        MotionSource(HABITS, supine_movement),
        MotionSource("random", random_movement),
        MotionSource("slp", fitted_movement, read_smpl_poses, "smpl_poses"),
        MotionSource("cmu", recorded_movement, read_recordings, "cmu_angles"),
        MotionSource("syrip", weak_movement, read_weak_poses, "weak_poses"),
        MotionSource("reaching", reaching, held_out=True),
    )
}
FILES = tuple(source.file for source in SOURCES.values() if source.file)
"""Settings that say where files are."""


def move_infant(
    name: str,
    rng: np.random.Generator,
    shape: BodyShape,
    times: Float[np.ndarray, "frame"],
    files: Mapping[str, Path] | None = None,
    **options: Any,
) -> Posed:
    """Move a body on a mattress.

    Args:
        name: a key of ``SOURCES``.
        rng: source of randomness.
        shape: the body.
        times: seconds of the frames, increasing from 0.
        files: per setting of ``FILES``, where the file is.
        options: of the source's own function.

    Raises:
        DataError: the source's file is not given, missing or damaged.
    """
    source = SOURCES[name]
    held = () if source.read is None else (_read(name, _file_of(source, files or {})),)
    moved = source.move(rng, shape, times, *held, **options)
    return moved if isinstance(moved, Posed) else rest_on_bed(shape, *moved, times)


def usable_shares(
    shares: Mapping[str, float], files: Mapping[str, Path], to_train: bool = True
) -> dict[str, float]:
    """The sources with a share above 0, after a look at whether they can be used.

    Args:
        shares: per source, how often it is drawn; any sum.
        files: as in ``move``.
        to_train: refuse what is kept for benchmarks.

    Raises:
        DataError: an unknown source or one kept for benchmarks, a share that is no number from 0,
            a file that is not given or cannot be used, or nothing to draw.
    """
    for name, share in shares.items():
        if name not in SOURCES:
            raise DataError(f"sources: '{name}' is unknown; choose from {', '.join(SOURCES)}")
        if not (np.isfinite(share) and share >= 0):
            raise DataError(f"sources: {name} has the share {share}; give a number from 0")
        if to_train and SOURCES[name].held_out:
            raise DataError(f"sources: '{name}' is kept for benchmarks; choose another")
    used = {name: share for name, share in shares.items() if share > 0}
    if not used:
        raise DataError("sources: none has a share above 0; give one, such as habits=1")
    for name in used:
        if SOURCES[name].read is not None:
            _read(name, _file_of(SOURCES[name], files))
    return used


def _file_of(source: MotionSource, files: Mapping[str, Path]) -> Path:
    if source.file not in files:
        raise DataError(f"sources: {source.name} needs a file; give {source.file}")
    return files[source.file]


@lru_cache(maxsize=len(SOURCES))
def _read(name: str, path: Path) -> Any:
    """What a source's file holds; read once per process."""
    read = SOURCES[name].read
    return None if read is None else read(path)

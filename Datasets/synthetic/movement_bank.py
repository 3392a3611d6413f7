"""Movements without pictures: 3D joints at video rate, hundreds of frames a second on one core."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float

from Datasets.structures import DataError
from Datasets.synthetic.profiles.mini_rgbd import draw_phenotype
from Datasets.synthetic.workers import spread

FPS, FRAMES = 30.0, 288


def write_movement_bank(
    output: Path,
    infants: int,
    seed: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
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
    if infants < 1:
        raise DataError("a movement bank needs at least one infant: give --sequences 1 or more")
    found: dict[int, np.ndarray] = {}
    for number, joints_mm in spread(
        movement_of_infant, [(seed, number) for number in range(infants)], workers
    ):
        found[number] = joints_mm
        if progress is not None:
            progress(len(found), infants)
    output.parent.mkdir(parents=True, exist_ok=True)
    joints_mm = np.stack([found[number] for number in range(infants)])
    np.savez_compressed(output, joints_mm=joints_mm, fps=np.float32(FPS))


def movement_of_infant(seed: int, number: int) -> Float[np.ndarray, "frame 25 3"]:
    """Move one infant on its back; millimetres, world axes, float32."""
    from Datasets.synthetic import body as bodies
    from Datasets.synthetic.motion import supine_movement

    rng = np.random.default_rng((seed, zlib.crc32(b"movement_bank"), number))
    shape = bodies.make_shape(draw_phenotype(rng))
    movement = supine_movement(rng, shape, np.arange(FRAMES) / FPS)
    movement = movement.turned(rng.uniform(-180, 180)).centred()
    joints = bodies.infant_joints(shape, movement.turn, movement.place)
    return (1000 * joints).astype(np.float32)

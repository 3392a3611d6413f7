"""Poses without pictures: 2D-3D pairs for the lifter, hundreds a second on one core."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from Datasets.geometry.camera import intrinsics_from_fov, project
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.structures import DataError
from Datasets.synthetic.profiles.mini_rgbd import MINI_RGBD, SIZE, draw_phenotype
from Datasets.synthetic.scene import Camera, look_at_bed
from Datasets.synthetic.workers import spread

FRAMES, CAMERAS, SECONDS_APART = 24, 6, 2.5
MINI_RGBD_CAMERAS = 4


@dataclass(frozen=True)
class BankPart:
    """Poses of one infant.

    Attributes:
        keypoints_px: (pose, 25, 2) pixels.
        joints_mm: (pose, 25, 3) millimetres, camera frame.
        intrinsics: (pose, 3, 3) pixels.
    """

    keypoints_px: np.ndarray
    joints_mm: np.ndarray
    intrinsics: np.ndarray


def write_pose_bank(
    output: Path,
    infants: int,
    seed: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write ``FRAMES`` x ``CAMERAS`` poses of each infant to one compressed npz.

    Four cameras of six stand as in the profile ``mini_rgbd``; the others have fields of view from
    35 to 85 degrees, distances from 0.4 to 2 m and tilts up to 55 degrees. All turn by any angle.

    Args:
        output: the npz file: arrays as in ``BankPart``, float32, the ``infant`` skeleton.
        infants: number of bodies.
        seed: with the infant's number decides its body, movement and cameras.
        workers: processes; any number gives the same file.
        progress: called with (infants done, infants in all).

    Raises:
        DataError: no infant asked for.
    """
    if infants < 1:
        raise DataError("a pose bank needs at least one infant: give --sequences 1 or more")
    parts: dict[int, BankPart] = {}
    jobs = [(seed, number) for number in range(infants)]
    for number, part in spread(poses_of_infant, jobs, workers):
        parts[number] = part
        if progress is not None:
            progress(len(parts), infants)
    output.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        name: np.concatenate([getattr(parts[n], name) for n in range(infants)]).astype(np.float32)
        for name in ("keypoints_px", "joints_mm", "intrinsics")
    }
    np.savez_compressed(output, **arrays)


def poses_of_infant(seed: int, number: int) -> BankPart:
    """Move one infant and look at it from ``CAMERAS`` sides."""
    from Datasets.synthetic import body as bodies
    from Datasets.synthetic.motion import supine_movement

    rng = np.random.default_rng((seed, zlib.crc32(b"pose_bank"), number))
    shape = bodies.make_shape(draw_phenotype(rng))
    movement = supine_movement(rng, shape, np.arange(FRAMES) * SECONDS_APART)
    views = []
    for view in range(CAMERAS):
        turned = movement.turned(rng.uniform(-180, 180)).centred()
        joints = bodies.infant_joints(shape, turned.turn, turned.place)
        camera = _camera(rng, wide=view >= MINI_RGBD_CAMERAS)
        seen = 1000 * camera.to_camera(joints)
        if seen[..., 2].min() < 150:  # a hand into the lens
            continue
        repeated = np.tile(camera.intrinsics, (FRAMES, 1, 1))
        views.append((project(seen, camera.intrinsics), seen, repeated))
    return BankPart(*(np.concatenate(columns) for columns in zip(*views, strict=True)))


def _camera(rng: np.random.Generator, wide: bool) -> Camera:
    """A camera over the bed: any, or as in the profile ``mini_rgbd``."""
    if wide:
        intrinsics = intrinsics_from_fov(SIZE, rng.uniform(35, 85))
        return look_at_bed(rng, intrinsics, SIZE, (0.4, 2.0), 55.0)
    return look_at_bed(rng, INTRINSICS, SIZE, MINI_RGBD.distance_m, MINI_RGBD.tilt_degrees)

"""Movement out of single poses: from one to the next, each limb in its own time."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.synthetic.people.signals import log_uniform, min_jerk

CANDIDATES = 12
"""Poses of which the one most like the present one comes next."""

SPEED = (0.6, 2.5)
"""Range, over clips, of the mean speed at which a limb turns while it moves, radians per second."""


def between_poses(
    rng: np.random.Generator,
    times: Float[np.ndarray, "frame"],
    poses: Float[np.ndarray, "pose joint 3"],
    limbs: tuple[tuple[int, ...], ...],
) -> Float[np.ndarray, "frame joint 3 3"]:
    """Move through poses that are drawn one after another.

    A limb sets out when it likes after the pose before is reached, takes as long as its way needs,
    and rests.

    Args:
        rng: source of randomness.
        times: seconds of the frames, increasing from 0.
        poses: rotation vectors of all joints; joint 0 turns the whole body.
        limbs: joints that move together.

    Returns:
        Rotations of the joints over time.
    """
    speed, rest = log_uniform(rng, *SPEED), rng.uniform(0.2, 2.0)
    now, pose = -rng.uniform(0, 2), poses[rng.integers(len(poses))]
    quaternions = _quaternions(np.tile(pose, (len(times), 1, 1)))
    while now < times[-1]:
        following, ends = _next(rng, poses, pose), [now]
        for joints in map(list, limbs):
            way = _angles(pose[joints], following[joints]).max()
            start = now + rng.exponential(0.4)
            seconds = max(0.25, way / (speed * rng.uniform(0.6, 1.6)))
            moved = min_jerk((times - start) / seconds)[:, None, None]
            late = times >= start
            chosen = np.ix_(np.flatnonzero(late), np.array(joints))
            quaternions[chosen] = _mixed(pose[joints], following[joints], moved[late])
            ends.append(start + seconds)
        pose, now = following, max(ends) + rng.exponential(rest)
    matrices = Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix()
    return matrices.reshape(*quaternions.shape[:2], 3, 3)


def _next(rng: np.random.Generator, poses: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """The most similar of a few; the turn of the whole body counts most."""
    drawn = poses[rng.integers(len(poses), size=CANDIDATES)]
    away = [_angles(pose, other) @ np.r_[4.0, np.ones(len(pose) - 1)] for other in drawn]
    return drawn[int(np.argmin(away))]


def _angles(first: np.ndarray, second: np.ndarray) -> Float[np.ndarray, "joint"]:
    """Angles between two rotations of each joint, radians."""
    return (Rotation.from_rotvec(first).inv() * Rotation.from_rotvec(second)).magnitude()


def _quaternions(vectors: np.ndarray) -> np.ndarray:
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_quat().reshape(*vectors.shape[:-1], 4)


def _mixed(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Spherical interpolation (frame, joint, 4) on the short way."""
    start, way = Rotation.from_rotvec(first), Rotation.from_rotvec(first).inv()
    way = (way * Rotation.from_rotvec(second)).as_rotvec()
    steps = Rotation.from_rotvec((share * way).reshape(-1, 3))
    starts = Rotation.from_quat(np.tile(start.as_quat(), (len(share), 1)))
    return (starts * steps).as_quat().reshape(len(share), len(first), 4)

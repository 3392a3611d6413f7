"""Movements of the CMU motion capture data (mocap.cs.cmu.edu), on our bodies.

A file holds exponential maps as prediction of human motion uses them (Li et al., 2018): three
columns of the root's place, then three per joint of CMU's skeleton of 38, ``JOINTS``. Products of
these rotations act on row vectors: each is the inverse of the turn about the parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.readers.base import load_npz
from Datasets.synthetic.people.body import BodyShape
from Datasets.synthetic.people.joint_limits import Rotations
from Datasets.synthetic.people.limbs import euler
from Datasets.synthetic.people.lying import SUPINE
from Datasets.synthetic.people.other_skeletons import on_our_bones, world_turns
from Datasets.synthetic.people.signals import choose, log_uniform, smooth, wobble
from Engine.errors import DataError

PARENTS = (
    *(-1, 0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11, 0, 13, 14, 15, 16, 17, 18, 15, 20, 21, 22, 23),
    *(24, 25, 23, 27, 15, 29, 30, 31, 32, 33, 34, 32, 36),
)
JOINTS = {
    "root": 0, "upperleg01.L": 2, "lowerleg01.L": 3, "foot.L": 4,
    "upperleg01.R": 8, "lowerleg01.R": 9, "foot.R": 10,
    "spine04": 13, "spine03": 14, "spine02": 15, "neck01": 16, "neck02": 17, "head": 18,
    "clavicle.L": 20, "upperarm01.L": 21, "lowerarm01.L": 22, "wrist.L": 23,
    "clavicle.R": 29, "upperarm01.R": 30, "lowerarm01.R": 31, "wrist.R": 32,
}  # fmt: skip
"""Joint whose orientation a bone of ours takes."""

THIGHS = 20.0
"""How far CMU's thighs are apart at rest, degrees."""

FPS = 120.0
"""Of the recordings, before every ``stride``-th frame was kept."""

FASTEST, SHORTEST = 30.0, 60
"""Radians per second beyond which a joint jumps, and frames of the shortest piece."""

TEMPO = (0.2, 0.9)
"""Range of the speed at which an adult's movement is played."""

LYING = {0.0: 0.5, 90.0: 0.25, 180.0: 0.25}
"""Degrees from lying on the back, and how often."""


@dataclass(frozen=True)
class Recordings:
    """Recordings one after another.

    Attributes:
        maps: (frame, 38, 3) rotation vectors.
        spans: per action, the frames of its recordings.
        fps: frames per second.
    """

    maps: Float[np.ndarray, "frame 38 3"]
    spans: dict[str, list[range]]
    fps: float


def read_recordings(path: Path) -> Recordings:
    """Read npz with ``frames`` (frame, 117), ``lengths_before_stride``, ``names``, ``stride``.

    Names are ``split/action/...``. Recordings are cut where a joint jumps.

    Raises:
        DataError: the file is missing, damaged or of another layout.
    """
    advice = "give the npz of exponential maps"
    parts = ("frames", "lengths_before_stride", "names", "stride")
    arrays = load_npz(path, "CMU angles", parts, advice)
    frames, stride = arrays["frames"], int(arrays["stride"])
    if frames.ndim != 2 or frames.shape[1] != 3 + 3 * len(PARENTS) or stride < 1:
        raise DataError(f"CMU angles: {path} has no 117 columns; {advice}")
    # Every stride-th frame of all recordings joined.
    ends = -(-np.cumsum(arrays["lengths_before_stride"].astype(int)) // stride)
    if len(ends) != len(arrays["names"]) or not len(ends) or ends[-1] != len(frames):
        raise DataError(f"CMU angles: {path} names other frames than it holds; {advice}")
    maps = frames[:, 3:].astype(np.float32).reshape(len(frames), len(PARENTS), 3)
    cuts = np.flatnonzero(_speeds(maps, FPS / stride) > FASTEST) + 1
    spans: dict[str, list[range]] = {}
    for name, start, end in zip(arrays["names"], [0, *ends[:-1]], ends, strict=True):
        between = [start, *cuts[(cuts > start) & (cuts < end)], end]
        pieces = [range(int(a), int(b)) for a, b in pairwise(between) if b - a >= SHORTEST]
        if pieces:
            spans.setdefault(str(name).split("/")[-2], []).extend(pieces)
    if not spans:
        raise DataError(f"CMU angles: {path} holds no movement without jumps; {advice}")
    return Recordings(maps, spans, FPS / stride)


def _speeds(maps: np.ndarray, fps: float) -> Float[np.ndarray, "step"]:
    """How fast the joint that turns most does, from each frame to the next; radians per second."""
    used = maps[:, sorted(JOINTS.values())]
    first, second = (Rotation.from_rotvec(part.reshape(-1, 3)) for part in (used[:-1], used[1:]))
    return fps * (first.inv() * second).magnitude().reshape(len(maps) - 1, -1).max(axis=1)


def recorded_movement(
    rng: np.random.Generator,
    shape: BodyShape,
    times: Float[np.ndarray, "frame"],
    recordings: Recordings,
) -> tuple[Rotations, Float[np.ndarray, "frame 3 3"]]:
    """A piece of a recording by a body that lies on its back, a side or its front.

    Returns:
        Rotations of our bones, and of the root from body axes to world axes.
    """
    rotations, root = upright_movement(rng, shape, times, recordings)
    roll = choose(rng, LYING) * rng.choice([-1, 1]) + rng.normal(0, 15)
    roll = roll + wobble(rng, times, rng.uniform(3, 20), 0.15)
    still = np.zeros_like(roll)
    return rotations, euler("yxz", roll, still, still) @ SUPINE @ root


def upright_movement(
    rng: np.random.Generator,
    shape: BodyShape,
    times: Float[np.ndarray, "frame"],
    recordings: Recordings,
) -> tuple[Rotations, Float[np.ndarray, "frame 3 3"]]:
    """A piece of a recording at an infant's tempo, forwards and backwards.

    Returns:
        Rotations of our bones, and of the root in body axes without where the person is heading.
    """
    actions = sorted(recordings.spans)
    spans = recordings.spans[actions[int(rng.integers(len(actions)))]]
    span = spans[int(rng.integers(len(spans)))]
    speed, start = log_uniform(rng, *TEMPO), rng.uniform(0, 2 * len(span))
    at = (start + speed * recordings.fps * times) % (2 * len(span))
    at = smooth(np.minimum(at, 2 * len(span) - at), times, 0.15)
    turns = world_turns(PARENTS, _between(recordings.maps[span.start : span.stop], at))
    heading = np.arctan2(-turns[:, 0, 2, 0], turns[:, 0, 0, 0])
    turns = Rotation.from_euler("y", -heading[:, None]).as_matrix()[:, None] @ turns
    return on_our_bones(shape, turns, JOINTS, THIGHS)


def _between(maps: np.ndarray, at: np.ndarray) -> Float[np.ndarray, "frame 38 3 3"]:
    """Turns about the parent at fractions of frames."""
    low = np.clip(np.floor(at).astype(int), 0, len(maps) - 2)
    share = np.clip(at - low, 0, 1)[:, None, None]
    first, second = (_quaternions(-maps[low + step]) for step in (0, 1))
    second = np.where(np.sum(first * second, axis=-1, keepdims=True) < 0, -second, second)
    mixed = first + share * (second - first)
    return Rotation.from_quat(mixed.reshape(-1, 4)).as_matrix().reshape(*mixed.shape[:2], 3, 3)


def _quaternions(vectors: np.ndarray) -> np.ndarray:
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_quat().reshape(*vectors.shape[:-1], 4)

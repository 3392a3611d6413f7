"""Hands and feet that meet, and hands that touch mouth, knee or foot; metres, world frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.activity import Activity
from Datasets.synthetic.people.body import BodyShape
from Datasets.synthetic.people.habits import TOUCHES
from Datasets.synthetic.people.limb_movement import PULL
from Datasets.synthetic.people.limbs import Limb
from Datasets.synthetic.people.signals import bouts, log_uniform, noise, smooth

FEET_APART_M, HANDS_APART_M = 0.034, 0.05
"""Least distance of the ankles, and distance of the wrists when the hands meet."""

Pair = Sequence[Float[np.ndarray, "frame 3"]]
"""Paths of the left and the right wrist or ankle."""


def feet_together(
    rng: np.random.Generator, activity: Activity, ankles: Pair, limbs: Sequence[Limb], turn, place
) -> list[Float[np.ndarray, "frame 3"]]:
    """Bring both ankles together at times, below the hips; at no time closer than they are thick.

    Args:
        rng: source of randomness.
        activity: of the infant.
        ankles: their paths.
        limbs: left and right leg.
        turn: orientations of the bones, (frame, bone, 3, 3).
        place: their positions, (frame, bone, 3).
    """
    clock = activity.clock(rng)
    weight = bouts(rng, clock, log_uniform(rng, 5, 100), (0.8, 5.0))
    across = turn[:, limbs[0].frame, :, 0]
    hips = (place[:, limbs[0].base] + place[:, limbs[1].base]) / 2
    middle = (ankles[0] + ankles[1]) / 2
    aside = np.sum((middle - hips) * across, axis=1) - 0.02 * noise(rng, clock, (0.1, 0.5))
    met = _meet(ankles, weight, FEET_APART_M, across, middle - aside[:, None] * across)
    return _kept_apart(met, FEET_APART_M, activity.times)


def hands_together(
    rng: np.random.Generator, activity: Activity, wrists: Pair, limbs: Sequence[Limb], turn, place
) -> list[Float[np.ndarray, "frame 3"]]:
    """Bring both wrists together at times, in front of the chest; see ``feet_together``."""
    clock, spine = activity.clock(rng), bodies.rig().index("spine02")
    weight = bouts(rng, clock, log_uniform(rng, 10, 200), (1.0, 5.0))
    weight = weight * np.clip(-1.5 * turn[:, limbs[0].frame, 2, 1], 0, 1)  # not on the front
    across, back, up = np.moveaxis(turn[:, spine], 2, 0)
    before = rng.uniform(0.6, 1.0) + 0.15 * noise(rng, clock, (0.1, 0.8))
    above = 0.2 * noise(rng, clock, (0.1, 0.8))
    reach = sum(limbs[0].lengths)
    goal = place[:, spine] + reach * (above[:, None] * up - before[:, None] * back)
    return _meet(wrists, weight, HANDS_APART_M, across, goal)


def touched(
    path: Float[np.ndarray, "frame channel"],
    wrist: Float[np.ndarray, "frame 3"],
    points: dict[str, Float[np.ndarray, "frame 3"]],
) -> Float[np.ndarray, "frame 3"]:
    """Pull the path of a wrist to what it touches; ``points`` are the places of ``TOUCHES``."""
    pulls = np.clip(path[:, PULL:], 0, 1)
    return wrist + sum(pulls[:, [i]] * (points[name] - wrist) for i, name in enumerate(TOUCHES))


def touch_points(
    shape: BodyShape,
    limb: Limb,
    turn: Float[np.ndarray, "frame bone 3 3"],
    place: Float[np.ndarray, "frame bone 3"],
) -> dict[str, Float[np.ndarray, "frame 3"]]:
    """Where the wrist of an arm is when its hand touches each of ``TOUCHES``."""
    rig, axes = bodies.rig(), turn[:, limb.frame]
    out, front, up = limb.sign * axes[:, :, 0], -axes[:, :, 1], axes[:, :, 2]
    knee, foot = (place[:, rig.index(f"{bone}.{limb.side}")] for bone in ("lowerleg01", "foot"))
    return {
        "mouth": _mouth(shape, turn, place) + 0.03 * out - 0.01 * up,
        "knee": knee + 0.035 * front + 0.05 * up,
        "foot": foot + 0.02 * front + 0.05 * up,
    }


def _mouth(shape: BodyShape, turn: np.ndarray, place: np.ndarray) -> np.ndarray:
    """World position (frame, 3) a little in front of the mouth, where a hand goes."""
    head = bodies.rig().index("head")
    eyes = shape.face_points[1:3].mean(axis=0)
    size = np.linalg.norm(shape.face_points[5] - shape.heads[head])
    point = eyes + [0.0, -0.22 * size, -0.42 * size]
    return place[:, head] + turn[:, head] @ (point - shape.heads[head])


def _meet(paths: Pair, weight: np.ndarray, apart_m: float, across, goal) -> list[np.ndarray]:
    """Bring two paths to both sides of a goal where the weight is 1."""
    return [
        path + weight[:, None] * (goal + sign * apart_m / 2 * across - path)
        for sign, path in zip((1, -1), paths, strict=True)
    ]


def _kept_apart(paths: Pair, apart_m: float, times: np.ndarray) -> list[np.ndarray]:
    """Push two paths away from each other where they are closer than ``apart_m``."""
    left, right = paths
    for seconds in (0.05, 0.0):  # first without a corner, then by what is left
        between = left - right
        distance = np.maximum(np.linalg.norm(between, axis=1, keepdims=True), 1e-6)
        push = smooth(between / distance * np.maximum(apart_m - distance, 0) / 2, times, seconds)
        left, right = left + push, right - push
    return [left, right]

"""Where hands and feet go: paths through an infant's postures, kicks and flaps.

A path is (frame, channel): what the columns of a ``Posture`` say, in degrees.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people.activity import Activity
from Datasets.synthetic.people.body import SIDES
from Datasets.synthetic.people.habits import ARM, LEG, Habits, draw_habits
from Datasets.synthetic.people.limbs import Limb
from Datasets.synthetic.people.signals import bouts, log_uniform, waypoints, wobble

ANGLES = (38.0, 176.0)
"""Least and largest inner angle of an elbow or knee."""

SUNK = {"arm": 0.8, "leg": 0.4}
"""Part by which limbs sink towards the bed in a rest."""

OUT, FRONT, ANGLE, BEND, RAISED, PULL = 0, 1, 2, 3, 4, 5
"""Channels of a path; one pull for each of ``TOUCHES`` from ``PULL`` on."""


def limb_path(
    rng: np.random.Generator, clock: Float[np.ndarray, "frame"], habits: Habits
) -> Float[np.ndarray, "frame channel"]:
    """Go through the postures of an infant; ``clock`` is seconds of movement."""
    targets, holds = habits.repertoire.targets(rng), (0.0, habits.pause_s)
    path = waypoints(rng, clock, targets, habits.move_s, holds)
    for channel, size in ((OUT, 6.0), (FRONT, 6.0), (ANGLE, 9.0)):
        path[:, channel] += wobble(rng, clock, habits.restless * size, habits.hertz)
    for channel, size in ((BEND, 15.0), (RAISED, 0.15)):
        path[:, channel] += wobble(rng, clock, size, 0.3)
    return path


def leg_paths(
    rng: np.random.Generator, activity: Activity
) -> tuple[list[Float[np.ndarray, "frame channel"]], Float[np.ndarray, "frame 2"]]:
    """Paths of the left and the right leg, and the thrusts that are part of them."""
    habits = draw_habits(rng, LEG)
    clocks = [activity.clock(rng, habits.tempo, LEG.uneven) for _ in SIDES]
    thrusts = kicks(rng, clocks)
    paths = [limb_path(rng, clock, habits) for clock in clocks]
    for path, thrust in zip(paths, thrusts.T, strict=True):
        path[:, ANGLE] += habits.beat * thrust
        path[:, FRONT] += 0.5 * habits.beat * np.maximum(-thrust, 0)
        path[:, FRONT] *= 1 - SUNK["leg"] * activity.rest
    return paths, thrusts


def arm_paths(
    rng: np.random.Generator, activity: Activity
) -> list[Float[np.ndarray, "frame channel"]]:
    """Paths of the left and the right arm."""
    habits, paths = draw_habits(rng, ARM), []
    for _ in SIDES:
        clock = activity.clock(rng, habits.tempo)
        path, beats = limb_path(rng, clock, habits), flaps(rng, clock)
        path[:, FRONT] += habits.beat * np.abs(beats)
        path[:, OUT] += 0.3 * habits.beat * beats
        path[:, FRONT] *= 1 - SUNK["arm"] * activity.rest
        paths.append(path)
    return paths


def kicks(
    rng: np.random.Generator, clocks: Sequence[Float[np.ndarray, "frame"]]
) -> Float[np.ndarray, "frame 2"]:
    """Thrusts of the left and the right leg, -1 to 1, in bouts, together or in turn."""
    both = np.mean(clocks, axis=0)
    every, hertz = log_uniform(rng, 3.0, 20.0), log_uniform(rng, 0.25, 0.9)
    together = bouts(rng, both, 1.5 * every, (1.0, 4.0))
    in_turn = rng.choice([0.0, np.pi])
    thrusts = []
    for side, clock in enumerate(clocks):
        own = bouts(rng, clock, every, (0.8, 3.0))
        wave = np.sin(2 * np.pi * hertz * clock + rng.normal(0, 0.5) + side * in_turn)
        thrusts.append(np.maximum(together, own) * wave)
    strength = np.where(rng.permutation(2), 1.0, 1 - rng.beta(0.4, 1.0))  # of both sides
    return strength * np.stack(thrusts, axis=1)


def flaps(rng: np.random.Generator, clock: Float[np.ndarray, "frame"]) -> np.ndarray:
    """Beats of an arm, -1 to 1, in bouts."""
    envelope = bouts(rng, clock, log_uniform(rng, 3.0, 30.0), (0.8, 3.0), 0.4)
    return envelope * np.sin(2 * np.pi * log_uniform(rng, 0.5, 1.8) * clock + rng.uniform(0, 6.3))


def adapted(
    path: Float[np.ndarray, "frame channel"], limb: Limb, turn: np.ndarray
) -> Float[np.ndarray, "frame channel"]:
    """A path of an infant on its back as one on its side or front makes it.

    On the front, limbs lie beside the body instead of before it; the limb on the lower side comes
    to the front.
    """
    up = turn[:, limb.frame, 2]
    prone = np.clip(1.6 * up[:, 1] - 0.2, 0, 1)
    lower = np.clip(-1.6 * up[:, 0] * limb.sign - 0.3, 0, 1)
    path, arm = path.copy(), limb.upper.startswith("upperarm")
    sideways = 60 + 0.45 * path[:, OUT] if arm else 0.5 * path[:, OUT] + 8
    path[:, OUT] += prone * (sideways - path[:, OUT])
    path[:, FRONT] += lower * (np.maximum(path[:, FRONT], 55 if arm else 20) - path[:, FRONT])
    path[:, FRONT] *= 1 - 0.9 * prone
    path[:, BEND] += prone * (np.minimum(path[:, BEND], 10) - path[:, BEND])
    path[:, PULL:] *= (1 - prone)[:, None]
    return path


def pole(path: Float[np.ndarray, "frame channel"], limb: Limb) -> Float[np.ndarray, "frame 3"]:
    """Direction in body axes in which the elbow or knee points."""
    angle = np.radians(path[:, BEND])
    return np.stack([limb.sign * np.cos(angle), -np.sin(angle), path[:, RAISED]], axis=1)


def end_of(
    path: Float[np.ndarray, "frame channel"],
    limb: Limb,
    turn: np.ndarray,
    place: np.ndarray,
    clearance: float,
) -> Float[np.ndarray, "frame 3"]:
    """World path of a wrist or ankle, metres; where it meets the bed, the limb lies on it."""
    out, front = np.radians(path[:, OUT]), np.radians(path[:, FRONT])
    direction = np.stack(
        [np.cos(front) * np.sin(out), np.sin(front), -np.cos(front) * np.cos(out)], axis=1
    )
    upper, lower = limb.lengths
    cosine = np.cos(np.radians(np.clip(path[:, ANGLE], *ANGLES)))
    reach = np.sqrt(upper**2 + lower**2 - 2 * upper * lower * cosine) / (upper + lower)
    end = limb.to_world(direction, reach, turn, place)
    base = place[:, limb.base]
    lever, level = end - base, np.maximum(end[:, 2], clearance) - base[:, 2]
    along = np.sqrt(np.maximum(np.sum(lever**2, axis=1) - level**2, 0))
    lever[:, :2] *= (along / np.maximum(np.linalg.norm(lever[:, :2], axis=1), 1e-6))[:, None]
    lever[:, 2] = level
    return base + lever

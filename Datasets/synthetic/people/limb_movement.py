"""Where hands and feet go: paths through an infant's postures, kicks, and touches.

A path is (frame, channel): what the columns of a ``Posture`` say, in degrees and fractions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape
from Datasets.synthetic.people.habits import TOUCHES, Repertoire
from Datasets.synthetic.people.limbs import Limb
from Datasets.synthetic.people.signals import bouts, log_uniform, smooth, waypoints, wobble

MOVE_S = (0.25, 0.9)
REACH = (0.33, 0.998)
FEET_APART_M, HANDS_APART_M = 0.034, 0.05
"""Least distance of the ankles, and distance of the wrists when the hands meet."""

OUT, FRONT, STRETCH, BEND, RAISED, PULL = 0, 1, 2, 3, 4, 5
"""Channels of a path; one pull for each of ``TOUCHES`` from ``PULL`` on."""


def limb_path(
    rng: np.random.Generator,
    clock: Float[np.ndarray, "frame"],
    repertoire: Repertoire,
    pause_s: float,
    restless: float,
    hertz: float,
) -> Float[np.ndarray, "frame channel"]:
    """Go through the postures of a repertoire.

    Args:
        rng: source of randomness.
        clock: seconds of movement.
        repertoire: of the limb.
        pause_s: longest hold after a move.
        restless: size of the wobble around the path; 1 is about 5 degrees.
        hertz: its rate.
    """
    path = waypoints(rng, clock, repertoire.targets(rng), MOVE_S, (0.0, pause_s))
    for channel, size in ((OUT, 6.0), (FRONT, 6.0), (STRETCH, 0.045)):
        path[:, channel] += wobble(rng, clock, restless * size, hertz)
    for channel, size in ((BEND, 15.0), (RAISED, 0.15)):
        path[:, channel] += wobble(rng, clock, size, 0.3)
    return path


def kicks(
    rng: np.random.Generator, clocks: Sequence[Float[np.ndarray, "frame"]]
) -> Float[np.ndarray, "frame 2"]:
    """Thrusts of the left and the right leg, -1 to 1, in bouts, together or in turn."""
    both = np.mean(clocks, axis=0)
    every, hertz = log_uniform(rng, 2.0, 20.0), rng.uniform(0.8, 1.9)
    together = bouts(rng, both, every, (1.0, 4.0))
    in_turn = rng.choice([0.0, np.pi])
    thrusts = []
    for side, clock in enumerate(clocks):
        own = bouts(rng, clock, 2 * every, (0.8, 3.0))
        wave = np.sin(2 * np.pi * hertz * both + rng.normal(0, 0.5) + side * in_turn)
        thrusts.append(np.maximum(together, own) * wave)
    return np.stack(thrusts, axis=1)


def flaps(rng: np.random.Generator, clock: Float[np.ndarray, "frame"]) -> np.ndarray:
    """Beats of an arm, -1 to 1, in bouts."""
    envelope = bouts(rng, clock, log_uniform(rng, 3.0, 30.0), (0.8, 3.0), 0.4)
    return envelope * np.sin(2 * np.pi * rng.uniform(1.0, 2.2) * clock + rng.uniform(0, 6.3))


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
    path: Float[np.ndarray, "frame channel"], limb: Limb, turn: np.ndarray, place: np.ndarray
) -> Float[np.ndarray, "frame 3"]:
    """World path of a wrist or ankle, metres."""
    out, front = np.radians(path[:, OUT]), np.radians(path[:, FRONT])
    direction = np.stack(
        [np.cos(front) * np.sin(out), np.sin(front), -np.cos(front) * np.cos(out)], axis=1
    )
    return limb.to_world(direction, np.clip(path[:, STRETCH], *REACH), turn, place)


def meet(
    paths: Sequence[Float[np.ndarray, "frame 3"]],
    weight: Float[np.ndarray, "frame"],
    apart_m: float,
    across: Float[np.ndarray, "frame 3"],
    place: Float[np.ndarray, "frame 3"],
) -> list[Float[np.ndarray, "frame 3"]]:
    """Bring two paths, of the left and the right, to one place.

    Args:
        paths: metres, world.
        weight: 0 as they are, 1 together.
        apart_m: distance between them where they meet.
        across: unit vector to the left.
        place: where they meet.
    """
    return [
        path + weight[:, None] * (place + sign * apart_m / 2 * across - path)
        for sign, path in zip((1, -1), paths, strict=True)
    ]


def kept_apart(
    paths: Sequence[Float[np.ndarray, "frame 3"]], apart_m: float, times: np.ndarray
) -> list[Float[np.ndarray, "frame 3"]]:
    """Push two paths away from each other where they are closer than ``apart_m``."""
    between = paths[0] - paths[1]
    distance = np.maximum(np.linalg.norm(between, axis=1, keepdims=True), 1e-6)
    push = between / distance * np.maximum(apart_m - distance, 0) / 2
    push = smooth(push, times, 0.05)
    return [paths[0] + push, paths[1] - push]


def touched(
    path: Float[np.ndarray, "frame channel"],
    free: Float[np.ndarray, "frame 3"],
    points: dict[str, Float[np.ndarray, "frame 3"]],
) -> Float[np.ndarray, "frame 3"]:
    """Pull the path of a wrist to what it touches; ``points`` are world places of ``TOUCHES``."""
    pulls = np.clip(path[:, PULL:], 0, 1)
    goal = sum(pulls[:, [i]] * (points[name] - free) for i, name in enumerate(TOUCHES))
    return free + goal


def touch_points(
    shape: BodyShape, limb: Limb, turn: np.ndarray, place: np.ndarray
) -> dict[str, Float[np.ndarray, "frame 3"]]:
    """Where the wrist of an arm is when its hand touches each of ``TOUCHES``, metres, world."""
    rig, front = bodies.rig(), -turn[:, limb.frame, :, 1]
    out = limb.sign * turn[:, limb.frame, :, 0]
    knee, foot = (place[:, rig.index(f"{bone}.{limb.side}")] for bone in ("lowerleg01", "foot"))
    up = turn[:, limb.frame, :, 2]
    return {
        "mouth": _mouth(shape, turn, place) + 0.03 * out - 0.02 * up,
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

"""Reaching: an infant whose hands and feet are drawn to places, as by springs.

A movement of its own for benchmarks, which no training may see: goals are places in space (a toy
above, the other hand, the mouth, a knee, the mattress), paths are those of a damped spring whose
goal jumps, rests come when the infant as a whole calms down, and the trunk rolls and bends
sidewards after the hand that reaches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.signal import lfilter

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import NECK, SIDES, SPINE, BodyShape, Posed
from Datasets.synthetic.people.joint_limits import Rotations
from Datasets.synthetic.people.limbs import Limb, aim_limb, arm, bend_fingers, euler, leg
from Datasets.synthetic.people.lying import SUPINE
from Datasets.synthetic.people.resting import rest_on_bed

STEP_S = 1 / 120
"""Time step of the springs, which a first one makes smooth, seconds."""

HAND_GOALS = (
    (0.20, (0.95, 0.05, -0.25), (1.15, 0.30, 0.35)),  # beside the trunk or the shoulder
    (0.16, (0.45, 0.10, -1.30), (0.75, 0.35, -0.75)),  # beside the hip
    (0.10, (0.50, 0.10, 0.70), (0.90, 0.30, 1.15)),  # beside the head
    (0.18, (-0.15, 0.95, -0.30), (0.35, 1.30, 0.30)),  # a toy over the chest
    (0.16, (-0.55, 0.55, -0.45), (-0.30, 0.75, -0.10)),  # the other hand
    (0.10, (-0.45, 0.45, 0.30), (-0.25, 0.60, 0.50)),  # the mouth
    (0.10, (-0.10, 0.75, -1.15), (0.15, 1.00, -0.85)),  # a knee
)
"""Share, and box of places from the shoulder (out, front, up) in lengths of upper arm and forearm,
each half of them: 2 is a stretched arm."""

FOOT_GOALS = (
    (0.24, (0.15, 0.20, -1.95), (0.45, 0.50, -1.60)),  # stretched on the mattress
    (0.24, (0.15, 0.20, -1.40), (0.55, 0.55, -0.95)),  # drawn up on the mattress
    (0.18, (-0.30, 0.35, -1.35), (-0.12, 0.80, -0.95)),  # the other foot
    (0.20, (0.00, 0.90, -1.25), (0.35, 1.40, -0.50)),  # in the air
    (0.14, (-0.10, 1.20, -0.60), (0.25, 1.50, 0.00)),  # over the belly
)
"""The same from the hip."""


@dataclass(frozen=True)
class Temper:
    """What one infant is like.

    Attributes:
        stiffness: how fast the springs are, radians per second.
        damping: of the springs, 1 does not overshoot.
        patience: mean time that a goal holds, seconds.
        calm: share of the time in which it rests.
        roll: how far it rolls towards a hand that reaches across, degrees.
        kicking: how often a leg kicks, per second while it is awake.
    """

    stiffness: float
    damping: float
    patience: float
    calm: float
    roll: float
    kicking: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Temper:
        """One at random."""
        return cls(
            stiffness=rng.uniform(5.0, 11.0),
            damping=rng.uniform(0.55, 0.95),
            patience=rng.uniform(0.7, 2.2),
            calm=rng.beta(1.5, 5.0),
            roll=rng.uniform(5.0, 60.0),
            kicking=rng.uniform(0.1, 0.6),
        )


class Springs:
    """Paths of damped springs whose goals jump, on a fine grid of time that begins before 0."""

    LEAD_S = 2.0

    def __init__(self, rng: np.random.Generator, times: np.ndarray, temper: Temper) -> None:
        self.rng, self.times, self.temper = rng, times, temper
        self.grid = np.arange(-self.LEAD_S, times[-1] + 2 * STEP_S, STEP_S)
        self.awake = self._awake()

    def _awake(self) -> Float[np.ndarray, "step"]:
        """1 while the infant moves, 0 while it rests as a whole."""
        awake, now, moving = np.ones(len(self.grid)), self.grid[0], self.rng.random()
        state = moving > self.temper.calm
        while now < self.grid[-1]:
            share = 1 - self.temper.calm if state else self.temper.calm
            end = now + self.rng.exponential(8.0 * share) + 0.8
            awake[(self.grid >= now) & (self.grid < end)] = state
            now, state = end, not state
        return awake

    def goals(self, draw, patience: float) -> Float[np.ndarray, "step channel"]:
        """Goals that jump at random moments, none while the infant rests."""
        waiting = self.rng.exponential(patience, len(self.grid))
        held = np.empty((len(self.grid), len(draw(self.rng))))
        jump, goal = self.grid[0], draw(self.rng)
        for step, now in enumerate(self.grid):
            if now >= jump and self.awake[step]:
                goal, jump = draw(self.rng), now + 0.25 + waiting[step]
            held[step] = goal
        return held

    def follow(self, goals: np.ndarray, slower: float = 1.0) -> Float[np.ndarray, "frame channel"]:
        """Where a damped spring is that hangs on the goals, behind a faster one.

        ``slower`` divides its stiffness.
        """
        omega = self.temper.stiffness / slower
        path = _spring(_spring(goals, 2.5 * omega, 1.0), omega, self.temper.damping)
        columns = [np.interp(self.times, self.grid, column) for column in path.T]
        return np.stack(columns, axis=1)


def reaching(
    rng: np.random.Generator, shape: BodyShape, times: Float[np.ndarray, "frame"]
) -> Posed:
    """Draw the movement of an infant that reaches and kicks.

    Args:
        rng: source of randomness.
        shape: the body.
        times: seconds of the frames, increasing from 0.
    """
    springs = Springs(rng, times, Temper.draw(rng))
    hands = [_goals(springs, HAND_GOALS, 1.0) for _ in SIDES]
    rotations, root = _trunk(springs, hands)
    rotations |= _ends(springs, shape)
    position = np.tile([0.0, 0.0, 5.0], (len(times), 1))
    turn, place = bodies.forward_kinematics(shape, rotations, root, position)
    for number, side in enumerate(SIDES):
        limb, path = arm(shape, side), springs.follow(hands[number])
        elbow = np.array([limb.sign * 0.6, rng.uniform(0.3, 0.6), rng.uniform(-0.7, -0.3)])
        rotations |= _aimed(limb, path, elbow, turn, place)
        limb, path = leg(shape, side), springs.follow(_goals(springs, FOOT_GOALS, 1.3))
        path = path + _kicks(springs)[:, None] * [0.0, 0.15, -0.55]
        knee = np.array([limb.sign * rng.uniform(0.1, 0.9), -1.0, 0.6])
        rotations |= _aimed(limb, path, knee, turn, place)
    return rest_on_bed(shape, rotations, root, times, _shuffling(springs))


def _goals(springs: Springs, table, patience: float) -> Float[np.ndarray, "step 3"]:
    """Places that a hand or foot is drawn to; a foot or hand has its favourites."""
    shares, low, high = (np.array(column) for column in zip(*table, strict=True))
    liked = springs.rng.dirichlet(3.0 * len(table) * shares)

    def draw(rng: np.random.Generator) -> np.ndarray:
        kind = rng.choice(len(table), p=liked)
        return rng.uniform(low[kind], high[kind])

    return springs.goals(draw, patience * springs.temper.patience)


def _trunk(springs: Springs, hands: list[np.ndarray]) -> tuple[Rotations, np.ndarray]:
    """The trunk rolls and bends after a hand that crosses the middle, and turns on the mattress."""
    rng, temper = springs.rng, springs.temper
    across = [np.clip(-goals[:, 0] - 0.1, 0, 0.5) / 0.5 for goals in hands]
    moods = springs.goals(lambda g: [g.normal(0, 0.35), g.normal(0, 1), g.normal(0, 1)], 3.0)
    roll = temper.roll * np.clip(across[1] - across[0] + moods[:, 0], -1, 1)
    bend = 9 * (across[1] - across[0]) + 9 * moods[:, 1]
    roll, bend, yaw = springs.follow(np.stack([roll, bend, 12 * moods[:, 2]], axis=1), 2.5).T
    still = np.zeros_like(roll)
    curl = still + rng.uniform(0, 14)
    spine = euler("xyz", curl / 4, bend / 4, -0.25 * roll / 4)
    gaze = springs.goals(lambda g: [g.normal(0, 25), g.normal(4, 9), g.normal(0, 5)], 2.5)
    look, nod, tilt = springs.follow(gaze, 1.5).T
    neck = euler("xyz", nod / 4, tilt / 4, np.clip(look - 0.4 * roll, -70, 70) / 4)
    root = euler("yxz", roll, still + rng.normal(0, 5), yaw) @ SUPINE
    return dict.fromkeys(SPINE, spine) | dict.fromkeys(NECK, neck), root


def _ends(springs: Springs, shape: BodyShape) -> Rotations:
    """Fists that open and close, wrists and ankles that turn."""
    rotations: Rotations = {}
    for side in SIDES:
        fist = springs.goals(lambda g: [g.beta(1.0, 1.2)], 1.5)
        closed = np.clip(springs.follow(fist)[:, 0], 0, 1)
        rotations |= bend_fingers(shape, side, [closed] * 4)
        angles = springs.goals(lambda g: g.normal(0, [18, 8, 15, 14, 5, 8]), 1.2)
        turns = springs.follow(angles).T
        rotations[f"wrist.{side}"] = euler("xyz", *turns[:3])
        rotations[f"foot.{side}"] = euler("xyz", *turns[3:])
    return rotations


def _kicks(springs: Springs) -> Float[np.ndarray, "frame"]:
    """Sudden stretches of a leg, singly or in rows, and back."""
    row = springs.rng.exponential(0.5, len(springs.grid))
    rate = springs.temper.kicking * STEP_S * springs.awake
    begins = springs.rng.random(len(springs.grid)) < rate
    pushed = np.zeros(len(springs.grid))
    for step in np.flatnonzero(begins):
        for beat in range(1 + int(2 * row[step])):
            start = step + int(beat * 0.55 / STEP_S)
            pushed[start : start + int(0.2 / STEP_S)] = 1.0
    return springs.follow(pushed[:, None], 0.6)[:, 0]


def _shuffling(springs: Springs) -> Float[np.ndarray, "frame 2"]:
    """The body shifts a little on the mattress, metres."""
    return springs.follow(springs.goals(lambda g: g.normal(0, 0.012, 2), 2.0), 2.0)


def _aimed(limb: Limb, path: np.ndarray, middle: np.ndarray, turn, place) -> Rotations:
    """The two bones of a limb whose end follows a path from its base."""
    local = path * [limb.sign, -1.0, 1.0] * (sum(limb.lengths) / 2)
    target = place[:, limb.base] + np.einsum("fij,fj->fi", turn[:, limb.frame], local)
    return aim_limb(limb, target, np.tile(middle, (len(path), 1)), turn, place)


def _spring(goals: np.ndarray, omega: float, damping: float) -> Float[np.ndarray, "step channel"]:
    """A damped spring of unit gain, in rest at first (implicit Euler)."""
    a, b = 2 * damping * omega * STEP_S, (omega * STEP_S) ** 2
    numerator, denominator = [b], [1 + a + b, -(2 + a), 1.0]
    return lfilter(numerator, denominator, goals - goals[0], axis=0) + goals[0]

"""Postures of all ages in families: standing, walking, sitting, kneeling, lying, sport.

A family is a function that draws a ``Stance``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape, Posed
from Datasets.synthetic.people.penetration import buried_share
from Datasets.synthetic.people.signals import choose, min_jerk, smooth
from Datasets.synthetic.people.stance import NECK_LIMITS, Stance, pose_body, pose_still

Limbs = np.ndarray
Range = tuple[float, float]

ON_SEAT = "on a seat"
TRIES, MOST_BURIED = 4, 0.01
"""How often a posture is drawn until no more than this share of the limbs is inside other parts."""


def draw_posture(
    rng: np.random.Generator, shape: BodyShape, age: str, kind: str | None = None
) -> Posed:
    """Put a body into a random posture that it can hold, facing anywhere, around the origin.

    Args:
        rng: source of randomness.
        shape: the body.
        age: ``infant``, ``toddler``, ``child``, ``adult`` or ``elder``.
        kind: a key of ``FAMILIES``; None draws one that the age takes.
    """
    if kind is None:
        kind = choose(rng, KINDS_OF_AGE[age])
    tried: list[tuple[float, Posed]] = []
    while len(tried) < TRIES and not (tried and tried[-1][0] < MOST_BURIED):
        posed = pose_still(shape, draw_stance(rng, kind), kind).centred()
        tried.append((buried_share(bodies.skin(shape, posed.turn, posed.place)), posed))
    posed = min(tried, key=lambda one: one[0])[1]
    return posed.moved(yaw_degrees=rng.uniform(-180, 180))


def draw_stance(rng: np.random.Generator, kind: str) -> Stance:
    """One frame of a family, either side first."""
    stance = FAMILIES[kind](rng)
    return stance.mirrored() if rng.random() < 0.5 else stance


def _limbs(rng, first, second, spread: float = 0.12) -> Limbs:
    """Two limbs' (direction, reach) from ranges ((low), (high)), with noise on the direction."""
    rows = []
    for low, high in (first, second):
        row = rng.uniform(low, high)
        row[:3] += rng.normal(0, spread, 3)
        rows.append(row)
    return np.array(rows)[None]


DOWN = ((0.1, -0.15, -1.0, 0.88), (0.4, 0.3, -0.9, 0.985))
HIP = ((0.45, -0.1, -0.8, 0.55), (0.7, 0.3, -0.6, 0.68))
FORWARD = ((-0.1, 0.8, -0.5, 0.6), (0.4, 1.0, 0.5, 0.97))
UP = ((0.0, 0.0, 0.7, 0.7), (0.6, 0.6, 1.0, 0.985))
OUT = ((0.8, -0.2, -0.5, 0.75), (1.0, 0.5, 0.5, 0.985))
CROSSED = ((-0.3, 0.7, -0.6, 0.42), (0.1, 1.0, 0.0, 0.62))
HEAD = ((0.1, 0.2, 0.4, 0.4), (0.4, 0.6, 0.8, 0.55))
BEHIND = ((0.1, -0.7, -1.0, 0.75), (0.5, -0.3, -0.6, 0.95))
PROP = ((0.2, -0.5, -1.0, 0.9), (0.5, 0.1, -0.8, 0.985))
ARMS = (DOWN, HIP, FORWARD, UP, OUT, CROSSED, HEAD, BEHIND)


def _arms(rng, shares: tuple[float, ...] = (5, 2, 3, 1.5, 2, 2, 1.5, 1)) -> Limbs:
    """Arms of which each does something of its own, or both the same."""
    first, second = rng.choice(len(ARMS), 2, p=np.array(shares) / sum(shares))
    if rng.random() < 0.4:
        second = first
    return _limbs(rng, ARMS[first], ARMS[second])


def _stance(
    rng: np.random.Generator,
    pitch: Range,
    legs: Limbs,
    arms: Limbs,
    *,
    roll: Range = (-6, 6),
    curl: Range = (-6, 18),
    nod: float = 0.0,
    knees: Sequence[float] = (0.25, 1.0, 0.1),
    elbows: Sequence[float] = (0.7, -0.5, -0.5),
    upright: tuple[float, float] = (1.0, 0.0),
    soles: float | tuple[float, float] = 1.0,
    pointed: float = 18.0,
    level: float = 1.0,
    seated: bool = False,
) -> Stance:
    """A stance around these values; see its attributes."""
    bent = rng.uniform(*curl)
    trunk = [rng.uniform(*pitch), rng.uniform(*roll), bent, rng.normal(0, 7), rng.normal(0, 9)]
    if upright[0] > 0.5:
        nod = nod - LEVELLED * (trunk[0] + bent)
    neck = [rng.normal(nod, 12), rng.normal(0, 8), rng.normal(0, 25)]
    to_knees = rng.normal(0, 0.12, (1, 2, 3)) + knees
    to_elbows = rng.normal(0, 0.25, (1, 2, 3)) + elbows
    return Stance(
        trunk=np.array([trunk]),
        neck=np.clip([neck], *np.transpose(NECK_LIMITS)),
        wrists=arms,
        elbows=to_elbows,
        ankles=legs,
        knees=to_knees,
        fists=rng.beta(1.3, 1.6, (1, 2)),
        upright=np.array([upright], dtype=float),
        soles=np.array([np.broadcast_to(soles, 2)], dtype=float),
        pointed=rng.normal(pointed, 9, (1, 2)),
        level=np.array([[level]], dtype=float),
        resting=np.array([[float(seated or upright[0] < 0.5)]]),
    )


LEVELLED = 0.8
"""Share of the trunk's bend that the neck of people who are upright takes back."""
STRAIGHT = ((0.0, -0.12, -1.0, 0.94), (0.25, 0.12, -1.0, 0.99))


def _standing(rng) -> Stance:
    legs = _limbs(rng, STRAIGHT, STRAIGHT, 0.03)
    return _stance(rng, pitch=(-4, 10), legs=legs, arms=_arms(rng))


def _standing_held(rng) -> Stance:
    """As before the first steps: soft, wide legs, hands raised to an adult's fingers or an edge."""
    soft = ((0.05, -0.1, -1.0, 0.78), (0.4, 0.2, -1.0, 0.975))
    edge = ((-0.1, 0.6, -0.4, 0.5), (0.5, 1.0, 0.4, 0.9))
    fingers = ((0.1, 0.1, 0.6, 0.6), (0.7, 0.6, 1.0, 0.97))
    held = edge if rng.random() < 0.55 else fingers
    other = held if rng.random() < 0.7 else ARMS[rng.integers(len(ARMS))]
    return _stance(
        rng, pitch=(-6, 24), legs=_limbs(rng, soft, soft, 0.06), arms=_limbs(rng, held, other),
        curl=(-5, 25), upright=(1, 0.6), knees=(0.4, 1.0, 0.1), soles=0.9,
    )  # fmt: skip


def _walking(rng) -> Stance:
    ahead = ((-0.02, 0.2, -1.0, 0.93), (0.1, 0.45, -1.0, 0.985))
    behind = ((-0.02, -0.5, -1.0, 0.88), (0.1, -0.2, -1.0, 0.98))
    swing = _limbs(rng, ((0.1, -0.5, -1, 0.85), (0.3, -0.1, -0.9, 0.95)), FORWARD, 0.08)
    arms = swing if rng.random() < 0.7 else _arms(rng)
    legs = _limbs(rng, ahead, behind, 0.03)
    return _stance(rng, pitch=(0, 12), legs=legs, arms=arms, soles=(1.0, 0.4), level=0.7)


def _running(rng) -> Stance:
    ahead = ((-0.05, 0.3, -0.9, 0.55), (0.15, 0.9, -0.4, 0.9))
    behind = ((-0.05, -0.7, -1.0, 0.65), (0.15, -0.2, -0.6, 0.97))
    bent = ((0.1, 0.3, -0.7, 0.5), (0.3, 0.8, -0.2, 0.65))
    back = ((0.2, -0.6, -1.0, 0.55), (0.4, -0.1, -0.7, 0.7))
    arms = _limbs(rng, back, bent)
    legs = _limbs(rng, ahead, behind, 0.05)
    return _stance(rng, pitch=(4, 25), legs=legs, arms=arms, soles=0.2, level=0.0)


def _bending(rng) -> Stance:
    legs = _limbs(rng, ((0.0, -0.1, -1, 0.8), (0.3, 0.15, -1, 0.98)), STRAIGHT, 0.04)
    reach = ((-0.1, 0.1, -1.0, 0.7), (0.35, 0.7, -0.6, 0.98))
    arms = _limbs(rng, reach, reach if rng.random() < 0.7 else HIP)
    return _stance(
        rng, pitch=(25, 75), legs=legs, arms=arms, curl=(5, 50), upright=(1, 1), nod=12,
        elbows=(0.6, -0.2, 0.4),
    )  # fmt: skip


def _squatting(rng) -> Stance:
    bent = ((0.15, 0.05, -0.9, 0.4), (0.6, 0.5, -0.6, 0.62))
    reach = ((-0.2, 0.5, -0.8, 0.5), (0.3, 1.0, 0.2, 0.95))
    return _stance(
        rng, pitch=(10, 45), legs=_limbs(rng, bent, bent, 0.04), arms=_limbs(rng, reach, reach),
        curl=(5, 40), upright=(1, 0.5), knees=(0.5, 1.0, 0.5), soles=0.8,
    )  # fmt: skip


def _kneeling(rng) -> Stance:
    down = ((0.0, -1.0, -1.0, 0.66), (0.2, -0.8, -0.9, 0.75))
    raised = ((0.0, 0.5, -0.8, 0.62), (0.3, 0.9, -0.5, 0.78))
    half = rng.random() < 0.4
    legs = _limbs(rng, down, raised if half else down, 0.03)
    return _stance(
        rng, pitch=(-5, 35), legs=legs, arms=_arms(rng), curl=(0, 30),
        knees=(0.15, 1.0, -0.4), soles=(0.0, 1.0 if half else 0.0), level=0.0, pointed=66.0,
    )  # fmt: skip


def _all_fours(rng) -> Stance:
    bent = ((0.0, -1.0, -1.0, 0.66), (0.15, -0.7, -1.0, 0.76))
    below = ((0.0, -0.1, -1.0, 0.9), (0.2, 0.3, -1.0, 0.985))
    legs, arms = _limbs(rng, bent, bent, 0.05), _limbs(rng, below, below, 0.06)
    return _stance(
        rng, pitch=(62, 84), legs=legs, arms=arms, curl=(-18, 6), upright=(1, 1), nod=-6,
        knees=(0.2, 1.0, -0.5), soles=0.0, level=0.8, elbows=(0.8, -0.5, 0.0), pointed=66.0,
    )  # fmt: skip


LAP = ((-0.25, 0.5, -1.0, 0.5), (0.15, 0.9, -0.5, 0.8))
BEFORE = ((0.0, 0.45, -1.0, 0.8), (0.35, 0.8, -0.8, 0.97))
TOY = ((-0.35, 0.8, -0.45, 0.42), (0.0, 1.0, 0.05, 0.7))
SITTING_ARMS = {LAP: 4, TOY: 3, BEFORE: 2.5, PROP: 1.5, FORWARD: 1.5, DOWN: 1, OUT: 1, UP: 0.5}
SEATED: dict[tuple, float] = {
    (((0.15, 0.9, -0.2, 0.8), (0.55, 1.0, -0.05, 0.97)), (0.3, 0.25, 1.0)): 4,
    (((0.0, 0.9, -0.35, 0.6), (0.35, 1.0, -0.2, 0.8)), (0.7, 0.3, 0.9)): 3,
    (((-0.1, 0.95, -0.25, 0.48), (0.25, 1.0, -0.12, 0.66)), (1.0, 0.35, 0.3)): 4,
    (((0.3, 0.5, -0.3, 0.5), (0.7, 0.8, -0.15, 0.7)), (0.75, 0.8, 0.4)): 1,
}
"""Legs of people who sit on a floor: stretched, bent, soles together, to the side; and knees."""


def _sitting(rng) -> Stance:
    """On the floor, hands in the lap, at a toy, on the floor or raised."""
    (first, knees), (second, _) = choose(rng, SEATED), choose(rng, SEATED)
    legs = _limbs(rng, first, second if rng.random() < 0.3 else first, 0.05)
    held, other = choose(rng, SITTING_ARMS), choose(rng, SITTING_ARMS)
    arms = _limbs(rng, held, held if rng.random() < 0.65 else other, 0.08)
    return _stance(
        rng, pitch=(-10, 16), legs=legs, arms=arms, curl=(4, 30), upright=(0.9, 0.5),
        nod=6, knees=knees, elbows=(0.8, -0.6, -0.5), soles=0.0, level=0.0,
        seated=True,
    )  # fmt: skip


def _on_a_seat(rng) -> Stance:
    bent = ((0.0, 0.6, -0.85, 0.64), (0.3, 0.85, -0.6, 0.8))
    arms = _arms(rng, (2, 1, 4, 0.7, 1, 4, 2, 0.3))
    return _stance(
        rng, pitch=(-15, 20), legs=_limbs(rng, bent, bent, 0.04), arms=arms, curl=(0, 30),
        knees=(0.2, 1.0, 0.7),
    )  # fmt: skip


def _lying(rng, pitch, roll, arms: Limbs, nod: float = 0.0) -> Stance:
    kind = rng.choice(3, p=[0.45, 0.35, 0.2])
    ranges = (
        ((0.02, -0.02, -1.0, 0.9), (0.3, 0.1, -1.0, 0.985)),
        ((0.05, 0.2, -1.0, 0.55), (0.4, 0.6, -0.8, 0.9)),
        ((0.1, 0.5, -0.8, 0.45), (0.5, 1.0, -0.3, 0.8)),
    )
    other = kind if rng.random() < 0.6 else rng.choice(3)
    legs = _limbs(rng, ranges[kind], ranges[other], 0.06)
    knees = (rng.uniform(0.1, 1.0), 1.0, 0.0)
    pointed = 62.0 if min(pitch) > 0 else 25.0
    return _stance(
        rng, pitch, legs, arms=arms, roll=roll, curl=(-4, 20), upright=(0, 0),
        knees=knees, soles=0.0, level=0.0, nod=nod, elbows=(0.9, -0.1, -0.3), pointed=pointed,
    )  # fmt: skip


def _supine(rng) -> Stance:
    return _lying(rng, (-93, -84), (-14, 14), _arms(rng, (5, 1, 2, 2, 5, 2, 1, 0)))


ON_MAT = (((0.5, 0.0, -0.6, 0.5), (1.0, 0.9, -0.4, 0.8)), (0.9, -0.2, -0.2))
FOREARMS = (((-0.25, 0.6, -1.0, 0.75), (0.2, 0.9, -0.9, 0.85)), (0.5, -0.4, -1.0))
HANDS = (((0.1, 0.0, -1.0, 0.96), (0.4, 0.45, -1.0, 0.985)), (0.8, -0.5, 0.0))
REACHING = ((0.0, 0.9, -0.6, 0.8), (0.4, 1.0, -0.4, 0.95))
PRONE: dict[tuple, float] = {
    (ON_MAT, (0.0, 0.0), 5.0): 2,
    (FOREARMS, (14.0, 28.0), -58.0): 5,
    (HANDS, (26.0, 40.0), -46.0): 3,
}
"""Arms of the prone with their elbows, degrees that the chest is lifted by, and the neck's nod."""


def _prone(rng) -> Stance:
    """Flat with the head to a side, on the forearms or on the hands, the head up."""
    (arms, elbows), lifts, nod = choose(rng, PRONE)
    lift, flat = rng.uniform(*lifts), lifts[1] == 0
    other = arms if flat or rng.random() < 0.85 else REACHING
    stance = _lying(rng, (84, 90), (-8, 8), _limbs(rng, arms, other, 0.06), nod=nod)
    side = rng.choice([-1, 1]) * rng.uniform(64, 80)
    trunk = np.array([[*stance.trunk[0, :2], rng.normal(-lift, 3), *stance.trunk[0, 3:]]])
    trunk[:, 0] -= 0.35 * lift
    return replace(
        stance, neck=np.array([[nod, 0.0, side]]) if flat else stance.neck, trunk=trunk,
        elbows=rng.normal(0, 0.2, (1, 2, 3)) + elbows, ankles=stance.ankles * [1, 0.15, 1, 1],
        upright=np.array([[0.0, 1.0]]),
    )  # fmt: skip


def _on_the_side(rng) -> Stance:
    front = ((-0.1, 0.6, -0.6, 0.4), (0.3, 1.0, 0.5, 0.95))
    return _lying(rng, (-93, -86), (72, 100), _limbs(rng, front, front))


def _caring(rng) -> Stance:
    """Bent over an infant, standing or kneeling."""
    base = _bending(rng) if rng.random() < 0.5 else _kneeling(rng)
    reach = ((-0.2, 0.5, -1.0, 0.6), (0.2, 0.9, -0.4, 0.95))
    trunk = base.trunk.copy()
    trunk[:, 0] = rng.uniform(25, 60)
    return replace(
        base, wrists=_limbs(rng, reach, reach), trunk=trunk, upright=np.array([[1.0, 1.0]])
    )


def _sporting(rng) -> Stance:
    """Kicks, lunges, throws and stretches."""
    raised = ((-0.1, -0.5, -0.9, 0.6), (1.0, 1.0, 0.5, 0.985))
    lunge = ((0.1, -0.6, -1.0, 0.6), (0.6, 0.7, -0.7, 0.98))
    legs = _limbs(rng, STRAIGHT if rng.random() < 0.6 else lunge, raised, 0.08)
    arms = _arms(rng, (0.5, 0.5, 2, 3, 4, 1, 1, 1))
    return _stance(
        rng, pitch=(-25, 40), legs=legs, arms=arms, curl=(-20, 30), soles=(0.8, 0.1), level=0.0
    )


Family = Callable[[np.random.Generator], Stance]
FAMILIES: dict[str, Family] = {
    "standing": _standing,
    "standing held": _standing_held,
    "walking": _walking,
    "running": _running,
    "bending": _bending,
    "squatting": _squatting,
    "kneeling": _kneeling,
    "all fours": _all_fours,
    "sitting": _sitting,
    "on a seat": _on_a_seat,
    "supine": _supine,
    "prone": _prone,
    "on the side": _on_the_side,
    "caring": _caring,
    "sporting": _sporting,
}

_GROWN: dict[str, float] = {
    "standing": 5, "walking": 4, "running": 2, "bending": 2, "squatting": 2, "kneeling": 2,
    "all fours": 1, "sitting": 3, "on a seat": 3, "supine": 1, "prone": 1, "on the side": 1,
    "caring": 1, "sporting": 5,
}  # fmt: skip
KINDS_OF_AGE: dict[str, dict[str, float]] = {
    "infant": {"supine": 4, "prone": 3, "on the side": 1.5, "sitting": 3, "all fours": 2,
               "standing held": 1.5, "kneeling": 0.7, "squatting": 0.4},
    "toddler": {"standing": 2, "standing held": 2, "walking": 2, "sitting": 4, "all fours": 2,
                "squatting": 1.5, "kneeling": 1.5, "supine": 1, "prone": 1},
    "child": _GROWN,
    "adult": _GROWN,
    "elder": _GROWN,
}  # fmt: skip


ACTIVE = ("standing", "walking", "bending", "squatting", "sporting", "on a seat")


def move_between_postures(
    rng: np.random.Generator,
    shape: BodyShape,
    times: Float[np.ndarray, "frame"],
    kinds: tuple[str, ...] = ACTIVE,
) -> tuple[Posed, list[str]]:
    """Draw postures and move smoothly from one to the next.

    Args:
        rng: source of randomness.
        shape: the body.
        times: seconds of the frames, increasing from 0.
        kinds: families to choose from.

    Returns:
        The movement, and per frame the family that it is in or on its way to.
    """
    kind = kinds[int(rng.integers(len(kinds)))]
    now, stance = -rng.uniform(0, 1), draw_stance(rng, kind)
    path = stance.taken(np.zeros(len(times), dtype=int))
    shown = [kind] * len(times)
    while now < times[-1]:
        kind = kinds[int(rng.integers(len(kinds)))]
        following, lasting = draw_stance(rng, kind), rng.uniform(0.5, 1.4)
        start, end = path.taken([-1]), following.taken(np.zeros(len(times), dtype=int))
        share = min_jerk((times - now) / lasting)
        before = start.taken(np.zeros(len(times), dtype=int))
        moved = before.blended(end, share)
        path = Stance.joined([path.taken(times < now), moved.taken(times >= now)])
        shown = [kind if time >= now else before for time, before in zip(times, shown, strict=True)]
        now += lasting + rng.uniform(0.0, 0.7)
    motion = pose_body(shape, path, times)
    height = motion.place[:, 0, 2]
    calm = smooth(height, times, 0.08) - height
    return Posed(motion.turn, motion.place + calm[:, None, None] * [0, 0, 1]), shown

"""What an infant likes to do with its arms and legs: postures as rows, habits drawn per infant.

A posture says where wrist or ankle is, seen from shoulder or hip: ``out`` degrees in the plane of
the body from the way to the feet (90 is sideways, negative across the midline), ``front`` degrees
out of that plane, ``angle`` the inner angle of elbow or knee (180 is stretched). ``bend`` says
where the elbow or the knee points: degrees from sideways towards the front (negative: to the back),
``raised`` how much of the way to the head is added. An infant takes each posture in a narrower
range of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people.signals import log_uniform

Range = tuple[float, float]


class Posture(NamedTuple):
    """One row; ``share`` is of the time, ``touch`` what the hand goes to (``TOUCHES``)."""

    name: str
    share: float
    out: Range
    front: Range
    angle: Range
    bend: Range
    raised: Range = (0, 0)
    touch: str = ""


TOUCHES = ("mouth", "knee", "foot")

ARMS = (
    Posture("stretched beside the trunk", 0.36, (3, 42), (-25, 5), (152, 180), (-30, 5)),
    Posture("bent beside the trunk", 0.11, (0, 35), (-25, 10), (65, 140), (-50, -5)),
    Posture("out to the side", 0.09, (40, 80), (-25, 12), (120, 174), (-40, 0)),
    Posture("beside the head", 0.03, (100, 160), (-25, 15), (60, 140), (-40, 0)),
    Posture("in the air", 0.16, (0, 80), (20, 80), (95, 168), (-60, 0)),
    Posture("on the belly", 0.06, (-25, 12), (10, 40), (70, 130), (-45, 0)),
    Posture("over the chest", 0.06, (-50, 30), (45, 85), (50, 100), (-40, 10)),
    Posture("to the mouth", 0.08, (60, 150), (20, 60), (45, 75), (-60, 0), (-0.8, 0), "mouth"),
    Posture("to the knee", 0.03, (-10, 25), (10, 50), (100, 165), (-50, 0), (0, 0), "knee"),
    Posture("to the foot", 0.02, (-25, 20), (30, 70), (110, 165), (-50, 0), (0, 0), "foot"),
)

LEGS = (
    Posture("drawn up, feet on the bed", 0.34, (-18, 12), (-8, 25), (45, 92), (-10, 95)),
    Posture("half stretched", 0.15, (-14, 18), (-8, 20), (92, 130), (-10, 75)),
    Posture("stretched", 0.13, (-8, 22), (-8, 25), (130, 172), (0, 90)),
    Posture("lifted", 0.22, (-20, 25), (35, 95), (53, 130), (-10, 75), (0.0, 0.4)),
    Posture("thighs at the belly", 0.10, (-15, 40), (75, 125), (47, 106), (-20, 20), (0.3, 1.2)),
    Posture("crossed", 0.06, (-32, -16), (0, 30), (53, 130), (0, 60)),
)

BENT, STRETCHED = 50.0, 174.0
"""Inner angle, degrees, of an elbow or knee that the tone keeps bent or stretched."""

OWN_RANGE = (0.1, 0.6)
"""An infant's range of a posture, as a part of the row's."""


@dataclass(frozen=True)
class Repertoire:
    """The postures of one infant's arm or leg.

    Attributes:
        shares: (posture,) of the time.
        low, high: (posture, channel) ranges of ``out``, ``front``, ``angle``, ``bend``, ``raised``
            and the pull to each of ``TOUCHES``.
        stay: mean number of moves within a posture before the next.
    """

    shares: Float[np.ndarray, "posture"]
    low: Float[np.ndarray, "posture channel"]
    high: Float[np.ndarray, "posture channel"]
    stay: float

    def targets(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Draw targets without end: several in one posture, then in another."""
        while True:
            kind = rng.choice(len(self.shares), p=self.shares)
            for _ in range(rng.geometric(1 / self.stay)):
                yield rng.uniform(self.low[kind], self.high[kind])


class Kind(NamedTuple):
    """What infants may do with a kind of limb: its postures and ranges of ``Habits``.

    ``tone`` are the parts by which a limb may stay ``BENT``, as the flexors of young infants keep
    it, and ``STRETCHED``. ``variety`` is the concentration of an infant's shares of the postures
    around those of the table, ``uneven`` how much more the rates of the two sides differ than those
    of other limbs.
    """

    postures: tuple[Posture, ...]
    move_s: Range
    pause_s: Range
    restless: Range
    hertz: float
    beat: Range
    tempo: Range
    tone: tuple[float, float]
    variety: float = 1.0
    uneven: float = 1.0


ARM = Kind(ARMS, (0.25, 0.9), (0.1, 1.5), (0.5, 2.6), 1.0, (8, 110), (0.45, 2.4), (0.9, 0.6))
LEG = Kind(
    *(LEGS, (0.5, 1.9), (0.05, 0.8), (0.5, 2.0), 0.5, (20, 120), (0.35, 1.3), (0.8, 0.8)),
    variety=0.55,
    uneven=3.0,
)


@dataclass(frozen=True)
class Habits:
    """How one infant moves its arms or its legs.

    Attributes:
        repertoire: postures, the same for both sides.
        move_s: range of the duration of a move, seconds of movement.
        pause_s: longest hold after it.
        restless: size of the wobble around the path; 1 is about 5 degrees.
        hertz: its rate.
        beat: size of flaps of the arms or of kicks, degrees.
        tempo: rate of the clocks of this kind of limb over those of the infant.
    """

    repertoire: Repertoire
    move_s: Range
    pause_s: float
    restless: float
    hertz: float
    beat: float
    tempo: float


def draw_habits(rng: np.random.Generator, kind: Kind) -> Habits:
    """Draw the habits of one infant."""
    ranges = kind.pause_s, kind.restless, kind.beat
    pause_s, restless, beat = (float(rng.uniform(*bounds)) for bounds in ranges)
    repertoire = _draw_repertoire(rng, kind)
    tempo = log_uniform(rng, *kind.tempo)
    return Habits(repertoire, kind.move_s, pause_s, restless, kind.hertz, beat, tempo)


def _draw_repertoire(rng: np.random.Generator, kind: Kind) -> Repertoire:
    table, goal = kind.postures, rng.integers(2)
    tone = kind.tone[goal] * rng.beta(0.5, 1.1)
    rows = [(row.out, row.front, row.angle, row.bend, row.raised) for row in table]
    low, high = np.moveaxis(np.array(rows, dtype=np.float64), -1, 0)
    width = (high - low) * rng.uniform(*OWN_RANGE, size=(len(table), 1))
    start = low + rng.random(low.shape) * (high - low - width)
    angle = list(Posture._fields).index("angle") - 2
    for bound in (start, width):
        bound[:, angle] *= 1 - tone
    start[:, angle] += tone * (BENT, STRETCHED)[goal]
    touch = np.array([[row.touch == name for name in TOUCHES] for row in table], dtype=np.float64)
    shares = np.array([row.share for row in table])
    return Repertoire(
        shares=rng.dirichlet(kind.variety * shares / shares.sum()),
        low=np.hstack([start, touch]),
        high=np.hstack([start + width, touch]),
        stay=log_uniform(rng, 1.2, 8),
    )

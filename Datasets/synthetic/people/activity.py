"""When an infant moves: one envelope of activity that all limbs share, rests, and clocks.

A movement is drawn as a signal of a clock. The clock of a limb runs fast while the infant is lively
and nearly stands in a rest, so that tempo, rests and the common rise and fall of all speeds come
from one place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people.signals import bouts, log_uniform, noise

LEVELS = (0.5, 3.6)
"""Range of the mean rate of an infant's clocks."""

SPREAD, SHARED = 1.0, (0.6, 0.35)
"""Standard deviation of the logarithm of a rate over time; parameters of the beta
distribution of the part of its variance that all limbs of an infant share."""

BAND_HZ = (0.05, 0.5)
REST_S = (1.0, 8.0)
REST_RATE, MOST_RATE = 0.03, 5.0
"""Of a clock in a rest, and at most."""

IMBALANCE = (0.12, 0.9)
"""Range of the standard deviation of the logarithm of a limb's rate over that of the infant: some
move both sides alike, some one leg only."""


@dataclass(frozen=True)
class Activity:
    """How lively an infant is from moment to moment.

    Attributes:
        times: seconds.
        level: mean rate of its clocks.
        part: of the variance of a rate's logarithm, what is shared.
        shared: (frame,) the shared signal, variance 1.
        rest: (frame,) 1 in a rest of the whole body, else 0, smooth.
        every_seconds: mean time between the rests of one limb.
        imbalance: standard deviation of the logarithm of a limb's mean rate over ``level``.
    """

    times: Float[np.ndarray, "frame"]
    level: float
    part: float
    shared: Float[np.ndarray, "frame"]
    rest: Float[np.ndarray, "frame"]
    every_seconds: float
    imbalance: float

    def clock(
        self, rng: np.random.Generator, tempo: float = 1.0, uneven: float = 1.0
    ) -> Float[np.ndarray, "frame"]:
        """Draw the clock of one part of the body: seconds of movement, increasing from 0.

        Args:
            rng: source of randomness.
            tempo: its mean rate over that of the infant.
            uneven: factor on ``imbalance``.
        """
        own = noise(rng, self.times, BAND_HZ)
        log_rate = np.sqrt(self.part) * self.shared + np.sqrt(1 - self.part) * own
        gain = (
            self.level * tempo * np.exp(np.clip(uneven * self.imbalance * rng.normal(), -2.5, 1.0))
        )
        rest = np.maximum(self.rest, _rests(rng, self.times, 2 * self.every_seconds))
        rate = gain * np.exp(SPREAD * log_rate - SPREAD**2 / 2)
        rate = MOST_RATE * np.tanh(rate / MOST_RATE) * (1 - rest) + REST_RATE * rest
        return np.concatenate([[0.0], np.cumsum(rate[1:] * np.diff(self.times))])


def draw_activity(rng: np.random.Generator, times: Float[np.ndarray, "frame"]) -> Activity:
    """Draw how lively an infant is."""
    every = log_uniform(rng, 9.0, 300.0)
    return Activity(
        times=times,
        level=log_uniform(rng, *LEVELS),
        part=rng.beta(*SHARED),
        shared=noise(rng, times, BAND_HZ),
        rest=_rests(rng, times, every),
        every_seconds=every,
        imbalance=log_uniform(rng, *IMBALANCE),
    )


def _rests(rng: np.random.Generator, times: np.ndarray, every_seconds: float) -> np.ndarray:
    return bouts(rng, times, every_seconds, REST_S, rise_seconds=0.4)

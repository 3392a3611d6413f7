"""Random choices, and smooth random signals in time that movement is made of.

``times`` are seconds, or the seconds of a clock of ``activity`` that runs slower while an infant
rests; they need not be evenly spaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

Choice = TypeVar("Choice")


def choose(rng: np.random.Generator, weights: Mapping[Choice, float]) -> Choice:
    """Draw a key with a probability in proportion to its value."""
    keys, shares = zip(*weights.items(), strict=True)
    return keys[int(rng.choice(len(keys), p=np.array(shares) / sum(shares)))]


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a positive number; each doubling between the bounds is as likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def min_jerk(x: np.ndarray) -> np.ndarray:
    """Minimum-jerk ease from 0 to 1 (Flash & Hogan, 1985), clamped outside."""
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x**2)


def smooth(values: np.ndarray, times: Float[np.ndarray, "frame"], seconds: float) -> np.ndarray:
    """Average over about ``seconds`` of the first axis; frames further apart stay as they are."""
    step = times[1] - times[0] if len(times) > 1 else np.inf
    if step >= seconds:
        return values
    return gaussian_filter1d(values, seconds / step, axis=0, mode="nearest")


def wobble(
    rng: np.random.Generator,
    times: Float[np.ndarray, "frame"],
    amplitude: float,
    hertz: float = 0.5,
) -> Float[np.ndarray, "frame"]:
    """A smooth stationary wander: a few sines around ``hertz``, about ``amplitude`` in size."""
    rates = hertz * rng.uniform(0.3, 2.0, size=5)
    phases = rng.uniform(0, 2 * np.pi, size=5)
    waves = np.sin(2 * np.pi * rates[:, None] * times + phases[:, None])
    return amplitude * (rng.dirichlet(np.ones(5)) @ waves) * 1.4


def noise(
    rng: np.random.Generator, times: Float[np.ndarray, "frame"], hertz: tuple[float, float]
) -> Float[np.ndarray, "frame"]:
    """A smooth signal of mean 0 and variance 1 over a long time, within a band of rates."""
    rates = np.exp(rng.uniform(*np.log(hertz), size=12))
    phases = rng.uniform(0, 2 * np.pi, size=12)
    return np.sin(2 * np.pi * rates[:, None] * times + phases[:, None]).sum(axis=0) / np.sqrt(6)


def waypoints(
    rng: np.random.Generator,
    times: Float[np.ndarray, "frame"],
    targets: Iterator[np.ndarray],
    move_seconds: tuple[float, float],
    hold_seconds: tuple[float, float],
) -> Float[np.ndarray, "frame channel"]:
    """Move from target to target: minimum-jerk moves with holds between them.

    Args:
        rng: source of randomness.
        times: seconds, increasing from 0.
        targets: without end, each (channel,).
        move_seconds: range of the duration of a move.
        hold_seconds: range of the rest after it.
    """
    now, starts, moves, points = -rng.uniform(0, 2), [], [], [next(targets)]
    while now < times[-1] or not starts:
        starts.append(now)
        moves.append(rng.uniform(*move_seconds))
        points.append(next(targets))
        now += moves[-1] + rng.uniform(*hold_seconds)
    path = np.array(points, dtype=np.float64)
    number = np.searchsorted(starts, times, side="right") - 1
    ease = min_jerk((times - np.array(starts)[number]) / np.array(moves)[number])[:, None]
    return path[number] + ease * (path[number + 1] - path[number])


def bouts(
    rng: np.random.Generator,
    times: Float[np.ndarray, "frame"],
    every_seconds: float,
    lasting_seconds: tuple[float, float],
    rise_seconds: float = 0.6,
) -> Float[np.ndarray, "frame"]:
    """An envelope 0 to 1 that rises and falls around random bouts of activity.

    Args:
        rng: source of randomness.
        times: seconds, increasing from 0.
        every_seconds: mean time from the end of a bout to the next.
        lasting_seconds: range of the length of a bout.
        rise_seconds: how long it rises, and falls.
    """
    envelope, now = np.zeros_like(times), rng.exponential(every_seconds) - every_seconds / 2
    while now < times[-1]:
        length = rng.uniform(*lasting_seconds)
        ends = (times - now) / rise_seconds, (now + length - times) / rise_seconds
        envelope = np.maximum(envelope, min_jerk(ends[0]) * min_jerk(ends[1]))
        now += length + rng.exponential(every_seconds)
    return envelope

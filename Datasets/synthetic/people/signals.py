"""Random choices, and smooth random signals in time that movement is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

Choice = TypeVar("Choice")


def choose(rng: np.random.Generator, weights: Mapping[Choice, float]) -> Choice:
    """Draw a key with a probability in proportion to its value."""
    keys, shares = zip(*weights.items(), strict=True)
    return keys[int(rng.choice(len(keys), p=np.array(shares) / sum(shares)))]


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


def waypoints(
    rng: np.random.Generator,
    times: Float[np.ndarray, "frame"],
    draw,
    move_seconds: tuple[float, float],
    hold_seconds: tuple[float, float],
) -> Float[np.ndarray, "frame channel"]:
    """Move between random targets: minimum-jerk moves with holds between them.

    Args:
        rng: source of randomness.
        times: seconds, increasing from 0.
        draw: function of ``rng`` that returns one target, (channel,).
        move_seconds: range of the duration of a move.
        hold_seconds: range of the rest after it.
    """
    now, previous = -rng.uniform(0, 2), np.asarray(draw(rng), dtype=np.float64)
    path = np.tile(previous, (len(times), 1))
    while now < times[-1]:
        target, move = np.asarray(draw(rng), dtype=np.float64), rng.uniform(*move_seconds)
        ease = min_jerk((times - now) / move)[:, None]
        path = np.where(times[:, None] >= now, previous + ease * (target - previous), path)
        previous, now = target, now + move + rng.uniform(*hold_seconds)
    return path


def bouts(
    rng: np.random.Generator,
    times: Float[np.ndarray, "frame"],
    every_seconds: float,
    lasting_seconds: tuple[float, float],
) -> Float[np.ndarray, "frame"]:
    """An envelope 0 to 1 that rises and falls around random bouts of activity."""
    envelope, now = np.zeros_like(times), rng.exponential(every_seconds) - every_seconds / 2
    while now < times[-1]:
        length = rng.uniform(*lasting_seconds)
        rise = min_jerk((times - now) / 0.6) * min_jerk((now + length - times) / 0.6)
        envelope = np.maximum(envelope, rise)
        now += length + rng.exponential(every_seconds)
    return envelope

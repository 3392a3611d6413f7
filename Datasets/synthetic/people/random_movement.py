"""Movement without habits: every joint wanders through all that its limits allow."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation
from scipy.special import ndtr

from Datasets.synthetic.people.body import SIDES, BodyShape
from Datasets.synthetic.people.joint_limits import (
    ARM,
    BOXES,
    CHAINS,
    PRONATION,
    Rotations,
    limbs_of,
    swing_to,
    to_body,
    turned,
    unit,
)
from Datasets.synthetic.people.limbs import Limb, bend_fingers
from Datasets.synthetic.people.signals import log_uniform

TEMPO = (1.0, 6.0)
"""Range, over clips, of the seconds after which a joint turns back."""

ROLLING = 0.6
"""Deviation of the trunk from its mean orientation about each axis, radians."""

WAVES = 12
"""Sines of which a wandering signal is made."""


def random_movement(
    rng: np.random.Generator, shape: BodyShape, times: Float[np.ndarray, "frame"]
) -> tuple[Rotations, Float[np.ndarray, "frame 3 3"]]:
    """Draw rotations evenly from the joint limits, and the trunk in any orientation.

    Returns:
        Rotations of the bones, and of the root from body axes to world axes.
    """
    seconds = log_uniform(rng, *TEMPO)
    rotations: Rotations = {}
    for name, chains in CHAINS.items():
        low, high = np.radians(BOXES[name]).T
        for bones in chains:
            vector = low + (high - low) * ndtr(wandering(rng, times, seconds, 3))
            rotations |= dict.fromkeys(bones, turned(vector / len(bones)))
    for limb, limits in limbs_of(shape):
        direction = _in_cone(rng, times, seconds, to_body(limb, limits.middle), limits.spread)
        twist, bend = ndtr(wandering(rng, times, seconds, 2)).T
        inward = limb.sign * _between(twist, limits.twist)
        own = turned(inward[:, None] * unit(limb.upper_rest))
        rotations[limb.upper] = swing_to(limb.upper_rest, direction) @ own
        angle = _between(bend, limits.bend) - _bend_at_rest(limb)
        rotations[limb.lower] = turned(angle[:, None] * limb.hinge)
        if limits is ARM:
            turn = _between(ndtr(wandering(rng, times, seconds, 1))[:, 0], PRONATION)
            rotations[limb.lower] @= turned(turn[:, None] * unit(limb.lower_rest))
    for side in SIDES:
        rotations |= bend_fingers(shape, side, ndtr(wandering(rng, times, seconds, 4)).T)
    about = turned(ROLLING * wandering(rng, times, 2 * seconds, 3))
    return rotations, Rotation.random(rng=rng).as_matrix() @ about


def wandering(
    rng: np.random.Generator, times: Float[np.ndarray, "frame"], seconds: float, channels: int
) -> Float[np.ndarray, "frame channel"]:
    """Smooth signals, standard normal at any time, that turn back about every few ``seconds``."""
    rates = np.abs(rng.normal(0, 1, (channels, WAVES))) * np.pi / seconds
    phases = rng.uniform(0, 2 * np.pi, (channels, WAVES))
    waves = np.sin(rates * times[:, None, None] + phases)
    return waves.sum(axis=-1) * np.sqrt(2 / WAVES)


def _in_cone(
    rng: np.random.Generator, times: np.ndarray, seconds: float, middle: np.ndarray, degrees: float
) -> Float[np.ndarray, "frame 3"]:
    """Unit directions, even over a cone about ``middle``."""
    axis = unit(middle)
    first = unit(np.cross(axis, [0.0, 0.0, 1.0]))
    spread = wandering(rng, times, seconds, 2)
    radius = np.linalg.norm(spread, axis=1, keepdims=True)
    side = (spread / np.maximum(radius, 1e-9)) @ np.stack([first, np.cross(axis, first)])
    share = 1 - np.exp(-(radius**2) / 2)
    cosine = 1 - share * (1 - np.cos(np.radians(degrees)))
    return cosine * axis + np.sqrt(1 - cosine**2) * side


def _between(share: np.ndarray, degrees: tuple[float, float]) -> np.ndarray:
    """Radians at shares of a range."""
    low, high = np.radians(degrees)
    return low + share * (high - low)


def _bend_at_rest(limb: Limb) -> float:
    return float(np.arccos(np.clip(unit(limb.upper_rest) @ unit(limb.lower_rest), -1, 1)))

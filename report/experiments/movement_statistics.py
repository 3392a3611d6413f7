"""How an infant is built and moves, as numbers from 2D tracks of 14 joints.

One code measures real and generated infants. Both sides of a body are pooled. A trunk is the median
distance from the neck to the middle of the hips, the length of another bone its 99th percentile:
what the camera sees of it when it lies across the view. Velocities are differences of positions
smoothed by a Gaussian of ``SMOOTH_S``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d
from scipy.signal import welch

JOINTS = (
    *("head", "right_hand", "right_elbow", "right_shoulder", "neck"),
    *("left_shoulder", "left_elbow", "left_hand", "right_foot", "right_knee"),
    *("right_hip", "left_hip", "left_knee", "left_foot"),
)
"""Of a track; ``head`` is the nose, ``hand`` the fingers, ``foot`` the ankle."""

SMOOTH_S, ENVELOPE_S = 0.05, 0.27
"""Gaussian (standard deviation) of positions; of speeds before they are correlated."""

STILL, AT_REST, REST_S = 0.05, 0.1, 1.0
"""Trunks per second below which a joint is nearly still, or rests if it lasts ``REST_S``."""

NEAR, ASIDE, TURNED = 0.3, 0.5, 0.3
"""Hand to nose and foot to foot, shoulder widths; nose beside the trunk's axis, lengths of the
neck, and the same that a switch of sides has to cross."""

CHAINS = {"arm": ("shoulder", "elbow", "hand"), "leg": ("hip", "knee", "foot")}
HERTZ = (0.0, 0.5, 1.5, 4.0, np.inf)


@dataclass(frozen=True)
class Track:
    """The joints of one infant over time.

    Attributes:
        keypoints_px: pixels; the last but one axis is ``JOINTS``.
        fps: frames per second.
    """

    keypoints_px: Float[np.ndarray, "frame 14 2"]
    fps: float

    def joint(self, name: str) -> Float[np.ndarray, "frame 2"]:
        """Positions of a joint of ``JOINTS``, or of ``hips``, the middle of both."""
        if name == "hips":
            return (self.joint("left_hip") + self.joint("right_hip")) / 2
        return self.keypoints_px[:, JOINTS.index(name)].astype(np.float64)

    def both(self, measure: Callable[[str], np.ndarray]) -> np.ndarray:
        """A measure of (prefix of a side), of both sides, one after the other."""
        return np.concatenate([measure("left_"), measure("right_")])

    def between(self, first: str, second: str) -> Float[np.ndarray, "frame"]:
        """Distance of two joints, pixels."""
        return _norm(self.joint(second) - self.joint(first))

    def bone(self, first: str, second: str) -> tuple[np.ndarray, np.ndarray]:
        """Distances of the joints of both sides (side, frame), and their 99th percentiles."""
        length = np.stack([self.between(side + first, side + second) for side in SIDES])
        return length, np.percentile(length, 99, axis=1)

    @cached_property
    def trunk(self) -> float:
        """Length of the trunk, pixels."""
        return float(np.median(self.between("neck", "hips")))

    @cached_property
    def shoulders(self) -> float:
        """Width of the shoulders, pixels."""
        return float(np.percentile(self.between("left_shoulder", "right_shoulder"), 99))

    @cached_property
    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors (frame, 2): from the hips to the neck, and to the infant's left."""
        up = self.joint("neck") - self.joint("hips")
        up = up / np.maximum(_norm(up), 1e-9)[:, None]
        left = np.stack([-up[:, 1], up[:, 0]], axis=1)
        hips = self.joint("left_hip") - self.joint("right_hip")
        return up, left * np.sign(np.sum(hips * left, axis=1).sum() or 1.0)

    def velocity(self, joint: str, base: str | None = None) -> Float[np.ndarray, "frame 2"]:
        """Pixels per second of a joint, relative to another one if named."""
        path = self.joint(joint) - (0.0 if base is None else self.joint(base))
        return np.gradient(gaussian_filter1d(path, SMOOTH_S * self.fps, axis=0), axis=0) * self.fps

    def speeds(self, limb: str) -> Float[np.ndarray, "side frame"]:
        """Of a hand or foot relative to shoulder or hip, limb lengths per second."""
        base, middle, end = CHAINS[limb]
        length = np.mean(self.bone(base, middle)[1] + self.bone(middle, end)[1])
        moved = [_norm(self.velocity(side + end, side + base)) for side in SIDES]
        return np.stack(moved) / length


SIDES = ("left_", "right_")


def _norm(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=-1)


def _angle(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Degrees between vectors (frame, 2)."""
    length = np.maximum(_norm(first) * _norm(second), 1e-9)
    return np.degrees(np.arccos(np.clip(np.sum(first * second, axis=-1) / length, -1, 1)))


def _bone(first: str, second: str) -> Callable[[Track], float]:
    return lambda t: float(np.mean(t.bone(first, second)[1]) / t.trunk)


def _width(first: str, second: str) -> Callable[[Track], float]:
    return lambda t: float(np.percentile(t.between(first, second), 99) / t.trunk)


def _bend(limb: str) -> Callable[[Track], np.ndarray]:
    """Inner angle of elbow or knee."""
    base, middle, end = CHAINS[limb]

    def of_side(t: Track, side: str) -> np.ndarray:
        corner = t.joint(side + middle)
        return _angle(t.joint(side + base) - corner, t.joint(side + end) - corner)

    return lambda t: t.both(lambda side: of_side(t, side))


def _swing(limb: str) -> Callable[[Track], np.ndarray]:
    """Angle of upper arm or thigh from the trunk's way down."""
    base, middle, _ = CHAINS[limb]
    return lambda t: t.both(
        lambda side: _angle(t.joint(side + middle) - t.joint(side + base), -t.axes[0])
    )


def _median(angles: Callable[[Track], np.ndarray]) -> Callable[[Track], float]:
    return lambda t: float(np.median(angles(t)))


def _overhead(t: Track) -> float:
    return _percent(_swing("arm")(t) > 90)


def _at_face(t: Track) -> float:
    near = NEAR * t.shoulders
    return _percent(t.both(lambda side: t.between(side + "hand", "head") < near))


def _feet_together(t: Track) -> float:
    return _percent(t.between("left_foot", "right_foot") < NEAR * t.shoulders)


def _across(t: Track) -> float:
    """Share of ankles on the other side of the trunk's axis."""

    def of_side(side: str) -> np.ndarray:
        out = np.sum((t.joint(side + "foot") - t.joint("hips")) * t.axes[1], axis=1)
        return out < 0 if side == "left_" else out > 0

    return _percent(t.both(of_side))


def _short(first: str, second: str, below: float) -> Callable[[Track], float]:
    """Share of a bone seen at less than ``below`` of its length."""

    def share(t: Track) -> float:
        length, longest = t.bone(first, second)
        return _percent(length < below * longest[:, None])

    return share


def _percent(mask: np.ndarray) -> float:
    return float(100 * np.mean(mask))


def _still(joint: str) -> Callable[[Track], float]:
    return lambda t: _percent(
        t.both(lambda side: _norm(t.velocity(side + joint)) < STILL * t.trunk)
    )


def _resting(joint: str) -> Callable[[Track], float]:
    """Share of the time in rests."""

    def of_side(t: Track, side: str) -> np.ndarray:
        slow = _norm(t.velocity(side + joint)) < AT_REST * t.trunk
        return lasting(slow, round(REST_S * t.fps))

    return lambda t: _percent(t.both(lambda side: of_side(t, side)))


def lasting(mask: np.ndarray, frames: int) -> np.ndarray:
    """The mask without runs shorter than ``frames``.

    >>> lasting(np.array([True, False, True, True]), 2).tolist()
    [False, False, True, True]
    """
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(int))
    kept = np.zeros(len(mask), dtype=bool)
    for start, end in zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True):
        kept[start:end] = end - start >= frames
    return kept


def _band(joint: str, number: int) -> Callable[[Track], float]:
    """Share of the power of a velocity between two of ``HERTZ``."""

    def share(t: Track) -> float:
        shares = [_bands(t.velocity(side + joint), t.fps) for side in SIDES]
        return float(np.mean(shares, axis=0)[number])

    return share


def _bands(velocity: np.ndarray, fps: float) -> np.ndarray:
    rates, power = welch(velocity, fps, nperseg=min(256, len(velocity)), axis=0)
    power = power.sum(axis=1)
    within = [power[(rates >= low) & (rates < high)].sum() for low, high in pairwise(HERTZ)]
    return np.array(within) / max(sum(within), 1e-12)


def _together(t: Track, first: str, second: str) -> float:
    """Correlation of the smoothed speeds of two joints."""
    speeds = [
        gaussian_filter1d(_norm(t.velocity(joint)), ENVELOPE_S * t.fps) for joint in (first, second)
    ]
    return float(np.corrcoef(*speeds)[0, 1]) if min(map(np.std, speeds)) > 0 else 0.0


def _hip_foot(t: Track) -> float:
    return float(np.mean([_together(t, "hips", side + "foot") for side in SIDES]))


def _drift(t: Track) -> float:
    low, high = np.percentile(t.joint("hips"), [1, 99], axis=0)
    return float(_norm(high - low) / t.trunk)


def _narrowest(first: str, second: str, above: float) -> Callable[[Track], float]:
    """Fifth percentile of a distance over a high one."""
    return lambda t: float(np.divide(*np.percentile(t.between(first, second), [5, above])))


def _nose(t: Track) -> tuple[np.ndarray, np.ndarray]:
    """Nose beside and along the trunk's axis from the neck, lengths of the neck."""
    neck = t.joint("head") - t.joint("neck")
    length = np.percentile(_norm(neck), 99)
    return tuple(np.sum(neck * axis, axis=1) / length for axis in (t.axes[1], t.axes[0]))


def _head_turn(t: Track) -> float:
    return float(np.std(np.degrees(np.arctan2(*_nose(t)))))


def _switches(t: Track) -> float:
    """How often a minute the nose goes from one side to the other."""
    side = _nose(t)[0]
    sides = np.sign(side[np.abs(side) > TURNED])
    return float(np.count_nonzero(np.diff(sides)) / (len(side) / t.fps / 60))


def _imbalance(limb: str) -> Callable[[Track], float]:
    """Mean speed of the livelier side over that of the other."""

    def ratio(t: Track) -> float:
        low, high = sorted(t.speeds(limb).mean(axis=1) + 1e-6)
        return float(high / low)

    return ratio


def _left_hips(t: Track) -> float:
    return float(np.median(t.joint("hips")[:, 0]))


STATISTICS: Mapping[str, Callable[[Track], float]] = {
    "upper arm / trunk": _bone("shoulder", "elbow"),
    "elbow to hand / trunk": _bone("elbow", "hand"),
    "thigh / trunk": _bone("hip", "knee"),
    "shank / trunk": _bone("knee", "foot"),
    "hip width / trunk": _width("left_hip", "right_hip"),
    "shoulder width / trunk": _width("left_shoulder", "right_shoulder"),
    "neck to nose / trunk": _width("neck", "head"),
    "elbow angle, median, degrees": _median(_bend("arm")),
    "knee angle, median, degrees": _median(_bend("leg")),
    "upper arm from trunk, median, degrees": _median(_swing("arm")),
    "thigh from trunk, median, degrees": _median(_swing("leg")),
    "upper arm above 90 degrees, %": _overhead,
    "hand near the nose, %": _at_face,
    "feet together, %": _feet_together,
    "ankle across the midline, %": _across,
    "forearm below .5 of its length, %": _short("elbow", "hand", 0.5),
    "forearm below .7, %": _short("elbow", "hand", 0.7),
    "thigh below .5, %": _short("hip", "knee", 0.5),
    "thigh below .7, %": _short("hip", "knee", 0.7),
    "shank below .5, %": _short("knee", "foot", 0.5),
    "shank below .7, %": _short("knee", "foot", 0.7),
    "arm speed, mean, limb lengths/s": lambda t: float(t.speeds("arm").mean()),
    "arm speed, median": lambda t: float(np.median(t.speeds("arm"))),
    "leg speed, mean, limb lengths/s": lambda t: float(t.speeds("leg").mean()),
    "leg speed, 99th percentile": lambda t: float(np.percentile(t.speeds("leg"), 99)),
    "hand nearly still, %": _still("hand"),
    "foot nearly still, %": _still("foot"),
    "hand resting over 1 s, %": _resting("hand"),
    "foot resting over 1 s, %": _resting("foot"),
    "hand velocity below 0.5 Hz": _band("hand", 0),
    "hand velocity 0.5-1.5 Hz": _band("hand", 1),
    "hand velocity 1.5-4 Hz": _band("hand", 2),
    "foot velocity below 0.5 Hz": _band("foot", 0),
    "foot velocity 0.5-1.5 Hz": _band("foot", 1),
    "foot velocity 1.5-4 Hz": _band("foot", 2),
    "speeds of the hands, correlation": lambda t: _together(t, "left_hand", "right_hand"),
    "speeds of the feet, correlation": lambda t: _together(t, "left_foot", "right_foot"),
    "speeds of hips and foot, correlation": _hip_foot,
    "livelier hand over the other": _imbalance("arm"),
    "livelier foot over the other": _imbalance("leg"),
    "drift of the hips, trunks": _drift,
    "hip speed, mean, trunks/s": lambda t: float(_norm(t.velocity("hips")).mean() / t.trunk),
    "roll: shoulder width, p5 / p99": _narrowest("left_shoulder", "right_shoulder", 99),
    "pitch: trunk, p5 / p95": _narrowest("neck", "hips", 95),
    "nose to the side, %": lambda t: _percent(np.abs(_nose(t)[0]) > ASIDE),
    "head turn in the picture, SD, degrees": _head_turn,
    "head switches per minute": _switches,
    "trunk, px": lambda t: t.trunk,
    "hips, x, px": _left_hips,
}
"""Name, with its unit, and measure of a track; the first seven are of the body."""


def statistics(track: Track) -> dict[str, float]:
    """All ``STATISTICS`` of one infant."""
    return {name: measure(track) for name, measure in STATISTICS.items()}

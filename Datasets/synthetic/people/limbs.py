"""Two-bone inverse kinematics for arms and legs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape

MIDDLE_CLEARANCE = 0.015
"""Least height of an elbow or knee over the bed, metres."""


@dataclass(frozen=True)
class Limb:
    """An arm or a leg as a two-bone chain.

    Attributes:
        upper, lower: names of the bones that turn at shoulder or hip and at elbow or knee.
        base: index of the bone whose head is the shoulder or hip.
        frame: index of the bone whose orientation carries the limb; targets are relative to it.
        upper_rest, lower_rest: rest vectors, metres, body frame.
        hinge: unit axis of the elbow or knee at rest, body frame.
        sign: +1 left, -1 right.
    """

    upper: str
    lower: str
    base: int
    frame: int
    upper_rest: Float[np.ndarray, "3"]
    lower_rest: Float[np.ndarray, "3"]
    hinge: Float[np.ndarray, "3"]
    sign: float

    @property
    def lengths(self) -> tuple[float, float]:
        """Lengths of the two bones, metres."""
        return float(np.linalg.norm(self.upper_rest)), float(np.linalg.norm(self.lower_rest))

    def to_world(self, direction: np.ndarray, reach: np.ndarray, turn, place) -> np.ndarray:
        """Turn (out, front, up) directions and reach fractions into world points (frame, 3)."""
        unit = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
        local = unit * [self.sign, -1.0, 1.0] * (reach * sum(self.lengths))[:, None]
        return place[:, self.base] + np.einsum("fij,fj->fi", turn[:, self.frame], local)


def arm(shape: BodyShape, side: str) -> Limb:
    """The arm of one side (``L`` or ``R``)."""
    limb = _limb(shape, f"upperarm01.{side}", f"lowerarm01.{side}", f"wrist.{side}")
    # The elbow is bent at rest: its axis is normal to the plane of the two bones.
    return _with_hinge(limb, f"shoulder01.{side}", np.cross(limb.upper_rest, limb.lower_rest))


def leg(shape: BodyShape, side: str) -> Limb:
    """The leg of one side (``L`` or ``R``)."""
    limb = _limb(shape, f"upperleg01.{side}", f"lowerleg01.{side}", f"foot.{side}")
    return _with_hinge(limb, f"pelvis.{side}", np.array([1.0, 0.0, 0.0]))


def _limb(shape: BodyShape, upper: str, lower: str, end: str) -> Limb:
    base, knee, foot = (bodies.rig().index(b) for b in (upper, lower, end))
    return Limb(
        upper=upper,
        lower=lower,
        base=base,
        frame=base,
        upper_rest=shape.heads[knee] - shape.heads[base],
        lower_rest=shape.heads[foot] - shape.heads[knee],
        hinge=np.zeros(3),
        sign=1.0 if upper.endswith("L") else -1.0,
    )


def _with_hinge(limb: Limb, frame: str, hinge: np.ndarray) -> Limb:
    along = limb.upper_rest / np.linalg.norm(limb.upper_rest)
    hinge = hinge - (hinge @ along) * along
    return Limb(
        **{
            **limb.__dict__,
            "frame": bodies.rig().index(frame),
            "hinge": hinge / np.linalg.norm(hinge),
        }
    )


def aim_limb(
    limb: Limb,
    target: Float[np.ndarray, "frame 3"],
    pole: Float[np.ndarray, "frame 3"],
    turn,
    place,
) -> dict[str, Float[np.ndarray, "frame 3 3"]]:
    """Solve the two rotations that bring the limb's end to a target.

    Args:
        limb: the chain.
        target: world positions, metres; out of reach ones are approached along the line.
        pole: direction in body axes towards which the middle joint points.
        turn: orientations of the bones with the limb at rest, (frame, bone, 3, 3).
        place: their positions in the world, (frame, bone, 3), metres.

    Returns:
        Rotations in body axes of the upper and the lower bone, to be given to forward kinematics.
    """
    frame = turn[:, limb.frame]
    local = np.einsum("fji,fj->fi", frame, target - place[:, limb.base])
    first, second = limb.lengths
    distance = np.linalg.norm(local, axis=1)
    reach = np.clip(distance, abs(first - second) + 0.01, (first + second) * 0.995)
    toward = local / np.maximum(distance, 1e-9)[:, None]
    cosine = ((first**2 + reach**2 - second**2) / (2 * first * reach))[:, None]
    lever = first * np.sqrt(np.clip(1 - cosine**2, 0, 1))
    room = place[:, limb.base, 2] + first * cosine[:, 0] * (frame @ toward[..., None])[:, 2, 0]
    side = _side_above_bed(pole, toward, frame[:, 2], room, lever[:, 0])
    upper = toward * cosine + side * lever / first
    lower = (toward * reach[:, None] - upper * first) / second
    # Bending turns the upper bone towards the lower one: the axis is their cross product.
    axis = np.cross(upper, lower)
    axis = axis / np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    swing = _basis(upper, axis) @ _basis(limb.upper_rest[None], limb.hinge[None]).transpose(0, 2, 1)
    bent = _basis(lower, axis) @ _basis(limb.lower_rest[None], limb.hinge[None]).transpose(0, 2, 1)
    return {limb.upper: swing, limb.lower: swing.transpose(0, 2, 1) @ bent}


def _side_above_bed(
    pole: np.ndarray, toward: np.ndarray, up: np.ndarray, room: np.ndarray, lever: np.ndarray
) -> np.ndarray:
    """Unit vectors normal to ``toward``, near ``pole``, that hold the middle joint over the bed.

    Args:
        pole: (frame, 3) wished direction, body axes.
        toward: (frame, 3) unit direction of the limb's end.
        up: (frame, 3) the world's up in body axes.
        room: (frame,) height of the limb's axis where the middle joint stands off it, metres.
        lever: (frame,) how far it stands off, metres.
    """
    low, high = np.zeros(len(pole)), np.full(len(pole), 8.0)
    for _ in range(14):
        middle = (low + high) / 2
        side = _normal_part(pole + middle[:, None] * up, toward)
        sunk = room + lever * np.sum(side * up, axis=1) < MIDDLE_CLEARANCE
        low, high = np.where(sunk, middle, low), np.where(sunk, high, middle)
    free = room + lever * np.sum(_normal_part(pole, toward) * up, axis=1) >= MIDDLE_CLEARANCE
    return _normal_part(pole + np.where(free, 0.0, high)[:, None] * up, toward)


def _normal_part(vectors: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Unit component of ``vectors`` normal to the unit ``axis``."""
    side = vectors - np.sum(vectors * axis, axis=1, keepdims=True) * axis
    return side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)


def _basis(along: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Right-handed orthonormal frames (frame, 3, 3) with first column ``along``, near ``axis``."""
    x = along / np.linalg.norm(along, axis=-1, keepdims=True)
    y = axis - np.sum(axis * x, axis=-1, keepdims=True) * x
    y = y / np.maximum(np.linalg.norm(y, axis=-1, keepdims=True), 1e-9)
    return np.stack([x, y, np.cross(x, y)], axis=-1)

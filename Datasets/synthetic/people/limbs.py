"""Arms, legs and fingers: two-bone inverse kinematics, and bending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

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
    def side(self) -> str:
        """``L`` or ``R``."""
        return self.upper[-1]

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
    return _limb(shape, side, "shoulder01", ("upperarm01", "lowerarm01", "wrist"))


def leg(shape: BodyShape, side: str) -> Limb:
    """The leg of one side (``L`` or ``R``)."""
    return _limb(shape, side, "pelvis", ("upperleg01", "lowerleg01", "foot"), (1.0, 0.0, 0.0))


def _limb(
    shape: BodyShape,
    side: str,
    frame: str,
    chain: tuple[str, str, str],
    hinge: tuple[float, float, float] | None = None,
) -> Limb:
    names = [f"{bone}.{side}" for bone in chain]
    base, middle, end = (bodies.rig().index(name) for name in names)
    upper, lower = shape.heads[middle] - shape.heads[base], shape.heads[end] - shape.heads[middle]
    # An elbow is bent at rest: its axis is normal to the plane of the two bones.
    axis = np.cross(upper, lower) if hinge is None else np.array(hinge)
    along = upper / np.linalg.norm(upper)
    axis = axis - (axis @ along) * along
    return Limb(
        upper=names[0],
        lower=names[1],
        base=base,
        frame=bodies.rig().index(f"{frame}.{side}"),
        upper_rest=upper,
        lower_rest=lower,
        hinge=axis / np.linalg.norm(axis),
        sign=1.0 if side == "L" else -1.0,
    )


def euler(axes: str, *degrees: np.ndarray) -> Float[np.ndarray, "frame 3 3"]:
    """Rotations from Euler angles; lower-case axes are fixed ones, turned about in their order."""
    return Rotation.from_euler(axes, np.stack(degrees, axis=-1), degrees=True).as_matrix()


def bend_fingers(
    shape: BodyShape, side: str, bends: Sequence[Float[np.ndarray, "frame"]]
) -> dict[str, Float[np.ndarray, "frame 3 3"]]:
    """Rotations of the four fingers about the line of the knuckles; 0 is stretched, 1 a fist."""
    head = {bone: shape.heads[i] for i, bone in enumerate(bodies.rig().bones)}
    along = head[f"finger3-2.{side}"] - head[f"finger3-1.{side}"]
    across = head[f"finger5-1.{side}"] - head[f"finger2-1.{side}"]
    across = across / np.linalg.norm(across)
    thumb = head[f"finger1-3.{side}"] - head[f"wrist.{side}"]
    inward = np.sign(np.cross(across, along) @ thumb) or 1.0
    rotations = {}
    for finger, bend in enumerate(bends, 2):
        for phalanx, most in ((1, 70), (2, 80), (3, 50)):
            angle = np.radians(bend * most * inward)[:, None] * across
            rotations[f"finger{finger}-{phalanx}.{side}"] = Rotation.from_rotvec(angle).as_matrix()
    return rotations


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

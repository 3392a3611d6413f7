"""How far the joints of an infant turn, and poses brought within that.

Directions are (out to their own side, to the front, up); angles in degrees. Arms: active ranges of
the young (Boone & Azen, 1979); hips and ankles: passive ranges of newborns (Forero et al., 1989;
Waugh et al., 1983); trunk and neck: Norkin & White (2016); all rounded outwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import SIDES, BodyShape
from Datasets.synthetic.people.limbs import Limb, arm, leg

Rotations = dict[str, np.ndarray]
"""Per bone name, (frame, 3, 3) in body axes, as ``forward_kinematics`` takes them."""


@dataclass(frozen=True)
class LimbLimits:
    """What the two bones of a limb may do.

    Attributes:
        middle: direction in the middle of all those that the upper bone takes.
        spread: largest angle from it.
        twist: range of the turn of the upper bone about itself, inwards.
        bend: range of the elbow or knee.
    """

    middle: tuple[float, float, float]
    spread: float
    twist: tuple[float, float]
    bend: tuple[float, float]


ARM = LimbLimits((0.8, 0.55, 0.1), 95.0, (-80.0, 80.0), (4.0, 145.0))
LEG = LimbLimits((0.42, 0.62, -0.66), 68.0, (-55.0, 55.0), (4.0, 150.0))
PRONATION = (-70.0, 70.0)
"""Turn of the forearm about itself from its middle position."""

BOXES = {
    "spine": ((-20.0, 50.0), (-30.0, 30.0), (-35.0, 35.0)),
    "neck": ((-45.0, 45.0), (-35.0, 35.0), (-80.0, 80.0)),
    "clavicle": ((-15.0, 15.0), (-20.0, 20.0), (-20.0, 20.0)),
    "wrist": ((-60.0, 60.0), (-25.0, 25.0), (-60.0, 60.0)),
    "foot": ((-45.0, 50.0), (-20.0, 20.0), (-25.0, 25.0)),
}
"""Ranges of rotation vectors about the body's axes: of all bones of spine and of neck together, of
the others each."""

CHAINS = {
    "spine": (bodies.SPINE,),
    "neck": (bodies.NECK,),
    "clavicle": tuple((f"clavicle.{side}",) for side in SIDES),
    "wrist": tuple((f"wrist.{side}",) for side in SIDES),
    "foot": tuple((f"foot.{side}",) for side in SIDES),
}
"""Bones that share the range of a box."""


def limbs_of(shape: BodyShape) -> list[tuple[Limb, LimbLimits]]:
    """Arms and legs with their limits."""
    kinds = ((arm, ARM), (leg, LEG))
    return [(make(shape, side), limits) for make, limits in kinds for side in SIDES]


def within_limits(shape: BodyShape, rotations: Rotations) -> Rotations:
    """Bring the rotations of a pose into the limits; what lies within stays as it is.

    Args:
        shape: the body.
        rotations: of its bones; forearms may turn about themselves at ``lowerarm02``.
    """
    allowed = dict(rotations)
    for name, chains in CHAINS.items():
        for bones in chains:
            low, high = np.radians(BOXES[name]).T / len(bones)
            for bone in set(bones) & set(allowed):
                vector = Rotation.from_matrix(allowed[bone]).as_rotvec()
                allowed[bone] = turned(np.clip(vector, low, high))
    for limb, limits in limbs_of(shape):
        if limb.upper in allowed:
            allowed[limb.upper] = _limited_upper(limb, limits, allowed[limb.upper])
        if limb.lower in allowed:
            bend, twist = bend_and_twist(limb, allowed[limb.lower])
            allowed[limb.lower] = turned(np.clip(bend, *_bends(limb, limits))[:, None] * limb.hinge)
            if limits is ARM:
                forearm = f"lowerarm02.{limb.side}"
                own = unit(limb.lower_rest)
                twist = twist + twist_about(own, allowed.get(forearm, np.eye(3)[None]))
                angle = np.clip(twist, *np.radians(PRONATION))[:, None]
                allowed[forearm] = turned(angle * own)
    return allowed


def turned(vectors: Float[np.ndarray, "frame 3"]) -> Float[np.ndarray, "frame 3 3"]:
    """Rotation vectors, radians, as matrices."""
    return Rotation.from_rotvec(vectors).as_matrix()


def unit(vectors: Float[np.ndarray, "... 3"]) -> Float[np.ndarray, "... 3"]:
    """Vectors of length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def swing_to(
    rest: Float[np.ndarray, "3"], direction: Float[np.ndarray, "frame 3"]
) -> Float[np.ndarray, "frame 3 3"]:
    """The smallest rotations that turn ``rest`` to directions."""
    return swings(np.broadcast_to(rest, direction.shape), direction)


def swings(
    first: Float[np.ndarray, "frame 3"], second: Float[np.ndarray, "frame 3"]
) -> Float[np.ndarray, "frame 3 3"]:
    """The smallest rotations that turn the first directions to the second."""
    first, second = unit(first), unit(second)
    axis = np.cross(first, second)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    cosine = np.sum(first * second, axis=1, keepdims=True)
    return turned(axis / np.maximum(sine, 1e-9) * np.arctan2(sine, cosine))


def in_cone(
    direction: Float[np.ndarray, "frame 3"], middle: Float[np.ndarray, "3"], degrees: float
) -> Float[np.ndarray, "frame 3"]:
    """Unit directions, those outside a cone about ``middle`` brought to its edge."""
    axis = unit(middle)
    along = direction @ axis
    side = unit(direction - along[:, None] * axis)
    edge = np.cos(np.radians(degrees)) * axis + np.sin(np.radians(degrees)) * side
    return np.where((along < np.cos(np.radians(degrees)))[:, None], edge, direction)


def bend_and_twist(
    limb: Limb, rotation: Float[np.ndarray, "frame 3 3"]
) -> tuple[Float[np.ndarray, "frame"], Float[np.ndarray, "frame"]]:
    """How far the lower bone turns about the hinge, and then about itself; radians."""
    along, hinge = unit(limb.lower_rest), limb.hinge
    moved = rotation @ along
    bend = np.arctan2(moved @ np.cross(hinge, along), moved @ along)
    rest = turned(-bend[:, None] * hinge) @ rotation
    return bend, twist_about(along, rest)


def twist_about(
    axis: Float[np.ndarray, "3"], rotation: Float[np.ndarray, "frame 3 3"]
) -> Float[np.ndarray, "frame"]:
    """The part of rotations that turns about a unit axis (swing times twist), radians."""
    quaternion = Rotation.from_matrix(rotation).as_quat()
    angle = 2 * np.arctan2(quaternion[:, :3] @ axis, quaternion[:, 3])
    return (angle + np.pi) % (2 * np.pi) - np.pi


def to_body(limb: Limb, direction: tuple[float, float, float]) -> Float[np.ndarray, "3"]:
    """(out, front, up) in body axes."""
    return np.array(direction) * [limb.sign, -1.0, 1.0]


def _bends(limb: Limb, limits: LimbLimits) -> tuple[float, float]:
    """Range of the turn about the hinge from the bend at rest, radians."""
    cosine = unit(limb.upper_rest) @ unit(limb.lower_rest)
    low, high = np.radians(limits.bend) - np.arccos(np.clip(cosine, -1, 1))
    return float(low), float(high)


def _limited_upper(limb: Limb, limits: LimbLimits, rotation: np.ndarray) -> np.ndarray:
    along = unit(limb.upper_rest)
    direction = rotation @ along
    kept = in_cone(direction, to_body(limb, limits.middle), limits.spread)
    twist = twist_about(along, swing_to(limb.upper_rest, direction).transpose(0, 2, 1) @ rotation)
    low, high = np.radians(limits.twist)
    inward = np.clip(limb.sign * twist, low, high) * limb.sign
    return swing_to(limb.upper_rest, kept) @ turned(inward[:, None] * along)

"""Postures as a few numbers, and bodies posed by them: inverse kinematics, then onto the floor.

World frame: metres, the floor is z = 0, z up. A body at rest stands along z and faces -y, its left
towards +x. Directions of limbs are (out to their own side, to the front, up).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import SIDES, BodyShape, Posed, weight_of
from Datasets.synthetic.people.contact import clear_of_trunk
from Datasets.synthetic.people.hands_and_feet import settled
from Datasets.synthetic.people.limbs import Limb, aim_limb, arm, bend_fingers, euler, leg

NECK_LIMITS = (-68.0, 45.0), (-30.0, 30.0), (-72.0, 72.0)
"""Least and largest nod (down is positive), tilt and turn of a whole neck, degrees."""
LOWER_LEGS = ("upperleg02", "lowerleg", "foot", "toe")
CRAWLING = 55.0
"""Pitch from which people on both knees are on their hands too, degrees."""
SUNK_M = 0.004
CONTACT_ROUNDS = 2
CARRYING = ("root", "spine", "pelvis"), ("head", "eye")
"""Bones of trunk and of head, on which the lying lie."""
SUNK_LYING, SUNK_SITTING = 0.06, 0.012
"""Share of the vertices that may be below the floor: of each of these, and of the whole body."""


@dataclass(frozen=True)
class Stance:
    """Numbers of a posture over time; leading axis is the frame. Angles in degrees.

    Attributes:
        trunk: (frame, 5) pitch (0 upright, 90 face down, -90 on the back), roll about the long
            axis, and how far the spine curls forward, bends to the left and twists.
        neck: (frame, 3) nod, tilt, turn.
        wrists: (frame, 2, 4) direction from the shoulder and reach as a share of the arm's length;
            left first.
        elbows: (frame, 2, 3) direction in which the elbow points.
        ankles: (frame, 2, 4) direction from the hip and reach.
        knees: (frame, 2, 3) direction in which the knee points.
        fists: (frame, 2) how closed the hand is, 0 to 1.
        upright: (frame, 2) share to which the directions of legs and of arms count from the world
            (facing as the body does) rather than from the trunk.
        soles: (frame, 2) share to which each sole is level.
        pointed: (frame, 2) how far each foot is stretched where its sole is not level, degrees.
        level: (frame, 1) share to which both ankles are brought to the same height.
        resting: (frame, 1) above a half where the trunk, not a foot, carries the body.
    """

    trunk: Float[np.ndarray, "frame 5"]
    neck: Float[np.ndarray, "frame 3"]
    wrists: Float[np.ndarray, "frame 2 4"]
    elbows: Float[np.ndarray, "frame 2 3"]
    ankles: Float[np.ndarray, "frame 2 4"]
    knees: Float[np.ndarray, "frame 2 3"]
    fists: Float[np.ndarray, "frame 2"]
    upright: Float[np.ndarray, "frame 2"]
    soles: Float[np.ndarray, "frame 2"]
    pointed: Float[np.ndarray, "frame 2"]
    level: Float[np.ndarray, "frame 1"]
    resting: Float[np.ndarray, "frame 1"]

    def __len__(self) -> int:
        return len(self.trunk)

    @classmethod
    def joined(cls, stances: list[Stance]) -> Stance:
        """One after the other."""
        names = [field.name for field in fields(cls)]
        return cls(**{n: np.concatenate([getattr(s, n) for s in stances]) for n in names})

    def taken(self, index: Any) -> Stance:
        """Some frames."""
        return replace(self, **{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def blended(self, other: Stance, share: Float[np.ndarray, "frame"]) -> Stance:
        """Between this and another stance, frame by frame."""
        changes = {}
        for field in fields(self):
            a, b = getattr(self, field.name), getattr(other, field.name)
            weight = share.reshape(-1, *(1,) * (a.ndim - 1))
            changes[field.name] = a + weight * (b - a)
        return replace(self, **changes)

    def mirrored(self) -> Stance:
        """Left and right exchanged."""
        trunk, neck = self.trunk * [1, -1, 1, -1, -1], self.neck * [1, -1, -1]
        paired = ("wrists", "elbows", "ankles", "knees", "fists", "soles", "pointed")
        swapped = {name: getattr(self, name)[:, ::-1] for name in paired}
        return replace(self, trunk=trunk, neck=neck, **swapped)


def pose_still(shape: BodyShape, stance: Stance, kind: str) -> Posed:
    """``pose_body`` for a stance of one frame; ``kind`` names its family."""
    posed = pose_body(shape, stance, np.zeros(1))
    return Posed(posed.turn[0], posed.place[0], kind)


def pose_body(shape: BodyShape, stance: Stance, times: Float[np.ndarray, "frame"]) -> Posed:
    """Pose a body and put it on the floor.

    Args:
        shape: the body.
        stance: the posture of each frame.
        times: seconds of the frames.
    """
    root = euler("xyz", stance.trunk[:, 0], np.zeros(len(stance)), np.zeros(len(stance)))
    root = root @ euler("z", stance.trunk[:, 1])
    rotations = _spine(stance)
    for number, side in enumerate(SIDES):
        rotations |= bend_fingers(shape, side, [stance.fists[:, number]] * 4)
    # High enough for limbs in any direction; trunks come down before their limbs are posed.
    resting = stance.resting[:, 0] > 0.5
    lying = resting & (stance.upright[:, 0] < 0.5)
    height = np.where(resting, _resting_height(shape, rotations, root, lying), 5.0)
    position = np.stack([np.zeros_like(height), np.zeros_like(height), height], axis=1)
    turn, place = bodies.forward_kinematics(shape, rotations, root, position)
    rotations |= _legs(shape, stance, turn, place)
    turn, place = bodies.forward_kinematics(shape, rotations, root, position)
    rotations |= _soles(stance, turn)
    rotations |= _arms(shape, stance, rotations, root, position, times)
    turn, place = bodies.forward_kinematics(shape, rotations, root, position)
    if lying.any():
        rotations |= _laid_down(rotations, turn, place, lying)
        turn, place = bodies.forward_kinematics(shape, rotations, root, position)
    kneeling = (stance.soles.max(axis=1) == 0) & (stance.level[:, 0] > 0.5) & ~resting
    crawling = kneeling & (stance.trunk[:, 0] > CRAWLING)
    turn, place = _on_hands(shape, turn, place, crawling)
    drop = _clearance(shape, turn, place, np.where(resting, SUNK_SITTING, 0.0))
    return Posed(turn, place - np.where(lying, 0.0, drop)[:, None, None] * [0, 0, 1])


def _spine(stance: Stance) -> dict[str, np.ndarray]:
    curl, side, twist = stance.trunk[:, 2:].T / len(bodies.SPINE)
    nod, tilt, turn = stance.neck.T / len(bodies.NECK)
    back, neck = euler("xyz", curl, side, twist), euler("xyz", nod, tilt, turn)
    return {bone: back for bone in bodies.SPINE} | {bone: neck for bone in bodies.NECK}


def _target(limb: Limb, aim: np.ndarray, world: np.ndarray, turn, place) -> np.ndarray:
    """World place (frame, 3) that a limb's end goes to."""
    local = aim[:, :3] * [limb.sign, -1.0, 1.0]
    bent = np.einsum("fij,fj->fi", turn[:, limb.frame], local)
    direction = world[:, None] * local + (1 - world[:, None]) * bent
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    return place[:, limb.base] + direction * (aim[:, 3:] * sum(limb.lengths))


def _pole(limb: Limb, towards: np.ndarray, world: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Direction of the middle joint in the axes of the limb's frame."""
    local = towards * [limb.sign, -1.0, 1.0]
    back = np.einsum("fji,fj->fi", turn[:, limb.frame], local)
    return world[:, None] * back + (1 - world[:, None]) * local


def _legs(shape, stance: Stance, turn, place) -> dict[str, np.ndarray]:
    limbs, world = [leg(shape, side) for side in SIDES], stance.upright[:, 0]
    aims = np.moveaxis(stance.ankles, 1, 0)
    ankles = [_target(*pair, world, turn, place) for pair in zip(limbs, aims, strict=True)]
    common = np.maximum(ankles[0][:, 2], ankles[1][:, 2])
    rotations: dict[str, np.ndarray] = {}
    for number, (limb, ankle) in enumerate(zip(limbs, ankles, strict=True)):
        raised = stance.level[:, 0] * (common - ankle[:, 2])
        target = ankle + raised[:, None] * [0, 0, 1]
        target[:, 2] = np.maximum(target[:, 2], 0.05 * sum(limb.lengths))
        pole = _pole(limb, stance.knees[:, number], world, turn)
        rotations |= aim_limb(limb, target, pole, turn, place)
    return rotations


def _soles(stance: Stance, turn: np.ndarray) -> dict[str, np.ndarray]:
    """Turn feet level, facing as the shin does, or stretch them."""
    rotations = {}
    for number, side in enumerate(SIDES):
        shin = turn[:, bodies.rig().index(f"lowerleg01.{side}")]
        facing = shin @ np.array([0.0, -1.0, 0.0])
        yaw = np.degrees(np.arctan2(facing[:, 0], -facing[:, 1]))
        level = shin.transpose(0, 2, 1) @ euler("z", yaw)
        pointed = euler("x", stance.pointed[:, number])
        mixed = stance.soles[:, number, None, None] * (level - pointed) + pointed
        u, _, v = np.linalg.svd(mixed)
        flat = u @ v
        angle = Rotation.from_matrix(flat).as_rotvec()
        size = np.linalg.norm(angle, axis=1, keepdims=True)
        limit = np.minimum(1, np.radians(75) / np.maximum(size, 1e-9))
        rotations[f"foot.{side}"] = Rotation.from_rotvec(angle * limit).as_matrix()
    return rotations


def _arms(shape, stance: Stance, rotations, root, position, times) -> dict[str, np.ndarray]:
    def pose(arms: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return bodies.forward_kinematics(shape, rotations | arms, root, position)

    solved: dict[str, np.ndarray] = {}
    (turn, place), world = pose({}), stance.upright[:, 1]
    for number, limb in enumerate(arm(shape, side) for side in SIDES):
        wrist = _target(limb, stance.wrists[:, number], world, turn, place)
        pole = _pole(limb, stance.elbows[:, number], world, turn)
        wrist = clear_of_trunk(shape, limb, wrist, pole, pose, times, CONTACT_ROUNDS)
        wrist[:, 2] = np.maximum(wrist[:, 2], 0.06 * sum(limb.lengths))
        solved |= aim_limb(limb, wrist, pole, turn, place)
    return solved


def _laid_down(rotations: dict, turn, place, lying: np.ndarray) -> dict[str, np.ndarray]:
    """Hands that lie on the floor where they are near it, and feet above it, of the lying."""
    wrists = {f"wrist.{side}": np.tile(np.eye(3), (len(lying), 1, 1)) for side in SIDES}
    whole, chosen = wrists | rotations, {}
    for side in SIDES:
        for bone, moved in settled(whole, side, turn, place).items():
            chosen[bone] = np.where(lying[:, None, None], moved, whole[bone])
    return chosen


def _resting_height(
    shape: BodyShape, rotations: dict, root: np.ndarray, lying: np.ndarray
) -> np.ndarray:
    """Height (frame,) of the root when the trunk, and the head of the lying, are on the floor."""
    turn, place = bodies.forward_kinematics(shape, rotations, root, np.zeros((len(root), 3)))
    trunk, head = (weight_of(bones) > 0.95 for bones in CARRYING)
    heights = []
    for frame, lies in enumerate(lying):
        z = bodies.skin(shape, turn[frame], place[frame])[:, 2]
        parts = [np.quantile(z[own], SUNK_LYING) for own in (trunk, head)]
        heights.append(-min(parts) if lies else -z[trunk].min())
    return np.array(heights)


def _on_hands(shape: BodyShape, turn: np.ndarray, place: np.ndarray, crawling: np.ndarray):
    """Pitch bodies on hands and knees until both are on one level, whatever their proportions."""
    hands, legs = weight_of(("wrist", "finger")) > 0.5, weight_of(LOWER_LEGS) > 0.5
    turn, place = turn.copy(), place.copy()
    for frame in np.repeat(np.flatnonzero(crawling), CONTACT_ROUNDS):
        world = bodies.skin(shape, turn[frame], place[frame])
        low, back = (some[some[:, 2].argmin()] for some in (world[hands], world[legs]))
        _, away, higher = low - back
        angle = np.degrees(np.arctan2(higher, max(-away, 0.05)))
        pitch = euler("x", np.clip([angle], -40, 40))[0]
        turn[frame], place[frame] = pitch @ turn[frame], place[frame] @ pitch.T
    return turn, place


def _clearance(
    shape: BodyShape, turn: np.ndarray, place: np.ndarray, sunk: np.ndarray
) -> np.ndarray:
    """Height (frame,) of the body over where it should be.

    The lowest point touches the floor, when a share ``sunk`` (frame,) of the vertices is left out:
    flesh, a hand or a foot may sink in instead of holding the body up.
    """
    heights = [bodies.skin(shape, t, p)[:, 2] for t, p in zip(turn, place, strict=True)]
    lowest = [np.quantile(h, share) for h, share in zip(heights, sunk, strict=True)]
    return np.array(lowest) + SUNK_M

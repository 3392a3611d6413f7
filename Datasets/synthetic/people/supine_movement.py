"""Supine spontaneous movement: smooth limb targets, inverse kinematics, contact with the bed.

World frame: metres, the bed is the plane z = 0 with z up, the infant's head towards +y before yaw.
Limbs are driven by where the wrist or ankle goes, so that arms and legs move like reaching and
kicking and joint limits follow from the targets' ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import SIDES, BodyShape, Posed, weight_of
from Datasets.synthetic.people.contact import above_bed, clear_of_trunk
from Datasets.synthetic.people.limbs import Limb, aim_limb, arm, bend_fingers, euler, leg
from Datasets.synthetic.people.signals import bouts, smooth, waypoints, wobble

SUPINE = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Body axes (left, back, head) to world axes of an infant on its back, head towards +y."""

WRIST_CLEARANCE, ANKLE_CLEARANCE = 0.022, 0.020
CONTACT_ROUNDS = 3
WRIST_TARGETS = (
    (0.25, (0.5, 0.00, 0.3, 0.55, 0), (0.8, 0.35, 0.8, 0.92, 0)),  # beside the head
    (0.17, (0.8, 0.00, -0.4, 0.7, 0), (1.0, 0.25, 0.3, 0.98, 0)),  # out to the side
    (0.1, (0.4, 0.10, -1.0, 0.75, 0), (0.7, 0.40, -0.7, 0.96, 0)),  # down beside the trunk
    (0.22, (0.0, 0.60, -0.5, 0.6, 0), (0.6, 1.00, 0.5, 0.96, 0)),  # up in the air
    (0.12, (0.0, 0.70, 0.2, 0.5, 1), (0.3, 0.90, 0.4, 0.6, 1)),  # to the mouth
    (0.14, (-0.35, 0.75, -0.5, 0.5, 0), (0.1, 0.95, 0.2, 0.7, 0)),  # over the chest
)
"""Share, lowest and highest (out, front, up) direction, reach as a fraction, pull to the mouth."""
ANKLE_TARGETS = (
    (0.35, (0.10, 0.05, 0.85, 0.5), (0.5, 0.35, 1.0, 0.8)),  # flexed, foot near the bed
    (0.25, (0.10, 0.02, 0.95, 0.85), (0.45, 0.30, 1.0, 0.975)),  # stretched
    (0.25, (0.00, 0.55, 0.45, 0.6), (0.4, 1.00, 0.8, 0.93)),  # lifted
    (0.15, (0.05, 0.00, 0.85, 0.42), (0.35, 0.20, 1.0, 0.58)),  # frog
)
"""Share, lowest and highest (out, front, down) direction and reach as a fraction."""


def supine_movement(
    rng: np.random.Generator, shape: BodyShape, times: Float[np.ndarray, "frame"]
) -> Posed:
    """Draw the spontaneous movement of an infant on its back.

    Args:
        rng: source of randomness.
        shape: the body.
        times: seconds of the frames, increasing from 0.
    """
    vigour = rng.uniform(0.5, 1.5)
    root = _root_rotation(rng, times)
    rotations = {**_trunk(rng, times), **_hands(rng, shape, times), **_feet(rng, times)}
    position = _rest_on_bed(shape, rotations, root, times)
    turn, place = bodies.forward_kinematics(shape, rotations, root, position)
    mouth = _mouth(shape, turn, place)
    trunk = dict(rotations)

    def pose(arms: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return bodies.forward_kinematics(shape, trunk | arms, root, position)

    for side in SIDES:
        limb, pole = leg(shape, side), _knee_pole(rng, times, leg(shape, side))
        ankle = _ankle_path(rng, times, limb, turn, place, vigour)
        rotations |= aim_limb(limb, ankle, pole, turn, place)
        limb, pole = arm(shape, side), _elbow_pole(rng, times, arm(shape, side))
        wrist = _wrist_path(rng, times, limb, turn, place, mouth, vigour)
        wrist = clear_of_trunk(shape, limb, wrist, pole, pose, times, CONTACT_ROUNDS)
        wrist = above_bed(wrist, WRIST_CLEARANCE, times)
        rotations |= aim_limb(limb, wrist, pole, turn, place)
    return Posed(*bodies.forward_kinematics(shape, rotations, root, position))


def _root_rotation(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """Roll about the long axis and a little pitch, on top of lying on the back."""
    roll = rng.normal(0, 6) + wobble(rng, times, rng.uniform(2, 9), 0.15)
    bend = wobble(rng, times, 2, 0.2)
    twist = wobble(rng, times, rng.uniform(2, 7), 0.1)
    # Lower-case axes are fixed: roll about the long axis first, then a slow turn on the bed.
    return euler("yxz", roll, bend, twist) @ SUPINE


def _trunk(rng: np.random.Generator, times: np.ndarray) -> dict[str, np.ndarray]:
    """Spine bending and twisting, and the head turning to the sides."""
    side, twist = wobble(rng, times, 8, 0.2), wobble(rng, times, 8, 0.2)
    curl = rng.uniform(0, 12) + wobble(rng, times, 4, 0.2)
    spine = euler("xyz", curl / 4, side / 4, twist / 4)
    rotations = {bone: spine for bone in bodies.SPINE}
    turn = waypoints(rng, times, lambda g: [g.normal(0, 38)], (0.6, 2.0), (0.3, 3.0))[:, 0]
    turn = np.clip(turn, -75, 75) + wobble(rng, times, 3, 0.5)
    nod = rng.normal(3, 5) + wobble(rng, times, 6, 0.3)
    tilt = rng.normal(0, 5) + wobble(rng, times, 6, 0.2)
    neck = euler("xyz", nod / 4, tilt / 4, turn / 4)
    return rotations | {bone: neck for bone in bodies.NECK}


def _hands(rng: np.random.Generator, shape: BodyShape, times: np.ndarray) -> dict[str, np.ndarray]:
    """Fingers that curl towards a loose fist and open again."""
    rotations: dict[str, np.ndarray] = {}
    for side in SIDES:
        curl = waypoints(rng, times, lambda g: [g.beta(1.5, 1.2)], (0.3, 1.2), (0.2, 3.0))[:, 0]
        bends = [
            np.clip(curl + wobble(rng, times, 0.1, 0.4), 0, 1.1) * rng.uniform(0.8, 1.1)
            for _ in range(4)
        ]
        rotations |= bend_fingers(shape, side, bends)
        wrist = [wobble(rng, times, 14, 0.4) for _ in range(3)]
        rotations[f"wrist.{side}"] = euler("xyz", *wrist)
    return rotations


def _feet(rng: np.random.Generator, times: np.ndarray) -> dict[str, np.ndarray]:
    """Ankles that point and flex."""
    rotations = {}
    for side in SIDES:
        flex = rng.normal(0, 10) + wobble(rng, times, 14, 0.4)
        angles = wobble(rng, times, 6, 0.3), wobble(rng, times, 8, 0.3)
        rotations[f"foot.{side}"] = euler("xyz", flex, *angles)
    return rotations


def _rest_on_bed(
    shape: BodyShape, rotations: dict, root: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """Root positions (frame, 3) that let trunk and head sink a few millimetres into the bed."""
    weight = weight_of(("root", "spine05", "spine04", "spine03", "spine02"))
    back = (weight > 0.95) & (shape.vertices[:, 1] > np.quantile(shape.vertices[:, 1], 0.8))
    points = shape.vertices[back] - shape.heads[0]
    lowest = (root @ points.T)[:, 2].min(axis=1)
    height = smooth(-lowest, times, 0.15) - 0.005
    return np.stack([np.zeros_like(height), np.zeros_like(height), height], axis=1)


def _mouth(shape: BodyShape, turn: np.ndarray, place: np.ndarray) -> np.ndarray:
    """World position (frame, 3) a little in front of the mouth, where a hand goes."""
    head = bodies.rig().index("head")
    eyes = shape.face_points[1:3].mean(axis=0)
    size = np.linalg.norm(shape.face_points[5] - shape.heads[head])
    point = eyes + [0.0, -0.22 * size, -0.42 * size]
    return place[:, head] + turn[:, head] @ (point - shape.heads[head])


def _draw_target(rng: np.random.Generator, targets: Sequence[tuple]) -> np.ndarray:
    """A row within the ranges of one of the targets, its direction of length 1."""
    shares, low, high = zip(*targets, strict=True)
    kind = rng.choice(len(targets), p=shares)
    target = rng.uniform(low[kind], high[kind])
    target[:3] /= np.linalg.norm(target[:3])
    return target


def _wrist_path(rng, times, limb: Limb, turn, place, mouth, vigour) -> np.ndarray:
    """World path (frame, 3) of a wrist, metres."""
    tempo = (0.5 / vigour, 1.6 / vigour)
    path = waypoints(rng, times, partial(_draw_target, targets=WRIST_TARGETS), tempo, (0.05, 1.8))
    path[:, :3] += np.stack([wobble(rng, times, 0.10 * vigour, 0.8) for _ in range(3)], axis=1)
    path[:, 2] += bouts(rng, times, 6.0, (1.0, 3.0)) * wobble(rng, times, 0.35, 1.4)
    reach = np.clip(path[:, 3] + wobble(rng, times, 0.06, 0.7), 0.42, 0.985)
    free = limb.to_world(path[:, :3], reach, turn, place)
    pull = np.clip(path[:, 4:5], 0, 1)
    out = turn[:, limb.frame] @ (np.array([limb.sign, 0, 0]))
    target = (1 - pull) * free + pull * (mouth + 0.025 * out)
    return above_bed(target, WRIST_CLEARANCE, times)


def _ankle_path(rng, times, limb: Limb, turn, place, vigour) -> np.ndarray:
    """World path (frame, 3) of an ankle, metres."""
    tempo = (0.4 / vigour, 1.5 / vigour)
    path = waypoints(rng, times, partial(_draw_target, targets=ANKLE_TARGETS), tempo, (0.05, 1.5))
    envelope, hertz = bouts(rng, times, 4.0, (1.0, 4.0)), rng.uniform(0.7, 1.6)
    kick = envelope * np.sin(2 * np.pi * hertz * times + rng.uniform(0, 6.3))
    path[:, :3] += np.stack([wobble(rng, times, 0.06 * vigour, 0.7) for _ in range(3)], axis=1)
    reach = np.clip(path[:, 3] + 0.14 * kick + wobble(rng, times, 0.04, 0.6), 0.38, 0.985)
    path[:, 0] = np.maximum(path[:, 0], 0.02)
    target = limb.to_world(path[:, :3] * [1, 1, -1], reach, turn, place)
    return above_bed(target, ANKLE_CLEARANCE, times)


def _elbow_pole(rng, times, limb: Limb) -> np.ndarray:
    """Direction (frame, 3) in body axes in which the elbow points."""
    out, up = 0.9, rng.uniform(-0.7, -0.2) + wobble(rng, times, 0.2, 0.2)
    back = rng.uniform(-0.35, 0.1) + wobble(rng, times, 0.15, 0.2)
    return np.stack([np.full_like(times, limb.sign * out), back, up], axis=1)


def _knee_pole(rng, times, limb: Limb) -> np.ndarray:
    """Direction (frame, 3) in body axes in which the knee points."""
    out = rng.uniform(0.15, 1.0) + wobble(rng, times, 0.25, 0.2)
    front = rng.uniform(0.6, 1.0)
    return np.stack([limb.sign * out, np.full_like(times, -front), np.zeros_like(times)], axis=1)

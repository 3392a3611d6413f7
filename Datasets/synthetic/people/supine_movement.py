"""Spontaneous movement of an infant on a bed: habits, activity, limbs, contact.

World frame: metres, the bed is the plane z = 0 with z up, the infant's head towards +y before yaw.
Limbs are driven by where the wrist or ankle goes, so that arms and legs move like reaching and
kicking and joint limits follow from the targets' ranges. Measured beside real infants by
``python -m report.experiments movement``.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people import limb_movement as limbs_move
from Datasets.synthetic.people.activity import Activity, draw_activity
from Datasets.synthetic.people.body import SIDES, BodyShape, Posed
from Datasets.synthetic.people.contact import above_bed, clear_of_trunk
from Datasets.synthetic.people.habits import ARMS, LEGS, draw_repertoire
from Datasets.synthetic.people.hands_and_feet import foot_rotations, hand_rotations, settle
from Datasets.synthetic.people.limb_movement import FRONT, STRETCH
from Datasets.synthetic.people.limbs import aim_limb, arm, leg
from Datasets.synthetic.people.lying import Trunk, move_trunk, rest_on_bed
from Datasets.synthetic.people.signals import bouts, log_uniform, noise

WRIST_CLEARANCE, ANKLE_CLEARANCE = 0.022, 0.020
CONTACT_ROUNDS = 3


def supine_movement(
    rng: np.random.Generator,
    shape: BodyShape,
    times: Float[np.ndarray, "frame"],
    lying: str | None = None,
) -> Posed:
    """Draw the spontaneous movement of an infant that lies, mostly on its back.

    Args:
        rng: source of randomness.
        shape: the body.
        times: seconds of the frames, increasing from 0.
        lying: a name of ``LYING``; drawn by its shares if not given.
    """
    activity = draw_activity(rng, times)
    legs, kicks = _leg_paths(rng, activity)
    trunk = move_trunk(rng, activity.clock(rng), kicks, _trunk_length(shape), lying)
    rotations = dict(trunk.rotations)
    for side in SIDES:
        rotations |= hand_rotations(rng, shape, side, activity.clock(rng))
        rotations |= foot_rotations(rng, side, activity.clock(rng))
    position = _root_position(shape, trunk, times)

    def pose(more: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return bodies.forward_kinematics(shape, rotations | more, trunk.root, position)

    rotations |= _legs(rng, shape, legs, activity, pose)
    rotations |= _arms(rng, shape, activity, pose)
    posed = pose({})
    for side in SIDES:
        rotations |= settle(rotations, side, *posed)
    return Posed(*pose({}), trunk.lying)


def _trunk_length(shape: BodyShape) -> float:
    """Neck to the middle of the hips, metres."""
    heads = {bone: shape.heads[bodies.rig().index(bone)] for bone in bodies.BONES_OF_MINI_RGBD}
    hips = (heads["upperleg01.L"] + heads["upperleg01.R"]) / 2
    return float(np.linalg.norm(heads["neck01"] - hips))


def _root_position(shape: BodyShape, trunk: Trunk, times: np.ndarray) -> np.ndarray:
    """Positions (frame, 3) of the root that let trunk and head lie on the bed."""
    flat = np.concatenate([trunk.drift, np.zeros((len(times), 1))], axis=1)
    posed = bodies.forward_kinematics(shape, trunk.rotations, trunk.root, flat)
    flat[:, 2] = rest_on_bed(shape, *posed, times)
    return flat


def _leg_paths(rng: np.random.Generator, activity: Activity) -> tuple[list, np.ndarray]:
    """Paths of both legs, and the thrusts (frame, 2) that are part of them."""
    repertoire = draw_repertoire(rng, LEGS)
    clocks = [activity.clock(rng) for _ in SIDES]
    kicks = limbs_move.kicks(rng, clocks)
    size, pause, restless = rng.uniform(0.08, 0.4), rng.uniform(0.1, 1.5), rng.uniform(0.4, 1.6)
    paths = [limbs_move.limb_path(rng, clock, repertoire, pause, restless, 0.9) for clock in clocks]
    for path, kick in zip(paths, kicks.T, strict=True):
        path[:, STRETCH] += size * kick
        path[:, FRONT] -= 40 * size * (kick - np.abs(kick))
    return paths, kicks


def _legs(rng, shape: BodyShape, paths: list, activity: Activity, pose) -> dict[str, np.ndarray]:
    """Rotations of both legs."""
    turn, place = pose({})
    limbs = [leg(shape, side) for side in SIDES]
    paths = [limbs_move.adapted(path, limb, turn) for path, limb in zip(paths, limbs, strict=True)]
    ends = [
        limbs_move.end_of(path, limb, turn, place) for path, limb in zip(paths, limbs, strict=True)
    ]
    clock = activity.clock(rng)
    weight = bouts(rng, clock, log_uniform(rng, 12, 200), (0.8, 5.0))
    middle = sum(ends) / 2
    across = turn[:, limbs[0].frame, :, 0]
    hips = (place[:, limbs[0].base] + place[:, limbs[1].base]) / 2
    aside = np.sum((middle - hips) * across, axis=1) - 0.02 * noise(rng, clock, (0.1, 0.5))
    ends = limbs_move.meet(
        ends, weight, limbs_move.FEET_APART_M, across, middle - aside[:, None] * across
    )
    ends = limbs_move.kept_apart(ends, limbs_move.FEET_APART_M, activity.times)
    rotations: dict[str, np.ndarray] = {}
    for limb, end, path in zip(limbs, ends, paths, strict=True):
        end = above_bed(end, ANKLE_CLEARANCE, activity.times)
        rotations |= aim_limb(limb, end, limbs_move.pole(path, limb), turn, place)
    return rotations


def _arms(rng, shape: BodyShape, activity: Activity, pose) -> dict[str, np.ndarray]:
    """Rotations of both arms."""
    turn, place = pose({})
    repertoire, limbs = draw_repertoire(rng, ARMS), [arm(shape, side) for side in SIDES]
    pause, restless = rng.uniform(0.1, 1.5), rng.uniform(0.5, 2.2)
    size, paths, ends = rng.uniform(5, 45), [], []
    for limb in limbs:
        clock = activity.clock(rng)
        path = limbs_move.limb_path(rng, clock, repertoire, pause, restless, 1.3)
        path[:, FRONT] += size * limbs_move.flaps(rng, clock)
        path[:, STRETCH] -= 0.004 * size * np.abs(limbs_move.flaps(rng, clock))
        path = limbs_move.adapted(path, limb, turn)
        free = limbs_move.end_of(path, limb, turn, place)
        points = limbs_move.touch_points(shape, limb, turn, place)
        paths.append(path)
        ends.append(limbs_move.touched(path, free, points))
    clock = activity.clock(rng)
    weight = bouts(rng, clock, log_uniform(rng, 10, 200), (1.0, 5.0))
    chest = place[:, bodies.rig().index("spine02")]
    across, front, up = np.moveaxis(turn[:, bodies.rig().index("spine02")], 2, 0)
    before = rng.uniform(0.6, 1.0) + 0.15 * noise(rng, clock, (0.1, 0.8))
    above = 0.2 * noise(rng, clock, (0.1, 0.8))
    reach = sum(limbs[0].lengths)
    meeting = chest - reach * (before[:, None] * front - above[:, None] * up)
    weight = weight * np.clip(1.5 * turn[:, limbs[0].frame, 2, 1] * -1, 0, 1)
    ends = limbs_move.meet(ends, weight, limbs_move.HANDS_APART_M, across, meeting)
    rotations: dict[str, np.ndarray] = {}
    for limb, end, path in zip(limbs, ends, paths, strict=True):
        elbow = limbs_move.pole(path, limb)
        end = clear_of_trunk(shape, limb, end, elbow, pose, activity.times, CONTACT_ROUNDS)
        end = above_bed(end, WRIST_CLEARANCE, activity.times)
        rotations |= aim_limb(limb, end, elbow, turn, place)
    return rotations

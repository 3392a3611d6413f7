"""Spontaneous movement of an infant on a bed, mostly on its back.

Habits are drawn per infant (``habits``), one activity sets the pace of all parts of the body
(``activity``); the trunk is laid down (``lying``), legs and arms go through their postures
(``limb_movement``), meet and touch (``touching``), and nothing goes through bed, trunk or head
(``contact``). Limbs are driven by where the wrist or ankle goes. World frame: metres, the bed is
the plane z = 0 with z up, the infant's head towards +y before yaw. Measured beside real infants by
``python -m report.experiments movement``.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.activity import Activity, draw_activity
from Datasets.synthetic.people.body import SIDES, BodyShape, Posed
from Datasets.synthetic.people.contact import above_bed, lift_from_trunk
from Datasets.synthetic.people.hands_and_feet import foot_rotations, hand_rotations, settled
from Datasets.synthetic.people.limb_movement import adapted, arm_paths, end_of, leg_paths, pole
from Datasets.synthetic.people.limbs import aim_limb, arm, leg
from Datasets.synthetic.people.lying import lay_down, move_trunk
from Datasets.synthetic.people.touching import feet_together, hands_together, touch_points, touched

WRIST_CLEARANCE, ANKLE_CLEARANCE = 0.022, 0.020
CONTACT_ROUNDS = 3


def supine_movement(
    rng: np.random.Generator,
    shape: BodyShape,
    times: Float[np.ndarray, "frame"],
    lying: str | None = None,
) -> Posed:
    """Draw the spontaneous movement of an infant that lies.

    Args:
        rng: source of randomness.
        shape: the body.
        times: seconds of the frames, increasing from 0.
        lying: a name of ``lying.LYING``; drawn by its shares if not given.

    Returns:
        The movement; its ``kind`` is how the infant lies.
    """
    activity = draw_activity(rng, times)
    legs, thrusts = leg_paths(rng, activity)
    trunk = move_trunk(rng, activity.clock(rng), thrusts, _trunk_length(shape), lying)
    root, position, rotations = lay_down(shape, trunk, times)
    for side in SIDES:
        rotations |= hand_rotations(rng, shape, side, activity.clock(rng))
        rotations |= foot_rotations(rng, side, activity.clock(rng))

    def pose() -> tuple[np.ndarray, np.ndarray]:
        return bodies.forward_kinematics(shape, rotations, root, position)

    rest = pose()
    rotations |= _legs(rng, shape, activity, legs, *rest)
    limbs = [arm(shape, side) for side in SIDES]
    wrists, elbows = _arms(rng, shape, activity, limbs, *pose())
    for i in range(CONTACT_ROUNDS + 1):
        wrists = [above_bed(wrist, WRIST_CLEARANCE, times) for wrist in wrists]
        for limb, wrist, elbow in zip(limbs, wrists, elbows, strict=True):
            rotations |= aim_limb(limb, wrist, elbow, *rest)
        posed = pose()
        if i < CONTACT_ROUNDS:
            wrists = [
                wrist + lift_from_trunk(shape, side, *posed, times)
                for side, wrist in zip(SIDES, wrists, strict=True)
            ]
    for side in SIDES:
        rotations |= settled(rotations, side, *posed)
    return Posed(*pose(), trunk.lying)


def _trunk_length(shape: BodyShape) -> float:
    """Neck to the middle of the hips, metres."""
    neck, *hips = (
        shape.heads[bodies.rig().index(bone)] for bone in ("neck01", "upperleg01.L", "upperleg01.R")
    )
    return float(np.linalg.norm(neck - (hips[0] + hips[1]) / 2))


def _legs(
    rng: np.random.Generator, shape: BodyShape, activity: Activity, paths, turn, place
) -> dict[str, np.ndarray]:
    """Rotations of both legs."""
    limbs = [leg(shape, side) for side in SIDES]
    paths = [adapted(path, limb, turn) for path, limb in zip(paths, limbs, strict=True)]
    ends = [
        end_of(path, limb, turn, place, ANKLE_CLEARANCE)
        for path, limb in zip(paths, limbs, strict=True)
    ]
    rotations: dict[str, np.ndarray] = {}
    ends = feet_together(rng, activity, ends, limbs, turn, place)
    for limb, end, path in zip(limbs, ends, paths, strict=True):
        end = above_bed(end, ANKLE_CLEARANCE, activity.times)
        rotations |= aim_limb(limb, end, pole(path, limb), turn, place)
    return rotations


def _arms(
    rng: np.random.Generator, shape: BodyShape, activity: Activity, limbs, turn, place
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Paths of both wrists, world, metres, and the directions of both elbows, body axes."""
    wrists, elbows = [], []
    for limb, drawn in zip(limbs, arm_paths(rng, activity), strict=True):
        path = adapted(drawn, limb, turn)
        free = end_of(path, limb, turn, place, WRIST_CLEARANCE)
        wrists.append(touched(path, free, touch_points(shape, limb, turn, place)))
        elbows.append(pole(path, limb))
    return hands_together(rng, activity, wrists, limbs, turn, place), elbows

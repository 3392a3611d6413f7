"""Heads that turn to a point: a neck bent within its limits."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import NECK, BodyShape, Posed
from Datasets.synthetic.people.limbs import euler
from Datasets.synthetic.people.stance import NECK_LIMITS


def look_at(
    shape: BodyShape,
    posed: Posed,
    point: Float[np.ndarray, "3"],
    share: float = 1.0,
    roll_degrees: float = 0.0,
) -> Posed:
    """Turn the head of one posture towards a point in the world, as far as the neck goes.

    Args:
        shape: the body.
        posed: its posture.
        point: metres.
        share: how far the head turns from where it is, 0 to 1.
        roll_degrees: tilt of the head to its side.
    """
    rig = bodies.rig()
    base, head = rig.index(NECK[0]), rig.index("head")
    trunk = posed.turn[rig.parents[base]]
    local = trunk.T @ (point - posed.place[head])
    across, ahead, up = local / max(np.linalg.norm(local), 1e-9)
    turn = np.degrees(np.arctan2(across, -ahead))
    nod = -np.degrees(np.arctan2(up, np.hypot(across, ahead)))
    if abs(turn) > 110:
        return posed
    now = Rotation.from_matrix(trunk.T @ posed.turn[head]).as_euler("xyz", degrees=True)
    wanted = now + share * (np.array([nod, roll_degrees, turn]) - now)
    bent = np.clip(wanted, *np.transpose(NECK_LIMITS)) / len(NECK)
    each = euler("xyz", *bent[:, None])[0]
    turns, place = posed.turn.copy(), posed.place.copy()
    moved = {base}
    for bone, parent in enumerate(rig.parents):
        if bone != base and parent not in moved:
            continue
        moved.add(bone)
        place[bone] = place[parent] + turns[parent] @ (shape.heads[bone] - shape.heads[parent])
        own = posed.turn[parent].T @ posed.turn[bone]
        turns[bone] = turns[parent] @ (each if rig.bones[bone] in NECK else own)
    return Posed(turns, place, posed.kind)

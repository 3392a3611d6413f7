"""Hands and feet: fingers that curl, ankles that flex, and how they lie on the bed."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape
from Datasets.synthetic.people.limbs import bend_fingers, euler
from Datasets.synthetic.people.signals import min_jerk, waypoints, wobble

SETTLED = (("wrist", "finger3-1", 0.012, 1.0), ("wrist", "finger3-3", 0.006, 0.0))
SETTLED_FEET = (("foot", "toe2-1", 0.012, 0.0),)
"""Bone that turns, the one at its tip, the least height of that over the bed in metres, and whether
it comes down on the bed when the bone is near it."""

LANDING_M = (0.03, 0.07)
"""Heights of a wrist between which its hand begins to come down, and hangs freely."""


def hand_rotations(
    rng: np.random.Generator, shape: BodyShape, side: str, clock: Float[np.ndarray, "frame"]
) -> dict[str, Float[np.ndarray, "frame 3 3"]]:
    """Fingers that curl towards a loose fist and open again, and a wrist that turns."""

    def targets():
        while True:
            yield rng.beta(1.5, 1.2, size=1)

    curl = waypoints(rng, clock, targets(), (0.3, 1.2), (0.2, 3.0))[:, 0]
    bends = [
        np.clip(curl + wobble(rng, clock, 0.1, 0.4), 0, 1.1) * rng.uniform(0.8, 1.1)
        for _ in range(4)
    ]
    loose = rng.uniform(4, 14)
    wrist = [wobble(rng, clock, loose, 0.4) for _ in range(3)]
    return bend_fingers(shape, side, bends) | {f"wrist.{side}": euler("xyz", *wrist)}


def foot_rotations(
    rng: np.random.Generator, side: str, clock: Float[np.ndarray, "frame"]
) -> dict[str, Float[np.ndarray, "frame 3 3"]]:
    """An ankle that points and flexes."""
    flex = rng.normal(0, 10) + wobble(rng, clock, 16, 0.5)
    angles = wobble(rng, clock, 8, 0.4), wobble(rng, clock, 9, 0.4)
    return {f"foot.{side}": euler("xyz", flex, *angles)}


def settled(
    rotations: dict[str, Float[np.ndarray, "frame 3 3"]],
    side: str,
    turn: Float[np.ndarray, "frame bone 3 3"],
    place: Float[np.ndarray, "frame bone 3"],
) -> dict[str, Float[np.ndarray, "frame 3 3"]]:
    """Rotations of wrist and foot of a side that keep hand and foot out of the bed, or on it.

    Args:
        rotations: of all bones, as posed.
        side: ``L`` or ``R``.
        turn: orientations of the bones in that pose.
        place: their positions, metres.
    """
    lifts: dict[str, np.ndarray] = {}
    rig = bodies.rig()
    for name, tip, clearance, lies in (*SETTLED, *SETTLED_FEET):
        bone = f"{name}.{side}"
        number = rig.index(bone)
        done = lifts.get(bone)
        arm = place[:, rig.index(f"{tip}.{side}")] - place[:, number]
        if done is not None:
            arm = np.einsum("fij,fj->fi", done, arm)
        lift = _lift(arm, place[:, number, 2], clearance, lies)
        lifts[bone] = lift if done is None else lift @ done
    parents = {bone: turn[:, rig.parents[rig.index(bone)]] for bone in lifts}
    return {
        bone: parents[bone].transpose(0, 2, 1) @ lift @ parents[bone] @ rotations[bone]
        for bone, lift in lifts.items()
    }


def _lift(arm: np.ndarray, height: np.ndarray, clearance: float, lies: float) -> np.ndarray:
    """World rotations (frame, 3, 3) that bring the tip of a lever to the height it should have."""
    length = np.maximum(np.linalg.norm(arm, axis=1), 1e-9)
    now = arm[:, 2] / length
    least = (clearance - height) / length
    low, high = LANDING_M
    weight = lies * (1 - min_jerk((height - low) / (high - low)))
    wanted = np.maximum(now + weight * (least - now), least)
    angle = np.arcsin(np.clip(wanted, -0.95, 0.95)) - np.arcsin(np.clip(now, -0.999, 0.999))
    axis = np.stack([arm[:, 1], -arm[:, 0], np.zeros_like(now)], axis=1)
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    return Rotation.from_rotvec(axis * angle[:, None]).as_matrix()

"""Carers: bent over an infant with their hands on it, or with it in their arms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.compose.figures import Figure
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import SIDES, BodyShape, Posed, weight_of
from Datasets.synthetic.people.limbs import aim_limb, arm
from Datasets.synthetic.people.outfits import dress_person
from Datasets.synthetic.people.phenotypes import draw_person
from Datasets.synthetic.people.postures import draw_posture, draw_stance
from Datasets.synthetic.people.stance import LOWER_LEGS, SUNK_M, pose_still

HAND_M = 0.085
"""From the wrist to the middle of the palm."""
STANDS_FROM_M = 0.42
"""Carers stand at a bed that is at least this high, and kneel at a lower one."""
LEGS = ("upperleg", "lowerleg", "foot", "toe")
SHIN_M = 0.05
"""Half of the thickness of a leg."""
UPRIGHT = ("standing", "sitting", "on a seat", "kneeling")
HELPED: dict[str, tuple[float, tuple[str, str]]] = {
    "standing held": (0.5, ("wrist.L", "wrist.R")), "sitting": (0.1, ("spine02", "spine02")),
    "supine": (0.05, ("foot.L", "foot.R")), "prone": (0.06, ("spine03", "spine03")),
}  # fmt: skip
"""How often carers help an infant in a posture, and the bones that they hold it by."""
TOUCHED = ("spine03", "spine02", "head", "foot.L", "wrist.L", "wrist.R")
"""Bones of an infant that hands reach for."""


def _shoulders(shape: BodyShape, posed: Posed) -> Float[np.ndarray, "2 3"]:
    return posed.place[[arm(shape, side).base for side in SIDES]]


def _reach_m(shape: BodyShape) -> float:
    return sum(arm(shape, "L").lengths)


def with_hands_at(
    shape: BodyShape, posed: Posed, palms: Float[np.ndarray, "2 3"], share: float = 1.0
) -> Posed:
    """Bend the arms so that the palms are at points, or as near as they reach.

    Args:
        shape: the body.
        posed: its posture.
        palms: left and right, metres, world.
        share: how far the hands go from where they are, 0 to 1.
    """
    rig, turn, place = bodies.rig(), posed.turn[None], posed.place[None]
    local = {
        bone: turn[:, parent].transpose(0, 2, 1) @ turn[:, number]
        for number, (bone, parent) in enumerate(zip(rig.bones, rig.parents, strict=True))
        if parent >= 0
    }
    for side, palm in zip(SIDES, palms, strict=True):
        limb = arm(shape, side)
        shoulder, wrist = place[0, limb.base], place[0, rig.index(f"wrist.{side}")]
        back = (shoulder - palm) / max(np.linalg.norm(shoulder - palm), 1e-9)
        wanted = wrist + share * (palm + HAND_M * back + [0, 0, 0.02] - wrist)
        pole = np.array([[0.8 * limb.sign, 0.5, -0.5]])
        local |= aim_limb(limb, wanted[None], pole, turn, place)
    turn, place = bodies.forward_kinematics(shape, local, turn[:, 0], place[:, 0])
    return Posed(turn[0], place[0], posed.kind)


def bend_over(
    rng: np.random.Generator,
    palms: Float[np.ndarray, "2 3"],
    azimuth_degrees: float,
    edge_m: float,
    floor_m: float,
    age: str = "adult",
) -> Figure:
    """A carer who bends over a place with both hands at work.

    Args:
        rng: source of randomness.
        palms: where two hands are wanted, metres, world.
        azimuth_degrees: on which side of them the carer is.
        edge_m: distance that feet or knees keep from the point between the palms.
        floor_m: height of the floor, 0 or below.
        age: of the carer.
    """
    shape = draw_person(rng, age)
    look = dress_person(rng, shape, age)
    middle = palms.mean(axis=0)
    kind = "bending" if -floor_m > STANDS_FROM_M else str(rng.choice(["kneeling", "squatting"]))
    posed = _bent(rng, shape, kind, middle[2] - floor_m)
    ahead = -_shoulders(shape, posed).mean(axis=0)[1] + rng.uniform(0.0, 0.25) * _reach_m(shape)
    lower = [i for i, bone in enumerate(bodies.rig().bones) if bone.startswith(LEGS)]
    away = max(ahead, edge_m + SHIN_M - posed.place[lower, 1].min())
    x, y, _ = middle
    turned = posed.moved(0.0, away).moved(x, y, azimuth_degrees - 90.0, floor_m)
    left = turned.turn[0] @ [1.0, 0.0, 0.0]
    ordered = palms[np.argsort((palms - middle) @ left)[::-1]]
    shown = with_hands_at(shape, turned, ordered, rng.choice([1.0, 1.0, rng.uniform(0.5, 1.0)]))
    return Figure(age, shape, look, replace(shown, kind="caring"))


def draw_helper(rng: np.random.Generator, infant: Figure) -> Figure | None:
    """Now and then a carer behind an infant, or at the feet of a lying one, who holds it."""
    share, bones = HELPED.get(infant.posed.kind, (0.0, ("root", "root")))
    if rng.random() >= share:
        return None
    side = infant.posed.turn[0] @ [0.06 if bones[0] == bones[1] else 0.0, 0.0, 0.0]
    palms = np.stack([infant.at(bones[0]) + side, infant.at(bones[1]) - side])
    front, along = infant.posed.turn[0] @ [0.0, -1.0, 0.0], infant.posed.turn[0] @ [0.0, 0.0, 1.0]
    behind = -along if abs(front[2]) > 0.7 else -front
    azimuth = np.degrees(np.arctan2(behind[1], behind[0])) + rng.normal(0, 20)
    return bend_over(rng, palms, azimuth, rng.uniform(0.15, 0.3), 0.0)


def _bent(rng: np.random.Generator, shape: BodyShape, kind: str, height_m: float) -> Posed:
    """A body that faces -y and bends until its arms reach down to a height."""
    stance = draw_stance(rng, kind)
    calm = stance.trunk * [1, 1, 1, 0.5, 0.5]
    stance = replace(stance, trunk=calm, upright=np.array([[1.0, 1.0]]))
    place = pose_still(shape, stance, kind).place
    root, top = place[0, 2], place[arm(shape, "L").base]
    trunk = float(np.linalg.norm(top - place[0]))
    wanted = height_m + rng.uniform(0.5, 0.85) * _reach_m(shape)
    now, then = (np.arccos(np.clip((z - root) / trunk, -0.1, 0.98)) for z in (top[2], wanted))
    pitch = np.clip(calm[:, :1] + np.degrees(then - now), -5, 85)
    stance = replace(stance, trunk=np.hstack([pitch, calm[:, 1:]]), neck=stance.neck * [1, 1, 0.4])
    posed = pose_still(shape, stance, kind)
    # Hands that hung to the floor go to work: legs carry the body.
    lowest = bodies.skin(shape, posed.turn, posed.place)[weight_of(LOWER_LEGS) > 0.5, 2].min()
    return posed.moved(z=-SUNK_M - lowest)


def reach_over(rng: np.random.Generator, carer: Figure, infant: Figure) -> Figure:
    """Put a neighbour's hands on an infant, more often than not, if its arms are long enough."""
    if rng.random() < 0.3:
        return carer
    chosen = [bodies.rig().index(TOUCHED[int(n)]) for n in rng.integers(len(TOUCHED), size=2)]
    palms = infant.posed.place[chosen] + [0, 0, 0.05]
    near = np.linalg.norm(palms.mean(axis=0) - _shoulders(carer.shape, carer.posed), axis=1)
    if near.min() > 1.3 * _reach_m(carer.shape):
        return carer
    return replace(carer, posed=with_hands_at(carer.shape, carer.posed, palms))


def hold(rng: np.random.Generator, small: Figure, age: str = "adult") -> tuple[Figure, Figure]:
    """Put an infant or a doll into a holder's hands.

    Args:
        rng: source of randomness.
        small: upright, around the origin.
        age: of the holder.

    Returns:
        The holder around the origin, and the one that is held.
    """
    shape = draw_person(rng, age)
    look = dress_person(rng, shape, age)
    posed = draw_posture(rng, shape, age, str(rng.choice(UPRIGHT)))
    front = posed.turn[bodies.rig().index("spine02")] @ [0.0, -1.0, 0.0]
    front = front * [1, 1, 0] / np.linalg.norm(front[:2])
    reach, breast = _reach_m(shape), _shoulders(shape, posed).mean(axis=0)
    where = breast + reach * rng.uniform(0.45, 0.7) * front - [0, 0, reach * rng.uniform(0.2, 0.5)]
    facing = np.degrees(np.arctan2(front[1], front[0])) + 90 + rng.choice([0, 180])
    upright = _facing(small.posed, facing + rng.normal(0, 25))
    shift = where - upright.place[bodies.rig().index("spine03")]
    held = replace(small, posed=upright.moved(shift[0], shift[1], 0.0, shift[2]))
    wide = 0.14 * small.size_m
    palms = where + np.array([[wide], [-wide]]) * np.cross([0, 0, 1.0], front)
    return Figure(age, shape, look, with_hands_at(shape, posed, palms)), held


def _facing(posed: Posed, degrees: float) -> Posed:
    """Turned about the vertical so that the trunk's front has this yaw; 0 is -y."""
    front = posed.turn[0] @ [0.0, -1.0, 0.0]
    return posed.moved(0.0, 0.0, degrees - np.degrees(np.arctan2(front[0], -front[1])))

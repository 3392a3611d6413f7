"""Give a body other proportions: segments are stretched along their axis, the flesh follows.

Each segment (trunk, upper arm, shank ...) has one affine map of the rest body; skinning weights,
summed over the bones of a segment, blend the maps, so that nothing tears at the joints.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people.body import SIDES, BodyShape, rig, weight_of
from Datasets.synthetic.people.proportions import Proportions

SEGMENTS = {
    "trunk": ("root", "pelvis", "spine"),
    "neck": ("neck",),
    "head": ("head", "eye"),
    **{
        f"{segment}.{side}": tuple(f"{bone}" for bone in bones)
        for side in SIDES
        for segment, bones in {
            "clavicle": (f"clavicle.{side}",),
            "shoulder": (f"shoulder01.{side}",),
            "upper_arm": (f"upperarm01.{side}", f"upperarm02.{side}"),
            "forearm": (f"lowerarm01.{side}", f"lowerarm02.{side}"),
            "hand": tuple(
                f"{bone}.{side}"
                for bone in ("wrist", *(f"metacarpal{i}" for i in range(1, 5)),
                             *(f"finger{i}-{k}" for i in range(1, 6) for k in (1, 2, 3)))
            ),
            "thigh": (f"upperleg01.{side}", f"upperleg02.{side}"),
            "shank": (f"lowerleg01.{side}", f"lowerleg02.{side}"),
            "foot": tuple(
                f"{bone}.{side}"
                for bone in ("foot", *(f"toe{i}-{k}" for i in range(1, 6) for k in (1, 2, 3)))
            ),
        }.items()
    },
}  # fmt: skip
"""Bones, or beginnings of their names, that move as one."""

FLESH_AT_HIPS = 0.4
"""How much of the way of a hip joint, sideways, the flesh around it goes along."""
ROUNDING_M = 0.012
"""How gently the flattening of the trunk below the hips begins, metres."""
NECK_STRETCH = (0.4, 1.25)
"""Between these the neck brings the nose to its distance; beyond them the head changes size."""


@dataclass(frozen=True)
class _Map:
    """``point`` goes to ``place``, and what is around it is stretched by ``linear``."""

    point: Float[np.ndarray, "3"]
    place: Float[np.ndarray, "3"]
    linear: Float[np.ndarray, "3 3"]

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return self.place + (points - self.point) @ self.linear.T


def _stretch(point, place, along, new, girth: float) -> _Map:
    """Take the vector ``along`` from ``point`` to ``new``; across it everything by ``girth``."""
    linear = girth * np.eye(3) + np.outer(new - girth * along, along) / (along @ along)
    return _Map(point, place, linear)


def resize(shape: BodyShape, wanted: Proportions, length_m: float) -> BodyShape:
    """Return the body with other proportions and another length.

    Args:
        shape: a body at rest as ``make_shape`` gives it.
        wanted: proportions; the result has them exactly, girths and hands aside.
        length_m: crown to heel, metres.
    """
    head_at = dict(zip(rig().bones, shape.heads, strict=True))
    trunk = _trunk(head_at, wanted)
    maps = {"trunk": trunk}
    hips, mid, length = _hips(head_at, trunk, wanted)
    for side in SIDES:
        maps |= _leg(shape, head_at, side, trunk, hips[side], wanted, length)
    maps |= _arms(head_at, trunk, mid, wanted, length)
    maps |= _head(shape, head_at, trunk, wanted, length)
    heads = np.stack([maps[_segment(bone)](at) for bone, at in head_at.items()])
    for side in SIDES:
        heads[rig().index(f"upperleg01.{side}")] = hips[side]
    shorter = _norm(maps["thigh.L"].linear @ np.array([0.0, 0.0, 1.0]))
    vertices = _blend(shape.vertices, maps, hips["L"][2], min(0.5 + 0.5 * shorter, 1.0))
    resized = replace(
        shape, vertices=vertices, heads=heads, face_points=maps["head"](shape.face_points)
    )
    return scaled(resized, length_m / crown_heel_m(resized))


def scaled(shape: BodyShape, factor: float) -> BodyShape:
    """The body in another size."""
    points = {name: factor * getattr(shape, name) for name in ("vertices", "heads", "face_points")}
    return replace(shape, **points, length_m=crown_heel_m(shape) * factor)


def crown_heel_m(shape: BodyShape) -> float:
    """Length from the crown to the lower heel of the body at rest, metres."""
    behind = shape.vertices[:, 1] > min(shape.heads[rig().index(f"foot.{s}")][1] for s in SIDES)
    heels = shape.vertices[(weight_of(("foot",)) > 0.5) & behind]
    return float(shape.vertices[:, 2].max() - heels[:, 2].min())


def measure(shape: BodyShape) -> dict[str, float]:
    """Measure the ``Proportions`` between joints, and ``trunk`` in metres; sides are averaged."""
    at = dict(zip(rig().bones, shape.heads, strict=True))
    mid, neck = (at["upperleg01.L"] + at["upperleg01.R"]) / 2, at["neck01"]
    trunk = np.linalg.norm(neck - mid)
    pairs = {
        "upper_arm": ("upperarm01", "lowerarm01"),
        "elbow_fingers": ("lowerarm01", "finger3-1"),
        "thigh": ("upperleg01", "lowerleg01"),
        "shank": ("lowerleg01", "foot"),
    }
    values = {
        name: np.mean([np.linalg.norm(at[f"{a}.{s}"] - at[f"{b}.{s}"]) for s in SIDES])
        for name, (a, b) in pairs.items()
    }
    for name, bone in (("hip_width", "upperleg01"), ("shoulder_width", "upperarm01")):
        values[name] = np.linalg.norm(at[f"{bone}.L"] - at[f"{bone}.R"])
    shoulders = (at["upperarm01.L"] + at["upperarm01.R"]) / 2 - mid
    values["shoulder_height"] = shoulders @ (neck - mid) / trunk
    values["neck_nose"] = np.linalg.norm(shape.face_points[0] - neck)
    values["head"] = _head_circumference(shape)
    return {"trunk": float(trunk), **{name: float(v / trunk) for name, v in values.items()}}


@lru_cache(maxsize=256)
def _segment(bone: str) -> str:
    """The segment a bone belongs to."""
    return next(name for name, bones in SEGMENTS.items() if bone.startswith(bones))


@lru_cache(maxsize=1)
def _weights() -> Float[np.ndarray, "vertex segment"]:
    """Skinning weights summed over the bones of each segment."""
    names = list(SEGMENTS)
    belongs = np.array([names.index(_segment(bone)) for bone in rig().bones])
    return rig().weights @ np.eye(len(names))[belongs]


def _blend(
    vertices: np.ndarray, maps: dict[str, _Map], hips_m: float, below: float
) -> Float[np.ndarray, "vertex 3"]:
    """Blend the maps; the trunk below the height of the hips is flattened by a factor."""
    weights = _weights()
    moved = np.zeros_like(vertices)
    for column, name in enumerate(SEGMENTS):
        own = np.flatnonzero(weights[:, column])
        points = maps[name](vertices[own])
        if name == "trunk":
            depth = hips_m - points[:, 2]
            points[:, 2] += (1 - below) * (np.hypot(depth, ROUNDING_M) + depth) / 2
        moved[own] += weights[own, column, None] * points
    return moved


def _trunk(at: dict[str, np.ndarray], wanted: Proportions) -> _Map:
    """Thinner or thicker about the spine, as long as it is."""
    centre = at["spine03"]
    return _Map(centre, centre, np.diag([wanted.girth, wanted.girth, 1.0]))


def _hips(
    at: dict[str, np.ndarray], trunk: _Map, wanted: Proportions
) -> tuple[dict[str, np.ndarray], np.ndarray, float]:
    """Both hip joints, the middle between them, and the length of the trunk to it, metres."""
    left, right, neck = (trunk(at[bone]) for bone in ("upperleg01.L", "upperleg01.R", "neck01"))
    above, drop = neck - (left + right) / 2, wanted.hip_drop
    # the trunk ends at hips that lie lower by a share of it
    root = np.sqrt((drop * above[2]) ** 2 + (1 - drop**2) * above @ above)
    length = float((drop * above[2] + root) / (1 - drop**2))
    middle = (left + right) / 2 - [0.0, 0.0, drop * length]
    apart = _unit(left - right) * wanted.hip_width * length / 2
    return {"L": middle + apart, "R": middle - apart}, middle, length


def _leg(
    shape: BodyShape,
    at: dict[str, np.ndarray],
    side: str,
    trunk: _Map,
    hip: np.ndarray,
    wanted: Proportions,
    length: float,
) -> dict[str, _Map]:
    """Thigh, shank and foot. The flesh follows a hip joint that moves inwards only in part."""
    start, knee, ankle = (at[f"{b}.{side}"] for b in ("upperleg01", "lowerleg01", "foot"))
    thigh, shank = knee - start, ankle - knee
    flesh = trunk(start)
    flesh[0] += FLESH_AT_HIPS * (hip - flesh)[0]
    factor = wanted.thigh * length / _norm(thigh)
    sideways = (flesh + factor * thigh - hip)[0]
    down = np.sqrt((wanted.thigh * length) ** 2 - sideways**2) / np.hypot(*thigh[1:])
    knee_at = hip + [sideways, down * thigh[1], down * thigh[2]]
    shank_at = _unit(shank) * wanted.shank * length
    toes = at[f"toe2-1.{side}"] - ankle
    own = shape.vertices[weight_of((f"foot.{side}", *SEGMENTS[f"foot.{side}"])) > 0.9]
    foot = wanted.foot * length / np.ptp(own @ _unit(toes))
    girths = [wanted.girth * _chubby(x) for x in (factor, wanted.shank * length / _norm(shank))]
    return {
        f"thigh.{side}": _stretch(start, flesh, thigh, knee_at - flesh, girths[0]),
        f"shank.{side}": _stretch(knee, knee_at, shank, shank_at, girths[1]),
        f"foot.{side}": _Map(ankle, knee_at + shank_at, foot * np.eye(3)),
    }


def _arms(
    at: dict[str, np.ndarray], trunk: _Map, mid_hip: np.ndarray, wanted: Proportions, length: float
) -> dict[str, _Map]:
    """Clavicles, shoulders, upper arms, forearms and hands."""
    left, right = (trunk(at[f"upperarm01.{side}"]) for side in SIDES)
    upward = _unit(trunk(at["neck01"]) - mid_hip)
    middle = (left + right) / 2
    middle = middle + (wanted.shoulder_height * length - (middle - mid_hip) @ upward) * upward
    apart = _unit(left - right) * wanted.shoulder_width * length / 2
    maps: dict[str, _Map] = {}
    for side, joint in (("L", middle + apart), ("R", middle - apart)):
        clavicle, blade, shoulder, elbow = (
            at[f"{bone}.{side}"] for bone in ("clavicle", "shoulder01", "upperarm01", "lowerarm01")
        )
        base = trunk(clavicle)
        blade_at = trunk(blade) + 0.6 * (joint - trunk(shoulder))
        upper = _unit(elbow - shoulder) * wanted.upper_arm * length
        girth = wanted.girth * _chubby(wanted.upper_arm * length / _norm(elbow - shoulder))
        maps |= {
            f"clavicle.{side}": _stretch(
                clavicle, base, blade - clavicle, blade_at - base, wanted.girth
            ),
            f"shoulder.{side}": _stretch(
                blade, blade_at, shoulder - blade, joint - blade_at, wanted.girth
            ),
            f"upper_arm.{side}": _stretch(shoulder, joint, elbow - shoulder, upper, girth),
            **_forearm(at, side, joint + upper, wanted, length),
        }
    return maps


def _forearm(
    at: dict[str, np.ndarray], side: str, elbow_at: np.ndarray, wanted: Proportions, length: float
) -> dict[str, _Map]:
    """Forearm and hand: a hand of its own size, smaller on a short forearm, then the forearm."""
    elbow, wrist, *finger = (
        at[f"{bone}.{side}"]
        for bone in ("lowerarm01", "wrist", "finger3-1", "finger3-2", "finger3-3")
    )
    forearm, palm = wrist - elbow, finger[0] - wrist
    reach = wanted.elbow_fingers * length
    phalanges = [_norm(b - a) for a, b in pairwise(finger)]
    hand_length = _norm(palm) + phalanges[0] + 1.9 * phalanges[1]
    hand = np.sqrt(wanted.hand * length / hand_length * reach / _norm(forearm + palm))
    factor = _quadratic(forearm, hand * palm, reach)
    girth = wanted.girth * _chubby(factor)
    return {
        f"forearm.{side}": _stretch(elbow, elbow_at, forearm, factor * forearm, girth),
        f"hand.{side}": _Map(wrist, elbow_at + factor * forearm, hand * np.eye(3)),
    }


def _head(
    shape: BodyShape, at: dict[str, np.ndarray], trunk: _Map, wanted: Proportions, length: float
) -> dict[str, _Map]:
    """A head of the wanted size on a neck that brings the nose to its distance."""
    neck, head = at["neck01"], at["head"]
    along, nose = head - neck, shape.face_points[0] - head
    size = wanted.head * length / (_head_circumference(shape))
    reach, base = wanted.neck_nose * length, trunk(neck)
    stretch = float(np.clip(_quadratic(along, size * nose, reach), *NECK_STRETCH))
    size = _quadratic(nose, stretch * along, reach)
    girth = (wanted.girth + size) / 2
    return {
        "neck": _stretch(neck, base, along, stretch * along, girth),
        "head": _Map(head, base + stretch * along, size * np.eye(3)),
    }


def _head_circumference(shape: BodyShape) -> float:
    """Around the head above the eyes, where it is an ellipse, metres."""
    eyes, crown = shape.face_points[1:3, 2].mean(), shape.vertices[:, 2].max()
    slab = np.abs(shape.vertices[:, 2] - (0.7 * eyes + 0.3 * crown)) < 0.12 * (crown - eyes)
    a, b, _ = np.ptp(shape.vertices[slab & (weight_of(("head",)) > 0.9)], axis=0) / 2
    return float(np.pi * (3 * (a + b) - np.sqrt((3 * a + b) * (a + 3 * b))))


def _quadratic(along: np.ndarray, fixed: np.ndarray, reach: float) -> float:
    """The factor of ``along`` that makes it, with ``fixed`` added, as long as ``reach``.

    >>> _quadratic(np.array([1.0, 0.0]), np.array([0.0, 3.0]), 5.0)
    4.0
    """
    a, b, c = along @ along, along @ fixed, fixed @ fixed - reach**2
    return float((-b + np.sqrt(max(b * b - a * c, 0.0))) / a)


def _chubby(factor: float) -> float:
    """Girth of a segment stretched by a factor: a short limb is thinner, but less so."""
    return float(np.clip(factor, 0.3, 1.3) ** 0.25)


def _norm(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)

"""Where labelled joints lie in the body: one table for every joint convention.

A joint lies at the head of a bone, or off it by a part of the trunk (neck to mid-hip), or is a
landmark of the surface that the head carries. Each infant's labels follow one of two conventions:

- ``bone heads``: the joints of the body model;
- ``SMIL-like``: as in the infant model of MINI-RGBD (Hesse et al., 2018), whose pelvis lies well
  above the hips, whose spine joints lie higher, collars further out, and whose head joint lies at
  the base of the skull. Its hips, closer together and lower in the flesh, are joints about which
  legs turn: they are moved in the body itself, see ``proportions.SMIL_HIPS``.

``python -m Datasets.synthetic.people.joint_places`` prints the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from Datasets.skeletons import INFANT, MINI_RGBD_25, SKELETONS, Skeleton
from Datasets.skeletons.convert import joint_map

FACE_POINTS = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top")
"""Landmarks of the surface that the head bone carries."""

OF_INFANT = {"thorax": "spine2", "upper_neck": "neck"}
"""Joints of ``infant`` that MINI-RGBD calls otherwise."""


@dataclass(frozen=True)
class Place:
    """The head of a bone, and an offset from it that turns with the bone.

    Attributes:
        bone: its name; ``*`` stands for the side, L or R.
        out, back, up: offset in trunks, body axes at rest; ``out`` is to the joint's own side.
    """

    bone: str
    out: float = 0.0
    back: float = 0.0
    up: float = 0.0

    def __str__(self) -> str:
        parts = {"out": self.out, "back": self.back, "up": self.up}
        return " ".join([self.bone, *(f"{n} {v:+.2f}" for n, v in parts.items() if v)])


_BONE_HEADS = {
    "pelvis": Place("root"),
    "spine": Place("spine04"),
    "spine1": Place("spine03"),
    "spine2": Place("spine02"),
    "neck": Place("neck01"),
    "head": Place("head"),
    "*_collar": Place("clavicle.*"),
    "*_shoulder": Place("upperarm01.*"),
    "*_elbow": Place("lowerarm01.*"),
    "*_wrist": Place("wrist.*"),
    "*_fingers": Place("finger3-1.*"),
    "*_hip": Place("upperleg01.*"),
    "*_knee": Place("lowerleg01.*"),
    "*_ankle": Place("foot.*"),
    "*_toes": Place("toe2-1.*"),
}
_SMIL_LIKE = {
    "pelvis": Place("root", up=0.08),
    "spine": Place("spine04", up=0.15),
    "spine1": Place("spine02", up=0.02),
    "spine2": Place("spine02", up=0.10),
    "head": Place("neck01", back=-0.04, up=0.165),
    "*_collar": Place("shoulder01.*", out=-0.07, up=-0.03),
}
CONVENTIONS = {"bone heads": _BONE_HEADS, "SMIL-like": {**_BONE_HEADS, **_SMIL_LIKE}}
"""Places of MINI-RGBD's joints but the nose, by convention; ``*`` stands for the side."""


@lru_cache(maxsize=4)
def mini_rgbd_places(convention: str) -> tuple[tuple[str, ...], Float[np.ndarray, "24 3"]]:
    """Bone and offset (to the left, to the back, up; in trunks) of MINI-RGBD joints 0 to 23."""
    bones, offsets = [], []
    for joint in MINI_RGBD_25.joints[:-1]:
        side, _, _ = joint.partition("_")
        place = _place(joint, convention)
        sign = {"left": 1.0, "right": -1.0}.get(side, 0.0)
        bones.append(place.bone)
        offsets.append((sign * place.out, place.back, place.up))
    return tuple(bones), np.array(offsets)


def _place(joint: str, convention: str) -> Place:
    """The place of a MINI-RGBD joint, its bone with its side."""
    side, _, part = joint.partition("_")
    places = CONVENTIONS[convention]
    place = places[joint] if joint in places else places[f"*_{part}"]
    bone = place.bone.replace("*", side[:1].upper())
    return Place(bone, place.out, place.back, place.up)


def rows(skeleton: Skeleton) -> Iterator[tuple[str, ...]]:
    """Each joint of a convention: its name, the ``infant`` joint it is, its places."""
    if skeleton == MINI_RGBD_25:
        source = dict(zip(MINI_RGBD_25.joints, MINI_RGBD_25.joints, strict=True))
    else:
        source = dict(joint_map(INFANT, skeleton).correspondence)
    for joint in skeleton.joints:
        name = source.get(joint)
        if name is None:
            yield joint, "-", *("not labelled" for _ in CONVENTIONS)
        elif name in FACE_POINTS:
            yield joint, name, *(f"landmark {name}" for _ in CONVENTIONS)
        else:
            mini = OF_INFANT.get(name, name)
            yield joint, name, *(str(_place(mini, one)) for one in CONVENTIONS)


def table() -> str:
    """Every convention's joints as text."""
    lines = [
        "Offsets are in trunks (neck to mid-hip), in the axes of the body at rest. The hips of",
        "SMIL-like bodies lie closer and lower in the flesh: see proportions.SMIL_HIPS.",
    ]
    for skeleton in SKELETONS.values():
        source = "joint" if skeleton == MINI_RGBD_25 else "joint of infant"
        grid = [(skeleton.name, source, *CONVENTIONS), *rows(skeleton)]
        widths = [max(len(row[k]) for row in grid) for k in range(len(grid[0]))]
        lines += ["", *("  ".join(f"{c:<{w}}" for c, w in zip(r, widths, strict=True)).rstrip()
                        for r in grid)]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())

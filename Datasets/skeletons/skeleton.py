"""The Skeleton value: one description of a joint convention, carried from reader to painter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

SIDES = ("left", "right")
SIGMAS = {
    **dict(nose=0.026, eye=0.025, ear=0.035, head=0.035, head_top=0.026),
    **dict(shoulder=0.079, elbow=0.072, wrist=0.062, hip=0.107, knee=0.087, ankle=0.089),
    **dict(hand=0.062, fingers=0.062, foot=0.089, toe=0.089, toes=0.089, clavicle=0.079),
    **dict(collar=0.079, neck=0.079, upper_neck=0.079, thorax=0.079, pelvis=0.107),
    **dict.fromkeys(("spine", "spine1", "spine2", "spine3", "spine4"), 0.107),
}
"""COCO's OKS sigma by part of the body; parts without a published one take a neighbour's."""


@dataclass(frozen=True)
class Skeleton:
    """Joints of one convention, in order, with everything that is known about them by name.

    Attributes:
        name: identifier, such as ``mpii_16``.
        joints: joint names in storage order; left and right are the person's own.
        bones: pairs (parent side, child side) of joint names, for drawing and bone lengths.
        root: joint that root-relative poses are relative to.
        head_segment: the two joints whose distance is the head length of PCKh, or None.
        sigmas: COCO OKS sigma per joint; joints without a published one take a neighbour's.

    Raises:
        ValueError: a bone, root, head segment or side names an unknown joint, or a name repeats.
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]
    root: str
    head_segment: tuple[str, str] | None
    sigmas: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(set(self.joints)) != len(self.joints):
            raise ValueError(f"skeleton {self.name}: a joint name repeats")
        if len(self.sigmas) != len(self.joints):
            raise ValueError(f"skeleton {self.name}: {len(self.sigmas)} sigmas, {len(self)} joints")
        named = {self.root, *(self.head_segment or ())}
        named.update(joint for pair in (*self.bones, *self.pairs) for joint in pair)
        unknown = sorted(named - set(self.joints))
        if unknown:
            raise ValueError(f"skeleton {self.name}: unknown joints {', '.join(unknown)}")

    def __len__(self) -> int:
        return len(self.joints)

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names of (left, right) joints that a mirror swaps, in the order of the left ones."""
        left = (joint for joint in self.joints if joint.startswith("left_"))
        return tuple((joint, joint.replace("left_", "right_")) for joint in left)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {joint: i for i, joint in enumerate(self.joints)}

    def index(self, joint: str) -> int:
        """Return the position of a joint.

        Raises:
            KeyError: the skeleton has no such joint.
        """
        if joint not in self._index:
            raise KeyError(
                f"skeleton {self.name} has no joint '{joint}'; it has: {', '.join(self.joints)}"
            )
        return self._index[joint]

    def indices(self, joints: tuple[str, ...] | list[str]) -> list[int]:
        """Return the positions of several joints, in the order asked."""
        return [self.index(joint) for joint in joints]

    @property
    def root_index(self) -> int:
        """Position of the root joint."""
        return self.index(self.root)

    @cached_property
    def bone_indices(self) -> tuple[tuple[int, int], ...]:
        """Bones as pairs of positions."""
        return tuple((self.index(a), self.index(b)) for a, b in self.bones)

    @cached_property
    def flip_indices(self) -> tuple[int, ...]:
        """Permutation that mirrors: joint ``i`` of the mirrored pose was ``flip_indices[i]``."""
        order = list(range(len(self)))
        for left, right in self.pairs:
            i, j = self.index(left), self.index(right)
            order[i], order[j] = j, i
        return tuple(order)

    @cached_property
    def mirrored_bones(self) -> tuple[int, ...]:
        """Position of each bone's mirror image, or its own."""
        bones, flip = self.bone_indices, self.flip_indices
        return tuple(bones.index((flip[a], flip[b])) for a, b in bones)

    def side(self, joint: str) -> str:
        """Return ``left``, ``right`` or ``middle``."""
        side = joint.partition("_")[0]
        return side if side in ("left", "right") else "middle"


def paths(*joints: str) -> tuple[tuple[str, str], ...]:
    """Bones along paths of joints.

    >>> paths("hip knee ankle")
    (('hip', 'knee'), ('knee', 'ankle'))
    """
    return tuple(bone for path in joints for bone in pairwise(path.split()))


def on_both_sides(*joints: str) -> tuple[tuple[str, str], ...]:
    """Bones along paths of joints on the left, then on the right; ``*`` stands for the side.

    >>> on_both_sides("neck *_shoulder")
    (('neck', 'left_shoulder'), ('neck', 'right_shoulder'))
    """
    return tuple(b for side in SIDES for b in paths(*(path.replace("*", side) for path in joints)))


def sigmas_of(joints: Iterable[str], **different: float) -> tuple[float, ...]:
    """COCO's OKS sigma of each joint, or of its neighbour; some may be ``different``."""
    known = SIGMAS | different
    return tuple(known[joint.removeprefix("left_").removeprefix("right_")] for joint in joints)

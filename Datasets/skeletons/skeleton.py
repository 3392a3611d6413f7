"""The Skeleton value: one description of a joint convention, carried from reader to painter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Skeleton:
    """Joints of one convention, in order, with everything that is known about them by name.

    Attributes:
        name: identifier, such as ``mpii_16``.
        joints: joint names in storage order; left and right are the person's own.
        bones: pairs (parent side, child side) of joint names, for drawing and bone lengths.
        pairs: (left, right) joint names that a mirror swaps.
        root: joint that root-relative poses are relative to.
        head_segment: the two joints whose distance is the head length of PCKh, or None.
        sigmas: COCO OKS sigma per joint; joints without a published one take a neighbour's.

    Raises:
        ValueError: a bone, pair, root or head segment names an unknown joint, or a name repeats.
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]
    pairs: tuple[tuple[str, str], ...]
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

    def side(self, joint: str) -> str:
        """Return ``left``, ``right`` or ``middle``."""
        for left, right in self.pairs:
            if joint == left:
                return "left"
            if joint == right:
                return "right"
        return "middle"

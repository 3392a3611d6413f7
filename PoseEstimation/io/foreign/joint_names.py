"""Which of our joints a name of another program means, and how a user says it.

Upper and lower case, separators and the place of the side do not matter: ``LShoulder``,
``left_shoulder``, ``shoulder.L`` and ``Left Shoulder`` are one. Names that mean one joint here and
another there (hand, foot, head) are not guessed: a map file says what they are.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from Datasets.skeletons import Skeleton
from Engine.errors import DataError
from Engine.reading import load_yaml, read_text
from PoseEstimation.io.foreign.recording import Recording
from PoseEstimation.structures import Keypoints

SYNONYMS = {
    **dict.fromkeys(("mid_hip", "midhip", "hip_mid", "hip_middle", "hip_center"), "pelvis"),
    **dict.fromkeys(("hip_centre", "center_hip", "centre_hip"), "pelvis"),
    "neck": "upper_neck",
    **dict.fromkeys(("top_head", "top_of_head", "crown"), "head_top"),
    **dict.fromkeys(("toe", "big_toe", "bigtoe"), "toes"),
    "finger": "fingers",
}
"""Our name of joints, without their side, that others call otherwise; as ``convert.py`` does."""

SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
UNUSED = ("", "unused", "none", "null")
"""What a map file says of joints that are to be left out."""

LEAST = 3
"""Joints that are needed to place an infant before the camera."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_GLUED = re.compile(r"(left|right|[lr](?!ear$))_?(\w+)")
"""``leftknee``, ``rknee``; but ``rear`` is no right ear."""


@dataclass(frozen=True)
class JointMatch:
    """Joints of a file and of our skeleton.

    Attributes:
        skeleton: ours.
        ours: our joint by the file's name, None where it is unused; in the file's order.
    """

    skeleton: Skeleton
    ours: dict[str, str | None]

    @property
    def given(self) -> dict[str, str]:
        """The file's name of each of our joints that it has."""
        return {ours: theirs for theirs, ours in self.ours.items() if ours is not None}

    def rows(self) -> list[tuple[str, str]]:
        """Name in the file and our joint, or ``unused``; then our joints that are missing."""
        missing = [joint for joint in self.skeleton.joints if joint not in self.given]
        found = [(theirs, ours or "unused") for theirs, ours in self.ours.items()]
        return found + [("missing", joint) for joint in missing]

    def apply(self, keypoints: Keypoints) -> Keypoints:
        """The keypoints (row, joint) of the file in our order; NaN and score 0 where missing."""
        names, shape = list(self.ours), (len(keypoints), len(self.skeleton))
        ours = self.skeleton.indices(list(self.given))
        theirs = [names.index(name) for name in self.given.values()]

        def placed(values: np.ndarray, fill: float) -> np.ndarray:
            result = np.full((*shape, *values.shape[2:]), fill)
            result[:, ours] = values[:, theirs]
            return result

        return Keypoints(
            placed(keypoints.keypoints_px, np.nan),
            placed(keypoints.scores, 0.0),
            placed(keypoints.sigma_px, np.nan),
            placed(keypoints.depth_px, np.nan),
        )


def match_joints(
    recording: Recording, skeleton: Skeleton, said: Mapping[str, str | None] | None = None
) -> JointMatch:
    """Find our joint of every name: as the user says, as the format says, or by its words.

    Args:
        recording: names, and what they mean in its format.
        skeleton: ours.
        said: what the user's map file says, see ``read_joint_map``.

    Raises:
        DataError: a name stands twice, two mean one joint, or too few mean any.
    """
    source, names = recording.source, recording.names
    fixed = {**recording.meanings, **(said or {})}
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{source}: joint '{twice}' stands twice; rename one of them")
    taken = {fixed[name] for name in names if name in fixed}
    guessed = {name: joint_of(name, skeleton) for name in names if name not in fixed}
    ours = {
        name: fixed[name] if name in fixed else (None if guessed[name] in taken else guessed[name])
        for name in names
    }
    owners: dict[str, str] = {}
    for theirs, joint in ours.items():
        if joint is not None and owners.setdefault(joint, theirs) != theirs:
            raise DataError(
                f"{source}: '{owners[joint]}' and '{theirs}' both mean {joint}; say in --map which "
                "one is, and that the other is 'unused'"
            )
    if len(owners) < LEAST:
        raise DataError(
            f"{source}: {len(owners)} of its joints ({', '.join(names)}) have names that are "
            "known; name the others in --map FILE, lines 'their_name: our_joint'"
        )
    return JointMatch(skeleton, ours)


def joint_of(name: str, skeleton: Skeleton) -> str | None:
    """Our joint that a name means; None when it means none, or more than one.

    >>> from Datasets.skeletons import INFANT
    >>> [joint_of(name, INFANT) for name in ("RBigToe", "knee.L", "MidHip", "hand")]
    ['right_toes', 'left_knee', 'pelvis', None]
    """
    words = [word.lower() for word in _WORD.findall(name)]
    side = "".join(SIDES[word] for word in words if word in SIDES)
    part = "_".join(word for word in words if word not in SIDES)
    readings = [(side, part)]
    if not side and (glued := _GLUED.fullmatch(part)):
        readings.append((SIDES[glued[1]], glued[2]))
    joints = ("_".join(filter(None, (side, SYNONYMS.get(part, part)))) for side, part in readings)
    return next((joint for joint in joints if joint in skeleton.joints), None)


def read_joint_map(path: Path, skeleton: Skeleton) -> dict[str, str | None]:
    """Read a map file: YAML ``their_name: our_joint``, or CSV with these two columns.

    Raises:
        DataError: not such a file, or it names a joint that we do not have.
    """
    content = _pairs(path) if path.suffix.lower() == ".csv" else load_yaml(path, "map")
    if not isinstance(content, dict) or not content:
        raise DataError(f"map: {path} holds no lines 'their_name: our_joint'; write some")
    said: dict[str, str | None] = {}
    for theirs, ours in content.items():
        joint = "" if ours is None else str(ours).strip()
        if joint not in skeleton.joints and joint.lower() not in UNUSED:
            known = ", ".join(skeleton.joints)
            raise DataError(f"map: {path}: '{theirs}: {joint}' is none of our joints: {known}")
        said[str(theirs)] = joint if joint in skeleton.joints else None
    return said


def _pairs(path: Path) -> dict[str, str]:
    """The two columns of a CSV file.

    Raises:
        DataError: a line has another number of cells, or a name stands twice.
    """
    pairs: dict[str, str] = {}
    rows = csv.reader(StringIO(read_text(path, "map"), newline=""))
    for cells in rows:
        if not any(cells) or cells == ["their_name", "our_joint"]:
            continue
        if len(cells) != 2 or cells[0].strip() in pairs:
            what = "is not 'their_name,our_joint'" if len(cells) != 2 else "stands twice"
            raise DataError(f"map: {path}, line {rows.line_num}: '{','.join(cells)}' {what}")
        pairs[cells[0].strip()] = cells[1].strip()
    return pairs

"""OpenPose JSON: a folder with a ``*_keypoints.json`` per frame, one such file, or a list of them.

``{"people": [{"person_id": [-1], "pose_keypoints_2d": [x, y, score] * n}]}`` in pixels
(``--keypoint_scale 0``), n 25 (BODY_25) or 18 (COCO); ``0, 0, 0`` where a joint is missing. Hands,
where they were looked for, have 21 points each. ``Neck`` is computed from the shoulders and counts
as no joint.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from Engine.errors import DataError
from Engine.reading import load_json
from PoseEstimation.io.foreign.recording import (
    Recording,
    Size,
    frame_numbers,
    keypoints_of,
    without_zeros,
)

_UPPER = ("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist")
_LEGS = ("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle")
_FACE = ("REye", "LEye", "REar", "LEar")
_FEET = ("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel")
BODIES = {
    75: (*_UPPER, "MidHip", *_LEGS, *_FACE, *_FEET),
    54: (*_UPPER, *_LEGS, *_FACE),
}
"""Names of BODY_25 and COCO-18 by the length of their list."""

PATTERN = "*_keypoints.json"
HANDS = {"LHand": "hand_left_keypoints_2d", "RHand": "hand_right_keypoints_2d"}
HAND_POINTS = 21
MEANINGS = {"Neck": None, "LHand9": "left_fingers", "RHand9": "right_fingers"}
"""Point 9 of a hand is the knuckle of the middle finger."""


def recognises(content: Any) -> bool:
    """Whether a JSON file, or the list of a folder's files, is of OpenPose."""
    if isinstance(content, list):
        first = content[0] if content else None
        return isinstance(first, Path) or (isinstance(first, dict) and "people" in first)
    return isinstance(content, dict) and "people" in content


def read(path: Path, content: Any, size: Size | None) -> list[Recording]:
    """Read the file or folder.

    Raises:
        DataError: a frame is damaged, or people have lists of another length.
    """
    frames = content if isinstance(content, list) else [content]
    labels = [str(frame) if isinstance(frame, Path) else "" for frame in frames]
    rows: list[tuple[int, dict[str, Any]]] = []
    pictures: list[Any] = []
    for i, (frame, label) in enumerate(zip(frames, labels, strict=True)):
        loaded = load_json(frame, "lift") if isinstance(frame, Path) else frame
        where = f"lift: {label or path}" + ("" if label else f", frame {i}")
        rows += [(i, person) for person in _people(loaded, where)]
        pictures.append((loaded.get("canvas_width"), loaded.get("canvas_height")))
    counts = {len(person["pose_keypoints_2d"]) for _, person in rows}
    if len(counts) != 1 or not counts <= BODIES.keys():
        found = ", ".join(str(count // 3) for count in sorted(counts)) or "no"
        raise DataError(f"lift: {path}: people with {found} joints; BODY_25 and COCO-18 are known")
    body, hands = BODIES[counts.pop()], any(_hand(p, key) for _, p in rows for key in HANDS)
    names = body + tuple(f"{hand}{i}" for hand in HANDS if hands for i in range(HAND_POINTS))
    values = without_zeros(np.stack([_values(person, hands) for _, person in rows]))
    tracks = [str(np.ravel(person.get("person_id", -1))[0]) for _, person in rows]
    known = all(isinstance(side, int) for picture in pictures for side in picture)
    return [
        Recording(
            path.as_posix(),
            names,
            keypoints_of(values),
            np.array([i for i, _ in rows]),
            None if "-1" in tracks else tuple(tracks),
            frame_numbers(labels),
            sizes=np.array(pictures) if known else None,
            meanings=MEANINGS,
        )
    ]


def _people(frame: Any, where: str) -> list[dict[str, Any]]:
    """The people of a frame, whose lists hold numbers."""
    try:
        people = list(frame["people"])
        for person in people:
            for key in ("pose_keypoints_2d", *HANDS.values()):
                np.array(person.get(key) or [], dtype=np.float64).reshape(-1, 3)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise DataError(f"{where} is no frame of OpenPose; write it again") from None
    return [person for person in people if person.get("pose_keypoints_2d")]


def _hand(person: dict[str, Any], hand: str) -> list[float]:
    """Points of a hand; empty when there are not as many as a hand has."""
    points = person.get(HANDS[hand]) or []
    return points if len(points) == 3 * HAND_POINTS else []


def _values(person: dict[str, Any], hands: bool) -> np.ndarray:
    """Joints (joint, 3) of a person, with both hands where any has some."""
    parts = [person["pose_keypoints_2d"]]
    for hand in HANDS if hands else ():
        parts.append(_hand(person, hand) or [0.0] * (3 * HAND_POINTS))
    return np.concatenate(parts).astype(np.float64).reshape(-1, 3)

"""MediaPipe pose as JSON: frames with 33 landmarks, whose x and y are shares of the picture.

The file is a list of frames, or an object with ``frames``. A frame is null or empty when nobody was
found, else a list of 33 landmarks, a list of such lists (several people), or an object with one of
these under ``landmarks``, ``landmark``, ``pose_landmarks`` or ``poseLandmarks``; beside them may
stand ``time_s`` or ``timestamp_ms``. A landmark is ``{"x", "y", "visibility"}`` or ``[x, y, z,
visibility]``. ``fps``, ``width`` and ``height`` may stand beside ``frames``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from Engine.errors import DataError
from PoseEstimation.io.foreign.recording import Recording, Size, keypoints_of

NAMES = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer"),
    *("right_eye_inner", "right_eye", "right_eye_outer", "left_ear", "right_ear"),
    *("mouth_left", "mouth_right"),
    *(
        f"{side}_{part}"
        for parts in (
            ("shoulder", "elbow", "wrist", "pinky", "index", "thumb"),
            ("hip", "knee", "ankle", "heel", "foot_index"),
        )
        for part in parts
        for side in ("left", "right")
    ),
)
MEANINGS = {
    f"{side}_{theirs}": f"{side}_{ours}"
    for side in ("left", "right")
    for theirs, ours in (("index", "fingers"), ("foot_index", "toes"))
}
"""``index`` is the knuckle of the index finger, ``foot_index`` the tip of the big toe."""

_KEYS = ("landmarks", "landmark", "pose_landmarks", "poseLandmarks")
_TIMES = {"time_s": 1.0, "timestamp_ms": 0.001}


def recognises(content: Any) -> bool:
    """Whether a JSON file holds landmarks of MediaPipe."""
    frames = _frames(content)
    return any(len(pose) == len(NAMES) for frame in frames or [] for pose in _poses(frame))


def read(path: Path, content: Any, size: Size | None) -> list[Recording]:
    """Read the file.

    Args:
        path: of the file.
        content: of the file.
        size: of the picture as the user gave it; else the file must say it.

    Raises:
        DataError: the size is unknown, or a frame has no 33 landmarks.
    """
    about = content if isinstance(content, dict) else {}
    frames = _frames(content) or []
    sides = size or (about.get("width"), about.get("height"))
    if not all(isinstance(side, int) and side > 0 for side in sides):
        raise DataError(f"lift: {path}: landmarks are shares of the picture; give --size WxH")
    rows = [(i, _values(path, i, pose)) for i, frame in enumerate(frames) for pose in _poses(frame)]
    values = np.stack([pose for _, pose in rows])
    if np.nanmedian(np.abs(values[..., :2])) > 2:
        raise DataError(f"lift: {path}: landmarks are no shares of the picture; give a plain CSV")
    values[..., :2] = values[..., :2] * sides - 0.5  # pixels are counted from the first's centre
    fps = about.get("fps")
    return [
        Recording(
            path.as_posix(),
            NAMES,
            keypoints_of(values),
            np.array([i for i, _ in rows]),
            None,
            np.arange(len(frames)),
            _times(frames),
            np.tile(np.array(sides), (len(frames), 1)),
            float(fps) if isinstance(fps, int | float) and fps > 0 else None,
            MEANINGS,
        )
    ]


def _frames(content: Any) -> list[Any] | None:
    frames = content.get("frames") if isinstance(content, dict) else content
    return frames if isinstance(frames, list) else None


def _poses(frame: Any) -> list[Any]:
    """The people of a frame, each a list of landmarks."""
    if isinstance(frame, dict):
        frame = next((frame[key] for key in _KEYS if key in frame), None)
    if isinstance(frame, dict):
        return _poses(frame)
    if not isinstance(frame, list) or not frame:
        return []
    if all(map(_is_landmark, frame)):
        return [frame]
    return [pose for one in frame for pose in _poses(one)]


def _is_landmark(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) in (2, 3, 4) and all(isinstance(v, int | float) for v in value)
    return isinstance(value, dict) and {"x", "y"} <= value.keys()


def _values(path: Path, frame: int, pose: Any) -> np.ndarray:
    """x, y and visibility (33, 3) of one person."""
    rows = [
        (one["x"], one["y"], one.get("visibility"))
        if isinstance(one, dict)
        else (*one[:2], one[3] if len(one) > 3 else None)
        for one in pose
    ]
    try:
        values = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.zeros((0, 3))
    if values.shape != (len(NAMES), 3):
        raise DataError(f"lift: {path}, frame {frame}: needs {len(NAMES)} landmarks with x and y")
    return values


def _times(frames: list[Any]) -> np.ndarray | None:
    """Seconds of all frames, or None unless each says it."""
    for key, unit in _TIMES.items():
        if all(isinstance(f, dict) and isinstance(f.get(key), int | float) for f in frames):
            return np.array([frame[key] * unit for frame in frames])
    return None

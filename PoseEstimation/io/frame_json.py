"""Frames as JSON with all digits, and back: what the journal and the spool keep."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from PoseEstimation.result import Adult, FrameResult, InfantPose

_ARRAYS = frozenset(
    ("box_xyxy", "keypoints_px", "keypoint_scores", "sigma_px", "depth_px", "suspected_xyxy")
    + ("joints_mm", "sigma_mm", "root_mm", "intrinsics")
)


def frame_to_json(frame: FrameResult) -> dict[str, Any]:
    """Everything of a frame as plain values; NaN becomes None."""
    return {f.name: _to_json(getattr(frame, f.name)) for f in fields(FrameResult)}


def frame_from_json(content: dict[str, Any]) -> FrameResult:
    """Undo ``frame_to_json``.

    Raises:
        KeyError, TypeError, ValueError: the content is something else.
    """
    adults = content["adults"]
    known = {
        **_with_arrays(content),
        "infants": tuple(InfantPose(**_with_arrays(one)) for one in content["infants"]),
        "adults": None if adults is None else tuple(Adult(**_with_arrays(a)) for a in adults),
        "notes": tuple(content["notes"]),
        "full_size": content["full_size"] and tuple(content["full_size"]),
    }
    return FrameResult(**known)


def _to_json(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        values = value.astype(object)
        values[~np.isfinite(value)] = None
        return values.tolist()
    if isinstance(value, InfantPose | Adult):
        return {f.name: _to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_to_json(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _with_arrays(content: dict[str, Any]) -> dict[str, Any]:
    """Lists of numbers as arrays again, null as NaN."""
    made = {
        name: np.array(content[name], dtype=np.float64)
        for name in _ARRAYS & content.keys()
        if content[name] is not None
    }
    if "suspected_xyxy" in made:
        made["suspected_xyxy"] = made["suspected_xyxy"].reshape(-1, 4)
    return {**content, **made}

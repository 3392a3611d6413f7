"""``poses.json``, schema ``infantpose/1``: everything that is known about every frame.

Top level: schema, notice, model, skeleton (names, bones), units, assumptions, frames, and after
them, since frames stream, quality and complete. A frame: source, index, time_s, width, height,
infants, adults (null when the detector knows infants only), error where something failed, and notes
where something was changed or found on reading. An adult: box_xyxy, box_score. An infant: track_id,
box_xyxy, box_score, keypoints_px, keypoint_scores, sigma_px, joints_mm, sigma_mm, root_mm, size_mm
(crown over pelvis to ankle: an assumption, see assumptions) and joints_per_size, which are
joints_mm over size_mm and assume no scale. NaN is written as null. One frame per line, so that long
recordings stream and can be read by line tools.

A byte of a file name that is no UTF-8 is written as an escape (backslash, udc, two hexadecimal
digits), from which Python's json and os.fsencode make the same name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.skeletons import SKELETONS, Skeleton
from Engine.errors import DataError
from Engine.files import portable_name, replacing_text
from Engine.reading import load_json
from PoseEstimation.io.header import Header, Write
from PoseEstimation.result import NOTICE, Adult, FrameResult, InfantPose, PoseResult

SCHEMA = "infantpose/1"
UNITS = {"keypoints": "px", "joints": "mm", "frame": "camera, pelvis-relative"}
ARRAY_DECIMALS, NUMBER_DECIMALS = 3, 6


@contextmanager
def poses_json(path: Path, header: Header) -> Iterator[Write]:
    """Open ``poses.json``, see ``io.header.Writer``."""
    with replacing_text(path) as file:
        file.write("{\n" + "".join(f' "{k}": {_text(v)},\n' for k, v in _head(header).items()))
        file.write(' "frames": [')
        start = "\n  "

        def write(frame: FrameResult) -> None:
            nonlocal start
            file.write(start + _text(_frame(frame, header.skeleton)))
            start = ",\n  "

        yield write
        file.write(f'\n ],\n "quality": {_text(header.quality.summary())}')
        file.write(f',\n "complete": {_text(header.complete)}\n}}\n')


def count_frames_in(path: Path) -> int:
    """Number of frames that a file written by ``poses_json`` holds; 0 without such a file."""
    try:
        with path.open("rb") as file:
            return sum(line.startswith(b'  {"source"') for line in file)
    except OSError:
        return 0


def read_poses_json(path: Path) -> PoseResult:
    """Read what ``poses_json`` wrote, numbers as they are rounded there.

    Raises:
        DataError: the file is missing, damaged or something else.
    """
    content = load_json(path, "poses")
    try:
        skeleton = SKELETONS[content["skeleton"]["name"]]
        frames = tuple(map(_read_frame, content["frames"]))
        about = content["model"], content["quality"], content["assumptions"]
        return PoseResult(frames, skeleton, *about)
    except (KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(f"poses: {path} is no {SCHEMA} file ({reason}); predict again") from None


def _read_frame(content: dict[str, Any]) -> FrameResult:
    """A frame from its line in the file."""
    adults = content["adults"]
    known = {
        **content,
        "infants": tuple(
            InfantPose(**{k: _read_value(v) for k, v in one.items() if k not in _DERIVED})
            for one in content["infants"]
        ),
        "adults": None
        if adults is None
        else tuple(Adult(_read_value(a["box_xyxy"]), a["box_score"]) for a in adults),
        "notes": tuple(content.get("notes", ())),
    }
    return FrameResult(**known)


def _read_value(value: Any) -> Any:
    return np.array(value, dtype=np.float64) if isinstance(value, list) else value


_DERIVED = ("size_mm", "joints_per_size")


def _text(value: Any) -> str:
    return json.dumps(jsonable(value), allow_nan=False, ensure_ascii=False)


def jsonable(value: Any, decimals: int = NUMBER_DECIMALS) -> Any:
    """Turn arrays into lists, round floats, and make everything that is not finite None."""
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist(), ARRAY_DECIMALS)
    if isinstance(value, Mapping):
        return {str(k): jsonable(v, decimals) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(v, decimals) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, decimals) if math.isfinite(value) else None
    return value


def _head(header: Header) -> dict[str, Any]:
    """What stands before the frames."""
    skeleton = header.skeleton
    bones = skeleton.bone_indices
    return {
        "schema": SCHEMA,
        "notice": NOTICE,
        "model": header.model,
        "skeleton": {"name": skeleton.name, "names": skeleton.joints, "bones": bones},
        "units": UNITS,
        "assumptions": header.assumptions,
    }


def _frame(frame: FrameResult, skeleton: Skeleton) -> dict[str, Any]:
    fields = {
        "source": portable_name(frame.source),
        "index": frame.index,
        "time_s": frame.time_s,
        "width": frame.width,
        "height": frame.height,
        "infants": [_infant(infant, skeleton) for infant in frame.infants],
        "adults": None if frame.adults is None else [asdict(adult) for adult in frame.adults],
    }
    found = {"error": frame.error, "notes": frame.notes}
    return {**fields, **{name: value for name, value in found.items() if value}}


def _infant(infant: InfantPose, skeleton: Skeleton) -> dict[str, Any]:
    size_mm = infant.size_mm(skeleton)
    scale_free = infant.joints_mm / size_mm
    return {
        "track_id": infant.track_id,
        "box_xyxy": infant.box_xyxy,
        "box_score": float(infant.box_score),
        "keypoints_px": infant.keypoints_px,
        "keypoint_scores": infant.keypoint_scores,
        "sigma_px": infant.sigma_px,
        "joints_mm": infant.joints_mm,
        "sigma_mm": infant.sigma_mm,
        "root_mm": infant.root_mm,
        "size_mm": size_mm,
        "joints_per_size": scale_free.round(5).tolist(),
    }

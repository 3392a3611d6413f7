"""COCO keypoint results (``coco_keypoints.json``), as pycocotools and faster-coco-eval read them.

A list of ``{"image_id", "category_id": 1, "keypoints": [x, y, score] * 17, "score", "bbox": [x, y,
w, h]}``, pixels. A joint without coordinates is ``0, 0, 0`` there: the format knows no other way.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from Datasets.readers.base import load_json
from Datasets.skeletons import COCO_17, Skeleton
from Datasets.skeletons.convert import joint_map
from Engine.errors import DataError
from Engine.files import replacing_text
from PoseEstimation.result import FrameResult, InfantPose, PoseResult


def write_coco(result: PoseResult, path: Path, image_ids: dict[str, int] | None = None) -> None:
    """Write the infants of all readable frames, whole or not at all.

    Args:
        result: the prediction.
        path: the file, usually ``coco_keypoints.json``.
        image_ids: id by file name; without it frames count from 1, sorted by source and index.

    Raises:
        DataError: a photo has no id.
    """
    ids = frame_ids(result.frames, image_ids)
    entries = [
        _entry(infant, ids[frame.source, frame.index], result.skeleton)
        for frame in result.frames
        for infant in frame.infants
    ]
    with replacing_text(path) as file:
        json.dump(entries, file, allow_nan=False)
        file.write("\n")


def read_image_ids(path: Path) -> dict[str, int]:
    """Read the image ids of a COCO annotation file, by file name without folder.

    Raises:
        DataError: not such a file.
    """
    content = load_json(path, "COCO annotations")
    try:
        return {PurePath(i["file_name"]).name: int(i["id"]) for i in content["images"]}
    except (KeyError, TypeError, ValueError):
        message = f"COCO annotations: {path} has no images with id and file_name; give a COCO file"
        raise DataError(message) from None


def require_ids(sources: Sequence[Path], image_ids: dict[str, int], path: Path) -> None:
    """Check that every photo has an id, before any work is done.

    Raises:
        DataError: one has none.
    """
    for source in sources:
        if source.name not in image_ids:
            raise DataError(
                f"COCO annotations: {path} does not list {source.name}; leave one of them out"
            )


def frame_ids(
    frames: Sequence[FrameResult], image_ids: dict[str, int] | None
) -> dict[tuple[str, int], int]:
    """Give every frame its image id, by (source, index)."""
    keys = sorted({(frame.source, frame.index) for frame in frames})
    if image_ids is None:
        return {key: number for number, key in enumerate(keys, 1)}
    return {key: image_ids[PurePath(key[0]).name] for key in keys}


def _entry(infant: InfantPose, image_id: int, skeleton: Skeleton) -> dict[str, Any]:
    """One detection; its score is the box score times the mean joint score."""
    values = np.column_stack([infant.keypoints_px, infant.keypoint_scores])
    values = joint_map(skeleton, COCO_17).apply(values)
    scores = np.nan_to_num(values[:, 2])
    values[~np.isfinite(values).all(axis=1)] = 0.0
    x1, y1, x2, y2 = (round(float(v), 3) for v in infant.box_xyxy)
    return {
        "image_id": image_id,
        "category_id": 1,
        "keypoints": [round(float(v), 3) for v in values.ravel()],
        "score": round(float(infant.box_score * scores.mean()), 6),
        "bbox": [x1, y1, round(x2 - x1, 3), round(y2 - y1, 3)],
    }

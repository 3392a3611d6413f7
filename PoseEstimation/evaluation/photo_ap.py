"""Keypoint AP of photos of one infant each: results in COCO's form, intervals, groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from Datasets.outlines import true_box
from Datasets.readers.syrip import source_of
from Datasets.skeletons import COCO_17, Skeleton
from Datasets.structures import PoseSample
from Engine.errors import DataError
from PoseEstimation.evaluation.joints import in_joints
from PoseEstimation.metrics.protocols import CocoProtocol
from PoseEstimation.result import FrameResult

RESAMPLES = 200
"""Of the photos' sources, for the intervals."""

LEAST_SOURCES = 5
"""From which there is an interval."""

AP_KEYS = ("ap", "ap50", "ap75", "ar")

Results = Sequence[dict[str, Any]]
"""Results in COCO's form."""


def keypoint_results(
    skeleton: Skeleton, found: Iterable[FrameResult], samples: Sequence[PoseSample]
) -> list[dict[str, Any]]:
    """Results in COCO's form; a score is the box's times the joints' mean.

    Args:
        skeleton: of the infants' joints.
        found: a result per photo.
        samples: one of each photo, which says the photo's id.
    """
    results = []
    for result, sample in zip(found, samples, strict=True):
        for infant in result.infants:
            own = np.column_stack([infant.keypoints_px, infant.keypoint_scores])
            points = in_joints(own, skeleton, COCO_17)
            score = float(infant.box_score * np.nanmean(points[:, 2]))
            named = {"image_id": sample.image_id, "category_id": 1}
            results.append({**named, "keypoints": points.ravel().tolist(), "score": score})
    return results


def with_area(samples: Sequence[PoseSample]) -> list[bool]:
    """Which samples are of photos whose people all have an area: AP is of these alone.

    Raises:
        DataError: there is none.
    """
    bare = {sample.image_id for sample in samples if sample.area_px is None}
    known = [sample.image_id not in bare for sample in samples]
    if not any(known):
        raise DataError("AP: no person has an area above 0, which OKS divides by; add 'area'")
    return known


def keypoint_ap(samples: Sequence[PoseSample], results: Results) -> dict[str, float]:
    """AP and AR of the results on some photos of people with areas, see ``with_area``."""
    wanted = {sample.image_id for sample in samples}
    found = [result for result in results if result["image_id"] in wanted]
    scores = CocoProtocol().score(_truth(samples), found).clean if found else {}
    return {key: scores.get(key, 0.0) for key in AP_KEYS}


def _truth(samples: Sequence[PoseSample]) -> dict[str, Any]:
    """The contents of an annotation file."""
    boxes = map(true_box, samples)
    return {
        "images": [{"id": sample.image_id} for sample in samples],
        "annotations": [
            {
                "id": number,
                "image_id": sample.image_id,
                "category_id": 1,
                "bbox": [*box[:2], *(box[2:] - box[:2])],
                "area": sample.area_px,
                "iscrowd": 0,
                "keypoints": np.c_[np.nan_to_num(sample.keypoints_px), sample.visibility]
                .ravel()
                .tolist(),
            }
            for number, (sample, box) in enumerate(zip(samples, boxes, strict=True), 1)
        ],
    }


def ap_interval(samples: Sequence[PoseSample], results: Results) -> list[float] | None:
    """95 % percentile interval of AP by the bootstrap over sources; photos without one are each.

    None with fewer than ``LEAST_SOURCES``, which say nothing of others.
    """
    by_image: dict[int | None, list[dict[str, Any]]] = {}
    for result in results:
        by_image.setdefault(result["image_id"], []).append(result)
    sources: dict[str, list[PoseSample]] = {}
    for sample in samples:
        sources.setdefault(source_of(sample), []).append(sample)
    if len(sources) < LEAST_SOURCES:
        return None
    groups, rng = list(sources.values()), np.random.default_rng(0)
    drawn = []
    for _ in range(RESAMPLES):
        picked = [s for i in rng.integers(len(groups), size=len(groups)) for s in groups[i]]
        photos = [replace(s, image_id=number) for number, s in enumerate(picked)]
        found = [
            {**result, "image_id": number}
            for number, sample in enumerate(picked)
            for result in by_image.get(sample.image_id, ())
        ]
        drawn.append(keypoint_ap(photos, found)["ap"])
    return [float(v) for v in np.percentile(drawn, [2.5, 97.5])]


def ap_groups(
    samples: Sequence[PoseSample], names: Sequence[str], true: Results, own: Results | None = None
) -> dict[str, dict[str, Any]]:
    """AP of the photos of each name, with its interval and its number of photos.

    Args:
        samples: the photos.
        names: the group of each; photos of the empty name are in none.
        true: results in true boxes.
        own: results in the detector's boxes, or None.
    """
    table = {}
    for name in sorted(set(names) - {""}):
        chosen = [sample for sample, its in zip(samples, names, strict=True) if its == name]
        table[name] = {
            "photos": len(chosen),
            "ap": keypoint_ap(chosen, true)["ap"],
            "interval": ap_interval(chosen, true),
        }
        if own is not None:
            table[name]["ap_own_boxes"] = keypoint_ap(chosen, own)["ap"]
    return table

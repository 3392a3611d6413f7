"""COCO keypoints: average precision by object keypoint similarity (Lin et al., 2014)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from Datasets.skeletons import COCO_17, Skeleton
from PoseEstimation.metrics.errors import distances, mean_error
from PoseEstimation.metrics.protocols.scores import Scores

KEYS = ("ap", "ap50", "ap75", "ap_medium", "ap_large", "ar")
MAX_PEOPLE = 20
_PERSON = 1
_RULE = (
    "people with labelled joints, no crowds, over all images of the ground truth; the 20 best "
    "results of an image; oks .50:.05:.95, 101 recall points; medium 32^2 to 96^2, large above"
)


def object_keypoint_similarity(
    predicted_px: Float[np.ndarray, "person joint 2"],
    target_px: Float[np.ndarray, "person joint 2"],
    area_px: Float[np.ndarray, "person"],
    skeleton: Skeleton = COCO_17,
) -> Float[np.ndarray, "person"]:
    """OKS of each pair: mean over labelled joints of ``exp(-d^2 / (2 area (2 sigma)^2))``, 0 to 1.

    Args:
        predicted_px: pixels; a joint that is NaN contributes 0.
        target_px: pixels; NaN where unlabelled.
        area_px: area of the true person in square pixels.
        skeleton: its ``sigmas`` say how precisely people label each joint.

    Returns:
        NaN for a person without labelled joints.

    Source: Lin et al. (2014), keypoint evaluation of the COCO challenge.
    """
    area = np.asarray(area_px, dtype=np.float64)[:, None] + np.spacing(1)
    spread = (2 * np.asarray(skeleton.sigmas)) ** 2
    exponent = distances(predicted_px, target_px) ** 2 / (2 * spread * area)
    return mean_error(np.exp(-exponent), axis=1)


@dataclass(frozen=True)
class CocoProtocol:
    """AP and AR by OKS, as pycocotools computes them; in percent.

    ``ap`` and ``ar`` average over OKS .50:.05:.95; ``ap50``, ``ap75`` are at one; ``ap_medium`` and
    ``ap_large`` take people of an area of 32^2 to 96^2 and of more square pixels. Crowds and people
    without labelled joints are ignored: a result that fits one is neither right nor wrong. A key
    that nothing was counted for is absent (pycocotools says -1).

    Attributes:
        skeleton: order of the keypoints, and their sigmas.

    Source: Lin et al. (2014), computed by faster-coco-eval.
    """

    skeleton: Skeleton = COCO_17

    def score(self, ground_truth: Mapping[str, Any], results: Sequence[Mapping]) -> Scores:
        """Compute every measure of the protocol; the arguments stay as they are.

        Args:
            ground_truth: contents of an annotation file: ``images``, ``annotations``.
            results: contents of a results file: ``image_id``, ``category_id``, ``keypoints`` (x, y
                and a number that is not read; x or y that is NaN or None misses) and ``score``.

        Raises:
            ValueError: an entry lacks a value or has a wrong one; the message names it.
        """
        truth = self._truth(ground_truth)
        found = self._found(results, {image["id"] for image in truth["images"]})
        stats = _evaluate(truth, found, self.skeleton) if truth["annotations"] else ()
        values = {key: 100.0 * float(value) for key, value in zip(KEYS, stats, strict=False)}
        ignored = sum(bool(a["iscrowd"] or not a["num_keypoints"]) for a in truth["annotations"])
        per_image = Counter((r["image_id"], r["category_id"]) for r in found)
        coordinates = np.array([r["keypoints"] for r in found]).reshape(-1, 3)
        return Scores(
            clean={key: value for key, value in values.items() if value >= 0},
            per_joint={"clean": {}},
            counts={
                "images": len(truth["images"]),
                "people": len(truth["annotations"]) - ignored,
                "people_ignored": ignored,
                "results": len(found),
                "results_left_out": sum(max(n - MAX_PEOPLE, 0) for n in per_image.values()),
                "joints_without_prediction": int(np.isinf(coordinates).any(axis=1).sum()),
                "rule": _RULE,
            },
        )

    def _truth(self, ground_truth: Mapping[str, Any]) -> dict[str, Any]:
        """Copy what the evaluation reads.

        People are numbered anew from 1: it takes the number 0 for no person. Their labelled
        joints are counted where the file does not say, else it would ignore them.
        """
        annotations: list[dict[str, Any]] = []
        for entry in _list(ground_truth, "annotations"):
            where = f"annotation {entry.get('id')}"
            keypoints = self._keypoints(entry.get("keypoints", [0] * 3 * len(self.skeleton)), where)
            if not np.isfinite(keypoints).all():
                raise ValueError(f"{where}: a keypoint is not a finite number")
            annotations.append(
                {
                    **_common(entry, where, "area"),
                    "id": len(annotations) + 1,
                    "bbox": [float(v) for v in _value(entry, "bbox", where)],
                    "iscrowd": int(entry.get("iscrowd", 0)),
                    "keypoints": keypoints.tolist(),
                    "num_keypoints": int(entry.get("num_keypoints", (keypoints[2::3] > 0).sum())),
                }
            )
        images = [{"id": _value(image, "id", "image")} for image in _list(ground_truth, "images")]
        categories = ground_truth.get("categories") or [{"id": _PERSON}]
        kept = [{"id": _value(category, "id", "category")} for category in categories]
        return {"images": images, "annotations": annotations, "categories": kept}

    def _found(self, results: Sequence[Mapping], images: set) -> list[dict[str, Any]]:
        """Copy what the evaluation reads; a joint without prediction lies infinitely far away."""
        boxed = bool(results) and bool(results[0].get("bbox"))
        found = []
        for number, entry in enumerate(results):
            where = f"result {number}"
            keypoints = self._keypoints(_value(entry, "keypoints", where), where).reshape(-1, 3)
            common = _common(entry, where, "score")
            if common["image_id"] not in images:
                raise ValueError(f"{where}: no image {common['image_id']} in the ground truth")
            absent = ~np.isfinite(keypoints[:, :2]).all(axis=1)
            box = _value(entry, "bbox", where) if boxed else _box(keypoints[~absent, :2])
            keypoints = np.where(absent[:, None], [np.inf, np.inf, 0], keypoints)
            found.append({**common, "keypoints": keypoints.ravel().tolist(), "bbox": list(box)})
        return found

    def _keypoints(self, values: Sequence[float | None] | np.ndarray, where: str) -> np.ndarray:
        keypoints = np.array(values, dtype=np.float64).ravel()
        if keypoints.size != 3 * len(self.skeleton):
            expected = 3 * len(self.skeleton)
            raise ValueError(f"{where}: {keypoints.size} keypoint values, not {expected}")
        return keypoints


def _evaluate(truth: dict, found: list[dict], skeleton: Skeleton) -> np.ndarray:
    """AP, AP50, AP75, AP medium, AP large, AR, ... as fractions; -1 where nothing was counted."""
    from faster_coco_eval import COCO, COCOeval_faster

    people = COCO(truth)
    sigmas = list(skeleton.sigmas)
    evaluation = COCOeval_faster(people, people.loadRes(found), "keypoints", kpt_oks_sigmas=sigmas)
    evaluation.run()
    return evaluation.all_stats


def _common(entry: Mapping, where: str, number: str) -> dict[str, Any]:
    """Image, category (1 where the entry has none) and one finite number of an entry."""
    value = float(_value(entry, number, where))
    if not np.isfinite(value):
        raise ValueError(f"{where}: {number} is {value}")
    image, category = _value(entry, "image_id", where), entry.get("category_id", _PERSON)
    return {"image_id": image, "category_id": category, number: value}


def _box(points: np.ndarray) -> list[float]:
    """Box x, y, width, height around points; empty at the origin without any."""
    if len(points) == 0:
        return [0.0] * 4
    low, high = points.min(axis=0), points.max(axis=0)
    return [*low.tolist(), *(high - low).tolist()]


def _value(entry: Mapping, key: str, where: str) -> Any:
    if entry.get(key) is None:
        raise ValueError(f"{where} has no '{key}'")
    return entry[key]


def _list(ground_truth: Mapping[str, Any], key: str) -> list[Mapping]:
    return list(_value(ground_truth, key, "the ground truth"))

"""Score a 2D network on photos of infants in their true boxes: what a source of data is worth."""

from __future__ import annotations

from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.catalogue import open_sources
from Datasets.readers.images import load_image
from Datasets.skeletons import COCO_17
from Engine.devices import choose_device
from Engine.errors import DataError
from Engine.provenance import code_version, file_sha256
from PoseEstimation.evaluation.photo_ap import (
    ap_groups,
    ap_interval,
    keypoint_ap,
    keypoint_results,
    with_area,
)
from PoseEstimation.evaluation.report import SCHEMA, write_metrics
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import KeypointFinder
from PoseEstimation.inference.weights import load_heatmap
from PoseEstimation.stage_settings import PhotoScoreSettings


def score_photos(settings: PhotoScoreSettings, output: Path) -> dict[str, Any]:
    """Write ``output/metrics.json``.

    Returns:
        AP, AP50, AP75 and AR, percent.

    Raises:
        DataError: photos or weights are not given, missing or damaged.
    """
    if settings.photos is None or settings.heatmap is None:
        raise DataError("score: photos and heatmap must be given")
    device = choose_device("auto")
    finder = KeypointFinder(load_heatmap(settings.heatmap), device, PredictSettings())
    photos = open_sources([settings.photos], COCO_17)[0].samples
    samples = list(compress(photos, with_area(photos)))
    results = []
    for sample in samples:
        found = finder([(load_image(sample.image_path), sample.box_xyxy)])
        results += keypoint_results(finder.skeleton, found, np.ones(1), sample.image_id)
    scores = keypoint_ap(samples, results)
    metrics = {
        "schema": SCHEMA,
        "protocol": "syrip",
        "data": {"split": settings.photos.split, "boxes": "true"},
        "weights": {"heatmap_sha256": file_sha256(settings.heatmap)},
        "code_version": code_version(),
        "boxes": {"true": {**scores, "interval": ap_interval(samples, results)}},
        "postures": ap_groups(samples, [s.activity.lower() for s in samples], results),
        "counts": {
            "photos": len(samples),
            "photos_without_area": len(photos) - len(samples),
        },
    }
    write_metrics(output, metrics)
    return scores

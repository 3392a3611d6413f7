"""Score a 2D network alone on photos of infants in their true boxes."""

from __future__ import annotations

from itertools import compress
from pathlib import Path

from Datasets.catalogue import open_sources
from Datasets.outlines import true_box
from Datasets.skeletons import COCO_17
from Engine.errors import DataError
from Engine.provenance import file_sha256
from PoseEstimation.evaluation.frames import labelled_frames, run_frames
from PoseEstimation.evaluation.photo_ap import (
    ap_groups,
    ap_interval,
    keypoint_ap,
    keypoint_results,
    with_area,
)
from PoseEstimation.evaluation.report import metrics_header, write_metrics
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import TopDown
from PoseEstimation.inference.weights import load_keypoint_network
from PoseEstimation.stage_settings import PhotoScoreSettings


def score_photos(settings: PhotoScoreSettings, output: Path) -> dict[str, float]:
    """Write ``output/metrics.json``; without the turn test, which takes four times as long.

    Returns:
        AP, AP50, AP75 and AR, percent.

    Raises:
        DataError: photos or weights are not given, missing or damaged.
    """
    if settings.photos is None or settings.heatmap is None:
        raise DataError("score: photos and heatmap must be given")
    predict = PredictSettings(turn_test=False)
    finder = TopDown(None, load_keypoint_network(settings.heatmap, predict), predict)
    photos = open_sources([settings.photos], COCO_17)[0].samples
    samples = list(compress(photos, with_area(photos)))
    frames = labelled_frames(samples, [true_box(s) for s in samples], 1.0, still=True)
    found = run_frames(Predictor(finder, settings=predict), frames, "true", len(samples))
    results = keypoint_results(finder.skeleton, found, samples)
    scores = keypoint_ap(samples, results)
    weights = {"heatmap_sha256": file_sha256(settings.heatmap)}
    metrics = {
        **metrics_header("syrip", weights, "", {"split": settings.photos.split, "boxes": "true"}),
        "boxes": {"true": {**scores, "interval": ap_interval(samples, results)}},
        "postures": ap_groups(samples, [s.activity.lower() for s in samples], results),
        "counts": {
            "photos": len(samples),
            "photos_without_area": len(photos) - len(samples),
        },
    }
    write_metrics(output, metrics)
    return scores

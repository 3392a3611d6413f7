"""The shipped weights on the benchmark, part by part: rows that a whole evaluation cannot give.

Nothing is trained. The 2D network's detections are cached once and lifted in several ways.
"""

from __future__ import annotations

from pathlib import Path

from Datasets.sources import DataSource
from PoseEstimation.chains.chain import Stages
from PoseEstimation.chains.ellershaw import EXACT
from PoseEstimation.config import Config
from PoseEstimation.inference.weight_sets import WeightSet, find_weights
from PoseEstimation.stage_settings import DetectionCacheSettings, ScoreSettings


def parts(folder: Path, config: Config) -> Stages:
    """List the stages.

    Args:
        folder: of the experiment; the chain ``ellershaw`` lies beside it.
        config: names the weight set, and the folder of MINI-RGBD or of the benchmark.
    """
    stages = Stages(folder)
    weights = WeightSet.open(find_weights(config.paths.saved_models, config.weights))
    heatmap, detector, lifter = (weights.path(r) for r in ("keypoints", "detector", "lifter"))
    held_out, test = (
        stages.add(
            f"detections-{split}",
            DetectionCacheSettings(
                DataSource("mini_rgbd", split, config.paths.mini_rgbd), heatmap, detector=detector
            ),
        )
        for split in ("9-10", "11-12")
    )
    published = folder.parent / "ellershaw" / EXACT / "lifter.safetensors"
    for name, score in {
        "held-out": ScoreSettings(held_out, lifter),
        "test": ScoreSettings(test, lifter),
        "depths-hidden": ScoreSettings(test, lifter, depths=False),
        "frame-by-frame": ScoreSettings(test, lifter, temporal=False),
        "published-lifter": ScoreSettings(test, published),
    }.items():
        stages.add(name, score)
    return stages

"""Stage two and the whole: heatmaps, lifting, the predictor from frames to results, the CLI.

In Python: ``load("infant-synthetic")("clip.mp4").joints_mm`` is (frames, people, joints, 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PoseEstimation.inference.predictor import Predictor


def load(weights: str | None = None, **settings: Any) -> Predictor:
    """Load a weight set.

    Args:
        weights: a name under ``SavedModels``, or a folder; default: the one in config.yaml.
        settings: of ``config.yaml: predict`` that differ, such as ``fov_degrees=70``.

    Returns:
        What turns the path of a photo or video, or a PIL image, into a ``PoseResult``.

    Raises:
        DataError: no such set, a damaged file, or a setting beyond its limits.
    """
    from dataclasses import replace

    from PoseEstimation.config import load_config
    from PoseEstimation.inference.predictor import Predictor

    config = load_config(None, ())
    name = weights or config.weights
    return Predictor.named(config.paths.saved_models, name, replace(config.predict, **settings))

"""Calibrated error bars and the detector's operating point, from validation data.

One factor on ``sigma_px`` and one on ``sigma_mm``, so that 90 % of the errors lie within the radius
that a Gaussian of that sigma promises.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from Datasets.catalogue import open_sources
from Datasets.geometry.alignment import root_relative
from Datasets.geometry.camera import project
from Datasets.loaders import joined
from Datasets.skeletons import INFANT
from Engine.errors import DataError
from Engine.weights import load_weights
from FasterRCNN.operating_point import choose_operating_point
from PoseEstimation.inference.lifting import RATE, ClipLifting
from PoseEstimation.inference.weights import load_lifter
from PoseEstimation.io.detection_cache import read_detections
from PoseEstimation.metrics.errors import joint_errors
from PoseEstimation.metrics.uncertainty import calibration_factor
from PoseEstimation.stage_settings import CalibrationSettings
from PoseEstimation.structures import Clip, Keypoints, Track
from PoseEstimation.training.weights import with_codec


def calibrate(settings: CalibrationSettings, output: Path) -> dict[str, float]:
    """Write ``output/heatmap.safetensors`` and ``output/lifter.safetensors`` with their factors.

    And ``output/detector.safetensors``, where there is a detector, with its operating point.

    Returns:
        The factors on the sigmas of the two networks, and the operating point as ``score``.

    Raises:
        DataError: a file is not given, missing or damaged, or the lifter predicts no sigma.
    """
    if not settings.detections or settings.heatmap is None or settings.lifter is None:
        raise DataError("calibration: detections, heatmap and lifter must be given")
    if settings.detector is not None and not settings.scenes:
        raise DataError("calibration: scenes must be given for the detector's operating point")
    lifting = load_lifter(settings.lifter)
    if not isinstance(lifting, ClipLifting):
        raise DataError(f"calibration: {settings.lifter} predicts no sigma; give a ClipLifter")
    clips = [
        sequence.clip
        for path in settings.detections
        for sequence in read_detections(path, lifting.skeleton)
    ]
    planar = calibration_factor(*_joined([_planar(clip) for clip in clips]), axes=2)
    scaled = [replace(clip, sigma_px=planar * clip.sigma_px) for clip in clips]
    spatial = calibration_factor(*_joined([_spatial(clip, lifting) for clip in scaled]), axes=3)
    factors = {"sigma_px": planar, "sigma_mm": spatial}
    for path, name in ((settings.heatmap, "sigma_px"), (settings.lifter, "sigma_mm")):
        before = load_weights(path)[1]["codec"].get("sigma_scale", 1.0)
        with_codec(path, output / _PARTS[name], sigma_scale=before * factors[name])
    if settings.detector is None:
        return factors
    held_out = joined(open_sources(settings.scenes, INFANT))
    detector = output / "detector.safetensors"
    percent = settings.mistaken_percent
    score = choose_operating_point(settings.detector, detector, held_out, percent)
    return {**factors, "score": score}


_PARTS = {"sigma_px": "heatmap.safetensors", "sigma_mm": "lifter.safetensors"}


def _planar(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """Distances in pixels and their sigmas."""
    target = np.stack([project(j, k) for j, k in zip(clip.joints_mm, clip.intrinsics, strict=True)])
    return joint_errors(np.nan_to_num(clip.keypoints_px), target), clip.sigma_px


def _spatial(clip: Clip, lifting: ClipLifting) -> tuple[np.ndarray, np.ndarray]:
    """Distances in millimetres and their sigmas, the clip lifted as one video."""
    found = Keypoints.of(clip)
    times_s = np.arange(len(found)) / RATE
    joints_mm, sigma_mm = lifting(Track(found, clip.intrinsics[0], times_s))
    target = root_relative(clip.joints_mm, lifting.skeleton.root_index)
    return joint_errors(joints_mm, target), sigma_mm


def _joined(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    errors, sigmas = zip(*pairs, strict=True)
    return np.concatenate(errors), np.concatenate(sigmas)

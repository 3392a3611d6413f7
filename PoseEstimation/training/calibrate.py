"""Calibrated error bars and the detector's operating point, from validation data.

Factors on ``sigma_px`` and ``sigma_mm``, so that 90 % of the errors lie within the radius that a
Gaussian of that sigma promises. Those on ``sigma_mm`` depend on the length of the clip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.catalogue import open_sources
from Datasets.geometry.alignment import root_relative
from Datasets.geometry.camera import project
from Datasets.loaders import joined
from Datasets.skeletons import INFANT, Skeleton
from Engine.errors import DataError
from Engine.weights import load_weights
from FasterRCNN.operating_point import choose_operating_point
from PoseEstimation.codecs.rays import CLIP_FRAMES
from PoseEstimation.inference.lifting import RATE, ClipLifting
from PoseEstimation.inference.weights import load_lifter
from PoseEstimation.io.detection_cache import read_detections
from PoseEstimation.metrics.errors import joint_errors
from PoseEstimation.metrics.uncertainty import calibration_factor
from PoseEstimation.settings import CameraSettings, ClipNoiseSettings
from PoseEstimation.stage_settings import CalibrationSettings
from PoseEstimation.structures import Clip, Keypoints, Track
from PoseEstimation.training.clip_noise import (
    add_detection_noise,
    bone_lengths,
    random_camera,
    with_depth,
)
from PoseEstimation.training.clips import load_movement_bank
from PoseEstimation.training.given_joints import draw_given_joints
from PoseEstimation.training.weights import with_codec

PARTS = 3
"""Parts of each clip that are lifted, of each length: its start, middle and end."""


def calibrate(settings: CalibrationSettings, output: Path) -> dict[str, float]:
    """Write ``output/heatmap.safetensors`` and ``output/lifter.safetensors`` with their factors.

    And ``output/detector.safetensors`` with its operating point; each where its weights are given.

    Returns:
        The factor on the sigma of the 2D network, the mean one on that of the lifter, the standard
        deviation of the log of the size, and the operating point as ``score``.

    Raises:
        DataError: a file is not given, missing or damaged, or the lifter predicts no sigma.
    """
    if settings.heatmap is None and settings.lifter is None:
        raise DataError("calibrate: heatmap or lifter must be given")
    if not settings.detections and (settings.heatmap or not settings.movements):
        raise DataError("calibrate: detections must be given, or movements for the lifter alone")
    if settings.detector is not None and not settings.scenes:
        raise DataError("calibrate: scenes must be given for the detector's operating point")
    clips = [
        sequence.clip for path in settings.detections for sequence in read_detections(path, INFANT)
    ]
    found: dict[str, float] = {}
    if settings.heatmap is not None:
        planar = calibration_factor(*_joined([_planar(clip) for clip in clips]), axes=2)
        clips = [replace(clip, sigma_px=planar * clip.sigma_px) for clip in clips]
        before = _codec_of(settings.heatmap).get("sigma_scale", 1.0)
        with_codec(settings.heatmap, output / "heatmap.safetensors", sigma_scale=planar * before)
        found["sigma_px"] = planar
    if settings.lifter is not None:
        found |= _calibrate_lifter(settings.lifter, clips, settings.movements, output)
    if settings.detector is not None:
        held_out, percent = joined(open_sources(settings.scenes, INFANT)), settings.mistaken_percent
        detector = output / "detector.safetensors"
        score = choose_operating_point(settings.detector, detector, held_out, percent)
        found["score"] = score
    return found


def _codec_of(path: Path) -> dict[str, Any]:
    return load_weights(path)[1]["codec"]


def _planar(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """Distances in pixels and their sigmas."""
    target = np.stack([project(j, k) for j, k in zip(clip.joints_mm, clip.intrinsics, strict=True)])
    return joint_errors(np.nan_to_num(clip.keypoints_px), target), clip.sigma_px


def _calibrate_lifter(
    path: Path, clips: Sequence[Clip], movements: Sequence[Path], output: Path
) -> dict[str, float]:
    """Write the lifter with a factor for each length of clips and its error of size."""
    lifting = load_lifter(path)
    if not isinstance(lifting, ClipLifting):
        raise DataError(f"calibrate: {path} predicts no sigma; give a ClipLifter")
    every = [*clips, *generated_clips(movements, lifting.skeleton)]
    factors, sizes = [], np.zeros(0)
    for frames in CLIP_FRAMES:
        parts = [part for clip in every for part in parts_of(clip, frames)]
        lifted = [lift_clip(lifting, part) for part in parts]
        errors = [_spatial(*pair) for pair in zip(parts, lifted, strict=True)]
        factors.append(calibration_factor(*_joined(errors), axes=3))
        sizes = np.array([_log_size(j, p) for p, (j, _) in zip(parts, lifted, strict=True)])
    before = _codec_of(path).get("sigma_scale", (1.0,) * len(CLIP_FRAMES))
    scale = tuple(float(a * b) for a, b in zip(before, factors, strict=True))
    size_sigma = float(np.sqrt(np.nanmean(sizes**2)))
    with_codec(path, output / "lifter.safetensors", sigma_scale=scale, size_sigma=size_sigma)
    return {"sigma_mm": float(np.mean(factors)), "size_sigma": size_sigma}


def generated_clips(banks: Sequence[Path], skeleton: Skeleton) -> Iterator[Clip]:
    """Each infant of some banks before a random camera: one exact, the next with noise."""
    for path in banks:
        for number, movement in enumerate(load_movement_bank(path, skeleton)):
            rng = np.random.default_rng(number)
            clip = random_camera(movement[None].astype(np.float64), CameraSettings(), rng)
            clip = replace(clip, scores=clip.scores * draw_given_joints(rng, skeleton))
            if number % 2:
                clip = with_depth(clip, skeleton.root_index)
                clip = add_detection_noise(clip, skeleton, ClipNoiseSettings(), rng)
            yield clip[0]


def parts_of(clip: Clip, frames: int) -> list[Clip]:
    """Up to ``PARTS`` parts of a clip of so many frames, or of all when it has fewer."""
    count = len(clip.scores)
    starts = np.linspace(0, max(count - frames, 0), PARTS if count > frames else 1).astype(int)
    return [clip[start : start + frames] for start in np.unique(starts)]


def lift_clip(lifting: ClipLifting, clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """Joints and sigma in mm of a clip, lifted as one video."""
    found = Keypoints.of(clip)
    return lifting(Track(found, clip.intrinsics, np.arange(len(found)) / RATE))


def _spatial(clip: Clip, lifted: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distances in millimetres and their sigmas."""
    return joint_errors(lifted[0], root_relative(clip.joints_mm, INFANT.root_index)), lifted[1]


def _log_size(joints_mm: np.ndarray, clip: Clip) -> float:
    """Log of the predicted over the true size: the sum of the lengths of the labelled bones."""
    predicted, true = bone_lengths(joints_mm, INFANT), bone_lengths(clip.joints_mm, INFANT)
    known = np.isfinite(true)
    return float(np.log(predicted[known].sum() / true[known].sum())) if known.any() else np.nan


def _joined(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    errors, sigmas = zip(*pairs, strict=True)
    return np.concatenate(errors), np.concatenate(sigmas)

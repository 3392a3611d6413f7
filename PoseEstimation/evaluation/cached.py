"""Score a lifter on cached detections; no image is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from Datasets.geometry.alignment import root_relative
from Datasets.geometry.camera import project
from Datasets.skeletons import INFANT, SKELETONS, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.skeletons.mini_rgbd import MINI_RGBD_25, PUBLISHED_16, ZEDO_17
from Engine.errors import DataError
from PoseEstimation.evaluation.errors_file import FPS, frame_errors, pooled, write_errors
from PoseEstimation.inference.lifting import Lifter
from PoseEstimation.inference.weights import load_lifter
from PoseEstimation.io.detection_cache import CachedSequence, read_arrays, read_detections
from PoseEstimation.metrics.protocols import ScoredPoses
from PoseEstimation.stage_settings import ScoreSettings
from PoseEstimation.structures import Clip, Keypoints, Track

JOINTS = {"ellershaw": PUBLISHED_16, "zedo": ZEDO_17}


def score_detections(settings: ScoreSettings, output: Path) -> dict[str, float]:
    """Write ``output/errors.npz``.

    Returns:
        AJPE in mm, of the protocol's joints with the root; and in pixels.

    Raises:
        DataError: a file is not given, missing or damaged, or lacks a joint of the protocol.
    """
    if settings.detections is None or settings.lifter is None:
        raise DataError("score: detections and lifter must be given")
    lifting = load_lifter(settings.lifter)
    skeleton_2d = SKELETONS[str(read_arrays(settings.detections).get("skeleton", INFANT.name))]
    sequences = read_detections(settings.detections, skeleton_2d)
    names = JOINTS[settings.joints]
    given = _places(names, skeleton_2d)
    places = given, _places(names, lifting.skeleton)
    poses = [_scored(one, lifting, skeleton_2d, places, settings) for one in sequences]
    errors = pooled([frame_errors(pose, names) for pose in poses])
    write_errors(output, errors)
    measures = {"ajpe_mm": errors.errors_mm, "ajpe_2d_px": errors.errors_px}
    return {key: float(np.nanmean(value)) for key, value in measures.items()}


def _places(names: tuple[str, ...], skeleton: Skeleton) -> list[int]:
    """Positions in a skeleton of joints by their MINI-RGBD names.

    Raises:
        DataError: the skeleton lacks one.
    """
    if skeleton == MINI_RGBD_25:
        return skeleton.indices(names)
    own = {mini: name for name, mini in joint_map(MINI_RGBD_25, skeleton).correspondence}
    absent = [name for name in names if name not in own]
    if absent:
        raise DataError(f"score: {skeleton.name} lacks {absent[0]}; use a lifter of mini_rgbd_25")
    return skeleton.indices([own[name] for name in names])


def _scored(
    sequence: CachedSequence,
    lifting: Lifter,
    skeleton: Skeleton,
    places: tuple[list[int], list[int]],
    settings: ScoreSettings,
) -> ScoredPoses:
    """Lift one sequence and put the truth beside it."""
    clip, (given, lifted) = sequence.clip, places
    found = Keypoints.of(clip)
    if skeleton != lifting.skeleton:
        found = _converted(clip, lifting.skeleton, given, lifted)
    if not settings.depths:
        found = replace(found, depth_px=np.full_like(found.depth_px, np.nan))
    times_s = sequence.frames / FPS if settings.temporal else None
    intrinsics = clip.intrinsics[0].astype(np.float64)
    joints_mm, sigma_mm = lifting(Track(found, intrinsics, times_s))
    truth_mm = root_relative(clip.joints_mm.astype(np.float64), skeleton.root_index)
    truth_px = np.stack(
        [project(j, k) for j, k in zip(clip.joints_mm, clip.intrinsics, strict=True)]
    )
    return ScoredPoses(
        sequences=np.full(len(sequence.frames), sequence.name),
        frames=sequence.frames,
        predicted_mm=joints_mm[:, lifted],
        target_mm=truth_mm[:, given],
        predicted_px=clip.keypoints_px[:, given],
        target_px=truth_px[:, given],
        sigma_mm=sigma_mm[:, lifted],
        sigma_px=clip.sigma_px[:, given],
    )


def _converted(clip: Clip, wanted: Skeleton, given: list[int], lifted: list[int]) -> Keypoints:
    """The joints of the protocol where the lifter takes them; its other joints are missing."""
    values = []
    for name, missing in _MISSING.items():
        values_2d = getattr(clip, name)
        filled = np.full((len(values_2d), len(wanted), *values_2d.shape[2:]), missing)
        filled[:, lifted] = values_2d[:, given]
        values.append(filled)
    return Keypoints(*values)


_MISSING = {"keypoints_px": np.nan, "scores": 0.0, "sigma_px": 0.0, "depth_px": np.nan}

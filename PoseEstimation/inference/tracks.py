"""Every infant of a prediction lifted to 3D once: of a video in the light of all its frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.stream import failure
from PoseEstimation.result import FrameResult, InfantPose

if TYPE_CHECKING:
    from PoseEstimation.inference.predictor import PosePipeline


def lifted(
    pipeline: PosePipeline, frames: Sequence[FrameResult], camera: Camera
) -> tuple[FrameResult, ...]:
    """Lift all infants; a pose that cannot be lifted keeps its 2D, and its frame says why.

    Pixels are of the full pictures afterwards.

    Args:
        pipeline: the networks.
        frames: results in the image, of one prediction.
        camera: gives each frame's intrinsics by the frame's size.
    """
    frames = [frame.in_full_size() for frame in frames]
    cameras_of: dict[str, Camera] = {}
    places: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for i, frame in enumerate(frames):
        if frame.width is not None and frame.source not in cameras_of:
            cameras_of[frame.source] = camera.of_source((frame.width, frame.height))
        for j, infant in enumerate(frame.infants):
            places[frame.source, infant.track_id].append((i, j))
    infants, errors = [list(frame.infants) for frame in frames], [frame.error for frame in frames]
    for seen in places.values():
        track = [frames[i] for i, _ in seen]
        bound = cameras_of[track[0].source]
        cameras = np.stack([bound.matrix((frame.width, frame.height)) for frame in track])
        times_s = np.array([frame.time_s for frame in track])
        poses = _lifted_track(pipeline, [infants[i][j] for i, j in seen], cameras, times_s)
        for (i, j), (pose, error) in zip(seen, poses, strict=True):
            infants[i][j] = pose
            if error is not None:
                errors[i] = errors[i] or failure(frames[i].source, frames[i].index, error)
    return tuple(
        replace(frame, infants=tuple(found), error=error)
        for frame, found, error in zip(frames, infants, errors, strict=True)
    )


def _lifted_track(
    pipeline: PosePipeline, poses: list[InfantPose], cameras: np.ndarray, times_s: np.ndarray
) -> list[tuple[InfantPose, Exception | None]]:
    """Lift one infant's poses; those that fail alone are left out, and cost the others nothing."""
    try:
        return [(pose, None) for pose in pipeline.lift_poses(poses, cameras, times_s)]
    except Exception as error:
        if len(poses) == 1:
            return [(poses[0], error)]
    ones = [slice(i, i + 1) for i in range(len(poses))]
    found = [_lifted_track(pipeline, poses[i], cameras[i], times_s[i])[0] for i in ones]
    good = [i for i, (_, error) in enumerate(found) if error is None]
    if 1 < len(good) < len(poses):
        together = [poses[i] for i in good]
        together = _lifted_track(pipeline, together, cameras[good], times_s[good])
        for i, pose in zip(good, together, strict=True):
            found[i] = pose
    return found

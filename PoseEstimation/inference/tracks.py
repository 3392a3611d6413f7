"""Every infant of a prediction lifted to 3D once: of a video in the light of all its frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.frames import failure
from PoseEstimation.result import FrameResult, InfantPose

if TYPE_CHECKING:
    from PoseEstimation.inference.pipeline import PosePipeline


def lifted(
    pipeline: PosePipeline, frames: Sequence[FrameResult], camera: Camera
) -> tuple[FrameResult, ...]:
    """Lift all infants; a pose that cannot be lifted keeps its 2D, and its frame says why.

    Args:
        pipeline: the networks.
        frames: results in the image, of one prediction.
        camera: gives each frame's intrinsics by the frame's size.
    """
    places: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for i, frame in enumerate(frames):
        for j, infant in enumerate(frame.infants):
            places[frame.source, infant.track_id].append((i, j))
    infants, errors = [list(frame.infants) for frame in frames], [frame.error for frame in frames]
    for seen in places.values():
        track = [frames[i] for i, _ in seen]
        cameras = np.stack([camera.matrix((frame.width, frame.height)) for frame in track])
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
    """Lift one infant's poses; where that fails, each alone: one costs no other."""
    try:
        return [(pose, None) for pose in pipeline.lift_poses(poses, cameras, times_s)]
    except Exception as error:
        if len(poses) == 1:
            return [(poses[0], error)]
        ones = [slice(i, i + 1) for i in range(len(poses))]
        return [_lifted_track(pipeline, poses[i], cameras[i], times_s[i])[0] for i in ones]

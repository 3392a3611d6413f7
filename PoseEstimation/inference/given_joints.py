"""From 2D joints that other programs found to results in 2D, as ``Predictor.find`` gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from Engine.errors import DataError
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.tracking import Tracker
from PoseEstimation.io.foreign.joint_names import JointMatch
from PoseEstimation.io.foreign.recording import Recording, Size
from PoseEstimation.result import ASSUMED, FrameResult, InfantPose
from PoseEstimation.structures import Keypoints

FPS = 30.0
"""Frames per second where neither the file nor the user says it."""

SIGMA_PX = 1.0
"""Standard deviation of joints, pixels per axis, where neither the file nor the user says it."""


@dataclass(frozen=True)
class GivenJoints:
    """A recording of another program, with what the user says of it.

    Attributes:
        recording: its joints.
        match: which of them are ours.
        camera: known or assumed.
        size: width and height of the pictures that the user gave, or None.
        fps: frames per second that the user gave, or None.
        sigma_px: standard deviation of joints that the user gave, or None.
        settings: rules of tracks, for files that do not say who is who.

    Raises:
        DataError: the camera needs the size of the pictures, which nobody knows, or does not fit.
    """

    recording: Recording
    match: JointMatch
    camera: Camera
    size: tuple[int, int] | None = None
    fps: float | None = None
    sigma_px: float | None = None
    settings: PredictSettings = field(default_factory=PredictSettings)

    def __post_init__(self) -> None:
        _ = self.intrinsics

    @cached_property
    def keypoints(self) -> Keypoints:
        """Our joints of every row, each with a standard deviation."""
        found = self.match.apply(self.recording.keypoints)
        default = np.where(found.scores > 0, self._sigma_px[0], np.nan)
        own = self.sigma_px is None and np.isfinite(found.sigma_px)
        return replace(found, sigma_px=np.where(own, found.sigma_px, default))

    @cached_property
    def times_s(self) -> Float[np.ndarray, "frame"]:
        """Seconds: by the user's rate, else the file's own times, else by its rate or ``FPS``."""
        known = self.recording.times_s
        if self.fps is None and known is not None:
            return known
        return self.recording.indices / self._fps[0]

    @cached_property
    def intrinsics(self) -> Float[np.ndarray, "frame 3 3"]:
        """Intrinsics of every frame.

        Raises:
            DataError: they need the size of the picture, and nobody knows it, or it does not fit.
        """
        sizes, count = self._sizes, len(self.recording.indices)
        if sizes is not None:
            bound = self.camera.of_source(sizes[0])
            matrices = {size: bound.matrix(size) for size in dict.fromkeys(sizes)}
            return np.stack([matrices[size] for size in sizes])
        if self.camera.intrinsics is None:
            raise DataError(
                f"{self.recording.source}: the size of its pictures is unknown; give --size WxH or "
                "--intrinsics FILE"
            )
        return np.tile(self.camera.intrinsics, (count, 1, 1))

    @cached_property
    def _sizes(self) -> list[Size] | None:
        """Size of every frame: as the user says, else the file, else the intrinsics."""
        size, known = self.size, self.recording.sizes
        if size is None and known is not None:
            return [(int(width), int(height)) for width, height in known]
        size = size or self.camera.size
        return None if size is None else [size] * len(self.recording.indices)

    @property
    def _fps(self) -> tuple[float, str]:
        known = self.recording.fps
        if self.fps is not None:
            return self.fps, "given"
        if self.recording.times_s is not None:
            return float("nan"), "times of the file"
        return (known, "the file") if known else (FPS, f"{ASSUMED}: give --fps")

    @property
    def _sigma_px(self) -> tuple[float, str]:
        if self.sigma_px is not None:
            return self.sigma_px, "given"
        if np.isfinite(self.recording.keypoints.sigma_px).any():
            return SIGMA_PX, "the file"
        return SIGMA_PX, f"{ASSUMED}: give --sigma-px"

    def assumption(self) -> dict[str, Any]:
        """What is known and assumed about the recording, for the user; None where it varies."""
        (fps, fps_source), (sigma_px, sigma_source) = self._fps, self._sigma_px
        return {
            "fps": None if np.isnan(fps) else fps,
            "fps_source": fps_source,
            "sigma_px": None if sigma_source == "the file" else sigma_px,
            "sigma_source": sigma_source,
            "joints_given": self.match.given,
        }

    def results(self) -> Iterator[FrameResult]:
        """Every frame with its infants: those of whom any of our joints is known."""
        keypoints, times_s, sizes = self.keypoints, self.times_s, self._sizes
        rows, numbers = self._rows, self._numbers
        for i, index in enumerate(self.recording.indices.tolist()):
            width, height = (None, None) if sizes is None else sizes[i]
            yield FrameResult(
                source=self.recording.source,
                index=index,
                time_s=float(times_s[i]),
                width=width,
                height=height,
                infants=tuple(_pose(keypoints, row, int(numbers[row])) for row in rows[i]),
                intrinsics=self.intrinsics[i],
            )

    @cached_property
    def _rows(self) -> list[Int[np.ndarray, "row"]]:
        """Rows of every frame in which any of our joints is known."""
        usable = np.flatnonzero((self.keypoints.scores > 0).any(-1))
        edges = np.searchsorted(self.recording.frames[usable], np.arange(len(self.times_s)))
        return np.split(usable, edges[1:])

    @cached_property
    def _numbers(self) -> Int[np.ndarray, "row"]:
        """Track of every row, from 1: the file's own, or one, or by the overlap of boxes."""
        tracks = self.recording.tracks
        if tracks is not None:
            own = dict.fromkeys(tracks[row] for rows in self._rows for row in rows)
            counted = all(track.isdecimal() and int(track) > 0 for track in own)
            number = {track: int(track) if counted else i for i, track in enumerate(own, 1)}
            return np.array([number.get(track, 0) for track in tracks])
        numbers = np.ones(len(self.keypoints), dtype=np.int64)
        if max(map(len, self._rows)) > 1:
            tracker = Tracker(self.settings.track_min_iou, self.settings.track_max_gap_s)
            for rows, time_s in zip(self._rows, self.times_s.tolist(), strict=True):
                boxes = [box_of(self.keypoints.keypoints_px[row]) for row in rows]
                numbers[rows] = tracker.update(np.reshape(boxes, (-1, 4)), time_s)
        return numbers


def box_of(keypoints_px: np.ndarray) -> np.ndarray:
    """Box (4,) around the known ones of some joints (joint, 2), at least one."""
    return np.concatenate([np.nanmin(keypoints_px, axis=0), np.nanmax(keypoints_px, axis=0)])


def _pose(keypoints: Keypoints, row: int, track_id: int) -> InfantPose:
    scores = keypoints.scores[row]
    return InfantPose.in_image(
        keypoints.keypoints_px[row],
        track_id=track_id,
        box_xyxy=box_of(keypoints.keypoints_px[row]),
        box_score=float(scores[scores > 0].mean()),
        keypoint_scores=scores,
        sigma_px=keypoints.sigma_px[row],
        depth_px=keypoints.depth_px[row],
    )

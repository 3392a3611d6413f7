"""2D joints as another program wrote them: the one value that every reader gives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from Engine.errors import DataError
from PoseEstimation.structures import Keypoints

Size = tuple[int, int]
"""Width and height of the picture in pixels."""

_LARGEST_SHARE = 2.0
"""Coordinates that are all below it are shares of the picture, not pixels."""


@dataclass(frozen=True)
class Recording:
    """2D joints of people in the frames of one recording; a row is one person in one frame.

    Attributes:
        source: path of the file, and what names the recording where the file holds several.
        names: of the joints, as the file, or the format's definition, names them.
        keypoints: (row, joint); NaN and score 0 where missing; ``sigma_px`` NaN where unknown.
        frames: (row,) position of its frame in ``indices``, ascending.
        tracks: (row,) which person it is, by the file's name, or None when nobody followed them.
        indices: (frame,) position in the video, increasing; the file may leave frames out.
        times_s: (frame,) seconds, increasing, or None when the file does not say.
        sizes: (frame, 2) width and height in pixels, or None when the file does not say.
        fps: frames per second, or None when the file does not say.
        meanings: of names that mean another joint in this format than elsewhere; None: no joint.
    """

    source: str
    names: tuple[str, ...]
    keypoints: Keypoints
    frames: Int[np.ndarray, "row"]
    tracks: tuple[str, ...] | None
    indices: Int[np.ndarray, "frame"]
    times_s: Float[np.ndarray, "frame"] | None = None
    sizes: Int[np.ndarray, "frame 2"] | None = None
    fps: float | None = None
    meanings: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, values in (("frame numbers", self.indices), ("times", self.times_s)):
            if values is not None and not (np.diff(values) > 0).all():
                raise DataError(f"{self.source}: {what} do not increase; sort the frames by time")
        known = self.keypoints.keypoints_px[self.keypoints.scores > 0]
        if len(known) and np.abs(known).max() < _LARGEST_SHARE:
            raise DataError(f"{self.source}: x and y are shares of the picture; convert to pixels")


def keypoints_of(
    values: Float[np.ndarray, "row joint 3"], sigma_px: Float[np.ndarray, "row joint"] | None = None
) -> Keypoints:
    """Joints as x, y and score, of which any may be missing.

    A joint without coordinates or with score 0 is missing; one without a score was placed by hand
    and has score 1; scores above 1 count as 1.
    """
    given = np.asarray(values, dtype=np.float64)
    scores = np.where(np.isnan(given[..., 2]), 1.0, np.clip(given[..., 2], 0.0, 1.0))
    seen = np.isfinite(given[..., :2]).all(-1) & (scores > 0)
    unknown = np.full(seen.shape, np.nan)
    return Keypoints(
        np.where(seen[..., None], given[..., :2], np.nan),
        np.where(seen, scores, 0.0),
        unknown if sigma_px is None else np.asarray(sigma_px, dtype=np.float64),
        unknown,
    )


def without_zeros(values: Float[np.ndarray, "row joint 3"]) -> Float[np.ndarray, "row joint 3"]:
    """NaN in place of joints at exactly (0, 0), with which some formats mark what is missing."""
    return np.where((values[..., :2] == 0).all(-1, keepdims=True), np.nan, values)


def of_tracks(
    values: Float[np.ndarray, "frame track joint 3"], tracks: Sequence[str]
) -> tuple[Float[np.ndarray, "row joint 3"], Int[np.ndarray, "row"], tuple[str, ...]]:
    """Values, frame and track of every row in which anything of a track is known."""
    frames, numbers = np.nonzero(np.isfinite(values[..., :2]).all(-1).any(-1))
    return values[frames, numbers], frames, tuple(tracks[i] for i in numbers.tolist())


def frame_numbers(names: Sequence[str]) -> Int[np.ndarray, "frame"]:
    """Last number in the name of each frame's file, if they increase; else its position."""
    found = [re.findall(r"\d+", Path(name.replace("\\", "/")).stem) for name in names]
    numbers = np.array([int(digits[-1][-15:]) if digits else 0 for digits in found], dtype=np.int64)
    return numbers if all(found) and (np.diff(numbers) > 0).all() else np.arange(len(names))

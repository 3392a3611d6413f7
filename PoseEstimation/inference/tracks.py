"""Tracks lifted to 3D while frames stream by.

Frames wait until ``WINDOW`` of a source are there; then each infant's poses among them are lifted
as one clip. Windows overlap by ``OVERLAP`` frames, over which one clip's answer fades into the
next's, so that a recording of any length needs the memory of one window.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from jaxtyping import Float

from Datasets.geometry.camera import root_position
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.stream import failure
from PoseEstimation.result import FrameResult, InfantPose
from PoseEstimation.structures import Keypoints, Track

WINDOW, OVERLAP = 2048, 256
"""Frames that are lifted together, and those of them that the next window lifts again."""

Lift = Callable[[Track], tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]]
Lifted = dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]
"""Joints in mm and their sigma, by (position of the frame, position of the infant)."""


def lift_stream(
    lift: Lift,
    results: Iterable[FrameResult],
    camera: Camera,
    window: int = WINDOW,
    overlap: int = OVERLAP,
) -> Iterator[FrameResult]:
    """Lift all infants; a pose that cannot be lifted keeps its 2D, and its frame says why.

    Args:
        lift: turns a track into 3D, see ``Lifter``.
        results: in 2D, one source after another.
        camera: gives the intrinsics of frames without their own, by the frame's size.
        window: frames that are lifted together.
        overlap: frames of one source's window that the next begins with.

    Yields:
        The results in order, in pixels of the full pictures.
    """
    for _, own in groupby(results, key=lambda result: result.source):
        bound: Camera | None = None
        waiting: list[tuple[FrameResult, np.ndarray]] = []
        before: Lifted = {}
        errors: dict[int, Exception] = {}
        for result in own:
            full = result.in_full_size()
            if full.width is not None and full.height is not None:
                bound = bound or camera.of_source((full.width, full.height))
            waiting.append((full, _intrinsics(full, bound)))
            if len(waiting) == window:
                lifted, errors = _lift_window(lift, waiting)
                ready = window - overlap
                blended = _blended(before, lifted, overlap)
                for i in range(ready):
                    yield _placed(waiting[i], i, blended, errors)
                before = {(i - ready, j): v for (i, j), v in blended.items() if i >= ready}
                errors = {i - ready: v for i, v in errors.items() if i >= ready}
                waiting = waiting[ready:]
        if not before or len(waiting) > overlap:  # else nothing is new
            lifted, errors = _lift_window(lift, waiting)
            before = _blended(before, lifted, overlap)
        for i, one in enumerate(waiting):
            yield _placed(one, i, before, errors)


def _intrinsics(frame: FrameResult, camera: Camera | None) -> Float[np.ndarray, "3 3"]:
    if frame.intrinsics is not None:
        return frame.intrinsics
    if camera is None or frame.width is None or frame.height is None:
        return np.full((3, 3), np.nan)
    return camera.matrix((frame.width, frame.height))


def _lift_window(
    lift: Lift, frames: Sequence[tuple[FrameResult, np.ndarray]]
) -> tuple[Lifted, dict[int, Exception]]:
    """Lift each track of a window; also what failed, by the frame's position."""
    places: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for i, (frame, _) in enumerate(frames):
        for j, infant in enumerate(frame.infants):
            places[infant.track_id].append((i, j))
    lifted: Lifted = {}
    errors: dict[int, Exception] = {}
    for seen in places.values():
        track = Track(
            keypoints_of([frames[i][0].infants[j] for i, j in seen]),
            np.stack([frames[i][1] for i, _ in seen]),
            np.array([frames[i][0].time_s for i, _ in seen]),
        )
        for place, answer in zip(seen, _lift_track(lift, track), strict=True):
            if isinstance(answer, Exception):
                errors.setdefault(place[0], answer)
            else:
                lifted[place] = answer
    return lifted, errors


def keypoints_of(infants: Sequence[InfantPose]) -> Keypoints:
    """The 2D joints of some poses, at least one."""
    names = ("keypoints_px", "keypoint_scores", "sigma_px", "depth_px")
    return Keypoints(*(np.stack([getattr(infant, name) for infant in infants]) for name in names))


def _lift_track(lift: Lift, track: Track) -> list[tuple[np.ndarray, np.ndarray] | Exception]:
    """Lift a track; poses that fail alone are left out, and cost the others nothing."""
    try:
        return list(zip(*lift(track), strict=True))
    except Exception as error:
        if len(track) == 1:
            return [error]
    alone = [_lift_track(lift, track[i : i + 1])[0] for i in range(len(track))]
    good = [i for i, answer in enumerate(alone) if not isinstance(answer, Exception)]
    if 1 < len(good) < len(track):
        for i, answer in zip(good, _lift_track(lift, track[np.array(good)]), strict=True):
            alone[i] = answer
    return alone


def _blended(before: Lifted, now: Lifted, overlap: int) -> Lifted:
    """Fade from the window before to this one over the frames that both lifted."""
    blended = dict(now)
    for (i, j), (joints_mm, sigma_mm) in before.items():
        share = (i + 1) / (overlap + 1)
        newer = now.get((i, j), (joints_mm, sigma_mm))
        blended[i, j] = (
            (1 - share) * joints_mm + share * newer[0],
            (1 - share) * sigma_mm + share * newer[1],
        )
    return blended


def _placed(
    frame: tuple[FrameResult, np.ndarray], i: int, lifted: Lifted, errors: dict[int, Exception]
) -> FrameResult:
    """A frame whose infants have their 3D joints and, where known, a place before the camera."""
    result, intrinsics = frame
    infants, error = [], errors.get(i)
    for j, pose in enumerate(result.infants):
        try:
            infants.append(_pose(pose, *lifted[i, j], intrinsics) if (i, j) in lifted else pose)
        except Exception as failed:
            infants.append(pose)
            error = error or failed
    said = result.error
    if error is not None:
        said = said or failure(result.source, result.index, error)
    return replace(result, infants=tuple(infants), error=said)


def _pose(
    pose: InfantPose, joints_mm: np.ndarray, sigma_mm: np.ndarray, intrinsics: np.ndarray
) -> InfantPose:
    root = root_position(pose.keypoints_px, joints_mm, intrinsics, pose.keypoint_scores)
    known = bool(np.isfinite(root).all())
    return replace(pose, joints_mm=joints_mm, sigma_mm=sigma_mm, root_mm=root if known else None)

"""Lifting while frames stream by: windows, their joins, and how far the stream runs ahead."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from Datasets.skeletons import INFANT
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.stream import ahead
from PoseEstimation.inference.tracks import lift_stream
from PoseEstimation.result import FrameResult, InfantPose
from PoseEstimation.structures import Track

JOINTS = len(INFANT)


def frames(count: int, source: str = "v.mp4", infants: int = 1):
    """Frames of infants whose keypoints say which frame and infant they are."""
    for i in range(count):
        poses = tuple(
            InfantPose.in_image(
                np.full((JOINTS, 2), float(i)),
                track_id=number,
                box_xyxy=np.arange(4.0),
                box_score=0.9,
                keypoint_scores=np.ones(JOINTS),
                sigma_px=np.full(JOINTS, float(number)),
                depth_px=np.zeros(JOINTS),
            )
            for number in range(1, infants + 1)
        )
        yield FrameResult(source, i, i / 30, 64, 48, poses)


def by_frame(track: Track):
    """Lifts every row by itself, to its frame's number."""
    joints = np.repeat(track.keypoints.keypoints_px, 2, axis=2)[..., :3]
    return joints, track.keypoints.sigma_px


class ByCall:
    """Lifts all rows of the n-th track to n."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def __call__(self, track: Track):
        self.lengths.append(len(track))
        shape = (len(track), JOINTS)
        return np.full((*shape, 3), float(len(self.lengths))), np.ones(shape)


@pytest.mark.parametrize("count", [1, 9, 10, 11, 37])
def test_windows_keep_every_frame_and_infant_in_order(count):
    results = list(lift_stream(by_frame, frames(count, infants=2), Camera(), window=10, overlap=4))
    assert [r.index for r in results] == list(range(count))
    for i, result in enumerate(results):
        for number, infant in enumerate(result.infants, 1):
            assert np.allclose(infant.joints_mm, i) and np.allclose(infant.sigma_mm, number)


def test_a_short_recording_is_one_clip():
    lift = ByCall()
    list(lift_stream(lift, frames(9), Camera(), window=10, overlap=4))
    assert lift.lengths == [9]


def test_one_window_fades_into_the_next():
    lift = ByCall()
    results = list(lift_stream(lift, frames(16), Camera(), window=10, overlap=4))
    values = [r.infants[0].joints_mm[0, 0] for r in results]
    assert lift.lengths == [10, 10]
    assert values[:6] == [1.0] * 6 and values[10:] == [2.0] * 6
    assert np.allclose(np.diff(values[5:11]), 0.2)  # no step at the join


def test_sources_are_lifted_apart():
    lift = ByCall()
    both = [*frames(5, "a.mp4"), *frames(5, "b.mp4")]
    results = list(lift_stream(lift, both, Camera(), window=10, overlap=4))
    assert lift.lengths == [5, 5]
    assert [r.infants[0].joints_mm[0, 0] for r in results] == [1.0] * 5 + [2.0] * 5


def test_frames_leave_before_the_recording_ends():
    taken = []

    def watched():
        for frame in frames(100):
            taken.append(frame.index)
            yield frame

    stream = lift_stream(by_frame, watched(), Camera(), window=10, overlap=4)
    next(stream)
    assert len(taken) == 10
    for _ in range(6):
        next(stream)
    assert len(taken) == 16


def test_reading_ahead_keeps_order_and_its_distance():
    made = []

    def numbers():
        for i in range(50):
            made.append(i)
            yield i

    stream = ahead(numbers(), 3)
    assert next(stream) == 0
    time.sleep(0.3)
    assert len(made) <= 5  # one taken, three waiting, one in hand
    assert list(stream) == list(range(1, 50))


def test_reading_ahead_passes_errors_on_after_what_came_before():
    def broken():
        yield 1
        yield 2
        raise LookupError("half way")

    stream = ahead(broken(), 8)
    assert [next(stream), next(stream)] == [1, 2]
    with pytest.raises(LookupError, match="half way"):
        next(stream)


def test_a_stream_that_is_closed_ends_its_thread_and_its_reader():
    closed = []

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.append(True)

    before = threading.active_count()
    stream = ahead(endless(), 4)
    next(stream)
    stream.close()
    assert closed == [True] and threading.active_count() == before

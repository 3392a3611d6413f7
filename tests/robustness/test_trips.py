"""The way of one frame of a video through the code: into each file at most twice."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from fake_run import FakePredictor, request, shade

from Datasets.structures import Frame
from PoseEstimation.inference.predict import predict
from PoseEstimation.result import FrameResult
from PoseEstimation.structures import Found, Keypoints, Track
from PoseEstimation.visualise.video import VideoWriter

PACKAGE = Path(__file__).parents[2] / "PoseEstimation"
VALUES = (Frame, FrameResult, Found, Keypoints, Track)


def carries_a_frame(value: Any) -> bool:
    """Whether an argument is one of the values that travel, or holds one."""
    if isinstance(value, list | tuple):
        return any(map(carries_a_frame, value))
    return isinstance(value, VALUES)


class Trips:
    """Counts how often such a value is handed from one file of the package to another."""

    def __init__(self) -> None:
        self.into: Counter[str] = Counter()
        self._known: dict[int, FrameType] = {}  # alive, so that no id is given twice

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        code, caller = frame.f_code, frame.f_back
        if event != "call" or caller is None or PACKAGE not in Path(code.co_filename).parents:
            return
        while caller is not None and PACKAGE not in Path(caller.f_code.co_filename).parents:
            caller = caller.f_back
        here = code.co_filename
        if caller is None or caller.f_code.co_filename == here or id(frame) in self._known:
            return
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if any(carries_a_frame(frame.f_locals.get(name)) for name in names if name != "self"):
            self._known[id(frame)] = frame  # a generator is called again for every item
            self.into[str(Path(here).relative_to(PACKAGE))] += 1


def test_a_frame_enters_every_file_at_most_twice(tmp_path):
    clip = tmp_path / "clip.mp4"
    with VideoWriter(clip) as writer:
        writer.write(shade(5), 0)
    trips = Trips()
    ask = request([clip], tmp_path / "out")
    sys.setprofile(trips)
    try:
        predict(FakePredictor(), ask)
    finally:
        sys.setprofile(None)
    assert trips.into["io/poses_json.py"] and trips.into["io/journal.py"], trips.into
    own = {file: count for file, count in trips.into.items() if file not in VALUE_FILES}
    assert max(own.values()) <= 2, trips.into


VALUE_FILES = ("result.py", "structures.py")
"""Where the values themselves are defined: their methods belong to whoever calls them."""


def test_the_counter_counts(tmp_path):
    from PoseEstimation.quality import Quality

    trips, quality = Trips(), Quality()
    result = FrameResult("a", 0, 0.0, 4, 4)
    keypoints = Keypoints.exact(np.zeros((1, 2, 2)))

    sys.setprofile(trips)
    try:
        quality.add(result)  # called from outside the package: no trip
    finally:
        sys.setprofile(None)
    assert not trips.into
    assert carries_a_frame([(1, result)]) and carries_a_frame(keypoints)
    assert not carries_a_frame([np.zeros(3)])

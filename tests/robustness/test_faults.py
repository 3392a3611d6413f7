"""No exception of one frame costs another, and nothing finished is lost, whenever it ends."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_run import VIDEO_FRAMES, FakePredictor, frames_in, inputs, request

from Datasets.readers.video import iter_frames
from Engine.errors import DataError, WriteError
from Engine.files import TEMPORARY
from PoseEstimation.inference import predict as predict_module
from PoseEstimation.inference.predict import predict
from PoseEstimation.inference.tracking import Tracker
from PoseEstimation.io.journal import FILE_NAME, Journal
from PoseEstimation.result import FrameResult
from PoseEstimation.visualise.overlay import Overlay

FAULTS, KILLS, KILLED, CHILD_S = 240, 200, 77, 120
FRAMES = VIDEO_FRAMES + 3
EXCEPTIONS = (
    *(ValueError, KeyError, OSError, MemoryError, RuntimeError, RecursionError, StopIteration),
    *(ZeroDivisionError, AttributeError, AssertionError, NotImplementedError, DataError),
    lambda text: UnicodeDecodeError("utf-8", b"\xe4", 0, 1, text),
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> list[Path]:
    return inputs(tmp_path_factory.mktemp("predict") / "in")


@pytest.fixture(scope="module")
def expected(sources, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("expected")
    predict(FakePredictor(), request(sources, output))
    return output


class FaultyPredictor(FakePredictor):
    """Fails at one picture, alone or in a batch, or at lifting one pose."""

    def __init__(self, stage: str, score: float, error: Exception) -> None:
        super().__init__()
        self.stage, self.score, self.error = stage, score, error

    def found(self, images, boxes=None, still=False):
        people = super().found(images, boxes, still)
        if self.stage == "find" and any(self.score in p.keypoints.scores for p in people):
            raise self.error
        return people

    def lifted(self, track):
        if self.stage == "lift" and self.score in track.keypoints.scores:
            raise self.error
        return super().lifted(track)


@pytest.mark.parametrize("stage", ["find", "lift", "track", "draw"])
def test_an_exception_of_one_frame_costs_no_other(stage, sources, expected, tmp_path, monkeypatch):
    whole = frames_in(expected)
    found = [i for i, frame in enumerate(whole) if frame["infants"]]
    people = zip(found, _people_of(sources), strict=True)
    scores = {i: float(p.keypoints.scores[0, 0]) for i, p in people}
    dice = random.Random(stage)
    for number in range(FAULTS // 4):
        error = dice.choice(EXCEPTIONS)("it broke\nhere")
        hit = dice.choice(found)
        predictor = FaultyPredictor(stage, scores[hit], error)
        with monkeypatch.context() as patch:
            if stage == "track":
                real = Tracker.update
                patch.setattr(Tracker, "update", _at(real, hit, error))
            if stage == "draw":
                real = Overlay.write
                patch.setattr(Overlay, "write", _at(real, hit, error))
            output = tmp_path / str(number)
            overlay = {} if stage == "draw" else {"overlay": None}
            header = predict(predictor, request(sources, output, **overlay)).header
        frames = frames_in(output)
        assert not header.complete and len(frames) == FRAMES
        broken = [i for i, frame in enumerate(frames) if frame != whole[i]]
        assert broken == [hit], (stage, error)
        assert "\n" not in frames[hit]["error"] and "it broke" in frames[hit]["error"]
        if stage in ("lift", "draw"):  # what is finished of the frame itself stays
            assert (
                frames[hit]["infants"][0]["keypoints_px"]
                == whole[hit]["infants"][0]["keypoints_px"]
            )


def _people_of(sources):
    images = [f.image for source in sources for f in iter_frames(source) if f.image is not None]
    return FakePredictor().found(images)


def _at(real, hit: int, error: Exception):
    """A method that fails at the frame ``hit`` of all frames, of which it sees every one."""
    state = {"calls": -1}

    def call(self, *arguments):
        state["calls"] += 1
        if state["calls"] == hit:
            raise error
        return real(self, *arguments)

    return call


def test_a_reader_that_fails_costs_no_other_source(sources, tmp_path, monkeypatch):
    def broken(source):
        for frame in real(source):
            if frame.index == 4:
                raise LookupError("half way")
            yield frame

    real = predict_module.iter_frames
    monkeypatch.setattr(predict_module, "iter_frames", broken)
    predict(FakePredictor(), request(sources, tmp_path / "out"))
    frames = frames_in(tmp_path / "out")
    assert [f["index"] for f in frames if f["source"].endswith("b.mp4")] == [0, 1, 2, 3, 4]
    assert "LookupError: half way" in frames[5]["error"] and frames[5]["time_s"] > 0
    assert frames[-1]["source"].endswith("d.png") and frames[-1]["infants"]


def _fork() -> int:
    """Fork; the child ends by itself and leaves alone what its parent's threads still use."""
    child = os.fork()
    if child == 0:
        gc.freeze()
        sys.settrace(None)  # coverage is measured in the parent
        signal.alarm(CHILD_S)
    return child


def _killed_run(sources, output: Path, at: int | None, overlay: bool) -> int:
    """Predict in another process, which dies at its ``at``-th call; return the number of calls."""
    reading, writing = os.pipe()
    more = {} if overlay else {"overlay": None}
    child = _fork()
    if child == 0:
        calls = 0

        def count(frame, event, argument):
            nonlocal calls
            calls += 1
            if calls == at:
                os._exit(KILLED)

        code = 1
        try:
            sys.setprofile(count)
            predict(FakePredictor(), request(sources, output, **more))
            sys.setprofile(None)
            os.write(writing, str(calls).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        calls = pipe.read()
    assert os.waitstatus_to_exitcode(status) == (0 if at is None else KILLED)
    return int(calls or 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "no overlay"])
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(sources, expected, tmp_path, overlay):
    inputs_before = [path.read_bytes() for path in sources]
    more = {} if overlay else {"overlay": None}
    calls = _killed_run(sources, tmp_path / "whole", None, overlay)
    dice, saved = random.Random(overlay), []
    for number in range(KILLS // 2):
        output = tmp_path / str(number)
        for _ in range(dice.choice((1, 1, 2))):  # some are killed twice
            if not (output / "poses.json").exists():
                _killed_run(sources, output, dice.randrange(1, calls // 2), overlay)
        done = _finished_frames(output)
        predictor, said = FakePredictor(), []
        predict(predictor, request(sources, output, **more), on_resume=said.append)
        for name in ("poses.json", "poses.csv", "coco_keypoints.json"):
            assert (output / name).read_bytes() == (expected / name).read_bytes(), number
        assert said == ([done] if done else [])
        assert predictor.seen <= FRAMES - 1 - done + (done > 0)  # the unreadable one is not seen
        assert not (output / FILE_NAME).exists() and not list(output.rglob(f"{TEMPORARY}*"))
        assert len(list(output.rglob("*.mp4"))) == overlay
        saved.append(done)
    assert min(saved) == 0 and max(saved) >= FRAMES - 2 and len(set(saved)) > 3
    assert [path.read_bytes() for path in sources] == inputs_before


def _finished_frames(output: Path) -> int:
    path = output / FILE_NAME
    if not path.exists():
        return 0
    lines = [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return sum(len(json.loads(line).get("frames", ())) for line in lines)


def test_a_journal_of_other_weights_does_not_count_and_is_not_lost(sources, tmp_path):
    stopped = request(sources, tmp_path / "out", overlay=None)
    with pytest.raises(KeyboardInterrupt):
        predict(FakePredictor(), stopped, on_frame=_stop_after(6))
    kept = (tmp_path / "out" / FILE_NAME).read_bytes()
    with pytest.raises(KeyboardInterrupt):
        predict(FakePredictor("other"), stopped, on_frame=_stop_after(1))
    assert (tmp_path / "out" / FILE_NAME).read_bytes().startswith(kept)
    said, predictor = [], FakePredictor()
    predict(predictor, stopped, on_resume=said.append)
    assert said[0] >= 6 and predictor.seen == FRAMES - 1 - said[0]


def _stop_after(count: int):
    def on_frame(frame):
        nonlocal count
        count -= 1
        if count == 0:
            raise KeyboardInterrupt

    return on_frame


def test_a_photo_that_changed_is_seen_again(sources, tmp_path):
    copies = [tmp_path / path.name for path in sources]
    for copy, source in zip(copies, sources, strict=True):
        copy.write_bytes(source.read_bytes())
    ask = request(copies, tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        predict(FakePredictor(), ask, on_frame=_stop_after(3))
    copies[0].write_bytes(sources[-1].read_bytes())
    predict(FakePredictor(), ask)
    frames = frames_in(tmp_path / "out")
    assert frames[0]["infants"][0]["keypoints_px"] == frames[-1]["infants"][0]["keypoints_px"]


def test_a_full_disk_names_the_file_and_keeps_what_is_complete(sources, tmp_path, monkeypatch):
    real, room = Journal._write, [3]

    def write(self, line):
        room[0] -= 1
        if room[0] < 0:
            raise WriteError(f"output: {self.path} cannot be written (No space left on device)")
        real(self, line)

    ask = request(sources, tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_write", write)
        with pytest.raises(WriteError, match=f"{FILE_NAME}.*No space"):
            predict(FakePredictor(), ask)
    content = json.loads((tmp_path / "out" / "poses.json").read_text())
    assert content["complete"] is False and content["frames"]
    predict(FakePredictor(), ask)
    assert len(frames_in(tmp_path / "out")) == FRAMES


def test_a_limit_on_file_size_ends_in_one_line_with_the_path(sources, tmp_path):
    resource = pytest.importorskip("resource")  # where it is, there is fork
    child = _fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))
            predict(FakePredictor(), request(sources, tmp_path / "out"))
        except WriteError as error:
            code = 7 if "out" in str(error) and "\n" not in str(error) else 8
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert [path.read_bytes() for path in sources]
    predict(FakePredictor(), request(sources, tmp_path / "out"))
    assert len(frames_in(tmp_path / "out")) == FRAMES


def test_the_journal_keeps_every_digit(sources, tmp_path):
    ask = request(sources, tmp_path / "out", overlay=None)
    with pytest.raises(KeyboardInterrupt):
        predict(FakePredictor(), ask, on_frame=_stop_after(FRAMES))
    lines = (tmp_path / "out" / FILE_NAME).read_text().splitlines()
    key = json.loads(lines[0])["key"]
    with Journal(tmp_path / "out" / FILE_NAME, key) as journal:
        recorded = next(journal.replay(sources))
    (frame,) = iter_frames(sources[0])
    made = FrameResult.of(frame, *FakePredictor().found([frame.image]), [1])
    for name in ("keypoints_px", "sigma_px", "box_xyxy", "depth_px", "keypoint_scores"):
        kept, given = getattr(recorded.infants[0], name), getattr(made.infants[0], name)
        assert np.array_equal(kept, given, equal_nan=True), name
    assert np.array_equal(recorded.suspected_xyxy, made.suspected_xyxy)

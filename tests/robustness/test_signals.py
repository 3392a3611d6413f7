"""The real command, stopped from outside: what was finished is kept, a second start ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_run import shade

from PoseEstimation.io.journal import FILE_NAME
from PoseEstimation.visualise.video import VideoWriter

FRAMES, LIMIT_S = 60, 120
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(path) as writer:
        for i in range(FRAMES):
            writer.write(shade(i % 12).resize((128, 96)), i / 30)
    return path


def start(config: Path, clip: Path, output: Path) -> subprocess.Popen:
    words = ["predict", clip, "--output", output, "--config", config, "--no-overlay"]
    command = [sys.executable, "-m", "PoseEstimation", *map(str, words)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def poses(output: Path) -> dict:
    return json.loads((output / "poses.json").read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_goes_on(config, clip, tmp_path, stop):
    output = tmp_path / "out"
    run, journal, begun = start(config, clip, output), output / FILE_NAME, time.monotonic()
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 3):
        assert run.poll() is None and time.monotonic() - begun < LIMIT_S, run.stderr.read()
        time.sleep(0.01)
    run.send_signal(stop)
    said = run.communicate(timeout=LIMIT_S)[1]
    if stop != signal.SIGKILL:
        assert run.returncode == 1 and said.splitlines()[-1].startswith(
            "infantpose: error: stopped"
        )
        assert poses(output)["complete"] is False and poses(output)["frames"]
    assert journal.exists()
    again = start(config, clip, output)
    assert "goes on after" in again.communicate(timeout=LIMIT_S)[1] and again.returncode == 0
    assert poses(output)["complete"] and len(poses(output)["frames"]) == FRAMES
    assert not journal.exists()

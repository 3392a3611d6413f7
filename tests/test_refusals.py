"""What is wrong with a command is found out before anything heavy is loaded, in one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from PoseEstimation.cli import main

ROOT = Path(__file__).parents[1]

REFUSED = {
    "train nothing": "invalid choice: 'nothing'",
    "train heatmap heatmap.dept=3": "heatmap.dept",
    "train heatmap heatmap.batch_size=0": "heatmap.batch_size is 0, must lie from 1 to 65536",
    "train heatmap heatmap.train=[{dataset:\u00a0tiny}]": "data set 'tiny' is unknown",
    "train heatmap heatmap.train=[{dataset:\u00a0coco,\u00a0root:\u00a0absent}]": "absent does not",
    "train detector detector.initial_weights=absent.safetensors": "absent.safetensors does not",
    "train lifting --output file": "output: file is a file; name a folder",
    "train chain --recipe none": "invalid choice: 'none'",
    "train chain --recipe lite": "choose from 'ellershaw', 'best', 'real'",
    "train score score.lifter=absent.safetensors": "score.lifter: absent.safetensors does not",
    "train collect collect.runs=[absent]": "collect.runs: absent does not exist",
    "train chain heatmap.depth=18": "train chain: 'heatmap.depth=18' is no option",
    "train chain --output file/below": "output: file is a file; name a folder",
    "evaluate none --output o": "invalid choice: 'none'",
    "evaluate mini_rgbd --root absent --output o": "absent does not exist",
    "evaluate mini_rgbd --root . --weights none --output o": "none does not exist; sets there: ",
    "evaluate mini_rgbd --root . --split none --output o": "split: 'none' is unknown",
    "evaluate mini_rgbd --root . --output file": "output: file is a file",
    "evaluate mini_rgbd --root . --output o --every 0": "'0' is not a whole number from 1",
    "evaluate syrip --input gt2d --output o": "evaluate syrip: takes no --input, only --boxes",
    "evaluate mini_rgbd --dataset coco --output o": "takes no --dataset, only --input",
    "evaluate detector --root absent --output o": "absent does not exist",
    "evaluate detector --dataset none --output o": "invalid choice: 'none'",
    "evaluate syrip --output o --set predict.fov_degrees=180": "predict.fov_degrees is 180.0",
    "demo --config absent.yaml": "config: absent.yaml does not exist",
    "demo --weights none": "none does not exist; sets there: ",
    "demo --output file": "output: file is a file",
    "demo --seed -1": "'-1' is not a whole number from 0 to 4294967295",
    "demo --workers 0": "'0' is not a whole number from 1 to 256",
    "demo --frames 2.5": "'2.5' is not a whole number",
    "synth --profile none --output o": "profile 'none' is unknown",
    "synth --output file": "output: file is a file",
    "synth --output o --fps nan": "'nan' is not a number from 0.1 to 240",
    "synth --output o --size 1": "'1' is not a whole number from 32 to 4096",
    "synth --output o --sequences 0": "sequences: 0 makes none",
    "synth --output o --profile movements --sequences 0": "sequences: 0 makes none",
    "synth --output o --sequences 1-99999999999": "names more than 1000000",
    "synth --output . --profile movements": "movements.npz exists",
    "synth --output o --profile postures --smpl-poses absent": "smpl-poses: absent does not exist",
    "render coco --root absent": "absent does not exist",
    "render coco --root . --output file": "output: file is a file",
    "verify coco --root absent": "absent does not exist",
    "crops coco --root absent --output o": "absent does not exist",
    "crops coco --root . --output o --margin 9": "'9' is not a number from 1 to 4",
    "compare absent.yaml --output o": "compare: absent.yaml does not exist",
    "compare spec.yaml --output o": "row 'ours': absent does not exist",
    "predict a.jpg --output o --fov 180": "'180' is not a number from 5 to 170",
    "predict a.jpg --output o --length-cm nan": "'nan' is not a number from 30 to 110",
}
"""Command line (a hard space is part of a word), and what is said."""

RUN = """
import contextlib, io, json, sys
from PoseEstimation.cli import main
told = []
for line in json.loads(sys.argv[1]):
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = main([word.replace("\\u00a0", " ") for word in line.split(" ")])
        except SystemExit as end:
            code = end.code
    heavy = [name for name in ("torch", "lightning", "matplotlib", "scipy") if name in sys.modules]
    told.append([line, code, error.getvalue(), heavy])
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict[str, tuple[int, str, list[str]]]:
    """What each command answers, all asked in one process."""
    folder = tmp_path_factory.mktemp("here")
    for name in ("file", "movements.npz", "a.jpg"):
        (folder / name).touch()
    (folder / "spec.yaml").write_text("title: t\nrows: [{name: ours, runs: [absent]}]\n")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{RUN}"]
        + [json.dumps(list(REFUSED))],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    made = {path.name for path in folder.iterdir()}
    assert made == {"file", "movements.npz", "a.jpg", "spec.yaml"}
    return {line: rest for line, *rest in json.loads(done.stdout)}


@pytest.mark.parametrize("line", REFUSED)
def test_refused_in_one_line_before_torch(told, line):
    code, error, heavy = told[line]
    assert code == 2 and heavy == []
    assert error.startswith("infantpose: error: ") and error.count("\n") == 1, error
    assert REFUSED[line] in error


def test_help_that_nobody_reads_is_no_failure():
    process = subprocess.Popen(
        [sys.executable, "-m", "PoseEstimation", "--help"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.wait(60) == 0 and process.stderr.read() == b""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_command_that_is_told_to_end_says_so(monkeypatch, capsys):
    def run(args):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)

    monkeypatch.setattr("PoseEstimation.cli.import_module", lambda name: SimpleNamespace(run=run))
    assert main(["doctor"]) == 1
    assert capsys.readouterr().err == (
        "infantpose: error: stopped; what was done until then is written\n"
    )
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

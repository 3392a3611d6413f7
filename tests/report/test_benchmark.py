"""Frozen benchmarks: equal labels are recognised, others are named."""

import json

import numpy as np
import pytest

from Datasets.writers.mini_rgbd import write_frame
from Engine.errors import DataError
from report.build.benchmark import compare, main, write


def make(root, shift_mm=0.0, frames=3, version="1"):
    for i in range(frames):
        joints = np.random.default_rng(i).normal(0, 100, (25, 3)) + [0, 0, 900 + shift_mm]
        rgb, mask = np.zeros((480, 640, 3), np.uint8), np.ones((480, 640), bool)
        depth = np.full((480, 640), 900, np.uint16)
        write_frame(root / "01", i, rgb, depth, mask, joints[:, :2], joints)
    record = {"generator": version, "seed": 7, "name": "mini_rgbd", "frames": frames}
    (root / "generator.json").write_text(json.dumps(record))
    return root


def test_the_same_labels_are_the_benchmark_and_others_are_not(tmp_path, capsys):
    lock = write(make(tmp_path / "a"), tmp_path / "locks")
    assert lock.name == "SynthInfant-1-7.json"
    assert compare(make(tmp_path / "b"), lock) == []
    assert compare(make(tmp_path / "c", shift_mm=0.004), lock) == []
    (line,) = compare(make(tmp_path / "d", shift_mm=0.5), lock)
    assert "0.500 mm" in line
    (line,) = compare(make(tmp_path / "e", frames=2), lock)
    assert "2 frames" in line
    assert main([str(tmp_path / "b"), "--lock", str(lock)]) == 0
    assert main([str(tmp_path / "d"), "--lock", str(lock)]) == 1
    assert "labels as in SynthInfant-1-7" in capsys.readouterr().out


def test_labels_of_another_version_of_the_generator_are_another_benchmark(tmp_path):
    lock = write(make(tmp_path / "a"), tmp_path / "locks")
    (line,) = compare(make(tmp_path / "b", version="2"), lock)
    assert "SynthInfant-2-7, not SynthInfant-1-7" in line


def test_sequences_say_how_they_move(tmp_path):
    root = make(tmp_path / "a")
    (root / "01" / "infant.json").write_text(json.dumps({"source": "reaching"}))
    frozen = json.loads(write(root, tmp_path / "locks").read_text())
    assert frozen["sequences"]["01"]["source"] == "reaching"


def test_data_that_was_not_generated_is_refused(tmp_path, capsys):
    root = make(tmp_path / "a")
    (root / "generator.json").unlink()
    with pytest.raises(DataError, match=r"generator\.json"):
        write(root, tmp_path / "locks")
    assert main([str(root), "--write", str(tmp_path / "locks")]) == 2
    assert "error" in capsys.readouterr().err

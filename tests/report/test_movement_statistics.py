"""Statistics of movements made by hand, whose values are known; of the real ones where they are."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from report.experiments import movement
from report.experiments.__main__ import main
from report.experiments.movement_statistics import JOINTS, STATISTICS, Track, statistics

FPS, FRAMES = 30.0, 900
STANDING = {
    "head": (0, -140),
    "neck": (0, -100),
    **{
        f"{side}_{part}": (sign * x, y)
        for side, sign in (("left", 1), ("right", -1))
        for part, x, y in (
            ("shoulder", 30, -90),
            ("elbow", 60, -60),
            ("hand", 90, -30),
            ("hip", 12, 0),
            ("knee", 40, 20),
            ("foot", 12, 60),
        )
    },
}
"""Pixels; an infant seen from above, head up, its left on the right."""


def points(**moved):
    still = np.tile(np.array([STANDING[name] for name in JOINTS], dtype=float), (FRAMES, 1, 1))
    for name, path in moved.items():
        still[:, JOINTS.index(name)] += path
    return Track(still + 300, FPS)


def swing(hertz, size, phase=0.0):
    wave = size * np.sin(2 * np.pi * hertz * np.arange(FRAMES) / FPS + phase)
    return np.stack([wave, 0 * wave], axis=1)


def test_lengths_and_angles_of_a_still_infant():
    found = statistics(points())
    assert found["trunk, px"] == 100
    assert found["thigh / trunk"] == pytest.approx(np.hypot(28, 20) / 100)
    assert found["hip width / trunk"] == 0.24
    assert found["elbow angle, median, degrees"] == pytest.approx(180, abs=1e-4)
    assert found["upper arm from trunk, median, degrees"] == pytest.approx(45)
    assert found["hand nearly still, %"] == found["foot resting over 1 s, %"] == 100
    assert found["arm speed, mean, limb lengths/s"] == found["hip speed, mean, trunks/s"] == 0
    assert found["ankle across the midline, %"] == found["feet together, %"] == 0
    assert found["speeds of the hands, correlation"] == 0


def test_a_swing_has_its_speed_and_its_rate():
    both = swing(2.0, 10.0)
    found = statistics(points(left_hand=both, right_hand=both))
    assert found["hand velocity 1.5-4 Hz"] > 0.95
    damped = np.exp(-((2 * np.pi * 2.0 * 0.05) ** 2) / 2)
    expected = 4 * 2.0 * 10.0 * damped / np.sum(np.hypot([30, 40], [30, 30]))
    assert found["arm speed, mean, limb lengths/s"] == pytest.approx(expected, rel=0.15)
    assert found["hand resting over 1 s, %"] == 0
    assert found["foot resting over 1 s, %"] == 100


def test_limbs_that_move_in_the_same_bouts_are_together():
    on = (np.arange(FRAMES) // 90 % 2)[:, None]
    same = statistics(points(left_hand=on * swing(1.5, 8), right_hand=on * swing(1.1, 9, 1.0)))
    turns = statistics(points(left_hand=on * swing(1.5, 8), right_hand=(1 - on) * swing(1.1, 9)))
    assert same["speeds of the hands, correlation"] > 0.8
    assert turns["speeds of the hands, correlation"] < -0.5
    assert 40 < same["hand resting over 1 s, %"] < 55


def test_feet_that_cross_and_a_head_that_turns():
    across = np.array([[-30.0, 0.0]])
    assert statistics(points(left_foot=across))["ankle across the midline, %"] == 50
    to_side = statistics(points(head=swing(0.1, 60)))
    assert to_side["head switches per minute"] == pytest.approx(12, abs=2)
    assert to_side["nose to the side, %"] > 50


@pytest.mark.parametrize("angle", [90, 180])
def test_statistics_do_not_depend_on_which_way_is_up(angle):
    track = points(left_hand=swing(2.0, 10.0), head=swing(0.1, 60), left_foot=np.array([[-30, 5]]))
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turned = Track(track.keypoints_px @ np.array([[cosine, -sine], [sine, cosine]]), FPS)
    first, second = statistics(track), statistics(turned)
    for name in set(STATISTICS) - {"hips, x, px"}:
        assert second[name] == pytest.approx(first[name], abs=1e-6), name


def test_the_command_writes_record_and_table(tmp_path, capsys):
    tracks = tmp_path / "tracks.npz"
    paths = {f"keypoints_px_{n:02d}": points().keypoints_px[:, ::-1] for n in (1, 2)}
    np.savez(tracks, joints=np.array(JOINTS[::-1]), **paths)
    few = ["--infants", "2", "--frames", "60", "--output", str(tmp_path / "out")]
    assert main(["movement", "--tracks", str(tracks), *few]) == 0
    record = json.loads((tmp_path / "out" / "movement.json").read_text())
    assert record["real"][0]["trunk, px"] == 100 and len(record["generated"]) == 2
    assert set(record["generated"][0]) == set(STATISTICS) and len(record["tracks_sha256"]) == 64
    table = movement.movement_table(record)
    assert len(table.rows) == len(STATISTICS) and "thigh / trunk" in capsys.readouterr().out


def test_tracks_that_are_none_are_refused_in_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("INFANTPOSE_REAL_DATA", raising=False)
    assert main(["movement"]) == 2
    bad = tmp_path / "tracks.npz"
    np.savez(bad, joints=np.array(["head"]))
    assert main(["movement", "--tracks", str(bad), "--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("tracks") >= 2


def test_real_infants_measure_as_published():
    """Values of the tracks 01-10; see ``real`` of the report's record of movement."""
    root = os.environ.get("INFANTPOSE_REAL_DATA")
    if not root:
        pytest.skip("INFANTPOSE_REAL_DATA is not set: no real tracks here")
    tracks = movement.read_tracks(Path(root) / "mini_rgbd_tracks" / "tracks.npz")
    found = [statistics(track) for track in tracks]
    for name, value, within in (
        ("thigh / trunk", 0.44, 0.01),
        ("elbow to hand / trunk", 0.47, 0.01),
        ("feet together, %", 12, 2),
        ("ankle across the midline, %", 15, 2),
        ("hand velocity 1.5-4 Hz", 0.42, 0.02),
        ("foot velocity 0.5-1.5 Hz", 0.48, 0.02),
        ("speeds of the feet, correlation", 0.54, 0.02),
        ("drift of the hips, trunks", 0.27, 0.02),
        ("head switches per minute", 3.6, 0.1),
    ):
        assert np.median([row[name] for row in found]) == pytest.approx(value, abs=within), name

"""Comparisons: means, spread over seeds and paired intervals, on errors made by hand."""

import json

import numpy as np
import pytest
import yaml

from Datasets.readers.mini_rgbd import HEAD_LENGTH_MM, HEAD_LENGTH_PX
from Datasets.skeletons.mini_rgbd import PUBLISHED_16
from Engine.errors import DataError
from PoseEstimation.cli import main
from PoseEstimation.evaluation.compare import compare
from PoseEstimation.evaluation.compare_spec import Row, read_spec
from PoseEstimation.evaluation.errors_file import FrameErrors, read_errors, write_errors

FRAMES = 60


def write(folder, errors_mm, sequences=("11", "12"), first=0):
    count = len(errors_mm)
    names = np.repeat(sequences, count // len(sequences))
    unknown = np.full((count, 16), np.nan)
    frames = np.tile(np.arange(count // len(sequences)), len(sequences)) + first
    tiled = np.tile(np.asarray(errors_mm, dtype=float)[:, None], (1, 16))
    speeds = np.tile([4.0, 9.0, 10.0], (count, 1))
    speeds[0] = np.nan
    errors = FrameErrors(PUBLISHED_16, names, frames, tiled, *[unknown] * 3, speeds)
    write_errors(folder, errors)
    return folder


@pytest.fixture
def folders(tmp_path):
    rng = np.random.default_rng(0)
    base = rng.uniform(10, 40, FRAMES)
    return {
        "a0": write(tmp_path / "a0", base),
        "a1": write(tmp_path / "a1", base + 2),
        "b": write(tmp_path / "b", base - 5),
        "other": write(tmp_path / "other", base, first=9),
    }, base


def test_what_is_written_is_read(folders):
    paths, base = folders
    errors = read_errors(paths["a0"])
    assert errors.errors_mm[:, 3] == pytest.approx(base, rel=1e-6)
    assert errors.joints == PUBLISHED_16 and np.isnan(errors.sigma_mm).all()


def test_means_spread_and_paired_difference(folders):
    paths, base = folders
    rows = [Row("A", (paths["a0"], paths["a1"])), Row("B", (paths["b"],), against="A")]
    a, b = compare(rows).values()
    measure = a["ajpe_mm"]
    assert measure["mean"] == pytest.approx(base.mean() + 1, rel=1e-6)
    assert measure["sd"] == pytest.approx(np.sqrt(2), rel=1e-5) and a["n_seeds"] == 2
    low, high = measure["interval"]
    half = 1.96 * base.std() / np.sqrt(FRAMES)
    assert (high - low) / 2 == pytest.approx(half, rel=0.15)
    # every frame is better by 6: the paired difference has no width at all
    assert b["difference"]["ajpe_mm"]["mean"] == pytest.approx(-6, abs=1e-5)
    assert b["difference"]["ajpe_mm"]["interval"] == pytest.approx([-6, -6], abs=1e-5)
    assert b["ajpe_mm"]["sd"] is None
    assert b["velocity_mm_s"]["mean"] == pytest.approx(4)
    assert b["speed_ratio"] == pytest.approx(0.9)


def test_pckh_uses_the_published_length_of_each_sequence(tmp_path):
    short, long = HEAD_LENGTH_MM["11"], HEAD_LENGTH_MM["12"]
    between = np.full(FRAMES, (short + long) / 2)
    row = compare([Row("A", (write(tmp_path / "a", between),))])["A"]
    assert row["pckh_1"]["mean"] == pytest.approx(50)
    assert row["pckh_2"]["mean"] == pytest.approx(100)
    assert row["pckh_1"]["interval_sequences"] == pytest.approx([0, 100])
    assert "ajpe_2d_px" not in row


def test_error_bars_gain_at_most_what_the_errors_themselves_would(tmp_path):
    rng = np.random.default_rng(3)
    errors_mm, sigma_mm = rng.uniform(1, 30, (2, FRAMES, 16))
    unknown, names = np.full((FRAMES, 16), np.nan), np.repeat(["11"], FRAMES)
    speeds, frames = np.full((FRAMES, 3), np.nan), np.arange(FRAMES)
    for name, told in (("blind", sigma_mm), ("knowing", 2 * errors_mm)):
        run = FrameErrors(PUBLISHED_16, names, frames, errors_mm, told, unknown, unknown, speeds)
        write_errors(tmp_path / name, run)
    blind, knowing = compare([Row(n, (tmp_path / n,)) for n in ("blind", "knowing")]).values()
    (blind,), (knowing,) = blind["calibration"], knowing["calibration"]
    assert blind["largest_gain_80_3d"] == pytest.approx(knowing["largest_gain_80_3d"])
    assert knowing["gain_of_certain_80_3d"] == pytest.approx(knowing["largest_gain_80_3d"])
    assert abs(blind["gain_of_certain_80_3d"]) < 0.3 * blind["largest_gain_80_3d"]


def test_folds_are_pooled(tmp_path):
    first = write(tmp_path / "a", np.full(20, 10.0), ("01", "02"))
    second = write(tmp_path / "b", np.full(60, 30.0), ("03", "04"))
    row = compare([Row("folds", (first, second), pooled=True)])["folds"]
    assert row["n_seeds"] == 1 and row["ajpe_mm"]["mean"] == pytest.approx(25)
    low, high = row["ajpe_mm"]["interval_sequences"]
    assert low < 15 and high == pytest.approx(30)


def test_the_command_writes_table_and_json(folders, tmp_path, capsys):
    paths, _ = folders
    spec = tmp_path / "spec.yaml"
    rows = [{"name": "A", "runs": ["a0", "a1"]}, {"name": "B", "runs": ["b"], "against": "A"}]
    spec.write_text(yaml.safe_dump({"title": "Two systems", "rows": rows}))
    assert main(["compare", str(spec), "--output", str(tmp_path / "out")]) == 0
    assert "Two systems" in capsys.readouterr().out
    content = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert list(content) == ["about", "A", "B"]
    assert "A: -6.00 [" in (tmp_path / "out" / "table.md").read_text()
    assert paths["a0"] == read_spec(spec)[1][0].runs[0]


def test_bad_input_is_one_line(folders, tmp_path):
    paths, _ = folders
    with pytest.raises(DataError, match="other frames"):
        compare([Row("A", (paths["a0"],)), Row("B", (paths["other"],), against="A")])
    with pytest.raises(DataError, match="does not exist"):
        read_spec(tmp_path / "none.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_text("rows: [{name: A}]")
    with pytest.raises(DataError, match="no comparison"):
        read_spec(bad)
    bad.write_text("title: t\nrows: [{name: A, runs: [a0], against: Z}]")
    with pytest.raises(DataError, match="row 'A'"):
        read_spec(bad)
    with pytest.raises(DataError, match="no such file"):
        read_errors(tmp_path)
    (tmp_path / "errors.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="damaged"):
        read_errors(tmp_path)


def test_2d_pckh_uses_the_head_length_in_pixels(tmp_path):
    """20 px is above a head of 12 px, and below one of 28 mm."""
    unknown, errors_px = np.full((FRAMES, 16), np.nan), np.full((FRAMES, 16), 20.0)
    names, frames = np.repeat(["11"], FRAMES), np.arange(FRAMES)
    speeds = np.full((FRAMES, 3), np.nan)
    run = FrameErrors(PUBLISHED_16, names, frames, errors_px, unknown, errors_px, unknown, speeds)
    write_errors(tmp_path / "a", run)
    row = compare([Row("A", (tmp_path / "a",))])["A"]
    assert HEAD_LENGTH_PX["11"] < 20 < HEAD_LENGTH_MM["11"]
    assert (row["pckh_1_2d"]["mean"], row["pckh_2_2d"]["mean"]) == (0, 100)
    assert row["pckh_1"]["mean"] == 100

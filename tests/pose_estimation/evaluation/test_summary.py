"""The report's page holds every stored result once, above the published rows, with its source."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from Datasets.structures import DataError
from PoseEstimation.evaluation.published import MINI_RGBD_2D, MINI_RGBD_3D
from PoseEstimation.evaluation.report import SCHEMA
from PoseEstimation.evaluation.summary import MARKS, load_results, main, page
from PoseEstimation.metrics.protocols import HeadLengths, MiniRgbdProtocol, ScoredPoses

PROTOCOL = MiniRgbdProtocol()


def result(offset_mm: float, with_2d: bool = True) -> dict:
    """metrics.json of a prediction that is off by the same distance along x everywhere."""
    target = np.random.default_rng(0).normal(0, 80, (4, len(PROTOCOL.joints), 3))
    poses = ScoredPoses(
        sequences=np.array(["11"] * 4),
        frames=np.arange(4),
        predicted_mm=target + [offset_mm, 0.0, 0.0],
        target_mm=target,
        predicted_px=target[..., :2] + [3.0, 0.0] if with_2d else None,
        target_px=target[..., :2] if with_2d else None,
    )
    lengths = HeadLengths(mm={"11": 30.0}, px={"11": 12.0})
    scores = PROTOCOL.score(poses, lengths, lengths)
    return {
        "schema": SCHEMA,
        "protocol": "mini_rgbd",
        "data": {
            "root_sha256": "ab" * 32,
            "real": False,
            "frames": 4,
            "sequences": ["11"],
            "input": "predicted" if with_2d else "gt2d",
            "boxes": "own" if with_2d else "none",
            "every": 1,
            "not_real_because": ["generated"],
        },
        "weights": {"name": "infant-synthetic"},
        "command": f"infantpose evaluate mini_rgbd --offset {offset_mm}",
        "code_version": "0.1.0",
        "clean": scores.clean,
        "paper": scores.paper,
        "per_joint": scores.per_joint,
        "counts": scores.counts,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, metrics in {"rgb": result(17.25), "true_2d": result(9.5, with_2d=False)}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(metrics))
    return tmp_path


def rows(text: str, title: str) -> list[list[str]]:
    """Cells of the table under a heading, without its header."""
    table = text.split(f"## {title}\n\n")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in table]


def test_results_stand_above_the_published_rows(folder):
    text = page(load_results(folder))
    table = rows(text, "3D pose, 16 joints, pelvis-relative")
    systems = [row[0] for row in table]
    ours = [name for name in systems if name.split(",")[0] in {"rgb", "true_2d"}]
    assert systems[len(ours) :] == [row.system for row in MINI_RGBD_3D]
    assert {row[4] for row in table if row[0] == "rgb, clean"} == {"17.25"}
    assert {row[4] for row in table if row[0] == "true_2d, clean"} == {"9.50"}
    assert all("generated" in row[2] for row in table[: len(ours)])


def test_results_without_2d_are_absent_from_its_table(folder):
    table = rows(page(load_results(folder)), "2D pose and boxes, 16 joints")
    systems = {row[0].split(",")[0] for row in table}
    assert "true_2d" not in systems
    assert {"rgb", MINI_RGBD_2D[0].system.split(",")[0]} <= systems


def test_every_result_names_its_source(folder):
    sources = rows(page(load_results(folder)), "Sources")
    assert [row[0] for row in sources] == ["rgb", "true_2d"]
    assert sources[0][-1] == "`infantpose evaluate mini_rgbd --offset 17.25`"
    assert sources[0][3] == "abababababab"


def test_command_writes_the_page(folder, tmp_path):
    output = tmp_path / "report" / "report.md"
    assert main([str(folder), "--output", str(output)]) == 0
    assert output.read_text() == page(load_results(folder))


@pytest.mark.parametrize("content", ["[]", "{}", '{"schema": "infantpose/1"}', "no json"])
def test_a_file_of_something_else_is_one_line(folder, content, capsys):
    (folder / "zz.json").write_text(content)
    with pytest.raises(DataError, match=r"zz\.json"):
        load_results(folder)
    assert main([str(folder), "--output", str(folder / "page.md")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (folder / "page.md").exists()


def test_an_empty_folder_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"copy a metrics\.json"):
        load_results(tmp_path)


def test_pages_take_the_tables_between_their_marks_and_keep_the_rest(folder, tmp_path):
    page_path, report = tmp_path / "README.md", tmp_path / "report.md"
    page_path.write_text(f"before\n{MARKS[0]}\nold 99.9\n{MARKS[1]}\nafter\n")
    for _ in range(2):
        assert main([str(folder), "--output", str(report), "--into", str(page_path)]) == 0
    text = page_path.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "17.25" in text and "28.47" in text and "old" not in text
    page_path.write_text("no marks")
    assert main([str(folder), "--output", str(report), "--into", str(page_path)]) == 2

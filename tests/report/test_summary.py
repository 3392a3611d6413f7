"""The report's page holds every stored result once, above the published rows, with its source."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from Engine.errors import DataError
from PoseEstimation.evaluation.compare import Row, compare, write_comparison
from PoseEstimation.evaluation.errors_file import FrameErrors, write_errors
from PoseEstimation.evaluation.published import MINI_RGBD_2D, MINI_RGBD_3D
from PoseEstimation.evaluation.report import SCHEMA
from PoseEstimation.metrics.protocols import HeadLengths, MiniRgbdProtocol, ScoredPoses
from report.build.__main__ import main
from report.build.summary import MARKS, Results, write_report

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


def report(folder: Path, template: str = "{{ tables() }}\n{{ sources() }}") -> str:
    """The report of a folder of results."""
    (folder / "words").mkdir(exist_ok=True)
    path = folder / "words" / "template.md"
    path.write_text(template)
    output = folder / "report"
    arguments = ["--template", str(path), "--output", str(output), "--pictures", str(folder)]
    assert main([str(folder), *arguments]) == 0
    return (output / "report.md").read_text()


def rows(text: str, title: str) -> list[list[str]]:
    """Cells of the table under a heading, without its header."""
    table = text.split(f"## {title}\n\n")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in table]


def test_results_stand_above_the_published_rows(folder):
    text = report(folder)
    table = rows(text, "3D pose, 16 joints, pelvis-relative")
    systems = [row[0] for row in table]
    ours = [name for name in systems if name.split(",")[0] in {"rgb", "true_2d"}]
    assert systems[len(ours) :] == [row.system for row in MINI_RGBD_3D]
    assert {row[4] for row in table if row[0] == "rgb, clean"} == {"17.25"}
    assert {row[4] for row in table if row[0] == "true_2d, clean"} == {"9.50"}
    assert all("generated" in row[2] for row in table[: len(ours)])


def test_results_without_2d_are_absent_from_its_table(folder):
    table = rows(report(folder), "2D pose and boxes, 16 joints")
    systems = {row[0].split(",")[0] for row in table}
    assert "true_2d" not in systems
    assert {"rgb", MINI_RGBD_2D[0].system.split(",")[0]} <= systems


def test_every_result_names_its_source(folder):
    sources = rows(report(folder), "Sources")
    assert [row[0] for row in sources] == ["rgb", "true_2d"]
    assert sources[0][-1] == "`infantpose evaluate mini_rgbd --offset 17.25`"
    assert sources[0][3] == "abababababab"


def test_a_page_of_html_needs_no_other_file(folder):
    errors = FrameErrors(
        PROTOCOL.joints,
        np.array(["11"] * 8),
        np.arange(8),
        *np.random.default_rng(0).uniform(1, 30, (4, 8, 16)),
        np.ones((8, 3)),
    )
    write_errors(folder / "run", errors)
    write_comparison(folder, "Honest?", compare([Row("one", (folder / "run",))]))
    (folder / "compare.json").rename(folder / "calibration.json")
    (folder / "chains.json").write_text(
        '{"best": [{"name": "1-heatmap", "minutes": 3.25, "summary": {"steps": 7}, "made": {}, '
        '"begins_with": {}, "curve": {"minutes": [1, 2], "value": [3, 2]}}]}'
    )
    text = report(
        folder,
        "# Title\n{{ comparison('calibration') }}\n{{ stages() }}\n{{ plot('learning_curves') }}\n"
        "{{ plot('per_joint', 'rgb') }}\n{{ plot('calibration', '3d') }}\n"
        "{{ value(row('calibration', 'one').ajpe_mm.mean, 1) }}",
    )
    assert text.endswith(f"{errors.errors_mm.mean():.1f}")
    assert rows(text, "Chain best")[0][:3] == ["1-heatmap", "3.2", "7"]
    html = (folder / "report" / "report.html").read_text()
    assert html.count("data:image/png;base64,") == 3 and "<title>Title</title>" in html
    assert "<td>1-heatmap</td>" in html and '.png"' not in html


def test_a_template_that_asks_for_too_much_is_one_line(folder, capsys):
    path = folder / "template.md"
    for words in ("{{ comparison('none') }}", "{{ nothing }}", "{% if %}"):
        path.write_text(words)
        arguments = [str(folder), "--template", str(path), "--output", str(folder / "report")]
        assert main([*arguments, "--pictures", str(folder)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", ["[]", "{}", '{"schema": "infantpose/1"}', "no json"])
def test_a_file_of_something_else_is_one_line(folder, content, capsys):
    (folder / "zz.json").write_text(content)
    with pytest.raises(DataError, match=r"zz\.json"):
        Results(folder)
    arguments = ["--template", str(folder / "zz.json"), "--output", str(folder / "report")]
    assert main([str(folder), *arguments, "--pictures", str(folder)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (folder / "report").exists()


def test_an_empty_folder_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"copy a metrics\.json"):
        Results(tmp_path)


def test_pages_take_the_tables_between_their_marks_and_keep_the_rest(folder, tmp_path):
    page_path, words = tmp_path / "README.md", tmp_path / "template.md"
    words.write_text("words")
    arguments = ["--template", str(words), "--output", str(tmp_path / "report")]
    arguments += ["--pictures", str(tmp_path)]
    page_path.write_text(f"before\n{MARKS[0]}\nold 99.9\n{MARKS[1]}\nafter\n")
    for _ in range(2):
        assert main([str(folder), *arguments, "--into", str(page_path)]) == 0
    text = page_path.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "17.25" in text and "28.47" in text and "old" not in text
    page_path.write_text("no marks")
    assert main([str(folder), *arguments, "--into", str(page_path)]) == 2


def test_the_report_of_this_repository_is_what_its_results_say(tmp_path):
    repository = Path(__file__).parents[2]
    pictures = tmp_path / "Images"
    pictures.mkdir()
    shutil.copy(repository / "Images" / "report_worst.png", pictures)
    template = repository / "report" / "template.md"
    results = Results(repository / "report" / "results")
    write_report(results, template, tmp_path / "report", pictures)
    text = (tmp_path / "report" / "report.md").read_text()
    assert text == (repository / "report" / "report.md").read_text()
    best = results.comparisons["chain"]["best"]
    met = "yes" if best["ajpe_mm"]["mean"] <= 14 else "**no**"
    assert f"| 14 or less | {best['ajpe_mm']['mean']:.2f} | {met} |" in text
    assert "nan" not in text

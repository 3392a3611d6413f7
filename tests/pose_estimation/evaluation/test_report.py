"""The tables: our rows beside the published ones, each saying what it was measured on."""

import io

import pytest
from rich.console import Console

from PoseEstimation.evaluation.mini_rgbd import evaluate_mini_rgbd, print_mini_rgbd
from PoseEstimation.evaluation.report import Table, number, write_metrics

PUBLISHED = (
    "28.47 65.20 88.99",
    "25.44 69.28 91.19",
    "44.90 51.09 83.87",
    "8.17 93.77 96.05 87.70",
)


def rows_of(text):
    lines = [line.replace("**", "") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture
def table(tmp_path, fake, write):
    """``table.md`` of generated data."""
    write(tmp_path, "11", 2, 35.0, 15.0)
    evaluate_mini_rgbd(fake(tmp_path, off_mm=(30, 0, 0)), tmp_path, output=tmp_path / "out")
    return (tmp_path / "out" / "table.md").read_text()


@pytest.mark.parametrize("figures", PUBLISHED)
def test_published_rows_stand_beside_ours_and_say_real(table, figures):
    (row,) = [r for r in rows_of(table) if set(figures.split()) <= set(r)]
    assert row[2] == "the real MINI-RGBD 11-12"


def test_our_rows_say_generated_and_which_head_length(table):
    three_d = [r for r in rows_of(table) if r[0].startswith("fake,")][:4]
    assert all(r[2] == "generated data 11" for r in three_d)
    named = [(r[0], r[3], r[-2], r[-1]) for r in three_d]
    assert named == [
        ("fake, clean", "published", "6.25", "100.00"),
        ("fake, paper", "published", "0.00", "93.75"),
        ("fake, clean", "measured", "100.00", "100.00"),
        ("fake, paper", "measured", "93.75", "93.75"),
    ]
    assert "Published rows were measured on the real MINI-RGBD; ours on generated data 11" in table
    assert "Not the official set: sequence 11: measured head length 35.0 mm" in table


def test_our_rows_on_the_official_set_say_real(root, fake, tmp_path):
    evaluate_mini_rgbd(fake(root), root, output=tmp_path)
    text = (tmp_path / "table.md").read_text()
    ours = [r for r in rows_of(text) if r[0].startswith("fake,")]
    assert {r[2] for r in ours} == {"the real MINI-RGBD 11-12"}
    assert "generated" not in text
    assert "Not the official set" not in text


def test_true_2d_has_no_2d_table(root, fake, tmp_path):
    evaluate_mini_rgbd(fake(root), root, input_kind="gt2d", output=tmp_path)
    text = (tmp_path / "table.md").read_text()
    assert "2D pose and boxes" not in text
    assert {r[1] for r in rows_of(text) if r[0].startswith("fake,")} == {"true 2D"}


def test_every_joint_has_a_row(table):
    assert len([r for r in rows_of(table) if r[0] in ("pelvis", "nose", "left_wrist")]) == 3


def shown(metrics, width):
    screen = io.StringIO()
    print_mini_rgbd(metrics, Console(file=screen, width=width))
    return screen.getvalue()


def test_the_terminal_shows_the_same_rows_and_never_cuts_a_number(root, fake):
    metrics = evaluate_mini_rgbd(fake(root, off_mm=(20, 0, 0)), root, input_kind="gt2d")
    for word in ("Hesse random ferns", "fake, paper", "labels sha256"):
        assert word in shown(metrics, 200)
    for figure in ("28.47", "65.20", "88.99", "93.75", "100.00"):
        assert figure in shown(metrics, 80)


def test_missing_numbers_are_a_dash_and_rows_of_ours_are_bold():
    table = Table("T", ("a", "b"), (("x", number(None)), ("y", number(1.005))), frozenset({0}))
    assert table.markdown().splitlines()[-2:] == ["| **x** | - |", "| y | 1.00 |"]


def test_nan_never_reaches_the_file(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_metrics(tmp_path, {"clean": {"ajpe_mm": float("nan")}})
    assert not list(tmp_path.iterdir())

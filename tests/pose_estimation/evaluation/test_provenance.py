"""Which data a number was measured on."""

import shutil

import pytest

from Engine.provenance import hash_files
from PoseEstimation.evaluation.mini_rgbd import PUBLISHED, evaluate_mini_rgbd
from PoseEstimation.evaluation.provenance import differences_from_official
from PoseEstimation.metrics.protocols import HeadLengths


def data_of(folder, fake):
    return evaluate_mini_rgbd(fake(folder), folder, ["11"], input_kind="gt2d")["data"]


def test_the_published_head_lengths_make_it_the_official_set(root, fake):
    data = data_of(root, fake)
    assert data["real"] is True
    assert data["not_real_because"] == []


@pytest.mark.parametrize(("mm", "px"), [(28.6 * 1.06, 12.17), (28.6, 12.17 * 0.94)])
def test_a_length_off_by_more_than_five_percent_does_not(tmp_path, fake, write, mm, px):
    write(tmp_path, "11", 1, mm, px)
    data = data_of(tmp_path, fake)
    assert data["real"] is False
    (reason,) = data["not_real_because"]
    assert reason.startswith("sequence 11: measured head length")


def test_four_percent_is_within_the_tolerance():
    near = HeadLengths(mm={"11": 28.6 * 1.04}, px={"11": 12.17 * 0.96})
    assert differences_from_official(near, PUBLISHED) == ()


def test_generated_data_are_never_the_official_set(tmp_path, fake, write):
    write(tmp_path, "11", 1, 28.6, 12.17)
    (tmp_path / "generator.json").write_text("{}")
    assert data_of(tmp_path, fake)["real"] is False


def test_the_hash_is_of_the_labels_wherever_they_lie(tmp_path, fake, write):
    write(tmp_path / "a", "11", 2, 28.6, 12.17)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    first = data_of(tmp_path / "a", fake)["root_sha256"]
    assert data_of(tmp_path / "b", fake)["root_sha256"] == first
    (tmp_path / "b/11/depth/syn_00000_depth.png").write_bytes(b"other")
    assert data_of(tmp_path / "b", fake)["root_sha256"] == first
    label = tmp_path / "b/11/joints_3D/syn_joints_3D_00001.txt"
    label.write_text(label.read_text().replace("1", "2", 1))
    assert data_of(tmp_path / "b", fake)["root_sha256"] != first


def test_the_hash_sees_names_and_ignores_order(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x")
    two.write_text("y")
    before = hash_files(tmp_path, [one, two])
    assert hash_files(tmp_path, [two, one]) == before
    one.write_text("y")
    two.write_text("x")
    assert hash_files(tmp_path, [one, two]) != before

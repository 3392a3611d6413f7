"""SLP: what is written is read, covers share labels, sensors share the bed, damage is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from Datasets.layouts.slp import COVERS
from Datasets.readers.images import load_image
from Datasets.readers.slp import apply_homography, open_slp, subjects_on_disk
from Datasets.skeletons import INFANT, SLP_14
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE
from Datasets.verify.slp import verify_slp
from Datasets.writers.slp import (
    write_slp_alignment,
    write_slp_depth,
    write_slp_image,
    write_slp_joints,
)
from Engine.errors import DataError

SHARED = [HealthCheck.function_scoped_fixture]
TO_MAP = {"RGB": np.diag([0.1, 0.1, 1.0]), "IR": np.array([[0.5, 0, 3], [0, 0.5, -2], [0, 0, 1]])}


def subject(
    root: Path, name: str = "danaLab/00001", frames: int = 2, seed: int = 0, labels: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Write a subject with RGB and IR images; IR's labels are RGB's through the bed plane."""
    rng = np.random.default_rng(seed)
    folder = root / name
    for cover in COVERS:
        for frame in range(1, frames + 1):
            write_slp_image(folder, "RGB", cover, frame, np.zeros((40, 30, 3), np.uint8))
            write_slp_image(folder, "IR", cover, frame, np.full((16, 12), 80, np.uint8))
    joints = rng.uniform(5, 400, (frames, 14, 2))
    visibility = rng.integers(1, 3, (frames, 14)).astype(np.uint8)
    for modality, matrix in TO_MAP.items():
        write_slp_alignment(folder, modality, matrix)
    across = np.linalg.inv(TO_MAP["IR"]) @ TO_MAP["RGB"]
    if labels:
        write_slp_joints(folder, "RGB", joints, visibility)
        write_slp_joints(folder, "IR", apply_homography(across, joints), visibility)
    return joints, visibility


@settings(max_examples=15, deadline=None, suppress_health_check=SHARED)
@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(1, 3))
def test_what_is_written_is_read(tmp_path: Path, seed: int, frames: int) -> None:
    root = tmp_path / f"{seed}_{frames}"
    joints, visibility = subject(root, frames=frames, seed=seed)
    samples = open_slp(root).samples
    assert len(samples) == 3 * frames
    for sample in samples:
        np.testing.assert_allclose(sample.keypoints_px, joints[sample.frame - 1], atol=1e-9)
        assert np.array_equal(sample.visibility, visibility[sample.frame - 1])
    assert [s.activity for s in samples[::frames]] == list(COVERS)
    assert samples[0].sequence == "danaLab/00001" and samples[0].skeleton == SLP_14
    assert {sample.age for sample in samples} == {"adult"}
    assert [s.cover for s in samples[::frames]] == ["none", "thin", "thick"]
    assert {s.modality for s in samples} == {"rgb"}
    assert {s.modality for s in open_slp(root, "all:IR").samples} == {"thermal"}


def test_files_count_from_one_and_the_third_row_is_occluded(tmp_path: Path) -> None:
    subject(tmp_path, frames=1)
    rows = np.zeros((3, 14, 1))
    rows[0], rows[1, :, 0], rows[2, 4] = 11.0, 21.0 + np.arange(14), 1.0
    savemat(tmp_path / "danaLab/00001/joints_gt_RGB.mat", {"joints_gt": rows})
    sample = open_slp(tmp_path).samples[0]
    places = np.column_stack([np.full(14, 10.0), 20.0 + np.arange(14)])
    np.testing.assert_array_equal(sample.keypoints_px, places)
    assert sample.visibility[4] == OCCLUDED and (np.delete(sample.visibility, 4) == VISIBLE).all()


def test_presence_of_the_label_file_decides(tmp_path: Path) -> None:
    subject(tmp_path, "train/train/00001")
    subject(tmp_path, "train/train/00031", labels=False)
    subject(tmp_path, "valid/valid/00081", labels=False)
    data = open_slp(tmp_path, "train:IR")
    labelled = {s.sequence: bool(s.visibility.any()) for s in data.samples}
    assert labelled == {"train/train/00001": True, "train/train/00031": False}
    bare = open_slp(tmp_path, "validation:IR").samples[0]
    assert (bare.visibility == UNLABELLED).all() and np.isnan(bare.keypoints_px).all()
    assert bare.box_xyxy is None


def test_a_sensor_without_labels_takes_them_through_the_bed(tmp_path: Path) -> None:
    joints, visibility = subject(tmp_path)
    folder = tmp_path / "danaLab/00001"
    own = open_slp(tmp_path, "all:IR:uncover").samples
    (folder / "joints_gt_IR.mat").unlink()
    carried = open_slp(tmp_path, "all:IR:uncover").samples
    for a, b in zip(own, carried, strict=True):
        np.testing.assert_allclose(a.keypoints_px, b.keypoints_px, atol=1e-9)
    write_slp_depth(folder, "uncover", 1, np.full((51, 42), 1500, np.uint16))
    with pytest.raises(DataError, match=r"align_PTr_depth.npy does not exist"):
        open_slp(tmp_path, "all:depth")
    write_slp_alignment(folder, "depth", np.eye(3))
    on_map = open_slp(tmp_path, "all:depth").samples[0]
    np.testing.assert_allclose(on_map.keypoints_px, joints[0] * 0.1, atol=1e-9)
    assert load_image(on_map.image_path).size == (42, 51)
    raw = np.load(folder / "depthRaw/uncover/000001.npy", allow_pickle=False)
    assert (raw == 1500).all() and np.array_equal(on_map.visibility, visibility[0])


def test_splits_are_the_official_ones(tmp_path: Path) -> None:
    names = ["danaLab/00001", "danaLab/00080", "danaLab/00081", "danaLab/00090", "danaLab/00091"]
    for name in [*names, "simLab/00007"]:
        subject(tmp_path, name, frames=1)

    def names_in(split: str) -> set[str]:
        return {sample.sequence for sample in open_slp(tmp_path, split).samples}

    assert names_in("train") == set(names[:2]) and names_in("validation") == set(names[2:4])
    assert names_in("test") == {"danaLab/00091", "simLab/00007"}
    assert names_in("simLab") == {"simLab/00007"}
    assert len(subjects_on_disk(tmp_path)) == 6
    assert open_slp(tmp_path, "all:IR:cover1", INFANT).samples[0].skeleton == INFANT
    for split, message in (("x", "no subjects in 'x'"), ("all:UV", "'UV'"), ("all:IR:c", "'c'")):
        with pytest.raises(DataError, match=message):
            open_slp(tmp_path, split)


def test_damage_is_one_line_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        open_slp(tmp_path / "none")
    with pytest.raises(DataError, match="holds no subject"):
        open_slp(tmp_path)
    subject(tmp_path)
    path = tmp_path / "danaLab/00001/joints_gt_RGB.mat"
    bad = np.ones((3, 14, 2))
    bad[0, 3, 1] = np.nan
    cases = {
        r"shape \(3, 13, 2\), expected \(3, 14, frames\)": np.ones((3, 13, 2)),
        "frame 2, left_hip: not a finite number": bad,
    }
    for message, values in cases.items():
        savemat(path, {"joints_gt": values})
        with pytest.raises(DataError, match=message) as caught:
            open_slp(tmp_path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    path.write_text("text")
    with pytest.raises(DataError, match="no MATLAB file"):
        open_slp(tmp_path)
    path.unlink()
    np.save(tmp_path / "danaLab/00001/align_PTr_IR.npy", np.zeros((3, 3)))
    with pytest.raises(DataError, match="invertible"):
        open_slp(tmp_path)
    (tmp_path / "danaLab/00001/align_PTr_IR.npy").write_bytes(b"x")
    with pytest.raises(DataError, match="unreadable"):
        open_slp(tmp_path)


def test_writers_refuse_gaps(tmp_path: Path) -> None:
    joints, seen = np.zeros((2, 14, 2)), np.full((2, 14), VISIBLE)
    with pytest.raises(DataError, match="every joint needs a label"):
        write_slp_joints(tmp_path, "RGB", joints, np.zeros((2, 14), np.uint8))
    with pytest.raises(DataError, match="every joint needs a label"):
        write_slp_joints(tmp_path, "RGB", joints * np.nan, seen)
    with pytest.raises(DataError, match="expected"):
        write_slp_joints(tmp_path, "RGB", joints[:, :13], seen)


def test_verify_finds_everything_in_one_pass(tmp_path: Path) -> None:
    subject(tmp_path, frames=3)
    subject(tmp_path, "simLab/00001", frames=2)
    subject(tmp_path, "danaLab/00002", frames=1)
    (tmp_path / "generator.json").write_text("{}")
    assert verify_slp(tmp_path).ok
    (tmp_path / "generator.json").unlink()
    (tmp_path / "danaLab/00001/RGB/cover1/image_000002.png").unlink()
    (tmp_path / "danaLab/00001/IR/cover2/image_000001.png").write_bytes(b"text")
    savemat(tmp_path / "simLab/00001/joints_gt_RGB.mat", {"joints_gt": np.ones((3, 9, 2))})
    write_slp_alignment(tmp_path / "danaLab/00002", "IR", np.diag([9.0, 1.0, 1.0]))
    report = verify_slp(tmp_path)
    assert [p.name for p in report.missing] == ["image_000002.png"]
    text = "\n".join(report.problems)
    for part in ("not a PNG", "(3, 9, 2)", "px apart", "2 danaLab subjects, the official set has"):
        assert part in text, part

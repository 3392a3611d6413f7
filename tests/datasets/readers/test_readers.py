"""The reader against the writer, and against every way a folder can be broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.readers.base import load_rows
from Datasets.readers.images import load_image
from Datasets.readers.mini_rgbd import (
    HEAD_LENGTH_MM,
    HEAD_LENGTH_PX,
    INTRINSICS,
    read_mini_rgbd,
)
from Datasets.selection import MINI_RGBD_SPLIT, parse_sequences
from Datasets.skeletons import COCO_17, INFANT, MINI_RGBD_25, MPII_16
from Datasets.skeletons.mini_rgbd import PUBLISHED_16
from Datasets.structures import Dataset
from Engine.errors import DataError
from Engine.reading import require_file, require_folder


def one_line(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def projection_residual_px(dataset: Dataset) -> float:
    """Largest difference between projected ``joints_mm`` and ``keypoints_px``, pixels."""
    return max(
        np.abs(project(s.joints_mm, s.intrinsics) - s.keypoints_px).max() for s in dataset.samples
    )


def test_projection_of_3d_gives_2d(shared_root: Path) -> None:
    dataset = read_mini_rgbd(shared_root)
    assert len(dataset) == 5
    # Files round to 0.001 px and 0.001 mm.
    assert projection_residual_px(dataset) < 2e-3


def test_projection_test_notices_a_wrong_camera(root: Path) -> None:
    camera = {"fx": 600.0, "fy": 590.0, "cx": 320.0, "cy": 240.0}
    (root / "intrinsics.json").write_text(json.dumps(camera))
    dataset = read_mini_rgbd(root)
    np.testing.assert_array_equal(dataset.samples[0].intrinsics, intrinsics_matrix(**camera))
    assert projection_residual_px(dataset) > 1


def test_samples_carry_what_was_written(shared_root: Path) -> None:
    sample = read_mini_rgbd(shared_root, ["02"]).samples[1]
    assert sample.age == "infant"
    assert (sample.sequence, sample.frame) == ("02", 1)
    assert sample.image_path.name == "syn_00001.png" and sample.mask_path.name == "mask_00001.png"
    assert sample.joints_mm[:, 2].min() > 500  # metres became millimetres
    np.testing.assert_array_equal(sample.intrinsics, INTRINSICS)
    assert sample.box_xyxy is None and (sample.visibility == 2).all()


def test_head_length_is_neck_to_head_of_the_sequence(shared_root: Path) -> None:
    dataset = read_mini_rgbd(shared_root)
    for name in ("01", "02"):
        samples = [s for s in dataset.samples if s.sequence == name]
        mm = np.mean([np.linalg.norm(s.joints_mm[12] - s.joints_mm[15]) for s in samples])
        px = np.mean([np.linalg.norm(s.keypoints_px[12] - s.keypoints_px[15]) for s in samples])
        assert samples[0].head_length_mm == pytest.approx(mm)
        assert samples[0].head_length_px == pytest.approx(px)


def test_published_tables() -> None:
    assert list(HEAD_LENGTH_MM) == list(HEAD_LENGTH_PX) == [f"{n:02d}" for n in range(1, 13)]
    assert HEAD_LENGTH_MM["12"] == 30.1 and HEAD_LENGTH_PX["05"] == 7.75
    assert np.mean(list(HEAD_LENGTH_MM.values())) == pytest.approx(26.4, abs=0.05)


def test_conversion_and_generated_joints(shared_root: Path) -> None:
    infant = read_mini_rgbd(shared_root, skeleton=INFANT)
    official, generated = infant.samples[0], infant.samples[-1]
    assert (official.visibility > 0).sum() == 20
    assert np.isnan(official.keypoints_px[INFANT.index("left_eye")]).all()
    assert (generated.visibility == 2).all() and np.isfinite(generated.joints_mm).all()
    plain = read_mini_rgbd(shared_root)
    nose = plain.samples[0].joints_mm[MINI_RGBD_25.index("nose")]
    np.testing.assert_array_equal(official.joints_mm[INFANT.index("nose")], nose)
    published = read_mini_rgbd(shared_root, skeleton=MPII_16).samples[0]
    expected = plain.samples[0].keypoints_px[MINI_RGBD_25.indices(PUBLISHED_16)]
    np.testing.assert_array_equal(published.keypoints_px, expected)
    with pytest.raises(KeyError):
        read_mini_rgbd(shared_root, skeleton=COCO_17)


def test_mask_may_be_absent(root: Path) -> None:
    (root / "01/fg_mask/mask_00001.png").unlink()
    samples = read_mini_rgbd(root).samples
    assert samples[1].mask_path is None and samples[0].mask_path is not None


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        read_mini_rgbd(tmp_path / "absent")
    assert "absent" in one_line(error) and "check the path" in one_line(error)
    with pytest.raises(DataError, match="no sequence folders"):
        read_mini_rgbd(tmp_path)
    with pytest.raises(DataError, match="not a folder"):
        (tmp_path / "file").touch()
        require_folder(tmp_path / "file", "data")
    with pytest.raises(DataError, match="cannot be read"):
        require_file(tmp_path / ("long" * 100), "data")


def test_missing_sequence(root: Path) -> None:
    with pytest.raises(DataError) as error:
        read_mini_rgbd(root, ["01", "07"])
    assert "07" in one_line(error)


@pytest.mark.parametrize(
    "name",
    [
        "joints_2Ddep/syn_joints_2Ddep_00001.txt",
        "joints_3D/syn_joints_3D_00001.txt",
        "rgb/syn_00001.png",
    ],
)
def test_missing_file(root: Path, name: str) -> None:
    (root / "01" / name).unlink()
    with pytest.raises(DataError) as error:
        read_mini_rgbd(root)
    assert name in one_line(error) and "does not exist" in one_line(error)


def test_an_empty_sequence(root: Path) -> None:
    (root / "03").mkdir()
    with pytest.raises(DataError, match="03"):
        read_mini_rgbd(root)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda lines: lines[:24], "24 rows, expected 25"),
        (lambda lines: [*lines, lines[0]], "26 rows, expected 25"),
        (lambda lines: [*lines[:6], "nan 1 2 6", *lines[7:]], "line 7: 'nan'"),
        (lambda lines: [*lines[:6], "1 inf 2 6", *lines[7:]], "line 7: 'inf'"),
        (lambda lines: [*lines[:6], "1 two 3 6", *lines[7:]], "line 7: 'two'"),
        (lambda lines: [*lines[:6], "1", *lines[7:]], "line 7: 1 values, expected 3"),
        (lambda lines: [], "0 rows"),
    ],
)
def test_damaged_joint_file(root: Path, edit, expected: str) -> None:
    path = root / "01/joints_3D/syn_joints_3D_00002.txt"
    path.write_text("\n".join(edit(path.read_text().splitlines())))
    with pytest.raises(DataError) as error:
        read_mini_rgbd(root)
    assert str(path) in one_line(error) and expected in one_line(error)


def test_tables_tolerate_blank_lines_tabs_and_more_columns(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt"
    path.write_text("1 2 x\r\n\r\n3\t4.5e0 y z\n")
    assert load_rows(path, 2, 2).tolist() == [[1, 2], [3, 4.5]]
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not plain text"):
        load_rows(path, 1, 1)
    with pytest.raises(DataError, match="missing"):
        load_rows(tmp_path / "none.txt", 1, 1)


@pytest.mark.parametrize("text", ["{", '{"fx": 1}', '{"fx":0,"fy":1,"cx":1,"cy":1}', "[1]"])
def test_bad_intrinsics(root: Path, text: str) -> None:
    (root / "intrinsics.json").write_text(text)
    with pytest.raises(DataError) as error:
        read_mini_rgbd(root)
    assert "intrinsics.json" in one_line(error)


def test_bad_generated_joints(root: Path) -> None:
    path = root / "01/infant_joints.npz"
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DataError) as error:
        read_mini_rgbd(root, skeleton=INFANT)
    assert "infant_joints.npz" in one_line(error)
    zeros = {"keypoints_px": np.zeros((2, 25, 2)), "joints_mm": np.zeros((2, 25, 3))}
    np.savez(path, **zeros, visibility=np.zeros((2, 25)), frames=np.arange(2))
    with pytest.raises(DataError, match="lacks frame 2"):
        read_mini_rgbd(root, skeleton=INFANT)
    np.savez(path, **zeros, visibility=np.zeros((2, 24)), frames=np.arange(2))
    with pytest.raises(DataError, match=r"visibility.*\(2, 24\)"):
        read_mini_rgbd(root, skeleton=INFANT)


def test_truncated_image(root: Path) -> None:
    path = root / "01/rgb/syn_00000.png"
    path.write_bytes(path.read_bytes()[:5000])
    sample = read_mini_rgbd(root).samples[0]
    with pytest.raises(DataError) as error:
        load_image(sample.image_path)
    assert str(path) in one_line(error) and "damaged" in one_line(error)


def test_split() -> None:
    split = MINI_RGBD_SPLIT
    assert split.train == tuple(f"0{n}" for n in range(1, 9))
    assert (split.part("validation"), split.part("test")) == (("09", "10"), ("11", "12"))
    assert len(split.part("all")) == len(set(split.part("all"))) == 12
    with pytest.raises(DataError, match="choose one of"):
        split.part("dev")


def test_parse_sequences() -> None:
    assert parse_sequences("1-3, 11,2") == ("01", "02", "03", "11")
    assert parse_sequences("0001-0002") == ("0001", "0002")
    for text in ("", "3-1", "a", "1,,2", "-3"):
        with pytest.raises(DataError, match="1-8,11"):
            parse_sequences(text)

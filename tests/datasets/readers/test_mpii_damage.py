"""MPII's JSON and h5 files: every damage is one line, and all of them are one report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from Datasets.readers.mpii import open_mpii
from Datasets.skeletons import MPII_16
from Datasets.structures import UNLABELLED, VISIBLE, PoseSample
from Datasets.verify.mpii import verify_mpii
from Datasets.writers.mpii import (
    write_gt_valid_mat,
    write_mpii_h5,
    write_mpii_json,
    write_mpii_mat,
)
from Engine.errors import DataError


def crowd(seed: int, count: int) -> list[PoseSample]:
    """Two people an image, all joints visible."""
    rng = np.random.default_rng(seed)
    return [
        PoseSample(
            Path(f"{i // 2:09d}.jpg"), MPII_16, rng.uniform(0, 300, (16, 2)),
            np.full(16, VISIBLE, np.uint8), box_xyxy=np.array([0, 0, 200.0, 200.0]),
            head_box_xyxy=rng.uniform(0, 90, 4), head_length_px=7.0,
        )
        for i in range(count)
    ]  # fmt: skip


ROW = {"image": "a.jpg", "scale": 1.0, "center": [5.0, 5.0], "joints": [[2.0, 2.0]] * 16,
       "joints_vis": [1] * 16}  # fmt: skip


def rows(root: Path, *entries, split: str = "train") -> Path:
    (root / "annot").mkdir(exist_ok=True)
    path = root / "annot" / f"{split}.json"
    path.write_text(json.dumps(entries))
    return path


def test_missing_joints_in_json(tmp_path: Path) -> None:
    joints = [[-1.0, -1.0], [0.5, 0.25], *[[2.0, 2.0]] * 14]
    rows(tmp_path, {**ROW, "joints": joints, "joints_vis": [0] + [1] * 15})
    sample = open_mpii(tmp_path, "train", form="json").samples[0]
    assert np.isnan(sample.keypoints_px[0]).all() and sample.visibility[0] == UNLABELLED
    assert sample.keypoints_px[1].tolist() == [-0.5, -0.75]
    assert sample.head_box_xyxy is None and sample.head_length_px is None
    rows(tmp_path, {"image": "b.jpg", "center": [-1, -1], "scale": -1}, split="test")
    assert open_mpii(tmp_path, "test", form="json").samples[0].box_xyxy is None


JSON_BREAKS = {
    "has 15 joints, expected 16": {"joints": [[2.0, 2.0]] * 15},
    "has 1 joints, expected 16": {"joints": [[2.0, 2.0]]},
    "needs image, center": {"center": "x"},
    "needs image, center, scale": {"image": 7},
    "16 joints and 16 joints_vis": {"joints_vis": [1] * 15},
    "the scale is no number above 0": {"scale": float("nan")},
    "scale is no number above 0, or": {"scale": 0.0},
    "its box is of no size": {"scale": 1e-9},
    "the centre is no finite number": {"center": [float("nan"), 4.0]},
    "labelled joint is no finite": {"joints": [[float("nan"), 2.0]] * 16},
    "joints_vis is 0 or 1": {"joints_vis": [3] * 16},
    "outside": {"image": "/etc/passwd"},
}


SINGLE_VALUES = (
    {"center": [5.0]},
    {"center": 5.0},
    {"joints": [[2.0]] * 16},
    {"joints_vis": [1]},
    {"joints_vis": 1},
)


@pytest.mark.parametrize("change", SINGLE_VALUES)
def test_one_value_is_not_repeated_for_all(tmp_path: Path, change: dict) -> None:
    path = rows(tmp_path, ROW, {**ROW, **change})
    with pytest.raises(DataError, match=r"person 1 \(a.jpg\) needs image") as caught:
        open_mpii(tmp_path, "train", form="json")
    assert str(caught.value) in verify_mpii(tmp_path).problems and str(path) in str(caught.value)


@pytest.mark.parametrize("message", JSON_BREAKS)
def test_damage_in_json_is_one_line(tmp_path: Path, message: str) -> None:
    path = rows(tmp_path, ROW, {**ROW, **JSON_BREAKS[message]})
    with pytest.raises(DataError, match=message) as caught:
        open_mpii(tmp_path, "train", form="json")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_mpii(tmp_path).problems


def test_entries_that_are_nobody(tmp_path: Path) -> None:
    rows(tmp_path, 5)
    with pytest.raises(DataError, match="person 0 needs image"):
        open_mpii(tmp_path, "train", form="json")
    (tmp_path / "annot/train.json").write_text("{}")
    with pytest.raises(DataError, match="no list of people"):
        open_mpii(tmp_path, "train", form="json")
    rows(tmp_path, {key: ROW[key] for key in ("image", "center", "scale")})
    with pytest.raises(DataError, match="16 joints"):
        open_mpii(tmp_path, "train", form="json")
    with pytest.raises(DataError, match="does not exist"):
        open_mpii(tmp_path / "none")
    with pytest.raises(DataError, match=r"no split 'valid'; its annot/\*.json are train"):
        open_mpii(tmp_path, "valid", form="json")
    with pytest.raises(DataError, match=r"no annot/valid.json, no annot/valid.h5 and no mpii"):
        open_mpii(tmp_path / "annot")


HEAD_BREAKS = {
    "expected numbers of shape": lambda c: c.update(headboxes_src=c["headboxes_src"][..., 1:]),
    "jnt_missing is missing": lambda c: c.pop("jnt_missing"),
    "holds other people": lambda c: c.update(pos_gt_src=c["pos_gt_src"][..., ::-1]),
    "head box 2 is no finite": lambda c: c["headboxes_src"].__setitem__((1, 1, 2), np.nan),
}


@pytest.mark.parametrize("message", HEAD_BREAKS)
def test_head_boxes_of_other_people_are_refused(tmp_path: Path, message: str) -> None:
    people = crowd(5, 4)
    write_mpii_json(tmp_path, "valid", people)
    path = write_gt_valid_mat(tmp_path, people)
    content = {k: v for k, v in loadmat(path).items() if not k.startswith("__")}
    HEAD_BREAKS[message](content)
    savemat(path, content)
    with pytest.raises(DataError, match=message) as caught:
        open_mpii(tmp_path, "valid", form="json")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_mpii(tmp_path).problems
    path.write_bytes(b"no MATLAB file" * 20)
    with pytest.raises(DataError, match="no MATLAB file"):
        open_mpii(tmp_path, "valid", form="json")


def replaced(key: str, values) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[key]
        if values is not None:
            file[key] = values

    return change


H5_BREAKS = {
    r"person 1 .*joint is no finite": lambda f: f["part"].__setitem__((1, 0), np.nan),
    "the centre is no finite number": lambda f: f["center"].__setitem__((1, 0), np.nan),
    "person 1 .*: the centre is": lambda f: f["center"].__setitem__(1, np.nan),
    "the scale is no number above 0": lambda f: f["scale"].__setitem__(1, 0),
    r"\(2, 15, 2\) \(float64\), expected \(2, 16, 2\)": replaced("part", np.zeros((2, 15, 2))),
    "no array 'visible'": replaced("visible", None),
    "'normalize' has shape": replaced("normalize", np.zeros(3)),
    r"'scale' has shape \(2,\) \(.S1\), expected .* numbers": replaced(
        "scale", np.array([b"x", b"y"])
    ),
    "names '../x.jpg', outside": replaced("imgname", np.array([b"a.jpg", b"../x.jpg"])),
    "'imgname' holds no file names": replaced("imgname", np.array([[-1.0], [300.0]])),
}


@pytest.mark.parametrize("message", H5_BREAKS)
def test_damage_in_h5_is_one_line(tmp_path: Path, message: str) -> None:
    path = write_mpii_h5(tmp_path, "valid", crowd(3, 2))
    with h5py.File(path, "a") as file:
        H5_BREAKS[message](file)
    with pytest.raises(DataError, match=message) as caught:
        open_mpii(tmp_path, "valid", form="h5")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_mpii(tmp_path).problems
    path.write_text("text")
    with pytest.raises(DataError, match="no readable HDF5"):
        open_mpii(tmp_path, "valid", form="h5")


def test_h5_as_others_write_it(tmp_path: Path) -> None:
    """Names as numbers of characters, and no more than labels; the length may be unknown."""
    people = [replace(p, head_length_px=None, head_box_xyxy=None) for p in crowd(4, 3)]
    path = write_mpii_h5(tmp_path, "train", people)
    assert open_mpii(tmp_path, "train", form="h5").samples[0].head_length_px is None
    with h5py.File(path, "a") as file:
        names = [name.decode() for name in file["imgname"][()]]
        codes = np.array([[float(ord(c)) for c in name] + [0.0] for name in names])
        replaced("imgname", codes)(file)
        for key in ("normalize", "index", "person"):
            del file[key]
    read = open_mpii(tmp_path, "train", form="h5").samples
    assert [s.image_path.name for s in read] == names
    assert read[0].head_length_px is read[0].image_id is read[0].annotation_id is None


def test_any_broken_byte_of_h5_is_a_one_line_error_or_none(tmp_path: Path) -> None:
    path = write_mpii_h5(tmp_path, "train", crowd(9, 2))
    whole, refused = path.read_bytes(), 0
    for place in range(0, len(whole), 61):
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        try:
            open_mpii(tmp_path, "train", form="h5")
        except DataError as error:
            refused += 1
            assert "\n" not in str(error) and str(path) in str(error)
    assert refused


def test_verify_finds_everything_in_one_pass(tmp_path: Path) -> None:
    people = crowd(6, 4)
    write_mpii_json(tmp_path, "train", people)
    write_mpii_mat(tmp_path, people)
    (tmp_path / "generator.json").write_text("{}")
    (tmp_path / "images").mkdir()
    for sample in people:
        Image.new("RGB", (320, 320)).save(tmp_path / "images" / sample.image_path.name)
    assert verify_mpii(tmp_path).ok
    (tmp_path / "generator.json").unlink()
    (tmp_path / "images" / people[0].image_path.name).unlink()
    (tmp_path / "images" / people[2].image_path.name).write_bytes(b"\xff\xd8\xff cut")
    shared = {**ROW, "image": people[0].image_path.name}
    rows(tmp_path, *({**ROW, **change} for change in JSON_BREAKS.values()), shared, split="valid")
    (tmp_path / "annot/trainval.json").write_text("[")
    (tmp_path / "annot/test.h5").write_text("text")
    report = verify_mpii(tmp_path)
    text = "\n".join(report.problems)
    assert text.count("valid.json, person") == 11 and "outside" in text and "jpg is damaged" in text
    assert "not valid JSON" in text and "no readable HDF5" in text
    for line in ("4 train.json people, the official set has 22246", "2 images, the official"):
        assert line in text
    assert "train.json people: 4 (official 22246)" in report.counts
    assert "000000000.jpg" in {path.name for path in report.missing}
    assert "no gt_valid.mat beside" in report.notes[0]
    assert "1 images have people in train and in valid" in report.notes

"""MPII in three forms: what is written is read, the forms agree, damage is named."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from Datasets.layouts.mpii import MAT
from Datasets.readers.mpii import open_mpii, read_mpii_h5, read_mpii_json
from Datasets.readers.mpii_mat import read_mpii_mat
from Datasets.skeletons import INFANT, MPII_16
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE, Crop, DataError, PoseSample
from Datasets.verify.mpii import verify_mpii
from Datasets.writers.mpii import (
    write_head_boxes,
    write_mpii_h5,
    write_mpii_json,
    write_mpii_mat,
)

SHARED = [HealthCheck.function_scoped_fixture]


def person(rng: np.random.Generator, name: str = "a.jpg", number: int = 0) -> PoseSample:
    """Somebody with random joints, some hidden, some unlabelled."""
    visibility = rng.integers(0, 3, 16).astype(np.uint8)
    visibility[0] = VISIBLE
    joints = np.where(visibility[:, None] > 0, rng.uniform(5, 300, (16, 2)), np.nan)
    middle, half = rng.uniform(50, 200, 2), rng.uniform(20, 150)
    return PoseSample(
        Path(name), MPII_16, joints, visibility,
        box_xyxy=np.concatenate([middle - half, middle + half]), frame=number,
        head_box_xyxy=np.sort(rng.uniform(5, 200, (2, 2)), axis=0).ravel(),
        head_length_px=float(rng.uniform(5, 50)), activity="dancing",
    )  # fmt: skip


def crowd(seed: int, count: int) -> list[PoseSample]:
    rng = np.random.default_rng(seed)
    return [person(rng, f"{i // 2:09d}.jpg", i % 2) for i in range(count)]


def same(ours: PoseSample, theirs: PoseSample, occlusion: bool = True, **given: bool) -> None:
    seen = ours.visibility if occlusion else np.where(ours.visibility > 0, VISIBLE, UNLABELLED)
    assert np.array_equal(theirs.visibility, seen)
    np.testing.assert_allclose(theirs.keypoints_px, ours.keypoints_px, atol=1e-9)
    np.testing.assert_allclose(theirs.box_xyxy, ours.box_xyxy, atol=1e-9)
    assert (theirs.image_path.name, theirs.frame) == (ours.image_path.name, ours.frame)
    if given.get("head"):
        np.testing.assert_allclose(theirs.head_box_xyxy, ours.head_box_xyxy, atol=1e-9)


@settings(max_examples=15, deadline=None, suppress_health_check=SHARED)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 5))
def test_all_forms_give_back_what_was_written(tmp_path: Path, seed: int, count: int) -> None:
    people = crowd(seed, count)
    write_mpii_json(tmp_path, "valid", people)
    write_head_boxes(tmp_path, people)
    write_mpii_h5(tmp_path, "valid", people)
    write_mpii_mat(tmp_path, people)
    forms = {
        "json": read_mpii_json(tmp_path, "valid"),
        "h5": read_mpii_h5(tmp_path, "valid"),
        "mat": read_mpii_mat(tmp_path, "train"),
    }
    for name, data in forms.items():
        assert len(data) == count, name
        for ours, theirs in zip(people, data.samples, strict=True):
            same(ours, theirs, occlusion=name != "json", head=name != "h5")
    assert forms["mat"].samples[0].activity == "dancing"
    assert forms["h5"].samples[0].head_length_px == people[0].head_length_px


def test_the_padded_box_is_the_published_crop(tmp_path: Path) -> None:
    """HRNet: centre moved down by 15 scale, scale times 1.25, both minus 1, side 200 scale."""
    row = {"image": "a.jpg", "scale": 2.0, "center": [100.0, 80.0], "joints": [[1, 1]] * 16,
           "joints_vis": [1] * 16}  # fmt: skip
    (tmp_path / "annot").mkdir()
    (tmp_path / "annot" / "train.json").write_text(json.dumps([row]))
    sample = read_mpii_json(tmp_path, "train").samples[0]
    crop = Crop.around(sample.box_xyxy, 256, margin=1.25)
    assert crop.scale == pytest.approx(256 / (200 * 2.0 * 1.25))
    middle = crop.to_image(np.array([127.5, 127.5]))
    np.testing.assert_allclose(middle, [99.0, 80 + 30 - 1])
    assert (sample.keypoints_px == 0).all()


def test_splits_never_mix_validation_into_training(tmp_path: Path) -> None:
    people = crowd(1, 6)
    for name, part in (("train", people[:4]), ("valid", people[4:]), ("trainval", people)):
        write_mpii_json(tmp_path, name, part)
    sizes = {s: len(open_mpii(tmp_path, s)) for s in ("train", "validation", "trainval", "all")}
    assert sizes == {"train": 4, "validation": 2, "trainval": 6, "all": 6}
    named = {s.image_path for s in open_mpii(tmp_path, "train").samples}
    assert not named & {s.image_path for s in open_mpii(tmp_path, "validation").samples}
    assert open_mpii(tmp_path, "train", INFANT).skeleton == INFANT
    with pytest.raises(DataError, match=r"no annot/test.json"):
        open_mpii(tmp_path, "test")


def test_the_official_file_alone_says_that_it_holds_both(tmp_path: Path) -> None:
    people = crowd(2, 5)
    bare = replace(people[4], visibility=np.zeros(16, np.uint8),
                   keypoints_px=np.full((16, 2), np.nan), head_box_xyxy=None)  # fmt: skip
    write_mpii_mat(tmp_path, people[:4], [bare])
    data = open_mpii(tmp_path, "train")
    assert len(data) == 4 and "most papers validate on" in data.notes[0]
    test = open_mpii(tmp_path, "test").samples
    assert len(test) == 1 and not test[0].visibility.any() and test[0].head_box_xyxy is None
    with pytest.raises(DataError, match=r"needs annot/valid.json"):
        open_mpii(tmp_path, "validation")


def structs(*rows: dict) -> np.ndarray:
    result = np.empty((1, len(rows)), dtype=[(key, object) for key in rows[0]])
    for i, row in enumerate(rows):
        for key, value in row.items():
            result[key][0, i] = value
    return result


def release(tmp_path: Path, *images: dict, flags: list[float] | None = None) -> Path:
    content = structs(
        {"annolist": structs(*images), "img_train": np.array([flags or [1.0] * len(images)])}
    )
    savemat(tmp_path / MAT, {"RELEASE": content})
    return tmp_path / MAT


def rect(*points: dict, **more) -> dict:
    place = {"scale": 1.0, "objpos": structs({"x": 10.0, "y": 20.0})}
    inner = structs({"point": structs(*points)}) if points else np.zeros((0, 0))
    return {"annopoints": inner, **place, **more}


def test_every_irregularity_of_the_official_file_is_read(tmp_path: Path) -> None:
    point = {"x": 11.0, "y": 21.0, "id": 9.0, "is_visible": np.zeros((0, 0))}
    release(
        tmp_path,
        {"image": structs({"name": "one.jpg"}), "annorect": structs(rect(point))},
        {"image": structs({"name": "none.jpg"}), "annorect": np.zeros((0, 0))},
        {"image": structs({"name": "two.jpg"}), "annorect": structs(
            rect({**point, "id": 0.0, "is_visible": "0"}, {**point, "id": 1.0, "is_visible": 1.0}),
            rect(),
            {"annopoints": np.zeros((0, 0)), "scale": np.zeros((0, 0)), "objpos": np.zeros((0, 0))},
        )},
    )  # fmt: skip
    first, second = read_mpii_mat(tmp_path, "train").samples
    assert first.visibility[9] == VISIBLE and first.visibility.sum() == VISIBLE
    np.testing.assert_array_equal(first.keypoints_px[9], [10, 20])
    assert second.visibility[:2].tolist() == [OCCLUDED, VISIBLE]
    np.testing.assert_allclose(first.box_xyxy, [9 - 100, 19 + 15 - 100, 109, 134])


MAT_BREAKS = {
    "joint number 16": rect({"x": 1.0, "y": 1.0, "id": 16.0, "is_visible": 1.0}),
    "no finite x": rect({"x": np.nan, "y": 1.0, "id": 3.0, "is_visible": 1.0}),
}


@pytest.mark.parametrize("message", MAT_BREAKS)
def test_damage_in_the_official_file_is_one_line(tmp_path: Path, message: str) -> None:
    path = release(
        tmp_path,
        {"image": structs({"name": "a.jpg"}), "annorect": structs(MAT_BREAKS[message])},
    )
    with pytest.raises(DataError, match=message) as caught:
        read_mpii_mat(tmp_path, "train")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_wrong_files_in_the_place_of_the_official_one(tmp_path: Path) -> None:
    image = {"image": structs({"name": "../a.jpg"}), "annorect": structs(rect(
        {"x": 1.0, "y": 1.0, "id": 3.0, "is_visible": 1.0}))}  # fmt: skip
    release(tmp_path, image)
    with pytest.raises(DataError, match="outside"):
        read_mpii_mat(tmp_path, "train")
    release(tmp_path, image, flags=[1.0, 0.0])
    with pytest.raises(DataError, match="1 images but 2 img_train"):
        read_mpii_mat(tmp_path, "train")
    savemat(tmp_path / MAT, {"OTHER": 1})
    with pytest.raises(DataError, match="no RELEASE"):
        read_mpii_mat(tmp_path, "train")
    with h5py.File(tmp_path / MAT, "w", userblock_size=512):
        pass
    with (tmp_path / MAT).open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(DataError, match="version 5"):
        read_mpii_mat(tmp_path, "train")


ROW = {"image": "a.jpg", "scale": 1.0, "center": [5.0, 5.0], "joints": [[2.0, 2.0]] * 16,
       "joints_vis": [1] * 16}  # fmt: skip
JSON_BREAKS = {
    "15 joints, expected 16": {"joints": [[2.0, 2.0]] * 15},
    "needs image, center": {"center": "x"},
    "no finite number": {"scale": float("nan")},
    "or the scale not above 0": {"scale": 0.0},
    "labelled joint is no finite": {"joints": [[float("nan"), 2.0]] * 16},
    "outside": {"image": "/etc/passwd"},
}


@pytest.mark.parametrize("message", JSON_BREAKS)
def test_damage_in_json_is_one_line(tmp_path: Path, message: str) -> None:
    (tmp_path / "annot").mkdir()
    path = tmp_path / "annot" / "train.json"
    path.write_text(json.dumps([ROW, {**ROW, **JSON_BREAKS[message]}]))
    with pytest.raises(DataError, match=message) as caught:
        read_mpii_json(tmp_path, "train")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_damage_in_h5_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        open_mpii(tmp_path / "none")
    with pytest.raises(DataError, match=r"no annot/train.json"):
        open_mpii(tmp_path)
    people = crowd(3, 2)
    path = write_mpii_h5(tmp_path, "valid", people)
    with h5py.File(path, "a") as file:
        file["part"][1, 2] = np.nan
    with pytest.raises(DataError, match="person 1"):
        read_mpii_h5(tmp_path, "valid")
    with h5py.File(path, "a") as file:
        del file["part"]
        file["part"] = np.zeros((2, 15, 2))
    with pytest.raises(DataError, match=r"\(2, 15, 2\), expected \(2, 16, 2\)"):
        read_mpii_h5(tmp_path, "valid")
    path.write_text("text")
    with pytest.raises(DataError, match="unreadable"):
        read_mpii_h5(tmp_path, "valid")


def test_names_as_numbers_of_characters(tmp_path: Path) -> None:
    people = crowd(4, 3)
    path = write_mpii_h5(tmp_path, "train", people)
    with h5py.File(path, "a") as file:
        names = [name.decode() for name in file["imgname"][()]]
        del file["imgname"]
        file["imgname"] = np.array([[float(ord(c)) for c in name] + [0.0] for name in names])
    assert [s.image_path.name for s in read_mpii_h5(tmp_path, "train").samples] == names


def test_writers_refuse_what_a_form_cannot_hold(tmp_path: Path) -> None:
    someone = person(np.random.default_rng(5))
    with pytest.raises(DataError, match="square"):
        write_mpii_json(tmp_path, "a", [replace(someone, box_xyxy=np.array([0, 0, 5, 9.0]))])
    with pytest.raises(DataError, match="no head box"):
        write_head_boxes(tmp_path, [replace(someone, head_box_xyxy=None)])
    with pytest.raises(DataError, match="in test"):
        write_mpii_mat(tmp_path, [someone], [someone])
    corner = np.full((16, 2), -1.0)
    with pytest.raises(DataError, match="h5"):
        write_mpii_h5(tmp_path, "a", [replace(someone, keypoints_px=corner)])


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
    rows = [{**ROW, **change} for change in JSON_BREAKS.values()]
    (tmp_path / "annot" / "valid.json").write_text(json.dumps(rows))
    report = verify_mpii(tmp_path)
    text = "\n".join(report.problems)
    assert text.count("valid.json, person") == 5 and "outside" in text and "truncated" in text
    assert "4 train.json people, the official set has 22246" in text
    assert [p.name for p in report.missing if p.name.startswith("0")] == ["000000000.jpg"]


REAL = os.environ.get("INFANTPOSE_REAL_DATA")


@pytest.mark.skipif(not REAL, reason="INFANTPOSE_REAL_DATA is not set: no real annotations here")
def test_real_json_and_h5_agree() -> None:
    """The h5's joints are the JSON's without their fraction; its length is 0.75 neck to head."""
    root = Path(REAL or "") / "mpii_samples"
    ours, theirs = read_mpii_json(root, "valid").samples, read_mpii_h5(root, "valid").samples
    assert (len(ours), len(theirs)) == (5, 2958)
    neck, top = MPII_16.indices(["upper_neck", "head_top"])
    for sample in ours:
        twins = [t for t in theirs if t.image_path == sample.image_path]
        twin = min(twins, key=lambda t: np.abs(t.box_xyxy - sample.box_xyxy).max())
        np.testing.assert_allclose(twin.box_xyxy, sample.box_xyxy, atol=1e-3)
        assert np.array_equal(twin.visibility > 0, sample.visibility > 0)
        apart = sample.keypoints_px - twin.keypoints_px
        assert np.nanmin(apart) >= 0 and np.nanmax(apart) < 1
        head = np.linalg.norm(sample.keypoints_px[neck] - sample.keypoints_px[top])
        assert twin.head_length_px == pytest.approx(0.75 * head, rel=1e-3)
        with Image.open(sample.image_path) as image:
            assert (np.nan_to_num(sample.keypoints_px) < image.size).all()

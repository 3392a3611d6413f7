"""MPII in three forms: what is written is read, the forms agree, damage is named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import loadmat, savemat

from Datasets.layouts.mpii import MAT
from Datasets.readers.mpii import open_mpii, read_mpii_h5, read_mpii_json, read_mpii_mat
from Datasets.skeletons import INFANT, LSP_14, MPII_16
from Datasets.skeletons.convert import joint_map
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE, Crop, DataError, PoseSample
from Datasets.verify.mpii import verify_mpii
from Datasets.writers.mpii import (
    write_gt_valid_mat,
    write_mpii_h5,
    write_mpii_json,
    write_mpii_mat,
)

SHARED = [HealthCheck.function_scoped_fixture]
BARE = {"keypoints_px": np.full((16, 2), np.nan), "visibility": np.zeros(16, np.uint8)}


def person(rng: np.random.Generator, name: str = "a.jpg", **more) -> PoseSample:
    """Somebody with random joints, some hidden, some unlabelled."""
    visibility = rng.integers(0, 3, 16).astype(np.uint8)
    visibility[0] = VISIBLE
    joints = np.where(visibility[:, None] > 0, rng.uniform(-5, 300, (16, 2)), np.nan)
    middle, half = rng.uniform(50, 200, 2), rng.uniform(20, 150)
    head = np.sort(rng.uniform(5, 200, (2, 2)), axis=0).ravel()
    return PoseSample(
        Path(name), MPII_16, joints, visibility, head_box_xyxy=head,
        box_xyxy=np.concatenate([middle - half, middle + half]),
        head_length_px=0.6 * float(np.linalg.norm(head[2:] - head[:2])), **more,
    )  # fmt: skip


def crowd(seed: int, count: int) -> list[PoseSample]:
    """Two people an image."""
    rng = np.random.default_rng(seed)
    return [
        person(
            rng, f"{i // 2:09d}.jpg", image_id=i // 2, annotation_id=i % 2,
            sequence=("", "a video")[i // 2 % 2], frame=i // 2 % 2 * 7,
            activity=("dancing", "", "sports: ball, with feet")[i // 2 % 3],
        )
        for i in range(count)
    ]  # fmt: skip


def same(ours: PoseSample, theirs: PoseSample, *fields: str, occlusion: bool = True) -> None:
    seen = ours.visibility if occlusion else np.where(ours.visibility > 0, VISIBLE, UNLABELLED)
    assert np.array_equal(theirs.visibility, seen) and theirs.visibility.dtype == np.uint8
    assert theirs.image_path.name == ours.image_path.name
    for name in ("keypoints_px", "box_xyxy", *fields):
        theirs_value, ours_value = getattr(theirs, name), getattr(ours, name)
        if isinstance(ours_value, str):
            assert theirs_value == ours_value
        else:
            np.testing.assert_allclose(theirs_value, ours_value, atol=1e-9)


@settings(max_examples=15, deadline=None, suppress_health_check=SHARED)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 7))
def test_all_forms_give_back_what_was_written(tmp_path: Path, seed: int, count: int) -> None:
    people = crowd(seed, count)
    write_mpii_json(tmp_path, "valid", people)
    write_gt_valid_mat(tmp_path, people)
    write_mpii_h5(tmp_path, "valid", people)
    write_mpii_mat(tmp_path, people)
    numbers = ("image_id", "annotation_id")
    heads = ("head_box_xyxy", "head_length_px")
    forms = (
        (read_mpii_json(tmp_path, "valid"), heads),
        (read_mpii_h5(tmp_path, "valid"), ("head_length_px", *numbers)),
        (read_mpii_mat(tmp_path, "train"), (*heads, *numbers, "activity", "sequence", "frame")),
    )
    for data, fields in forms:
        assert len(data) == count
        for ours, theirs in zip(people, data.samples, strict=True):
            same(ours, theirs, *fields, occlusion=data is not forms[0][0])
    assert forms[0][0].samples[0].image_path == tmp_path / "images" / "000000000.jpg"


@settings(max_examples=10, deadline=None, suppress_health_check=SHARED)
@given(seed=st.integers(0, 2**32 - 1))
def test_people_without_labels_are_the_test_part(tmp_path: Path, seed: int) -> None:
    people = crowd(seed, 4)
    bare = [replace(p, **BARE, head_box_xyxy=None, head_length_px=None) for p in people[2:]]
    write_mpii_mat(tmp_path, people[:2], bare)
    write_mpii_json(tmp_path, "test", bare)
    for data in (read_mpii_mat(tmp_path, "test"), read_mpii_json(tmp_path, "test")):
        assert len(data) == 2
        for ours, theirs in zip(bare, data.samples, strict=True):
            same(ours, theirs)
            assert theirs.head_box_xyxy is None and theirs.head_length_px is None
    assert "joints" not in json.loads((tmp_path / "annot/test.json").read_text())[0]
    assert len(read_mpii_mat(tmp_path, "all")) == 2


def test_the_padded_box_is_the_published_crop(tmp_path: Path) -> None:
    """HRNet: centre moved down by 15 scale, scale times 1.25, both minus 1, side 200 scale."""
    rows(tmp_path, {**ROW, "scale": 2.0, "center": [100.0, 80.0], "joints": [[1, 1]] * 16})
    sample = read_mpii_json(tmp_path, "train").samples[0]
    crop = Crop.around(sample.box_xyxy, 256, margin=1.25)
    assert crop.scale == pytest.approx(256 / (200 * 2.0 * 1.25))
    middle = crop.to_image(np.array([127.5, 127.5]))
    np.testing.assert_allclose(middle, [99.0, 80 + 30 - 1])
    assert (sample.keypoints_px == 0).all()


def test_a_tight_box_is_kept_as_the_square_that_crops_alike(tmp_path: Path) -> None:
    tight = replace(person(np.random.default_rng(0)), box_xyxy=np.array([10.0, 20.0, 40.0, 120.0]))
    write_mpii_json(tmp_path, "train", [tight])
    read = read_mpii_json(tmp_path, "train").samples[0]
    np.testing.assert_allclose(read.box_xyxy, [-25, 20, 75, 120])
    ours, theirs = Crop.around(tight.box_xyxy, 64), Crop.around(read.box_xyxy, 64)
    np.testing.assert_allclose(ours.matrix, theirs.matrix)


def test_splits_never_mix_validation_into_training(tmp_path: Path) -> None:
    people = crowd(1, 6)
    write_mpii_mat(tmp_path, people)
    write_mpii_h5(tmp_path, "train", people)
    with pytest.raises(DataError, match=r"no split 'validation'; its annot/\*.h5 are train"):
        open_mpii(tmp_path, "validation")
    write_mpii_json(tmp_path, "trainval", people)
    with pytest.raises(DataError, match=r"no split 'train'; its annot/\*.json are trainval"):
        open_mpii(tmp_path, "train")
    assert len(open_mpii(tmp_path)) == 6
    write_mpii_json(tmp_path, "valid", people[4:])
    assert len(open_mpii(tmp_path)) == 2
    write_mpii_json(tmp_path, "train", people[:4])
    names = ("train", "validation", "valid", "trainval", "all")
    assert [len(open_mpii(tmp_path, name)) for name in names] == [4, 2, 2, 6, 6]
    named = {s.image_path for s in open_mpii(tmp_path, "train").samples}
    assert not named & {s.image_path for s in open_mpii(tmp_path, "validation").samples}


def test_h5_is_taken_where_there_is_no_json(tmp_path: Path) -> None:
    people = crowd(1, 6)
    write_mpii_mat(tmp_path, people)
    write_mpii_h5(tmp_path, "train", people[:4])
    write_mpii_h5(tmp_path, "valid", people[4:])
    assert [len(open_mpii(tmp_path, s)) for s in ("train", "validation", "all")] == [4, 2, 6]
    assert open_mpii(tmp_path, "train").samples[0].head_box_xyxy is None


@pytest.mark.parametrize("folder", ["", "annot", "annotations", "mpii_human_pose_v1_u12_2"])
def test_the_official_file_alone_says_that_it_holds_both(tmp_path: Path, folder: str) -> None:
    path = write_mpii_mat(tmp_path, crowd(2, 5))
    (tmp_path / folder).mkdir(exist_ok=True)
    path.rename(tmp_path / folder / MAT)
    data = open_mpii(tmp_path, "train")
    assert len(data) == 5 and "most papers validate on" in data.notes[0]
    assert [len(open_mpii(tmp_path, s)) for s in ("all", "trainval", "test")] == [5, 5, 0]
    with pytest.raises(DataError, match=r"no split 'validation'; .*annot/valid.json names"):
        open_mpii(tmp_path, "validation")


def test_people_who_stand_apart_can_be_asked_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    places = ([0, 0, 100, 100], [40, 40, 140, 140], [200, 0, 300, 100])
    people = [replace(person(rng), box_xyxy=np.array(p, float)) for p in places]
    write_mpii_mat(tmp_path, [*people, person(rng, "b.jpg")])
    alone = read_mpii_mat(tmp_path, "train", single_person=True).samples
    assert [(s.image_path.name, s.annotation_id) for s in alone] == [("a.jpg", 2), ("b.jpg", 0)]
    assert len(read_mpii_mat(tmp_path, "train")) == 4


@pytest.mark.parametrize("form", ["json", "h5", "mat"])
def test_other_joints(tmp_path: Path, form: str) -> None:
    people = crowd(4, 3)
    writers = {"json": write_mpii_json, "h5": write_mpii_h5}
    if form == "mat":
        write_mpii_mat(tmp_path, people)
    else:
        writers[form](tmp_path, "train", people)
    data = open_mpii(tmp_path, "train", INFANT)
    mapping = joint_map(MPII_16, INFANT)
    for ours, theirs in zip(people, data.samples, strict=True):
        assert theirs.skeleton == data.skeleton == INFANT
        np.testing.assert_allclose(theirs.keypoints_px, mapping.apply(ours.keypoints_px))
    again = tmp_path / "again"
    write_mpii_json(again, "train", data.samples)
    for ours, theirs in zip(people, read_mpii_json(again, "train").samples, strict=True):
        same(ours, theirs, occlusion=False)
    with pytest.raises(KeyError, match="no joint map"):
        open_mpii(tmp_path, "train", LSP_14)


def structs(*rows: dict) -> np.ndarray:
    result = np.empty((1, len(rows)), dtype=[(key, object) for key in rows[0]])
    for i, row in enumerate(rows):
        for key, value in row.items():
            result[key][0, i] = value
    return result


def release(root: Path, *images: dict, flags: list[float] | None = None, **more) -> Path:
    content = {"annolist": structs(*images), "img_train": np.array([flags or [1.0] * len(images)])}
    savemat(root / MAT, {"RELEASE": structs({**content, **more})})
    return root / MAT


def rect(*points: dict, **more) -> dict:
    place = {"scale": 1.0, "objpos": structs({"x": 10.0, "y": 20.0})}
    inner = structs({"point": structs(*points)}) if points else np.zeros((0, 0))
    return {"annopoints": inner, **place, **more}


EMPTY = np.zeros((0, 0))
POINT = {"x": 11.0, "y": 21.0, "id": 9.0, "is_visible": EMPTY}


def test_every_irregularity_of_the_official_file_is_read(tmp_path: Path) -> None:
    flags = [{"is_visible": f} for f in ("0", "1", 0.0, 1.0, np.uint8(0), "", EMPTY)]
    points = [{**POINT, **flag, "id": float(i)} for i, flag in enumerate(flags)]
    lost = {"annopoints": EMPTY, "scale": EMPTY, "objpos": EMPTY}
    placed = {"scale": 1.0, "objpos": structs({"x": 10.0, "y": 20.0})}
    release(
        tmp_path,
        {"image": structs({"name": "one.jpg"}), "annorect": structs(rect(POINT))},
        {"image": structs({"name": "none.jpg"}), "annorect": EMPTY},
        {"image": structs({"name": "two.jpg"}),
         "annorect": structs(rect(*points), rect(), lost, {**rect(POINT), "objpos": EMPTY})},
        {"image": structs({"name": "head.jpg"}),
         "annorect": structs({"x1": 1.0, "y1": 1.0, "x2": 4.0, "y2": 5.0})},
        {"image": structs({"name": "test.jpg"}), "annorect": structs(placed)},
        {"image": structs({"name": "more.jpg"}), "annorect": structs(lost, rect())},
        flags=[1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
    )  # fmt: skip
    data = read_mpii_mat(tmp_path, "train")
    first, second = data.samples
    assert first.visibility[9] == VISIBLE and first.visibility.sum() == VISIBLE
    np.testing.assert_array_equal(first.keypoints_px[9], [10, 20])
    np.testing.assert_allclose(first.box_xyxy, [9 - 100, 19 + 15 - 100, 109, 134])
    assert first.head_box_xyxy is None and first.activity == first.sequence == ""
    states = [OCCLUDED, VISIBLE, OCCLUDED, VISIBLE, OCCLUDED, VISIBLE, VISIBLE, UNLABELLED]
    assert second.visibility[:8].tolist() == states
    assert "4 rectangles without centre, scale and joints" in data.notes[1]
    test = read_mpii_mat(tmp_path, "test")
    assert [s.image_path.name for s in test.samples] == ["test.jpg", "more.jpg"]
    assert test.notes == ("1 rectangles without centre and scale are left out",)


def test_one_image_one_person_one_joint_is_no_list(tmp_path: Path) -> None:
    act = structs({"cat_name": "rest", "act_name": "sleeping", "act_id": 4.0})
    videos = np.empty((1, 1), dtype=object)
    videos[0, 0] = "clip"
    head = {"x1": 1.0, "y1": 1.0, "x2": 4.0, "y2": 5.0}
    image = {"image": structs({"name": "a.jpg"}), "annorect": structs(rect(POINT, **head))}
    release(tmp_path, {**image, "vididx": 1.0, "frame_sec": 12.0}, act=act, video_list=videos)
    (sample,) = read_mpii_mat(tmp_path, "train").samples
    assert (sample.activity, sample.sequence, sample.frame) == ("rest: sleeping", "clip", 12)
    assert sample.head_box_xyxy.tolist() == [0, 0, 3, 4]
    assert sample.head_length_px == pytest.approx(0.6 * 5)


def at(x: float, y: float) -> np.ndarray:
    return structs({"x": x, "y": y})


def one(**point) -> dict:
    return {"annorect": structs(rect({**POINT, **point}))}


MAT_BREAKS = {
    "person 1: joint number 16 is not 0 to 15": one(id=16.0),
    "joint number nan is not": one(id="x"),
    "joint 3 has no finite x": one(x=np.nan, id=3.0),
    "centre is no finite": {"annorect": structs(rect(POINT, objpos=at(1.0, np.nan)))},
    "the centre is no": {"annorect": structs(rect(POINT, objpos=at(np.nan, np.nan)))},
    "the scale is no number above 0": {"annorect": structs(rect(POINT, scale=0.0))},
    "names '../a.jpg', outside": {"image": structs({"name": "../a.jpg"}), **one()},
    "image 2 has no name": {"image": EMPTY, **one()},
}  # fmt: skip


@pytest.mark.parametrize("message", MAT_BREAKS)
def test_damage_in_the_official_file_is_one_line(tmp_path: Path, message: str) -> None:
    good = {"image": structs({"name": "a.jpg"}), **one()}
    path = release(tmp_path, good, {**good, **MAT_BREAKS[message]})
    with pytest.raises(DataError, match=message) as caught:
        read_mpii_mat(tmp_path, "train")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_mpii(tmp_path).problems


def v73(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512):
        pass
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


MAT_FILES: dict[str, Callable[[Path], object]] = {
    "expected version 5 to 7": v73,
    "no MATLAB file": lambda path: path.write_bytes(b"text, no MATLAB file at all" * 20),
    "no RELEASE.annolist": lambda path: savemat(path, {"OTHER": 1}),
    "RELEASE.annolist; use": lambda path: savemat(path, {"RELEASE": {"annolist": EMPTY}}),
    "img_train has 2 values for 1 images": lambda path: release(
        path.parent, {"image": structs({"name": "a.jpg"}), **one()}, flags=[1.0, 0.0]
    ),
}


@pytest.mark.parametrize("message", MAT_FILES)
def test_wrong_files_in_the_place_of_the_official_one(tmp_path: Path, message: str) -> None:
    MAT_FILES[message](tmp_path / MAT)
    with pytest.raises(DataError, match=message) as caught:
        open_mpii(tmp_path, "train")
    assert MAT in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_mpii(tmp_path).problems


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
    sample = read_mpii_json(tmp_path, "train").samples[0]
    assert np.isnan(sample.keypoints_px[0]).all() and sample.visibility[0] == UNLABELLED
    assert sample.keypoints_px[1].tolist() == [-0.5, -0.75]
    assert sample.head_box_xyxy is None and sample.head_length_px is None
    rows(tmp_path, {"image": "b.jpg", "center": [-1, -1], "scale": -1}, split="test")
    assert read_mpii_json(tmp_path, "test").samples[0].box_xyxy is None


JSON_BREAKS = {
    "has 15 joints, expected 16": {"joints": [[2.0, 2.0]] * 15},
    "has 1 joints, expected 16": {"joints": [[2.0, 2.0]]},
    "needs image, center": {"center": "x"},
    "needs image, center, scale": {"image": 7},
    "16 joints and 16 joints_vis": {"joints_vis": [1] * 15},
    "the scale is no number above 0": {"scale": float("nan")},
    "scale is no number above 0; correct": {"scale": 0.0},
    "the centre is no finite number": {"center": [float("nan"), 4.0]},
    "labelled joint is no finite": {"joints": [[float("nan"), 2.0]] * 16},
    "joints_vis is 0 or 1": {"joints_vis": [3] * 16},
    "outside": {"image": "/etc/passwd"},
}


@pytest.mark.parametrize("message", JSON_BREAKS)
def test_damage_in_json_is_one_line(tmp_path: Path, message: str) -> None:
    path = rows(tmp_path, ROW, {**ROW, **JSON_BREAKS[message]})
    with pytest.raises(DataError, match=message) as caught:
        read_mpii_json(tmp_path, "train")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_mpii(tmp_path).problems


def test_entries_that_are_nobody(tmp_path: Path) -> None:
    rows(tmp_path, 5)
    with pytest.raises(DataError, match="person 0 needs image"):
        read_mpii_json(tmp_path, "train")
    (tmp_path / "annot/train.json").write_text("{}")
    with pytest.raises(DataError, match="no list of people"):
        read_mpii_json(tmp_path, "train")
    rows(tmp_path, {key: ROW[key] for key in ("image", "center", "scale")})
    with pytest.raises(DataError, match="16 joints"):
        read_mpii_json(tmp_path, "train")
    with pytest.raises(DataError, match="does not exist"):
        open_mpii(tmp_path / "none")
    with pytest.raises(DataError, match=r"valid.json does not exist"):
        read_mpii_json(tmp_path, "valid")
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
        read_mpii_json(tmp_path, "valid")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_mpii(tmp_path).problems
    path.write_bytes(b"no MATLAB file" * 20)
    with pytest.raises(DataError, match="no MATLAB file"):
        read_mpii_json(tmp_path, "valid")


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
    r"\(2, 15, 2\), expected \(2, 16, 2\)": replaced("part", np.zeros((2, 15, 2))),
    "no array 'visible'": replaced("visible", None),
    "'normalize' has shape": replaced("normalize", np.zeros(3)),
    "no readable HDF5 file": replaced("scale", np.array([b"x", b"y"])),
    "names '../x.jpg', outside": replaced("imgname", np.array([b"a.jpg", b"../x.jpg"])),
    "'imgname' holds no file names": replaced("imgname", np.array([[-1.0], [300.0]])),
}


@pytest.mark.parametrize("message", H5_BREAKS)
def test_damage_in_h5_is_one_line(tmp_path: Path, message: str) -> None:
    path = write_mpii_h5(tmp_path, "valid", crowd(3, 2))
    with h5py.File(path, "a") as file:
        H5_BREAKS[message](file)
    with pytest.raises(DataError, match=message) as caught:
        read_mpii_h5(tmp_path, "valid")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_mpii(tmp_path).problems
    path.write_text("text")
    with pytest.raises(DataError, match="no readable HDF5"):
        read_mpii_h5(tmp_path, "valid")


def test_h5_as_others_write_it(tmp_path: Path) -> None:
    """Names as numbers of characters, and no more than labels; the length may be unknown."""
    people = [replace(p, head_length_px=None, head_box_xyxy=None) for p in crowd(4, 3)]
    path = write_mpii_h5(tmp_path, "train", people)
    assert read_mpii_h5(tmp_path, "train").samples[0].head_length_px is None
    with h5py.File(path, "a") as file:
        names = [name.decode() for name in file["imgname"][()]]
        codes = np.array([[float(ord(c)) for c in name] + [0.0] for name in names])
        replaced("imgname", codes)(file)
        for key in ("normalize", "index", "person"):
            del file[key]
    read = read_mpii_h5(tmp_path, "train").samples
    assert [s.image_path.name for s in read] == names
    assert read[0].head_length_px is read[0].image_id is read[0].annotation_id is None


def test_writers_refuse_what_a_form_cannot_hold(tmp_path: Path) -> None:
    whole = person(np.random.default_rng(5))
    boxless, flat = replace(whole, box_xyxy=None), replace(whole, box_xyxy=np.ones(4))
    nowhere = replace(whole, keypoints_px=np.full((16, 2), np.nan))
    for bad, message in ((boxless, "no box"), (flat, "empty box"), (nowhere, "not finite")):
        for write in (write_mpii_json, write_mpii_h5):
            with pytest.raises(DataError, match=message):
                write(tmp_path, "train", [whole, bad])
        with pytest.raises(DataError, match=message):
            write_mpii_mat(tmp_path, [whole, bad])
    with pytest.raises(DataError, match="no head box"):
        write_gt_valid_mat(tmp_path, [replace(whole, head_box_xyxy=None)])
    with pytest.raises(DataError, match="in train and in test"):
        write_mpii_mat(tmp_path, [whole], [whole])
    with pytest.raises(DataError, match="official test people are not"):
        write_mpii_mat(tmp_path, [], [whole])
    with pytest.raises(DataError, match="holds no joints"):
        write_mpii_json(tmp_path, "test", [whole])
    with pytest.raises(DataError, match="no h5 value"):
        write_mpii_h5(tmp_path, "train", [replace(whole, keypoints_px=np.full((16, 2), -1.0))])
    for write in (write_mpii_mat, write_gt_valid_mat, lambda r, s: write_mpii_h5(r, "valid", s)):
        with pytest.raises(DataError, match="no people"):
            write(tmp_path, [])
    assert not any(tmp_path.rglob("*.*"))


def test_images_below_the_folder_keep_their_path(tmp_path: Path) -> None:
    inner = tmp_path / "images" / "sub" / "a.jpg"
    write_mpii_mat(tmp_path, [person(np.random.default_rng(6), str(inner))])
    assert read_mpii_mat(tmp_path, "train").samples[0].image_path == inner


def test_the_same_people_give_the_same_bytes(tmp_path: Path) -> None:
    people = crowd(7, 4)
    for root in (tmp_path / "a", tmp_path / "b"):
        write_mpii_mat(root, people)
        write_gt_valid_mat(root, people)
        write_mpii_h5(root, "valid", people)
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) == 3
    for path in files:
        twin = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert path.read_bytes() == twin.read_bytes()


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
    assert text.count("valid.json, person") == 10 and "outside" in text and "truncated" in text
    assert "not valid JSON" in text and "no readable HDF5" in text
    assert "1 images are in train and in valid" in text
    for line in ("4 train.json people, the official set has 22246", "2 images, the official"):
        assert line in text
    assert "train.json people: 4 (official 22246)" in report.counts
    assert "000000000.jpg" in {path.name for path in report.missing}
    assert "no gt_valid.mat beside" in report.notes[0]


REAL = os.environ.get("INFANTPOSE_REAL_DATA")


@pytest.mark.skipif(not REAL, reason="INFANTPOSE_REAL_DATA is not set: no real annotations here")
def test_real_json_and_h5_agree() -> None:
    """The h5's joints are the JSON's without their fraction; its length is 0.75 neck to head."""
    root = Path(REAL or "") / "mpii_samples"
    ours, theirs = open_mpii(root, "validation").samples, read_mpii_h5(root, "valid").samples
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


@pytest.mark.skipif(not REAL, reason="INFANTPOSE_REAL_DATA is not set: no real annotations here")
def test_verify_says_that_the_real_samples_are_a_part() -> None:
    report = verify_mpii(Path(REAL or "") / "mpii_samples")
    assert report.problems == ("5 valid.json people, the official set has 2958",)
    assert "valid.h5 people: 2958 (official 2958)" in report.counts
    assert len(report.missing) > 2000 and all(p.suffix == ".jpg" for p in report.missing)

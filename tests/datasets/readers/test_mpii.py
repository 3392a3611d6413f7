"""MPII in three forms: what is written is read, the forms agree, damage is named."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import loadmat

from Datasets.layouts.mpii import MAT
from Datasets.readers.mpii import open_mpii
from Datasets.skeletons import INFANT, LSP_14, MPII_16
from Datasets.skeletons.convert import joint_map
from Datasets.structures import UNLABELLED, VISIBLE, Crop, PoseSample
from Datasets.verify.mpii import verify_mpii
from Datasets.writers.mpii import (
    write_gt_valid_mat,
    write_mpii_h5,
    write_mpii_json,
    write_mpii_mat,
)
from Engine.errors import DataError

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
        (open_mpii(tmp_path, "valid", form="json"), heads),
        (open_mpii(tmp_path, "valid", form="h5"), ("head_length_px", *numbers)),
        (
            open_mpii(tmp_path, "train", form="mat"),
            (*heads, *numbers, "activity", "sequence", "frame"),
        ),
    )
    for data, fields in forms:
        assert len(data) == count
        for ours, theirs in zip(people, data.samples, strict=True):
            same(ours, theirs, *fields, occlusion=data is not forms[0][0])
    assert forms[0][0].samples[0].image_path == tmp_path / "images" / "000000000.jpg"
    assert {sample.age for data, *_ in forms for sample in data.samples} == {"adult"}


@settings(max_examples=10, deadline=None, suppress_health_check=SHARED)
@given(seed=st.integers(0, 2**32 - 1))
def test_people_without_labels_are_the_test_part(tmp_path: Path, seed: int) -> None:
    people = crowd(seed, 4)
    bare = [replace(p, **BARE, head_box_xyxy=None, head_length_px=None) for p in people[2:]]
    write_mpii_mat(tmp_path, people[:2], bare)
    write_mpii_json(tmp_path, "test", bare)
    for data in (open_mpii(tmp_path, "test", form="mat"), open_mpii(tmp_path, "test", form="json")):
        assert len(data) == 2
        for ours, theirs in zip(bare, data.samples, strict=True):
            same(ours, theirs)
            assert theirs.head_box_xyxy is None and theirs.head_length_px is None
    assert "joints" not in json.loads((tmp_path / "annot/test.json").read_text())[0]
    assert len(open_mpii(tmp_path, "all", form="mat")) == 2


def test_the_padded_box_is_the_published_crop(tmp_path: Path) -> None:
    """HRNet: centre moved down by 15 scale, scale times 1.25, both minus 1, side 200 scale."""
    row = {"image": "a.jpg", "scale": 2.0, "center": [100.0, 80.0], "joints": [[1, 1]] * 16}
    (tmp_path / "annot").mkdir()
    text = json.dumps([{**row, "joints_vis": [1] * 16}])
    (tmp_path / "annot" / "train.json").write_text(text)
    sample = open_mpii(tmp_path, "train", form="json").samples[0]
    crop = Crop.around(sample.box_xyxy, 256, margin=1.25)
    assert crop.scale == pytest.approx(256 / (200 * 2.0 * 1.25))
    middle = crop.to_image(np.array([127.5, 127.5]))
    np.testing.assert_allclose(middle, [99.0, 80 + 30 - 1])
    assert (sample.keypoints_px == 0).all()


def test_a_tight_box_is_kept_as_the_square_that_crops_alike(tmp_path: Path) -> None:
    tight = replace(person(np.random.default_rng(0)), box_xyxy=np.array([10.0, 20.0, 40.0, 120.0]))
    write_mpii_json(tmp_path, "train", [tight])
    read = open_mpii(tmp_path, "train", form="json").samples[0]
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


def test_people_who_stand_apart_are_written_by_their_numbers(tmp_path: Path) -> None:
    def alone() -> list[list[int]]:
        release = loadmat(tmp_path / MAT)["RELEASE"][0, 0]
        return [np.ravel(numbers).tolist() for numbers in release["single_person"][:, 0]]

    rng = np.random.default_rng(3)
    places = ([0, 0, 100, 100], [40, 40, 140, 140], [200, 0, 300, 100])
    people = [replace(person(rng), box_xyxy=np.array(p, float)) for p in places]
    write_mpii_mat(tmp_path, [*people, person(rng, "b.jpg")])
    assert alone() == [[3], [1]]
    write_mpii_mat(tmp_path, [people[0], people[2]])
    assert alone() == [[1, 2]]


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
    for ours, theirs in zip(people, open_mpii(again, "train", form="json").samples, strict=True):
        same(ours, theirs, occlusion=False)
    with pytest.raises(KeyError, match="no joint map"):
        open_mpii(tmp_path, "train", LSP_14)


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
    with pytest.raises(DataError, match="names in h5 are ASCII"):
        write_mpii_h5(tmp_path, "train", [replace(whole, image_path=Path("kind\u00e4.jpg"))])
    for write in (write_mpii_mat, write_gt_valid_mat, lambda r, s: write_mpii_h5(r, "valid", s)):
        with pytest.raises(DataError, match="no people"):
            write(tmp_path, [])
    assert not any(tmp_path.rglob("*.*"))


def test_images_below_the_folder_keep_their_path(tmp_path: Path) -> None:
    inner = tmp_path / "images" / "sub" / "a.jpg"
    write_mpii_mat(tmp_path, [person(np.random.default_rng(6), str(inner))])
    assert open_mpii(tmp_path, "train", form="mat").samples[0].image_path == inner


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


REAL = os.environ.get("INFANTPOSE_REAL_DATA")


@pytest.mark.skipif(not REAL, reason="INFANTPOSE_REAL_DATA is not set: no real annotations here")
def test_real_json_and_h5_agree() -> None:
    """The h5's joints are the JSON's without their fraction; its length is 0.75 neck to head."""
    root = Path(REAL or "") / "mpii_samples"
    ours, theirs = (
        open_mpii(root, "validation").samples,
        open_mpii(root, "valid", form="h5").samples,
    )
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
    assert report.problems == ["5 valid.json people, the official set has 2958"]
    assert "valid.h5 people: 2958 (official 2958)" in report.counts
    assert len(report.missing) > 2000 and all(p.suffix == ".jpg" for p in report.missing)

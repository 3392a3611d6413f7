"""LSP and LSP-extended: what is written is read, garbage is masked, damage is named."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from Datasets.readers.lsp import open_lsp
from Datasets.skeletons import INFANT, LSP_14, MINI_RGBD_25
from Datasets.skeletons.convert import joint_map
from Datasets.structures import UNLABELLED, VISIBLE, PoseSample
from Datasets.verify.lsp import verify_lsp
from Datasets.writers.lsp import write_lsp, write_lsp_image
from Engine.errors import DataError

EACH = pytest.mark.parametrize("extended", [False, True])


def person(rng: np.random.Generator, extended: bool) -> PoseSample:
    """A person with the visibilities that the layout knows, one joint at least."""
    visibility = rng.choice([0, 2] if extended else [1, 2], 14).astype(np.uint8)
    visibility[rng.integers(14)] = 2
    keypoints = np.where(visibility[:, None] > 0, rng.uniform(-20, 400, (14, 2)), np.nan)
    return PoseSample(Path("x.jpg"), LSP_14, keypoints, visibility)


def written(root: Path, extended: bool, count: int = 4, seed: int = 0) -> list[PoseSample]:
    """A whole folder; returns what it holds."""
    rng = np.random.default_rng(seed)
    samples = [person(rng, extended) for _ in range(count)]
    write_lsp(root, samples, extended)
    for number in range(1, count + 1):
        write_lsp_image(root, number, extended, np.full((20, 30, 3), 90, np.uint8))
    (root / "generator.json").write_text("{}")
    return samples


def changed(root: Path, change) -> Path:
    """Replace ``joints`` by what ``change`` returns."""
    path = root / "joints.mat"
    savemat(path, {"joints": change(loadmat(path)["joints"])})
    return path


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 5), extended=st.booleans())
def test_what_is_written_is_read(tmp_path: Path, seed: int, count: int, extended: bool) -> None:
    rng = np.random.default_rng(seed)
    samples = [person(rng, extended) for _ in range(count)]
    write_lsp(tmp_path, samples, extended)
    read = open_lsp(tmp_path).samples
    assert {sample.age for sample in read} == {"adult"}
    assert len(read) == count
    for number, (ours, theirs) in enumerate(zip(samples, read, strict=True), 1):
        np.testing.assert_array_equal(theirs.keypoints_px, ours.keypoints_px)
        np.testing.assert_array_equal(theirs.visibility, ours.visibility)
        name = f"im{number:05d}.jpg" if extended else f"im{number:04d}.jpg"
        assert theirs.image_path == tmp_path / "images" / name
        assert theirs.frame == theirs.image_id == number


def test_the_same_labels_are_the_same_bytes_on_another_day(tmp_path: Path, monkeypatch) -> None:
    written(tmp_path / "a", False)
    monkeypatch.setattr("time.asctime", lambda *_: "Sun Jan  1 00:00:00 2034")
    written(tmp_path / "b", False)
    first, second = (tmp_path / name / "joints.mat" for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_the_official_forms_are_written(tmp_path: Path) -> None:
    write_lsp(tmp_path / "a", [person(np.random.default_rng(0), False)] * 3)
    write_lsp(tmp_path / "b", [person(np.random.default_rng(0), True)] * 3, extended=True)
    assert loadmat(tmp_path / "a/joints.mat")["joints"].shape == (3, 14, 3)
    assert loadmat(tmp_path / "b/joints.mat")["joints"].shape == (14, 3, 3)


def test_the_flag_says_occluded_in_lsp_and_visible_in_lsp_extended(tmp_path: Path) -> None:
    joints = np.arange(84, dtype=np.float64).reshape(3, 14, 2)
    joints[2] = 0
    joints[2, 5, 0] = joints[2, 13, 1] = 1
    savemat(tmp_path / "joints.mat", {"joints": joints})
    first, second = open_lsp(tmp_path).samples
    assert [list(s.visibility).index(1) for s in (first, second)] == [5, 13]
    assert (first.visibility == 2).sum() == 13 and first.keypoints_px[5].tolist() == [10, 38]
    savemat(tmp_path / "joints.mat", {"joints": joints.transpose(1, 0, 2)})
    first, second = open_lsp(tmp_path).samples
    assert first.visibility.tolist() == [0] * 5 + [2] + [0] * 8
    assert np.isnan(first.keypoints_px).sum() == 26
    assert second.keypoints_px[13].tolist() == [27, 55]


@EACH
def test_image_names_tell_the_set_where_the_axes_are_swapped(tmp_path: Path, extended) -> None:
    samples = written(tmp_path, extended)
    changed(tmp_path, lambda joints: joints.transpose(1, 0, 2))
    for ours, theirs in zip(samples, open_lsp(tmp_path).samples, strict=True):
        np.testing.assert_array_equal(theirs.keypoints_px, ours.keypoints_px)
        np.testing.assert_array_equal(theirs.visibility, ours.visibility)
    assert verify_lsp(tmp_path).ok


def test_one_person_may_lose_the_last_axis(tmp_path: Path) -> None:
    samples = written(tmp_path, True, count=1)
    changed(tmp_path, lambda joints: joints[..., 0])
    np.testing.assert_array_equal(open_lsp(tmp_path).samples[0].visibility, samples[0].visibility)


def test_halves_train_and_test(tmp_path: Path) -> None:
    written(tmp_path / "lsp", False, count=6)
    numbers = {
        s: [p.frame for p in open_lsp(tmp_path / "lsp", s).samples] for s in ("train", "test")
    }
    assert numbers == {"train": [1, 2, 3], "test": [4, 5, 6]}
    written(tmp_path / "more", True, count=6)
    assert len(open_lsp(tmp_path / "more", "train")) == len(open_lsp(tmp_path / "more")) == 6
    with pytest.raises(DataError, match="LSP-extended: no split 'test', it has all, train"):
        open_lsp(tmp_path / "more", "test")
    with pytest.raises(DataError, match="no split 'validation', it has all, train, test"):
        open_lsp(tmp_path / "lsp", "validation")


def test_people_without_joints_are_left_out_and_said(tmp_path: Path) -> None:
    bare = PoseSample(Path("x"), LSP_14, np.full((14, 2), np.nan), np.zeros(14, np.uint8))
    write_lsp(tmp_path, [person(np.random.default_rng(1), True), bare, bare], extended=True)
    data = open_lsp(tmp_path)
    assert [s.frame for s in data.samples] == [1] and "2 people" in data.notes[0]


def test_the_box_holds_the_joints_with_a_tenth_around(tmp_path: Path) -> None:
    points = np.full((2, 14, 2), np.nan)
    points[0, :2] = [[10, 20], [210, 120]]
    points[1, 3] = [50, 60]
    people = [
        PoseSample(Path("x"), LSP_14, p, np.where(np.isnan(p[:, 0]), UNLABELLED, VISIBLE))
        for p in points
    ]
    write_lsp(tmp_path, people, extended=True)
    boxes = np.stack([sample.box_xyxy for sample in open_lsp(tmp_path).samples])
    assert boxes.tolist() == [[-10, 0, 230, 140], [42, 52, 58, 68]]


def test_other_joints(tmp_path: Path) -> None:
    written(tmp_path, False)
    plain, infant = open_lsp(tmp_path).samples[0], open_lsp(tmp_path, "all", INFANT).samples[0]
    back = joint_map(INFANT, LSP_14)
    np.testing.assert_array_equal(back.apply(infant.keypoints_px), plain.keypoints_px)
    assert infant.visibility[INFANT.index("upper_neck")] == plain.visibility[12]
    assert infant.visibility[INFANT.index("nose")] == 0
    np.testing.assert_array_equal(infant.box_xyxy, plain.box_xyxy)
    again = open_lsp(tmp_path, skeleton=INFANT).samples
    write_lsp(tmp_path / "again", again)
    np.testing.assert_array_equal(
        loadmat(tmp_path / "again/joints.mat")["joints"], loadmat(tmp_path / "joints.mat")["joints"]
    )


BREAKS = {
    r"shape \(3, 13, 4\)": lambda j: j[:, :13],
    r"shape \(3, 2, 14, 4\)": lambda j: np.stack([j, j], 1),
    "no numbers 'joints'": lambda j: np.array(["text"]),
    "person 2: the left_knee's place is not finite": lambda j: _with(j, (0, 4, 1), np.nan),
    "person 3: the head_top's place is not finite": lambda j: _with(j, (1, 13, 2), np.inf),
    "person 4: the neck's flag is not 0 or 1": lambda j: _with(j, (2, 12, 3), 2),
    "flag is not 0 or 1": lambda j: _with(j, (2, 0, 0), np.nan),
}


def _with(joints: np.ndarray, place: tuple, value: float) -> np.ndarray:
    joints = joints.copy()
    joints[place] = value
    return joints


@pytest.mark.parametrize("message", BREAKS)
def test_damage_is_one_line_with_the_file(tmp_path: Path, message: str) -> None:
    written(tmp_path, False)
    path = changed(tmp_path, BREAKS[message])
    with pytest.raises(DataError, match=message) as caught:
        open_lsp(tmp_path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_lsp(tmp_path).problems


def test_garbage_that_is_not_labelled_may_be_anything(tmp_path: Path) -> None:
    samples = written(tmp_path, True)
    joint = int(np.flatnonzero(samples[0].visibility == 0)[0])
    changed(tmp_path, lambda j: _with(j, (joint, 0, 0), np.nan))
    np.testing.assert_array_equal(open_lsp(tmp_path).samples[0].visibility, samples[0].visibility)


def test_files_that_are_no_joints(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        open_lsp(tmp_path / "none")
    with pytest.raises(DataError, match=r"joints\.mat does not exist"):
        open_lsp(tmp_path)
    with pytest.raises(DataError, match=r"holds no joints\.mat"):
        verify_lsp(tmp_path)
    path = tmp_path / "joints.mat"
    path.write_bytes(b"text, no MATLAB file at all" * 20)
    with pytest.raises(DataError, match="no MATLAB file"):
        open_lsp(tmp_path)
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n" * 9)
    with pytest.raises(DataError, match=r"7\.3"):
        open_lsp(tmp_path)
    savemat(path, {"other": np.zeros((3, 14, 2))})
    with pytest.raises(DataError, match="no numbers 'joints'"):
        open_lsp(tmp_path)


def test_the_writer_refuses_what_the_layout_cannot_say(tmp_path: Path) -> None:
    whole = person(np.random.default_rng(3), False)
    occluded = replace(whole, visibility=np.full(14, 1, np.uint8))
    unlabelled = replace(whole, visibility=np.zeros(14, np.uint8))
    broken = replace(whole, keypoints_px=np.full((14, 2), np.nan))
    cases = [
        (occluded, True, "sample 1: right_ankle is occluded"),
        (unlabelled, False, "sample 1: right_ankle is unlabelled"),
        (broken, False, "labelled joint is not finite"),
    ]
    for sample, extended, message in cases:
        with pytest.raises(DataError, match=message):
            write_lsp(tmp_path, [sample], extended)
    with pytest.raises(DataError, match="no samples"):
        write_lsp(tmp_path, [])
    assert not (tmp_path / "joints.mat").exists()
    with pytest.raises(KeyError):
        open_lsp(_folder(tmp_path, whole), skeleton=MINI_RGBD_25)


def _folder(root: Path, *samples: PoseSample) -> Path:
    write_lsp(root, samples)
    return root


@EACH
def test_verify_finds_everything_in_one_pass(tmp_path: Path, extended: bool) -> None:
    written(tmp_path, extended, count=14)
    assert verify_lsp(tmp_path).ok
    images = sorted((tmp_path / "images").iterdir())
    for path in images[2:]:
        path.unlink()
    images[0].write_bytes(b"text")
    images[1].write_bytes(images[1].read_bytes()[:100])
    axis = 1 if extended else 0
    changed(tmp_path, lambda j: _with(np.moveaxis(j, axis, 0), (2, 3, 5), 7).swapaxes(0, axis))
    report = verify_lsp(tmp_path)
    assert list(report.missing) == images[2:] and "... and 2 more" in str(report)
    for part in ("person 6: the left_hip's flag", "not a JPEG", f"{images[1].name} is damaged"):
        assert part in str(report), part
    (tmp_path / "generator.json").unlink()
    official = 10_000 if extended else 2_000
    assert f"the official set has {official}" in verify_lsp(tmp_path).problems[0]
    (tmp_path / "joints.mat").unlink()
    report = verify_lsp(tmp_path)
    assert report.missing[0].name == "joints.mat" and len(report.problems) == 2


REAL = os.environ.get("INFANTPOSE_REAL_DATA")


@pytest.mark.skipif(not REAL, reason="INFANTPOSE_REAL_DATA is not set: no real LSP-extended here")
def test_the_real_lsp_extended_reads_as_it_is() -> None:
    root = Path(REAL or "") / "lspet"
    truth = loadmat(root / "joints.mat")["joints"].transpose(2, 0, 1)
    samples = open_lsp(root, "train").samples
    assert len(samples) == 10_000 and samples[-1].image_path.is_file()
    seen = np.stack([s.visibility for s in samples]) == 2
    assert np.array_equal(seen, truth[..., 2] == 1) and 0.87 < seen.mean() < 0.89
    keypoints = np.stack([s.keypoints_px for s in samples])
    assert np.array_equal(keypoints[seen], truth[..., :2][seen].astype(float))
    assert np.isnan(keypoints[~seen]).all()
    assert truth[0, 0].tolist() == pytest.approx([0, -26.109114, 0])
    assert np.isnan(keypoints[0, 0]).all() and seen.sum() == 123_213
    # Left and right are the person's own: shoulders and hips point the same way.
    names = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
    places = (keypoints[:, LSP_14.index(name)] for name in names)
    left_shoulder, right_shoulder, left_hip, right_hip = places
    along = ((left_shoulder - right_shoulder) * (left_hip - right_hip)).sum(axis=1)
    assert (along[np.isfinite(along)] > 0).mean() > 0.85
    assert verify_lsp(root).ok

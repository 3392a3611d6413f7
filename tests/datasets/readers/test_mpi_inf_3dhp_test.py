"""MPI-INF-3DHP's test set: written, read, its cameras found again, broken; and real samples."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.layouts.mpi_inf_3dhp import ACTIVITIES, TEST_FRAMES, TEST_VALID
from Datasets.readers.frames import load_sample_image
from Datasets.readers.mpi_inf_3dhp import open_mpi_inf_3dhp
from Datasets.readers.mpi_inf_3dhp_test import (
    fit_intrinsics,
    read_mpi_inf_3dhp_test,
    read_test_labels,
)
from Datasets.skeletons import INFANT, MPI_INF_17
from Datasets.writers.mpi_inf_3dhp import universal, write_test_annotations, write_test_image
from Engine.errors import DataError

INTRINSICS = intrinsics_matrix(1500.1, 1502.7, 1017.4, 1043.1)
VALID = np.array([True, False, True, True])


def write(folder: Path, frames: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A test sequence without images; returns its labels (px, mm)."""
    generator = np.random.default_rng(seed)
    joints = generator.normal([0, 0, 4000], [300, 500, 200], (frames, 17, 3))
    keypoints = project(joints, INTRINSICS)
    valid = np.resize(VALID, frames)
    write_test_annotations(folder, keypoints, joints, np.arange(frames) % 7 + 1, valid)
    return keypoints, joints


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "TS1")
    return tmp_path


def test_official_tables() -> None:
    assert sum(TEST_VALID.values()) == 2929 and sum(TEST_FRAMES.values()) == 24888
    assert len(ACTIVITIES) == 7 and ACTIVITIES[4] == "On the Floor"


def test_valid_frames_with_activity_and_a_camera_found_again(root: Path) -> None:
    keypoints, joints = write(root / "TS1")
    dataset = read_mpi_inf_3dhp_test(root)
    assert [sample.frame for sample in dataset.samples] == [1, 3, 4]
    assert {sample.age for sample in dataset.samples} == {"adult"}
    assert [sample.activity for sample in dataset.samples] == [
        *("Standing/Walking", "Sitting", "Reaching/Crouching")
    ]
    for sample in dataset.samples:
        row = sample.frame - 1
        np.testing.assert_array_equal(sample.keypoints_px, keypoints[row])
        np.testing.assert_array_equal(sample.joints_mm, joints[row])
        np.testing.assert_allclose(sample.intrinsics, INTRINSICS, rtol=1e-9, atol=1e-9)
        assert (sample.visibility == 2).all() and sample.sequence == "TS1"
        assert sample.image_path == root / f"TS1/imageSequence/img_{sample.frame:06d}.jpg"
    (note,) = dataset.notes
    assert "focal lengths 1500.1 1502.7" in note and "at most 0.00 px" in note


def test_universal_labels(root: Path) -> None:
    _, joints = write(root / "TS1")
    sample = read_mpi_inf_3dhp_test(root, annotation="univ_annot3").samples[2]
    np.testing.assert_allclose(sample.joints_mm, universal(joints, MPI_INF_17)[3])
    assert sample.intrinsics is None


def test_images_skeletons_splits(root: Path) -> None:
    write(root / "mpi_inf_3dhp_test_set" / "TS2")
    write(root / "mpi_inf_3dhp_test_set" / "TS5")
    rgb = np.full((30, 40, 3), 200, dtype=np.uint8)
    write_test_image(root / "mpi_inf_3dhp_test_set" / "TS2", 1, rgb)
    dataset = open_mpi_inf_3dhp(root, "test", skeleton=INFANT)
    assert [sample.sequence for sample in dataset.samples] == ["TS2"] * 3 + ["TS5"] * 3
    assert dataset.notes[0] == "test: 2 of its 6 official sequences are here"
    assert load_sample_image(dataset.samples[0]).size == (40, 30)
    # The joints lie about (1000, 1000): outside that image. Without an image nobody knows.
    assert dataset.samples[0].visibility.max() == 1 and dataset.samples[3].visibility.max() == 2
    assert dataset.samples[0].box_xyxy is None and dataset.samples[3].box_xyxy is not None
    assert len(open_mpi_inf_3dhp(root, "TS5")) == len(open_mpi_inf_3dhp(root, "all")) / 2 == 3
    assert open_mpi_inf_3dhp(root, "TS5").notes[0].startswith("TS5: camera")
    with pytest.raises(DataError, match="TS1 does not exist"):
        open_mpi_inf_3dhp(root, "TS1-2")


def test_box_is_padded(tmp_path: Path) -> None:
    keypoints, joints = np.full((1, 17, 2), 100.0), np.zeros((1, 17, 3))
    keypoints[0, 0], joints[0, MPI_INF_17.index("neck")] = [150, 120], 500.0
    write_test_annotations(tmp_path / "TS1", keypoints, joints, np.array([1]))
    (sample,) = read_mpi_inf_3dhp_test(tmp_path).samples
    assert sample.box_xyxy.tolist() == [95, 95, 155, 125]
    assert sample.intrinsics is None  # all joints at the camera's height of 0 mm fit no camera


def test_older_files_with_the_same_content(root: Path) -> None:
    path = root / "TS1" / "annot_data.mat"
    expected = read_test_labels(path)
    with h5py.File(path) as file:
        content = {name: file[name][()].T for name in file}
    assert content["annot3"].shape == (3, 17, 1, 4)  # as MATLAB shows it
    savemat(path, content)
    found = read_test_labels(path)
    for name in ("keypoints_px", "joints_mm", "universal_mm", "valid", "activity"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    write(root / "TS1", frames=1)
    with h5py.File(path) as file:
        single = {name: file[name][()].T for name in file}
    single = {name: values.reshape(values.shape[:2]) for name, values in single.items()}
    savemat(path, single)  # MATLAB drops last axes of length 1
    assert read_test_labels(path).keypoints_px.shape == (1, 17, 2)


def test_header_is_matlab_7_3_and_bytes_repeat(root: Path) -> None:
    path = root / "TS1" / "annot_data.mat"
    before = path.read_bytes()
    assert before[:19] == b"MATLAB 7.3 MAT-file" and before[124:128] == b"\x00\x02IM"
    with pytest.raises(NotImplementedError):
        loadmat(path)
    write(root / "TS1")
    assert path.read_bytes() == before


def swap(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[h5py.File], None]:
    def damage(file: h5py.File) -> None:
        values = change(file[name][()])
        del file[name]
        file[name] = values

    return damage


def put(row: int, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(values: np.ndarray) -> np.ndarray:
        values[row].flat[0] = value
        return values

    return change


def link_away(file: h5py.File) -> None:
    del file["annot3"]
    file["annot3"] = h5py.ExternalLink("/elsewhere/secret.h5", "annot3")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (swap("annot2", lambda v: v[:, :, :16]), "expected numbers of shape (frames, 1, 17, 2)"),
        (swap("annot3", put(2, np.nan)), "frame 3: head_top is not finite in a valid frame"),
        (swap("activity_annotation", put(1, 8)), "frame 2: its activity is not 1 to 7"),
        (swap("activity_annotation", put(1, np.nan)), "frame 2: its activity is not"),
        (swap("activity_annotation", put(0, 1e300)), "frame 1: its activity is not"),
        (swap("valid_frame", lambda v: v[:3]), "unequal numbers of frames"),
        (swap("annot2", lambda v: v.astype("S5")), "'annot2' is |S5"),
        (link_away, "has no array 'annot3'"),
        (lambda file: file.pop("univ_annot3"), "has no array 'univ_annot3'"),
    ],
)
def test_bad_annotations(root: Path, damage: Callable[[h5py.File], None], words: str) -> None:
    path = root / "TS1" / "annot_data.mat"
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(DataError) as error:
        read_mpi_inf_3dhp_test(root)
    text = str(error.value)
    assert words in text and str(path) in text and "\n" not in text


def test_a_frame_that_does_not_count_may_lack_labels(root: Path) -> None:
    path = root / "TS1" / "annot_data.mat"
    with h5py.File(path, "r+") as file:
        file["annot2"][1] = np.nan
    samples = read_mpi_inf_3dhp_test(root).samples
    assert [sample.frame for sample in samples] == [1, 3, 4]
    assert all(np.isfinite(sample.keypoints_px).all() for sample in samples)


def test_damaged_files_and_bad_arguments(root: Path) -> None:
    path = root / "TS1" / "annot_data.mat"
    whole = path.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:600]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"annot_data\.mat"):
            read_mpi_inf_3dhp_test(root)
    path.unlink()
    with pytest.raises(DataError, match="does not exist"):
        read_mpi_inf_3dhp_test(root)
    with pytest.raises(DataError, match="'S1' is no test sequence"):
        read_mpi_inf_3dhp_test(root, ["S1"])
    with pytest.raises(DataError, match="annotation: 'x' is unknown"):
        read_mpi_inf_3dhp_test(root, annotation="x")
    with pytest.raises(DataError, match=r"holds no TS1 \.\.\. TS6"):
        read_mpi_inf_3dhp_test(root / "TS1")


def test_the_writer_refuses_what_the_layout_cannot_hold(tmp_path: Path) -> None:
    px, mm, act = np.zeros((2, 17, 2)), np.ones((2, 17, 3)), np.array([1, 7])
    for arguments, words in (
        ((px, mm * np.nan, act), "joints_mm is not finite"),
        ((px[:, :16], mm, act), "keypoints_px has shape"),
        ((px, mm, act[:1]), "activity has shape"),
        ((px, mm, act - 1), "activity must be 1 to 7"),
        ((px, mm, act, np.array([True])), "valid has shape"),
        ((px[:0], mm[:0], act[:0]), "at least one frame"),
    ):
        with pytest.raises(DataError, match=words):
            write_test_annotations(tmp_path / "TS1", *arguments)
    assert not (tmp_path / "TS1").exists()


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    activity=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    data=st.data(),
)
def test_round_trip(seed, activity, data, tmp_path_factory) -> None:
    frames = len(activity)
    valid = data.draw(st.lists(st.booleans(), min_size=frames, max_size=frames))
    generator = np.random.default_rng(seed)
    keypoints = generator.uniform(-100, 2100, (frames, 17, 2))
    joints = generator.normal([0, 0, 4000], 500, (frames, 17, 3))
    folder = tmp_path_factory.mktemp("3dhp") / "TS4"
    write_test_annotations(folder, keypoints, joints, np.array(activity), np.array(valid))
    found = read_test_labels(folder / "annot_data.mat")
    np.testing.assert_array_equal(found.keypoints_px, keypoints)
    np.testing.assert_array_equal(found.joints_mm, joints)
    np.testing.assert_array_equal(found.universal_mm, universal(joints, MPI_INF_17))
    assert found.activity.tolist() == activity and found.valid.tolist() == valid


@given(
    focal=st.tuples(st.floats(200, 3000), st.floats(200, 3000)),
    centre=st.tuples(st.floats(0, 2000), st.floats(0, 2000)),
    seed=st.integers(0, 1000),
)
def test_any_camera_is_found_again(focal, centre, seed) -> None:
    joints = np.random.default_rng(seed).normal([0, 0, 4000], 400, (2, 17, 3))
    camera = intrinsics_matrix(*focal, *centre)
    found, residual_px = fit_intrinsics(project(joints, camera), joints)
    np.testing.assert_allclose(found, camera, rtol=1e-6, atol=1e-6)
    assert residual_px < 1e-6


def test_no_camera_from_too_little() -> None:
    for joints in (np.zeros((0, 17, 3)), np.ones((1, 17, 3)), -np.ones((1, 17, 3))):
        keypoints = np.zeros((len(joints), 17, 2))
        assert fit_intrinsics(keypoints, joints)[0] is None


@pytest.fixture
def samples() -> Path:
    real = os.environ.get("INFANTPOSE_REAL_DATA")
    if not real:
        pytest.skip("INFANTPOSE_REAL_DATA is not set: no real samples here")
    folder = Path(real) / "mpi_inf_3dhp_samples"
    if not folder.is_dir():
        pytest.skip(f"no mpi_inf_3dhp_samples under {real}")
    return folder


@pytest.mark.parametrize("part", ["train", "test"])
def test_real_3d_labels_project_onto_2d_labels(samples: Path, part: str) -> None:
    cameras = json.loads((samples / f"cameras_{part}.json").read_text())
    labels = np.load(samples / f"test_3dhp_{part}.npz")
    for name, keypoints, joints in zip(labels["imgname"], labels["part"], labels["S"], strict=True):
        camera = cameras[str(name).rpartition("_")[0]]
        (fx, fy), (cx, cy) = np.ravel(camera["f"]), np.ravel(camera["c"])
        joints_mm = joints[:, :3] * 1000
        projected = project(joints_mm, intrinsics_matrix(fx, fy, cx, cy))
        residual = np.linalg.norm(projected - keypoints[:, :2], axis=1)
        print(f"{name}: {residual.mean():.3f} px mean, {residual.max():.3f} px at most")
        # Hips are labelled up to 2.2 px apart in 2D and 3D; most other joints agree to 0.2 px.
        assert residual.mean() < 0.4 and np.median(residual) < 0.2 and residual.max() < 2.5
        _, fitted = fit_intrinsics(keypoints[None, :, :2], joints_mm[None])
        assert fitted < 2.5  # one frame is enough to explain itself


def test_real_test_poses_survive_the_layout(samples: Path, tmp_path: Path) -> None:
    labels = np.load(samples / "test_3dhp_test.npz")
    keypoints, joints = labels["part"][..., :2], labels["S"][..., :3] * 1000
    write_test_annotations(tmp_path / "TS1", keypoints, joints, np.array([1, 2]))
    sample = read_mpi_inf_3dhp_test(tmp_path).samples[0]
    np.testing.assert_array_equal(sample.keypoints_px, keypoints[0])
    # The order of joints is the test set's: the head is above the pelvis, the neck between.
    head, neck, pelvis = (sample.joints_mm[MPI_INF_17.index(j), 1] for j in _UPRIGHT)
    assert head < neck < pelvis


_UPRIGHT = ("head_top", "neck", "pelvis")

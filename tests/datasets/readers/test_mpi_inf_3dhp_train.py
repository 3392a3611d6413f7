"""MPI-INF-3DHP's training set as it was written: samples, splits, frames, cameras."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.layouts.mpi_inf_3dhp import CAMERA_SETS, FRAMES, CalibratedCamera
from Datasets.readers.frames import load_sample_image
from Datasets.readers.mpi_inf_3dhp import (
    open_mpi_inf_3dhp,
    read_mpi_inf_3dhp_train,
)
from Datasets.skeletons import INFANT, MPI_INF_17, MPI_INF_28
from Datasets.structures import Dataset
from Datasets.writers.mpi_inf_3dhp import (
    universal,
    write_calibration,
    write_train_annotations,
    write_train_image,
    write_train_mask,
)
from Engine.errors import DataError

SIZE = (64, 48)
CAMERAS = (0, 3, 8)


def camera(number: int) -> CalibratedCamera:
    extrinsics = np.eye(4)
    extrinsics[:3, 3] = [0.1 * number, -20.0, 1 / 3]
    return CalibratedCamera(number, intrinsics_matrix(50.5, 49.25, 32.1, 24), extrinsics, SIZE)


def poses(views: int, frames: int, seed: int = 0) -> np.ndarray:
    """Camera-frame joints (view, frame, 28, 3) in mm, near the middle of the image."""
    generator = np.random.default_rng(seed)
    return generator.normal([0, 0, 4000], [300, 400, 100], (views, frames, 28, 3))


def write_sequence(
    folder: Path, frames: int = 4, cameras: tuple[int, ...] = CAMERAS, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Labels and cameras of a sequence without images; returns (px, mm)."""
    joints = poses(len(cameras), frames, seed)
    keypoints = project(joints, camera(0).intrinsics)
    write_train_annotations(folder, keypoints, joints, cameras)
    write_calibration(folder, [camera(n) for n in range(14)])
    return keypoints, joints


def one_line(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text and ";" in text
    return text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_sequence(tmp_path / "set" / "S1" / "Seq1")
    return tmp_path / "set"


def read(root: Path, **options) -> Dataset:
    return read_mpi_inf_3dhp_train(root, cache=root.parent / "cache", **options)


def test_official_tables() -> None:
    assert sum(FRAMES.values()) * 14 == 1_842_288
    assert FRAMES["S3/Seq1"] == 12488 and FRAMES["S8/Seq2"] == 6054 and len(FRAMES) == 16
    assert {name: len(numbers) for name, numbers in CAMERA_SETS.items()} == {
        "regular": 14,
        "relevant": 11,
        "ceiling": 3,
        "vnect": 8,
        "mm3d_chest": 5,
    }


def test_samples_carry_what_was_written(tmp_path: Path) -> None:
    keypoints, joints = write_sequence(tmp_path / "set" / "S2" / "Seq2")
    dataset = read(tmp_path / "set", cameras="regular")
    assert len(dataset) == len(dataset.samples) == 12 and dataset.skeleton == MPI_INF_28
    for i, sample in enumerate(dataset.samples):
        view, frame = divmod(i, 4)
        np.testing.assert_array_equal(sample.keypoints_px, keypoints[view, frame].astype("f4"))
        np.testing.assert_array_equal(sample.joints_mm, joints[view, frame].astype("f4"))
        np.testing.assert_array_equal(sample.intrinsics, camera(0).intrinsics)
        assert sample.sequence == f"S2_Seq2_Cam{CAMERAS[view]}" and sample.frame == frame + 1
        assert sample.video_frame is None and sample.mask_path is None
        residual = np.abs(project(sample.joints_mm, sample.intrinsics) - sample.keypoints_px)
        assert residual.max() < 1e-3
    assert dataset.samples[5].image_path.name == "img_3_000002.jpg"
    assert {sample.age for sample in dataset.samples} == {"adult"}


def test_universal_labels_have_the_standard_length_and_no_camera(root: Path) -> None:
    plain, scaled = read(root).samples[1], read(root, annotation="univ_annot3").samples[1]
    np.testing.assert_array_equal(plain.keypoints_px, scaled.keypoints_px)
    assert scaled.intrinsics is None and plain.intrinsics is not None
    pelvis = MPI_INF_28.root_index
    np.testing.assert_allclose(plain.joints_mm[pelvis], scaled.joints_mm[pelvis])
    np.testing.assert_allclose(
        scaled.joints_mm, universal(poses(3, 4), MPI_INF_28)[0, 1], rtol=1e-6
    )


def test_a_person_is_scaled_to_920_mm_from_knee_to_neck() -> None:
    joints = np.zeros((3, 28, 3))
    place = MPI_INF_28.index
    for part, y in (("neck", -500), ("spine", -200), ("pelvis", 0)):
        joints[:, place(part), 1] = y
    for side in ("left", "right"):
        joints[:, place(f"{side}_knee"), 2] = 420  # seated: posture does not change the length
    joints += [100.0, 50.0, 3000.0]
    np.testing.assert_allclose(universal(joints, MPI_INF_28), joints)
    root = joints[:, [place("pelvis")]]
    np.testing.assert_allclose(universal(root + 2 * (joints - root), MPI_INF_28), joints)
    with pytest.raises(DataError, match="no length from knee to neck"):
        universal(np.zeros((1, 28, 3)), MPI_INF_28)


def test_other_skeletons_and_cameras(root: Path) -> None:
    own = read(root, cameras=(8,)).samples[0]
    assert own.sequence == "S1_Seq1_Cam8" and len(read(root, cameras="vnect")) == 8
    other = read(root, cameras=(8,), skeleton=MPI_INF_17).samples[0]
    for joint in ("pelvis", "head_top", "left_wrist", "right_ankle"):
        i, j = MPI_INF_17.index(joint), MPI_INF_28.index(joint)
        np.testing.assert_array_equal(other.joints_mm[i], own.joints_mm[j])
    infant = read(root, skeleton=INFANT).samples[0]
    assert infant.visibility[INFANT.index("nose")] == 0 and infant.visibility.max() == 2
    np.testing.assert_array_equal(own.box_xyxy, other.box_xyxy)


def test_box_and_visibility_respect_the_image(tmp_path: Path) -> None:
    joints = poses(1, 3)
    keypoints = np.tile([20.0, 20.0], (1, 3, 28, 1))
    keypoints[0, :, 7] = [40.0, 30.0]  # a box 20 wide: 1 pixel of padding
    keypoints[0, 1, 7] = [90.0, 30.0]
    keypoints[0, 2] += 500
    write_train_annotations(tmp_path / "set/S1/Seq1", keypoints, joints, (0,))
    write_calibration(tmp_path / "set/S1/Seq1", [camera(0)])
    inside, across, outside = read(tmp_path / "set").samples
    assert inside.box_xyxy.tolist() == [19, 19, 41, 31] and (inside.visibility == 2).all()
    assert across.box_xyxy.tolist() == [16.5, 16.5, 63, 33.5]
    assert across.visibility[7] == 1 and across.visibility[0] == 2
    assert outside.box_xyxy is None and (outside.visibility == 1).all()


def test_samples_are_a_sequence(root: Path) -> None:
    samples = read(root, cameras="regular").samples
    assert [s.frame for s in samples[::3]] == [1, 4, 3, 2] and len(samples[1:]) == 11
    assert samples[-1].sequence == "S1_Seq1_Cam8" and samples[2:][::2][1].frame == 1
    for index in (12, -13):
        with pytest.raises(IndexError):
            samples[index]
    sample = samples[0]
    sample.joints_mm[:] = 0  # a caller's copy
    assert samples[0].joints_mm[0, 2] > 1000


def test_a_worker_gets_paths_not_arrays(tmp_path: Path) -> None:
    write_sequence(tmp_path / "set/S1/Seq1", frames=60)
    samples = read(tmp_path / "set").samples
    expected = samples[33].joints_mm
    sent = pickle.dumps(samples)
    assert len(sent) < 10_000
    np.testing.assert_array_equal(pickle.loads(sent)[33].joints_mm, expected)


IMAGES = np.stack([np.full((48, 64, 3), 40 * i, dtype=np.uint8) for i in range(4)])


def test_frames_come_in_three_forms_chosen_for_each_camera(root: Path, make_video) -> None:
    folder = root / "S1/Seq1"
    for frame, rgb in enumerate(IMAGES, 1):
        write_train_image(folder, 0, frame, rgb)
        write_train_image(folder, 3, frame, rgb, unpacked=True)
        write_train_mask(folder, 3, frame, rgb[..., 0] > 0)
    video = folder.relative_to(root.parent) / "imageSequence/video_8.avi"
    make_video(video, list(IMAGES), "mjpeg", pixels="yuvj420p", qmin="1", qscale="2")
    (folder / "imageSequence/img_0_000001.jpg").unlink()
    samples = read(root, cameras="regular").samples
    assert samples[1].image_path == folder / "imageSequence/img_0_000002.jpg"
    assert samples[5].image_path == folder / "imageFrames/video_3/frame_000002.jpg"
    assert samples[5].mask_path == folder / "FGmasks/img_3_000002.png"
    assert samples[9].image_path == folder / "imageSequence/video_8.avi"
    assert [s.video_frame for s in samples[7:]] == [None, 0, 1, 2, 3]
    for sample in (samples[3], samples[7], samples[11], samples[9]):
        image = load_sample_image(sample)
        assert image.size == SIZE
        assert abs(image.getpixel((5, 5))[0] - 40 * (sample.frame - 1)) <= 3
    with pytest.raises(DataError, match=r"img_0_000001\.jpg does not exist"):
        load_sample_image(samples[0])


def test_a_labelled_camera_without_calibration(root: Path) -> None:
    write_calibration(root / "S1/Seq1", [camera(0), camera(8)])
    with pytest.raises(DataError, match=r"camera\.calibration lacks camera 3"):
        read(root, cameras="regular")
    (root / "S1/Seq1/camera.calibration").unlink()
    with pytest.raises(DataError, match=r"camera\.calibration does not exist"):
        read(root)


def test_bad_arguments(root: Path) -> None:
    for options, words in (
        ({"cameras": "all"}, "cameras: 'all' is unknown; choose one of regular"),
        ({"cameras": (5,)}, "labels of no camera"),
        ({"annotation": "annot2"}, "annotation: 'annot2' is unknown"),
        ({"sequences": ["S1/Seq3"]}, "'S1/Seq3' is no sequence"),
        ({"sequences": ["../set/S1/Seq1"]}, "is no sequence"),
        ({"sequences": ["S2/Seq1"]}, "S2/Seq1 does not exist"),
    ):
        with pytest.raises(DataError) as error:
            read(root, **options)
        assert words in one_line(error)
    with pytest.raises(DataError, match="holds no S1/Seq1"):
        read(root / "S1")
    with pytest.raises(DataError, match="does not exist"):
        read(root / "absent")


def test_splits(tmp_path: Path) -> None:
    root, cache = tmp_path / "set", tmp_path / "cache"
    for name in ("S1/Seq1", "S2/Seq1", "S2/Seq2", "S7/Seq2"):
        write_sequence(root / name, frames=1, cameras=(0,))

    def names(split: str) -> list[str]:
        dataset = open_mpi_inf_3dhp(root, split, cache=cache)
        return [sample.sequence[:-5] for sample in dataset.samples]

    assert names("all") == ["S1_Seq1", "S2_Seq1", "S2_Seq2", "S7_Seq2"]
    assert names("train") == ["S1_Seq1", "S2_Seq1", "S2_Seq2"]
    assert names("validation") == ["S7_Seq2"]
    assert names("S1-2,S7") == names("all") and names("S2/Seq2, S1") == ["S2_Seq2", "S1_Seq1"]
    notes = open_mpi_inf_3dhp(root, "train", cache=cache).notes
    assert notes == ("train: 3 of its 12 official sequences are here",)
    assert open_mpi_inf_3dhp(root, "all", cache=cache).notes == ()
    (root / "TS1").mkdir()
    assert "name 'test'" in open_mpi_inf_3dhp(root, "all", cache=cache).notes[0]
    (root / "TS1").rmdir()
    for split, words in (
        ("test", "holds nothing of 'test'"),
        ("S1-3", "S3/Seq1 does not exist"),
        ("S1/Seq2", "Seq2 does not exist"),
        ("S9", "split: 'S9' is unknown"),
        ("S2-1", "split: 'S2-1' is unknown"),
        ("", "split: '' is unknown"),
        ("S1,TS1", "mixes training and test"),
    ):
        with pytest.raises(DataError) as error:
            open_mpi_inf_3dhp(root, split, cache=cache)
        assert words in one_line(error)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_round_trip(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("3dhp")
    cameras = data.draw(st.lists(st.integers(0, 13), min_size=1, max_size=3, unique=True))
    frames = data.draw(st.integers(1, 3))
    seed = data.draw(st.integers(0, 2**32 - 1))
    keypoints, joints = write_sequence(root / "S4/Seq1", frames, tuple(cameras), seed)
    dataset = read_mpi_inf_3dhp_train(root, cache=root / "cache", cameras=cameras)
    order = np.argsort(cameras)  # the file's cells stand in order of the cameras
    found_px = np.stack([s.keypoints_px for s in dataset.samples])
    found_mm = np.stack([s.joints_mm for s in dataset.samples])
    np.testing.assert_array_equal(found_px, keypoints[order].reshape(-1, 28, 2).astype("f4"))
    np.testing.assert_array_equal(found_mm, joints[order].reshape(-1, 28, 3).astype("f4"))


def test_the_same_labels_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_sequence(tmp_path / name / "S1" / "Seq1")
    for file in ("annot.mat", "camera.calibration"):
        first, second = (tmp_path / name / "S1/Seq1" / file for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
    assert loadmat(tmp_path / "a/S1/Seq1/annot.mat")["annot2"].shape == (14, 1)


def test_the_writer_refuses_what_the_layout_cannot_hold(tmp_path: Path) -> None:
    px, mm = np.zeros((1, 2, 28, 2)), poses(1, 2)
    nan = mm.copy()
    nan[0, 1, 3] = np.nan
    folder = tmp_path / "S2/Seq2"
    long = np.broadcast_to(mm[:, :1], (1, 6082, 28, 3))
    for arguments, words in (
        ((px, nan, (0,)), "joints_mm is not finite"),
        ((px, mm[:, :1], (0,)), "joints_mm has shape"),
        ((px[:, :, :17], mm, (0,)), "keypoints_px has shape"),
        ((px[:, :0], mm[:, :0], (0,)), "at least one frame"),
        ((px, mm, (14,)), "different numbers from 0 to 13"),
        ((px, mm, (0, 1)), "different numbers from 0 to 13"),
        ((long[..., :2], long, (0,)), "at most 6081 frames"),
    ):
        with pytest.raises(DataError, match=words):
            write_train_annotations(folder, *arguments)
    with pytest.raises(DataError, match="same number"):
        write_calibration(folder, [camera(1), camera(1)])
    assert not os.path.exists(folder / "annot.mat")

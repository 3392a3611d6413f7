"""Labels of MPI-INF-3DHP as memory-mapped arrays: when they are made, from what not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from Datasets.layouts.mpi_inf_3dhp import CalibratedCamera
from Datasets.readers.mpi_inf_3dhp import read_mpi_inf_3dhp_train
from Datasets.structures import Dataset
from Datasets.writers.mpi_inf_3dhp import write_calibration, write_train_annotations
from Engine.errors import DataError

CAMERAS = (0, 3, 8)


def write(
    folder: Path, frames: int = 4, cameras: tuple[int, ...] = CAMERAS, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A sequence without images; returns its labels (px, mm)."""
    generator = np.random.default_rng(seed)
    joints = generator.normal([0, 0, 4000], [300, 400, 100], (len(cameras), frames, 28, 3))
    keypoints = generator.uniform(0, 60, (len(cameras), frames, 28, 2))
    write_train_annotations(folder, keypoints, joints, cameras)
    write_calibration(
        folder, [CalibratedCamera(n, np.eye(3), np.eye(4), (64, 48)) for n in range(14)]
    )
    return keypoints, joints


def one_line(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text and ";" in text
    return text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "set" / "S1" / "Seq1")
    return tmp_path / "set"


def read(root: Path, **options) -> Dataset:
    return read_mpi_inf_3dhp_train(root, cache=root.parent / "cache", cameras="regular", **options)


def test_conversion_happens_once_and_again_after_a_change(root: Path) -> None:
    cache = root.parent / "cache" / "mpi_inf_3dhp"
    calls: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        calls.append((done, total))

    read(root, progress=progress)
    first = sorted(cache.iterdir())
    read(root, progress=progress)
    assert calls == [(1, 1)] and sorted(cache.iterdir()) == first and len(first) == 1
    _, joints = write(root / "S1/Seq1", frames=5, seed=9)
    dataset = read(root, progress=progress)
    np.testing.assert_array_equal(dataset.samples[4].joints_mm, joints[0, 4].astype("f4"))
    assert calls == [(1, 1)] * 2 and len(list(cache.iterdir())) == 1
    assert sorted(cache.iterdir()) != first
    other = root.parent / "other"
    write(other / "S1/Seq1")
    read(other)
    assert len(list(cache.iterdir())) == 2  # another data set with the same cache


def test_failed_conversion_leaves_nothing(root: Path) -> None:
    content = loadmat(root / "S1/Seq1/annot.mat")
    content["univ_annot3"][3, 0][1, 7] = np.inf
    save(root / "S1/Seq1/annot.mat", content)
    with pytest.raises(DataError):
        read(root)
    assert list((root.parent / "cache/mpi_inf_3dhp").iterdir()) == []


def test_memory_that_is_given_back_is_read_again(root: Path, monkeypatch) -> None:
    monkeypatch.setattr("Datasets.readers.mpi_inf_3dhp_train.RELEASE_EVERY", 2)
    _, joints = write(root / "S1/Seq1", frames=50)
    samples = read(root).samples
    for index in (*range(150), *range(149, -1, -7)):
        expected = joints.reshape(-1, 28, 3)[index].astype("f4")
        np.testing.assert_array_equal(samples[index].joints_mm, expected)


def test_cache_that_cannot_be_written_or_is_damaged(root: Path) -> None:
    (root.parent / "file").write_text("")
    with pytest.raises(DataError) as error:
        read_mpi_inf_3dhp_train(root, cache=root.parent / "file")
    assert "paths.cache" in one_line(error)
    read(root)
    (array,) = (root.parent / "cache/mpi_inf_3dhp").glob("*/annot3.npy")
    array.write_bytes(b"nothing")
    with pytest.raises(DataError) as error:
        read(root).samples[0]
    assert "annot3.npy" in one_line(error) and "remove" in one_line(error)


def test_rows_beyond_the_official_frames_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "set/S6/Seq2"  # officially 6145 frames
    write(folder, frames=6145, cameras=(0,))
    content = loadmat(folder / "annot.mat")
    for name in ("annot2", "annot3", "univ_annot3"):
        cell = content[name][0, 0]
        content[name][0, 0] = np.vstack([cell, np.full((3, cell.shape[1]), np.nan)])
    save(folder / "annot.mat", content)
    assert len(read(tmp_path / "set")) == 6145


def save(path: Path, content: dict) -> None:
    savemat(path, {key: value for key, value in content.items() if key[:2] != "__"})


def cut_joint(content: dict) -> None:
    content["annot2"][0, 0] = content["annot2"][0, 0][:, :-2]


def put_nan(content: dict) -> None:
    content["annot3"][3, 0][2, 3 * 7 + 1] = np.nan


def put_more_than_float32_holds(content: dict) -> None:
    content["annot2"][0, 0][3, 0] = 1e39


def drop_array(content: dict) -> None:
    del content["annot3"]


def put_text(content: dict) -> None:
    content["annot3"][0, 0] = np.array(["no numbers"])


def plain_array(content: dict) -> None:
    content["annot2"] = np.zeros((4, 56))


def fewer_rows(content: dict) -> None:
    content["univ_annot3"][8, 0] = content["univ_annot3"][8, 0][:3]


def fewer_cameras(content: dict) -> None:
    content["annot3"][8, 0] = np.zeros((0, 0))


def fewer_cells(content: dict) -> None:
    content["annot2"] = content["annot2"][:9]


def repeated_cameras(content: dict) -> None:
    content["cameras"] = np.zeros((1, 14))


def nothing(content: dict) -> None:
    content["annot2"][:, 0] = [np.zeros((0, 0))] * 14


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut_joint, "annot2, camera 0: float64 of shape (4, 54), expected numbers in 56 columns"),
        (put_nan, "annot3, camera 3, row 3: head_top is not finite"),
        (put_more_than_float32_holds, "annot2, camera 0, row 4: spine3 is not finite"),
        (drop_array, "no cell array 'annot3'"),
        (put_text, "expected numbers in 84 columns"),
        (plain_array, "no cell array 'annot2'"),
        (fewer_rows, "'univ_annot3' has other frames or cameras"),
        (fewer_cameras, "'annot3' has other frames or cameras"),
        (fewer_cells, "9 cells 'annot2' for 14 cameras"),
        (repeated_cameras, "'cameras' holds no camera numbers"),
        (nothing, "'annot2' is empty"),
    ],
)
def test_bad_annotations(root: Path, damage: Callable[[dict], None], words: str) -> None:
    path = root / "S1/Seq1/annot.mat"
    content = loadmat(path)
    damage(content)
    save(path, content)
    with pytest.raises(DataError) as error:
        read(root)
    assert words in one_line(error) and str(path) in one_line(error)


def test_files_that_are_no_matlab_5(root: Path) -> None:
    path = root / "S1/Seq1/annot.mat"
    whole = path.read_bytes()
    for content in (b"", b"text", whole[:200], whole[: len(whole) // 2], bytes(4000)):
        path.write_bytes(content)
        with pytest.raises(DataError) as error:
            read(root)
        assert "annot.mat" in one_line(error)
    with h5py.File(path, "w", userblock_size=512) as file:
        file["annot2"] = np.zeros((3, 56))
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(DataError, match=r"is a MATLAB 7\.3 file, expected version 5"):
        read(root)
    path.unlink()
    with pytest.raises(DataError, match=r"annot\.mat does not exist"):
        read(root)

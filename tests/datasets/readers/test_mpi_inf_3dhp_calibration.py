"""Cameras of MPI-INF-3DHP: written, read by keyword, broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from Datasets.geometry.camera import intrinsics_matrix
from Datasets.layouts.mpi_inf_3dhp import CalibratedCamera
from Datasets.readers.mpi_inf_3dhp_calibration import read_calibration
from Datasets.writers.mpi_inf_3dhp import write_calibration
from Engine.errors import DataError

SIZE = (64, 48)


def camera(number: int) -> CalibratedCamera:
    extrinsics = np.eye(4)
    extrinsics[:3, 3] = [0.1 * number, -20.0, 1 / 3]
    return CalibratedCamera(number, intrinsics_matrix(50.5, 49.25, 32.1, 24), extrinsics, SIZE)


def test_calibration_is_read_by_keyword(tmp_path: Path) -> None:
    cameras = [camera(2), camera(11)]
    write_calibration(tmp_path, cameras)
    path = tmp_path / "camera.calibration"
    text = path.read_text()
    shuffled = text.replace("  size        64 48\n", "").replace(
        "  animated    0", "\n  size 64   48\n\tanimated\t0\n  distortion  none"
    )
    assert shuffled != text
    for variant in (text, shuffled, text.replace("\n", "\r\n")):
        path.write_bytes(variant.encode())
        found = read_calibration(path)
        assert list(found) == [2, 11]
        for expected in cameras:
            np.testing.assert_array_equal(found[expected.number].intrinsics, expected.intrinsics)
            np.testing.assert_array_equal(found[expected.number].extrinsics, expected.extrinsics)
            assert found[expected.number].size == SIZE


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("intrinsic ", "intrinsics", "camera 0 lacks 'intrinsic'"),
        ("50.5", "nan", "camera 0: 'intrinsic' needs 16 finite numbers"),
        ("50.5", "-50.5", "camera 0 has no positive size"),
        ("size        64 48", "size 64", "camera 0: 'size' needs 2 finite"),
        ("name          3", "name          0", "repeats camera 0"),
        ("name          3", "name          left", "camera name 'left' is no number"),
        ("name", "nom", "names no camera"),
        ("Skeletool", "Sk\u00e9letool", "is not plain text"),
    ],
)
def test_bad_calibration(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "camera.calibration"
    write_calibration(tmp_path, [camera(0), camera(3)])
    path.write_text(path.read_text().replace(old, new), encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_calibration(path)
    assert words in str(error.value) and str(path) in str(error.value)


def test_missing_calibration(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"camera\.calibration does not exist"):
        read_calibration(tmp_path / "camera.calibration")


numbers = st.floats(-1e9, 1e9, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(
    focal=st.tuples(st.floats(1e-3, 1e6), st.floats(1e-3, 1e6)),
    centre=st.tuples(numbers, numbers),
    pose=st.lists(numbers, min_size=16, max_size=16),
    size=st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
)
def test_every_digit_returns(focal, centre, pose, size, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("camera")
    written = CalibratedCamera(
        5, intrinsics_matrix(*focal, *centre), np.array(pose).reshape(4, 4), size
    )
    write_calibration(folder, [written])
    found = read_calibration(folder / "camera.calibration")[5]
    np.testing.assert_array_equal(found.intrinsics, written.intrinsics)
    np.testing.assert_array_equal(found.extrinsics, written.extrinsics)
    assert found.size == size

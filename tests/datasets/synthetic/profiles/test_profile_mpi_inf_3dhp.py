"""Profile mpi_inf_3dhp: calibrated views of one movement, in the official layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from Datasets.geometry.camera import project
from Datasets.readers.mpi_inf_3dhp import open_mpi_inf_3dhp
from Datasets.synthetic.profiles.mpi_inf_3dhp import (
    BONES,
    Recording,
    generate_mpi_inf_3dhp,
    studio_cameras,
)
from Datasets.verify.mpi_inf_3dhp import verify_mpi_inf_3dhp
from Engine.errors import DataError

ARGUMENTS = dict(subjects=1, frames=2, seed=3, size=96, cameras="ceiling", test_sequences=1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("3dhp")
    generate_mpi_inf_3dhp(output, **ARGUMENTS)
    return output


def test_it_is_the_official_layout_and_projects(root: Path) -> None:
    report = verify_mpi_inf_3dhp(root)
    assert report.ok, str(report)
    line = next(line for line in report.counts if line.startswith("projection"))
    assert float(line.split("most ")[1].split(" px")[0]) < 0.01


def test_views_of_a_moment_are_the_same_body(root: Path, tmp_path: Path) -> None:
    from Datasets.readers.mpi_inf_3dhp_train import read_mpi_inf_3dhp_train

    data = read_mpi_inf_3dhp_train(root, ["S1/Seq1"], "ceiling", cache=tmp_path)
    first = [s for s in data.samples if s.frame == 1]
    assert len(first) == 3
    lengths = [np.linalg.norm(s.joints_mm[:, None] - s.joints_mm[None], axis=-1) for s in first]
    np.testing.assert_allclose(lengths[0], lengths[1], atol=0.05)
    for sample in first:
        apart = project(sample.joints_mm, sample.intrinsics) - sample.keypoints_px
        assert np.abs(apart).max() < 0.01
        assert sample.joints_mm[:, 2].min() > 1000 and sample.joints_mm[:, 2].max() < 6000


def test_the_test_set_is_read(root: Path, tmp_path: Path) -> None:
    data = open_mpi_inf_3dhp(root, "test", cache=tmp_path)
    assert len(data) == 2 and all(sample.activity for sample in data.samples)


def test_the_same_bytes_for_any_number_of_workers(root: Path, tmp_path: Path) -> None:
    generate_mpi_inf_3dhp(tmp_path, **ARGUMENTS, workers=2)
    files = sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file())
    assert len(files) > 15
    for name in files:
        assert (root / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_cameras_stand_around_and_the_joints_have_bones() -> None:
    cameras = studio_cameras(Recording("S1/Seq1", 0, 1, 512))
    again = studio_cameras(Recording("S1/Seq2", 0, 1, 512))
    assert len(cameras) == 14 and np.array_equal(cameras[3].position, again[3].position)
    middle = np.array([[0.0, 0.0, 0.85]])
    for camera in cameras:
        seen = project(camera.to_camera(middle), camera.intrinsics)[0]
        assert np.abs(seen - 256).max() < 30
        np.testing.assert_allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(camera.rotation) == pytest.approx(1)
    assert len(set(BONES.values())) == 27


@pytest.mark.parametrize("change", [{"cameras": "none"}, {"subjects": 9}, {"test_sequences": 7}])
def test_what_the_layout_cannot_hold_is_refused(tmp_path: Path, change: dict) -> None:
    with pytest.raises(DataError):
        generate_mpi_inf_3dhp(tmp_path, **{**ARGUMENTS, **change})

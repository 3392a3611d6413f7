"""Joints without pictures: movements and postures of several sources."""

import numpy as np
import pytest

from Datasets.skeletons import INFANT
from Datasets.synthetic.people.smpl_kinematics import read_smpl_poses
from Datasets.synthetic.profiles.movement_bank import (
    FRAMES,
    POSTURES,
    Mixture,
    movement_of_infant,
    postures_of_infant,
    write_movement_bank,
    write_posture_bank,
)
from Engine.errors import DataError


@pytest.fixture
def fits(tmp_path):
    rng = np.random.default_rng(2)
    path = tmp_path / "fits.npz"
    np.savez(path, global_orient=rng.normal(0, 1, (5, 3)), body_pose=rng.normal(0, 0.3, (5, 69)))
    return path


def test_a_bank_of_postures_is_the_same_whatever_asks_for_it(tmp_path, fits):
    shares = {"drawn": 0.5, "slp": 0.5}
    write_posture_bank(tmp_path / "a.npz", 4, seed=4, sources=shares, smpl_poses=fits)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as bank:
        joints, sources = bank["joints_mm"], bank["source"]
        assert bank["fps"] == 0 and set(sources) == set(shares)
        assert bank["length_mm"].min() > 300 and bank["age_weeks"].min() >= 0
    assert joints.shape == (4, POSTURES, len(INFANT), 3) and joints.dtype == np.float32
    again = postures_of_infant(4, Mixture(shares, {"smpl_poses": fits}), 1)
    assert np.array_equal(joints[1], again.joints_mm) and sources[1] == again.source
    assert 100 < np.abs(joints).max() < 900
    assert np.ptp(joints[0], axis=0).max() > 50


def test_a_bank_of_movements_mixes_its_sources_whatever_the_workers(tmp_path, fits):
    for name, workers in (("one", 1), ("two", 2)):
        write_movement_bank(
            tmp_path / f"{name}.npz", 4, 1, workers,
            sources={"habits": 1.0, "random": 1.0, "slp": 1.0, "cmu": 0.0}, smpl_poses=fits,
        )  # fmt: skip
    one, two = (np.load(tmp_path / f"{n}.npz", allow_pickle=False) for n in ("one", "two"))
    assert all(np.array_equal(one[key], two[key]) for key in one.files)
    assert one["joints_mm"].shape == (4, FRAMES, len(INFANT), 3)
    assert len(set(one["source"].tolist())) > 1 and "cmu" not in one["source"]
    assert np.ptp(one["age_weeks"]) > 1 and np.ptp(one["length_mm"]) > 1


def test_the_source_alone_decides_the_movement_not_the_body():
    habits, random = (
        movement_of_infant(4, Mixture({name: 1.0}, {}), 0) for name in ("habits", "random")
    )
    assert habits.age_weeks == random.age_weeks and habits.length_mm == random.length_mm
    assert not np.allclose(habits.joints_mm, random.joints_mm)


@pytest.mark.parametrize("write", [write_movement_bank, write_posture_bank])
def test_what_is_kept_for_benchmarks_or_lacks_a_file_is_no_bank(tmp_path, write):
    with pytest.raises(DataError, match="benchmarks"):
        write(tmp_path / "a.npz", 1, 0, sources={"reaching": 1.0})
    with pytest.raises(DataError, match="cmu_angles"):
        write(tmp_path / "a.npz", 1, 0, sources={"cmu": 1.0})
    assert not (tmp_path / "a.npz").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip",
        {"body_pose": np.zeros((2, 69))},
        {"global_orient": np.zeros((1, 3)), "body_pose": np.zeros((2, 69))},
        {"global_orient": np.full((1, 3), np.nan), "body_pose": np.zeros((1, 69))},
    ],
)
def test_other_files_are_one_line(tmp_path, content):
    path = tmp_path / "fits.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez(path, **content)
    with pytest.raises(DataError, match=r"SMPL poses: .*fits\.npz"):
        read_smpl_poses(path)

"""Postures without pictures, drawn and fitted."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from Datasets.skeletons import INFANT
from Datasets.synthetic.people.phenotypes import draw_person
from Datasets.synthetic.people.smpl_kinematics import PARENTS, read_smpl_poses, smpl_posed_joints
from Datasets.synthetic.profiles.movement_bank import (
    POSTURES,
    postures_of_infant,
    write_posture_bank,
)
from Engine.errors import DataError


@pytest.fixture(scope="module")
def shape():
    return draw_person(np.random.default_rng(1), "infant")


@pytest.fixture
def fits(tmp_path):
    rng = np.random.default_rng(2)
    path = tmp_path / "fits.npz"
    np.savez(path, global_orient=rng.normal(0, 1, (5, 3)), body_pose=rng.normal(0, 0.3, (5, 69)))
    return path


def lengths(joints):
    first, second = np.array(INFANT.bone_indices).T
    return np.linalg.norm(joints[..., second, :] - joints[..., first, :], axis=-1)


def place(joints, name):
    return joints[INFANT.index(name)]


def test_at_rest_arms_are_stretched_out_and_the_face_looks_to_the_front(shape):
    joints = smpl_posed_joints(shape, np.zeros((1, len(PARENTS), 3)))[0]
    along = place(joints, "left_wrist") - place(joints, "left_shoulder")
    assert along[0] > 0.05 and along[1:] == pytest.approx(0, abs=1e-9)
    assert place(joints, "right_wrist")[0] < place(joints, "right_shoulder")[0]
    assert place(joints, "nose")[2] > place(joints, "left_ear")[2]
    assert place(joints, "head_top")[1] > place(joints, "pelvis")[1] > place(joints, "left_knee")[1]


def test_a_knee_bends_the_shin_alone_and_bones_keep_their_lengths(shape):
    poses = np.zeros((2, len(PARENTS), 3))
    poses[1, 4] = [np.pi / 2, 0, 0]
    still, bent = smpl_posed_joints(shape, poses)
    shin = [place(j, "left_ankle") - place(j, "left_knee") for j in (still, bent)]
    assert shin[1] == pytest.approx([shin[0][0], -shin[0][2], shin[0][1]])
    moved = np.linalg.norm(bent - still, axis=1) > 1e-9
    assert {INFANT.joints[i] for i in np.flatnonzero(moved)} == {"left_ankle", "left_toes"}
    poses = np.random.default_rng(0).normal(0, 0.5, (4, len(PARENTS), 3))
    assert lengths(smpl_posed_joints(shape, poses)).std(axis=0) == pytest.approx(0, abs=0.02)


def test_the_first_turn_turns_everything(shape):
    turn = np.array([0.3, -0.8, 0.5])
    poses = np.random.default_rng(0).normal(0, 0.5, (1, len(PARENTS), 3))
    poses[0, 0] = 0
    upright = smpl_posed_joints(shape, poses)[0]
    poses[0, 0] = turn
    turned = smpl_posed_joints(shape, poses)[0]
    assert turned == pytest.approx(upright @ Rotation.from_rotvec(turn).as_matrix().T)


def test_a_bank_is_the_same_whatever_asks_for_it(tmp_path, fits):
    write_posture_bank(tmp_path / "a.npz", 3, seed=4, smpl_poses=fits)
    with np.load(tmp_path / "a.npz") as bank:
        joints = bank["joints_mm"]
        assert bank["fps"] == 0
    assert joints.shape == (3, POSTURES, len(INFANT), 3)
    assert joints[1] == pytest.approx(postures_of_infant(4, 1, read_smpl_poses(fits)))
    assert 100 < np.abs(joints).max() < 900
    assert np.ptp(joints[0], axis=0).max() > 50


@pytest.mark.parametrize("content", [b"", b"no zip", {"body_pose": np.zeros((2, 69))}, "nan"])
def test_other_files_are_one_line(tmp_path, content):
    path = tmp_path / "fits.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "nan":
        np.savez(path, global_orient=np.full((1, 3), np.nan), body_pose=np.zeros((1, 69)))
    else:
        np.savez(path, **content)
    with pytest.raises(DataError, match=r"SMPL poses: .*fits\.npz"):
        read_smpl_poses(path)

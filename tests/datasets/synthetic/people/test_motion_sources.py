"""Sources of movement: poses of other skeletons on our bones, joint limits, the bed, held-out."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import PoseEstimation
from Datasets.skeletons import INFANT, LSP_14
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people import cmu_kinematics as cmu
from Datasets.synthetic.people import smpl_kinematics as smpl
from Datasets.synthetic.people.joint_limits import (
    ARM,
    LEG,
    bend_and_twist,
    limbs_of,
    swing_to,
    to_body,
    unit,
    within_limits,
)
from Datasets.synthetic.people.motion_sources import FILES, SOURCES, move_infant, usable_shares
from Datasets.synthetic.people.other_skeletons import on_our_bones, world_turns
from Datasets.synthetic.people.phenotypes import LYING_INFANT, draw_body
from Datasets.synthetic.people.random_movement import random_movement, wandering
from Datasets.synthetic.people.weak_poses import rotations_of
from Engine.errors import DataError
from PoseEstimation.config import SHIPPED

TIMES = np.arange(60) / 30
REAL = os.environ.get("INFANTPOSE_REAL_DATA", "")


@pytest.fixture(scope="module")
def shape():
    return draw_body(np.random.default_rng(1), LYING_INFANT)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A file of each layout, made up."""
    rng, folder = np.random.default_rng(2), tmp_path_factory.mktemp("sources")
    fits = {"global_orient": rng.normal(0, 0.3, (9, 3)) + [np.pi, 0, 0]}
    np.savez(folder / "fits.npz", **fits, body_pose=rng.normal(0, 0.3, (9, 69)))
    frames = np.cumsum(rng.normal(0, 0.01, (200, 117)), axis=0)
    names = np.array(["train/walking/walking_1.txt", "train/soccer/soccer_1.txt"])
    lengths = np.array([201, 199])
    np.savez(
        folder / "cmu.npz", frames=frames, lengths_before_stride=lengths, names=names, stride=2
    )
    joints = rng.normal(0, 0.02, (9, 14, 3)) + standing_joints()
    np.savez(folder / "weak.npz", joints_m=joints)
    return dict(zip(FILES, (folder / f"{n}.npz" for n in ("fits", "cmu", "weak")), strict=True))


def standing_joints():
    """LSP's joints of someone who stands before a camera, arms down; metres, y down."""
    half = {"shoulder": (0.06, -0.15), "elbow": (0.08, -0.07), "wrist": (0.08, 0.0)}
    half |= {"hip": (0.03, 0.0), "knee": (0.03, 0.1), "ankle": (0.03, 0.2)}
    places = {"neck": (0.0, -0.17, 0.0), "head_top": (0.0, -0.3, 0.0)}
    for name, (x, y) in half.items():
        places |= {f"left_{name}": (x, y, 0.0), f"right_{name}": (-x, y, 0.0)}
    return np.array([places[joint] for joint in LSP_14.joints])


def place(joints, name):
    return joints[..., INFANT.index(name), :]


def posed_joints(shape, rotations, root):
    still = np.zeros((len(root), 3))
    return bodies.infant_joints(shape, *bodies.forward_kinematics(shape, rotations, root, still))


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_moves_a_body_smoothly_on_the_bed_the_same_for_the_same_seed(shape, files, name):
    posed, again = (
        move_infant(name, np.random.default_rng(3), shape, TIMES, files) for _ in range(2)
    )
    assert np.array_equal(posed.turn, again.turn) and np.array_equal(posed.place, again.place)
    assert np.abs(posed.turn @ np.swapaxes(posed.turn, -1, -2) - np.eye(3)).max() < 1e-9
    lengths = np.linalg.norm(posed.place[:, 1:] - posed.place[:, bodies.rig().parents[1:]], axis=-1)
    assert np.ptp(lengths, axis=0).max() < 1e-9
    joints = bodies.infant_joints(shape, posed.turn, posed.place)
    assert np.abs(np.diff(joints, axis=0)).max() * 30 < 5
    assert joints[..., 2].min() > -0.05
    trunk = bodies.skin(shape, posed.turn[0], posed.place[0])[:, 2]
    assert -0.06 < trunk.min() < 0.03


@pytest.mark.parametrize("name", SOURCES)
def test_elbows_and_knees_bend_one_way_and_not_too_far(shape, files, name):
    posed = move_infant(name, np.random.default_rng(4), shape, TIMES, files)
    index = bodies.rig().index
    for limb, limits in limbs_of(shape):
        end = f"{'wrist' if limits is ARM else 'foot'}.{limb.side}"
        first, middle, last = (posed.place[:, index(b)] for b in (limb.upper, limb.lower, end))
        angle = np.degrees(np.arccos(np.sum(unit(middle - first) * unit(last - middle), axis=-1)))
        assert angle.max() < limits.bend[1] + 12
        hinge = posed.turn[:, index(limb.upper)] @ limb.hinge
        bending = np.einsum("fi,fi->f", np.cross(middle - first, last - middle), hinge)
        assert bending.min() > -1e-4


def test_limits_leave_alone_what_they_allow_and_are_reached_by_what_they_do_not(shape):
    rotations, root = random_movement(np.random.default_rng(5), shape, TIMES)
    once = within_limits(shape, rotations)
    before, after = (posed_joints(shape, r, root) for r in (rotations, once))
    assert np.abs(before - after).max() < 5e-4  # a knee's hinge is not quite square to the shin
    wild = {b: Rotation.random(len(TIMES), rng=6).as_matrix() for b in once}
    kept = within_limits(shape, wild)
    again = posed_joints(shape, within_limits(shape, kept), root)
    assert np.abs(again - posed_joints(shape, kept, root)).max() < 5e-4
    for limb, limits in limbs_of(shape):
        cosine = (kept[limb.upper] @ unit(limb.upper_rest)) @ unit(to_body(limb, limits.middle))
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < limits.spread + 0.01


def test_a_knee_that_bends_forward_is_stretched(shape):
    limb = next(limb for limb, limits in limbs_of(shape) if limits is LEG)
    forward = Rotation.from_rotvec(-0.8 * limb.hinge).as_matrix()[None]
    kept = within_limits(shape, {limb.lower: forward, limb.upper: np.eye(3)[None]})
    bend, twist = bend_and_twist(limb, kept[limb.lower])
    assert abs(np.degrees(bend[0])) < 15 and abs(twist[0]) < 1e-5


def test_wandering_signals_are_standard_normal_and_slow():
    values = np.stack([wandering(np.random.default_rng(i), TIMES, 2.0, 50) for i in range(40)])
    assert values[:, 0].mean() == pytest.approx(0, abs=0.1)
    assert values[:, 0].std() == pytest.approx(1, abs=0.1)
    assert np.abs(np.diff(values, axis=1)).max() * 30 < 12


def test_swings_turn_a_direction_to_another_the_short_way():
    rest, other = np.array([0.0, 0.0, -2.0]), unit(np.array([[0.3, -0.4, 0.5], [0, 0, -1.0]]))
    turn = swing_to(rest, other)
    assert turn @ unit(rest) == pytest.approx(other)
    assert turn[1] == pytest.approx(np.eye(3))


@pytest.mark.parametrize(
    ("parents", "joints", "elbow"), [(smpl.PARENTS, smpl.JOINTS, 18), (cmu.PARENTS, cmu.JOINTS, 22)]
)
def test_the_t_pose_of_others_is_a_t_pose_of_ours_and_elbows_bend_forward(
    shape, parents, joints, elbow
):
    turns = np.tile(np.eye(3), (2, len(parents), 1, 1))
    turns[1, elbow] = Rotation.from_rotvec([0, -np.pi / 2, 0]).as_matrix()
    rotations, root = on_our_bones(shape, world_turns(parents, turns), joints)
    still, bent = posed_joints(shape, rotations, root)
    arm = place(still, "left_wrist") - place(still, "left_shoulder")
    assert arm[0] > 0.05 and np.abs(arm[1:]).max() < 0.02
    forearm = place(bent, "left_wrist") - place(bent, "left_elbow")
    assert unit(forearm) == pytest.approx([0, -1, 0], abs=1e-6)  # y is to the back
    moved = np.linalg.norm(bent - still, axis=-1) > 1e-6
    assert {INFANT.joints[i] for i in np.flatnonzero(moved)} == {"left_wrist", "left_fingers"}


def test_the_mesh_follows_the_angles(shape):
    turns = np.tile(np.eye(3), (1, len(smpl.PARENTS), 1, 1))
    turns[0, 0] = Rotation.from_rotvec([0.3, 0.5, -0.2]).as_matrix()
    rotations, root = on_our_bones(shape, world_turns(smpl.PARENTS, turns), smpl.JOINTS)
    turn, at = bodies.forward_kinematics(shape, rotations, root, np.zeros((1, 3)))
    head = bodies.weight_of(("head", "eye")) > 0.99
    skin = bodies.skin(shape, turn[0], at[0])[head] - at[0, bodies.rig().index("head")]
    rest = shape.vertices[head] - shape.heads[bodies.rig().index("head")]
    assert skin == pytest.approx(rest @ root[0].T, abs=1e-6)


def test_fits_lie_under_the_camera_as_they_were_seen(shape, tmp_path):
    poses = np.zeros((4, 24, 3))
    poses[:, 0] = [np.pi, 0, 0]  # head up in the picture, face towards the camera
    _, root = smpl.fitted_movement(np.random.default_rng(0), shape, TIMES, poses)
    assert root[0] @ [0, 0, 1] == pytest.approx([0, 1, 0], abs=1e-9)
    assert root[0] @ [0, -1, 0] == pytest.approx([0, 0, 1], abs=1e-9)


def test_recordings_are_inverse_maps_cut_at_jumps(tmp_path):
    frames = np.zeros((300, 117))
    frames[100:, 3 + 3 * 21] = 2.0  # a jump of the left upper arm
    path = tmp_path / "cmu.npz"
    np.savez(path, frames=frames, lengths_before_stride=[600], names=["test/running/1"], stride=2)
    recordings = cmu.read_recordings(path)
    assert recordings.spans == {"running": [range(100), range(100, 300)]}
    assert recordings.fps == 60
    turned = cmu._between(recordings.maps, np.array([150.0]))[0, 21]
    assert Rotation.from_matrix(turned).as_rotvec() == pytest.approx([-2, 0, 0], abs=1e-6)


def test_weak_joints_become_directions_of_our_bones(shape):
    joints = standing_joints()[None] @ smpl.FROM_ABOVE.T
    rotations = rotations_of(shape, joints)
    root = rotations.pop("root")
    ours = posed_joints(shape, rotations, root)[0]
    named = dict(zip(LSP_14.joints, joints[0], strict=True))
    for first, second in (("left_elbow", "left_wrist"), ("right_hip", "right_knee")):
        found, expected = (unit(j(second) - j(first)) for j in (
            lambda name: place(ours, name), named.__getitem__))  # fmt: skip
        assert found @ expected > 0.98


@pytest.mark.parametrize("name", [name for name, s in SOURCES.items() if s.read is not None])
def test_a_source_without_its_file_says_what_to_give(shape, tmp_path, name):
    with pytest.raises(DataError, match=f"give {SOURCES[name].file}"):
        usable_shares({name: 1.0}, {})
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"no zip")
    with pytest.raises(DataError, match=r"broken\.npz"):
        usable_shares({name: 1.0}, {SOURCES[name].file: broken})


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ({"dance": 1.0}, "unknown"),
        ({"habits": -1.0}, "from 0"),
        ({"habits": float("nan")}, "from 0"),
        ({"habits": 0.0}, "above 0"),
        ({"reaching": 0.1, "habits": 1.0}, "benchmarks"),
    ],
)
def test_shares_that_cannot_be_used_are_one_line(shares, words):
    with pytest.raises(DataError, match=words):
        usable_shares(shares, {})


def test_nothing_that_trains_names_what_is_held_out():
    held_out = [name for name, source in SOURCES.items() if source.held_out]
    assert held_out == ["reaching"]
    package = Path(PoseEstimation.__file__).parent
    texts = [p for folder in ("chains", "training") for p in (package / folder).glob("*.py")]
    for path in (*texts, package / "stage_settings.py", package / "settings.py", SHIPPED):
        content = path.read_text(encoding="utf-8")
        assert not any(f'"{name}"' in content or f"{name}=" in content for name in held_out), path
        assert "synthinfant2" not in content, path


@pytest.mark.skipif(not REAL, reason="INFANTPOSE_REAL_DATA is not set: no recordings here")
def test_people_who_walk_stand_on_feet_that_point_forward_and_swing_one_leg_after_the_other(shape):
    recordings = cmu.read_recordings(Path(REAL) / "cmu_mocap_expmap.npz")
    walks = cmu.Recordings(recordings.maps, {"w": recordings.spans["walking"]}, recordings.fps)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        joints = posed_joints(shape, *cmu.upright_movement(rng, shape, 4 * TIMES, walks))
        assert (place(joints, "upper_neck") - place(joints, "pelvis"))[:, 2].min() > 0
        assert (place(joints, "left_toes") - place(joints, "left_ankle"))[:, 1].mean() < -0.01
        ankles = [place(joints, f"{side}_ankle")[:, 1] for side in ("left", "right")]
        assert np.corrcoef(*ankles)[0, 1] < -0.5


@pytest.mark.skipif(not REAL, reason="INFANTPOSE_REAL_DATA is not set: no fits here")
def test_people_in_bed_lie(shape):
    path = Path(REAL) / "slp_fits.npz"
    for seed in range(6):
        posed = move_infant("slp", np.random.default_rng(seed), shape, TIMES, {"smpl_poses": path})
        up = posed.turn[:, 0] @ [0, 0, 1]
        assert np.abs(up[:, 2]).max() < 0.6

"""The body and its movement: anny as the oracle, joint limits, no limb through bed or trunk."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from Datasets.skeletons import INFANT, MINI_RGBD_25
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people import limbs
from Datasets.synthetic.people.contact import push_out
from Datasets.synthetic.people.phenotypes import LYING_INFANT, draw_body
from Datasets.synthetic.people.signals import bouts, noise, smooth, waypoints, wobble
from Datasets.synthetic.people.supine_movement import supine_movement


@pytest.fixture(scope="module")
def shape():
    return draw_body(np.random.default_rng(5), LYING_INFANT)


@pytest.fixture(scope="module")
def movement(shape):
    return supine_movement(np.random.default_rng(6), shape, np.arange(240) / 30, "supine")


def test_kinematics_and_skinning_agree_with_anny():
    import torch

    model, _ = bodies._anny()
    shape = bodies.make_shape({"age": -0.2})
    rng = np.random.default_rng(0)
    turns = {
        bone: Rotation.from_rotvec(rng.normal(0, 0.4, 3)).as_matrix()
        for bone in ("upperarm01.L", "lowerarm01.L", "upperleg01.R", "spine02", "head")
    }
    turn, place = bodies.forward_kinematics(
        shape, {b: t[None] for b, t in turns.items()}, np.eye(3)[None], shape.heads[:1]
    )
    pose = {b: torch.eye(4, dtype=torch.float64)[None].clone() for b in turns}
    for bone, value in turns.items():
        pose[bone][0, :3, :3] = torch.from_numpy(value)
    expected = model(phenotype_kwargs={"age": -0.2}, pose_parameters=pose)
    heads = expected["bone_poses"][0, :, :3, 3].numpy()
    assert np.abs(place[0] - heads).max() < 1e-12
    vertices = bodies.skin(shape, turn[0], place[0])
    # Ours blends around anny's unposed body, anny's around its template: a matter of a millimetre.
    assert np.abs(vertices - expected["vertices"][0].numpy()).max() < 0.003


@pytest.mark.parametrize("side", ["L", "R"])
def test_a_limb_reaches_its_target_with_its_own_bone_lengths(shape, side):
    rng = np.random.default_rng(1)
    rest = bodies.forward_kinematics(
        shape, {}, np.eye(3)[None].repeat(20, 0), np.zeros((20, 3)) + 1
    )
    for limb in (limbs.arm(shape, side), limbs.leg(shape, side)):
        direction = rng.normal(size=(20, 3))
        target = limb.to_world(direction, rng.uniform(0.55, 0.95, 20), *rest)
        pole = np.tile([limb.sign * 0.7, -0.7, 0.1], (20, 1))
        solved = limbs.aim_limb(limb, target, pole, *rest)
        _, place = bodies.forward_kinematics(
            shape, solved, np.eye(3)[None].repeat(20, 0), np.zeros((20, 3)) + 1
        )
        end = {"upperarm01": "wrist", "upperleg01": "foot"}[limb.upper[:-2]]
        reached = place[:, bodies.rig().index(f"{end}.{side}")]
        assert np.abs(reached - target).max() < 1e-9
        for rotation in solved.values():
            assert np.allclose(np.linalg.det(rotation), 1)


def test_knees_and_elbows_bend_one_way_and_not_too_far(shape, movement):
    for side in ("L", "R"):
        for chain in (("upperarm01", "lowerarm01", "wrist"), ("upperleg01", "lowerleg01", "foot")):
            a, b, c = (movement.place[:, bodies.rig().index(f"{name}.{side}")] for name in chain)
            upper, lower = b - a, c - b
            cosine = np.sum(upper * lower, 1) / np.linalg.norm(upper, axis=1)
            bend = np.degrees(np.arccos(np.clip(cosine / np.linalg.norm(lower, axis=1), -1, 1)))
            assert bend.min() > 2
            assert bend.max() < 150


def test_no_limb_goes_through_the_bed_or_deep_into_the_trunk(shape, movement):
    for side in ("L", "R"):
        for bone in ("wrist", "lowerarm01", "foot", "lowerleg01"):
            height = movement.place[:, bodies.rig().index(f"{bone}.{side}"), 2]
            assert height.min() > 0.005, bone
        shift = bodies_inside_trunk(shape, side, movement)
        assert shift.max() < 0.02


def bodies_inside_trunk(shape, side, movement):
    from Datasets.synthetic.people.contact import lift_from_trunk

    apart = np.arange(len(movement.turn)) * 10.0  # far apart: no smoothing
    return np.linalg.norm(
        lift_from_trunk(shape, side, movement.turn, movement.place, apart), axis=1
    )


def test_movement_is_smooth_and_alive(shape, movement):
    joints = 1000 * bodies.infant_joints(shape, movement.turn, movement.place)
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 30
    assert speed.max() < 3000  # mm/s
    wrists = speed[:, INFANT.indices(["left_wrist", "right_wrist"])]
    assert wrists.mean() > 10


def test_the_infant_lies_on_its_back_and_bones_keep_their_length(shape, movement):
    joints = bodies.mini_rgbd_joints(shape, movement.turn, movement.place)
    nose, head = (joints[:, MINI_RGBD_25.index(name)] for name in ("nose", "head"))
    assert (nose[:, 2] > head[:, 2] - 0.02).mean() > 0.9
    for a, b in (("left_hip", "left_knee"), ("right_elbow", "right_wrist"), ("neck", "head")):
        i, j = MINI_RGBD_25.index(a), MINI_RGBD_25.index(b)
        length = np.linalg.norm(joints[:, i] - joints[:, j], axis=1)
        assert np.ptp(length) < (1e-9 if a != "neck" else 0.01)


def test_face_and_shared_joints_agree_between_conventions(shape, movement):
    mini = bodies.mini_rgbd_joints(shape, movement.turn, movement.place)
    infant = bodies.infant_joints(shape, movement.turn, movement.place)
    for joint in ("pelvis", "nose", "left_wrist", "right_toes"):
        assert np.array_equal(mini[:, MINI_RGBD_25.index(joint)], infant[:, INFANT.index(joint)])
    left, right = (
        infant[:, INFANT.index("left_shoulder")],
        infant[:, INFANT.index("right_shoulder")],
    )
    assert (left[:, 0] > right[:, 0]).all()  # seen from above, head up, left is on the right


def test_turning_and_centring_keep_the_shape_of_a_movement(movement):
    moved = movement.moved(yaw_degrees=70).centred()
    before = np.linalg.norm(movement.place[:, 5] - movement.place[:, 60], axis=1)
    assert np.allclose(np.linalg.norm(moved.place[:, 5] - moved.place[:, 60], axis=1), before)
    assert np.allclose(moved.place[..., 2], movement.place[..., 2])
    span = moved.place.min(axis=(0, 1)) + moved.place.max(axis=(0, 1))
    assert np.abs(span[:2]).max() < 1e-9


def test_one_posed_frame_moves_as_frames_do(movement):
    frame = bodies.Posed(movement.turn[7], movement.place[7], "supine").moved(0.1, -0.2, 40.0, 0.3)
    moved = movement.moved(0.1, -0.2, 40.0, 0.3)
    assert np.array_equal(frame.place, moved.place[7]) and frame.kind == "supine"
    assert np.array_equal(frame.turn, moved.turn[7])


def test_push_out_moves_only_what_is_inside_to_the_surface():
    rng = np.random.default_rng(2)
    radii = np.array([0.06, 0.04, 0.1])
    points = rng.normal(0, 0.06, (500, 3))
    moved = points + push_out(points, radii)
    before, after = (np.linalg.norm(p / radii, axis=1) for p in (points, moved))
    assert np.allclose(after[before < 1], 1)
    assert np.array_equal(moved[before >= 1], points[before >= 1])


def test_signals_stay_in_bounds_and_repeat_with_the_seed():
    times = np.arange(300) / 30

    def drawn():
        rng = np.random.default_rng(3)

        def targets():
            while True:
                yield rng.uniform(-1, 1, 2)

        return waypoints(rng, times, targets(), (0.3, 1), (0.1, 1))

    path, again = drawn(), drawn()
    assert np.array_equal(path, again)
    assert np.abs(path).max() <= 1
    assert np.abs(wobble(np.random.default_rng(4), times, 5.0)).max() <= 7.0 + 1e-9
    long = noise(np.random.default_rng(4), np.arange(20000) / 30, (0.2, 2.0))
    assert abs(long.std() - 1) < 0.05 and abs(long.mean()) < 0.05
    envelope = bouts(np.random.default_rng(5), times, 2.0, (1, 2))
    assert envelope.min() >= 0
    assert envelope.max() <= 1
    assert np.array_equal(smooth(path, times * 100, 0.1), path)
    assert (
        np.abs(np.diff(smooth(path, times, 0.3), 2, axis=0)).max()
        <= np.abs(np.diff(path, 2, axis=0)).max()
    )

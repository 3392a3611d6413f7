"""SyRIP's measures: hand-made poses, and what alignment may and may not take away."""

import numpy as np
import pytest

from Datasets.skeletons import COCO_17
from PoseEstimation.metrics.protocols import SyripProtocol
from PoseEstimation.metrics.protocols.syrip import LIMB_JOINTS, LIMBS, limb_angles, mean_pose

PROTOCOL = SyripProtocol()


@pytest.fixture
def poses():
    return np.random.default_rng(3).normal(0, 100, (5, 12, 3)) + [0, 0, 50]


def photo(**places):
    joints = np.full((1, 17, 2), np.nan)
    for name, place in places.items():
        joints[0, COCO_17.index(name)] = place
    return joints


def test_the_head_is_the_largest_distance_of_labelled_points_of_the_face():
    face = photo(nose=(0, 0), left_ear=(30, 40), left_eye=(10, 0), left_hip=(500, 0))
    assert PROTOCOL.head_sizes(face) == pytest.approx([50])
    assert np.isnan(PROTOCOL.head_sizes(photo(nose=(0, 0), left_hip=(9, 9)))).all()


def test_pckh_counts_labelled_joints_of_photos_with_a_head():
    target = photo(nose=(0, 0), left_ear=(100, 0), left_wrist=(0, 300))
    found = photo(nose=(0, 9), left_ear=(100, 11), right_ankle=(0, 0))
    clean = PROTOCOL.score_2d(found, target).clean
    assert clean == pytest.approx({"pckh_05": 100 * 2 / 3, "pckh_01": 100 / 3})
    headless = photo(nose=(0, 0), left_wrist=(0, 300))
    together = PROTOCOL.score_2d(np.vstack([found, found]), np.vstack([target, headless]))
    assert together.clean == pytest.approx(clean)


def test_the_truth_is_right_and_similarity_is_taken_away_only_by_alignment(poses):
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    same = PROTOCOL.score_3d(poses, poses).clean
    assert same == pytest.approx(
        {"pa_mpjpe_mm": 0, "scale_mpjpe_mm": 0, "limb_degrees": 0}, abs=1e-4
    )
    larger = PROTOCOL.score_3d(1.3 * poses + 40, poses).clean
    assert larger == pytest.approx(same, abs=1e-4)
    turned = PROTOCOL.score_3d(poses @ turn.T, poses).clean
    assert turned["pa_mpjpe_mm"] == pytest.approx(0, abs=1e-9)
    assert turned["scale_mpjpe_mm"] > 50 and turned["limb_degrees"] > 30


def test_limbs_that_point_the_other_way_are_half_a_turn_off(poses):
    assert limb_angles(-poses, poses) == pytest.approx(np.full((5, len(LIMBS)), 180.0))


def test_the_yardsticks_are_reached_without_looking(poses):
    scores = PROTOCOL.score_3d(np.zeros_like(poses), poses)
    flat = PROTOCOL.score_3d(poses * [1, 1, 0], poses).clean["pa_mpjpe_mm"]
    assert scores.groups["yardstick"]["true x and y, depth 0"]["pa_mpjpe_mm"] == flat
    constant = PROTOCOL.score_3d(np.tile(mean_pose(poses), (5, 1, 1)), poses).clean
    assert scores.groups["yardstick"]["mean pose"]["pa_mpjpe_mm"] == pytest.approx(
        constant["pa_mpjpe_mm"]
    )


def test_the_mean_of_similar_poses_is_similar(poses):
    from Datasets.geometry.alignment import procrustes

    turn = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0.0]])
    mean = mean_pose(np.stack([poses[0], poses[0] @ turn.T + 7]))
    assert procrustes(mean, poses[0]) == pytest.approx(poses[0])


def test_the_limb_joints_are_in_coco_and_other_shapes_are_refused(unchecked):
    assert set(LIMB_JOINTS) < set(COCO_17.joints)
    with pytest.raises(ValueError, match="weak_mm"):
        PROTOCOL.score_3d(np.zeros((2, 12, 3)), np.zeros((2, 11, 3)))

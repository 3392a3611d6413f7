"""The MINI-RGBD protocol: its traps, its arithmetic and its invariances."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from Datasets.geometry.alignment import root_relative
from Datasets.skeletons import MINI_RGBD_25
from Datasets.skeletons.mini_rgbd import PUBLISHED_16
from PoseEstimation.metrics.protocols import HeadLengths, MiniRgbdProtocol, ScoredPoses

ROOT = PUBLISHED_16.index("pelvis")
TABLE = HeadLengths(mm={"11": 28.6, "12": 30.1}, px={"11": 12.17, "12": 13.93})
OWN = HeadLengths(mm={"11": 35.0, "12": 36.0, "0001": 37.0}, px={"11": 15, "12": 16, "0001": 17})
FLIP = [
    PUBLISHED_16.index(MINI_RGBD_25.joints[MINI_RGBD_25.flip_indices[MINI_RGBD_25.index(joint)]])
    for joint in PUBLISHED_16
]


def poses_off_by(distance, frames=4, sequence="11", root_off=0.0):
    """Poses whose joints all miss by one distance, but for the root."""
    target = np.random.default_rng(1).normal(0, 100, (frames, 16, 3))
    target[:, ROOT] = 0
    offsets = np.full(16, float(distance))
    offsets[ROOT] = root_off
    predicted = target + offsets[None, :, None] * np.array([0.6, 0.0, 0.8])
    return ScoredPoses(np.full(frames, sequence), np.arange(frames), predicted, target)


def random_poses():
    generator = np.random.default_rng(5)
    target = generator.normal(0, 80, (8, 16, 3))
    target[:, ROOT] = 0
    predicted = target + generator.normal(0, 20, target.shape)
    predicted[:, ROOT] = 0
    names = np.array(["11"] * 5 + ["12"] * 3)
    target_px = generator.uniform(100, 400, (8, 16, 2))
    return ScoredPoses(
        names,
        np.array([0, 1, 2, 3, 4, 0, 1, 2]),
        predicted,
        target,
        target_px + generator.normal(0, 8, target_px.shape),
        target_px,
    )


def score(poses, published=TABLE):
    return MiniRgbdProtocol().score(poses, published, OWN)


def numbers(column, leave_out=()):
    return {k: v for k, v in column.items() if not isinstance(v, str) and k not in leave_out}


def test_root_in_and_out_differ_by_sixteen_fifteenths():
    """28.47 mm with the root, as published, are 30.37 mm without."""
    without = 28.47 * 16 / 15
    clean = score(poses_off_by(without)).clean
    assert clean["ajpe_mm"] == pytest.approx(28.47)
    assert clean["ajpe_no_root_mm"] == pytest.approx(30.368)


def test_a_root_fixed_at_zero_gains_one_joint_in_clean_and_loses_it_in_paper():
    near, far = score(poses_off_by(20)), score(poses_off_by(1000))
    assert (near.clean["pckh_1"], near.paper["pckh_1"]) == (100, 93.75)
    assert (far.clean["pckh_1"], far.paper["pckh_1"]) == (6.25, 0)
    for result in (near, far):
        assert result.clean["pckh_1_no_root"] == result.paper["pckh_1_no_root"]
        assert result.clean["pckh_2_no_root"] == result.paper["pckh_2_no_root"]
    assert near.per_joint["clean"]["pelvis"]["pckh_1"] == 100
    assert near.per_joint["paper"]["pelvis"]["pckh_1"] == 0
    assert near.per_joint["paper"]["nose"]["pckh_1"] == 100


def test_columns_agree_when_no_distance_is_zero():
    result = score(poses_off_by(20, root_off=1))
    assert result.clean == result.paper
    assert result.clean["ajpe_mm"] == pytest.approx((15 * 20 + 1) / 16)


def test_thresholds_are_the_sequences_own():
    """29 mm is a miss in sequence 11 (28.6 mm), a hit in 12 (30.1 mm) and when measured."""
    eleven, twelve = poses_off_by(29), poses_off_by(29, sequence="12")
    assert score(eleven).clean["pckh_1_no_root"] == 0
    assert score(twelve).clean["pckh_1_no_root"] == 100
    assert score(eleven).clean["pckh_1_measured"] == 100
    both = ScoredPoses(
        *(
            np.concatenate([getattr(p, name) for p in (eleven, twelve)])
            for name in ("sequences", "frames", "predicted_mm", "target_mm")
        )
    )
    assert score(both).clean["pckh_1_no_root"] == 50


def test_other_sequences_have_only_the_measured_pair():
    result = score(poses_off_by(20, sequence="0001"))
    assert "pckh_1" not in result.clean
    assert "pckh_1_no_root" not in result.clean
    assert result.clean["pckh_1_measured"] == 100
    assert result.clean["head_length_source"] == "measured"
    assert result.counts["frames_with_published_head_length"] == 0


def test_a_mixture_counts_only_published_sequences_in_the_published_pair():
    official, other = poses_off_by(20, frames=3), poses_off_by(1000, frames=5, sequence="0001")
    both = ScoredPoses(
        np.concatenate([official.sequences, other.sequences]),
        np.concatenate([official.frames, other.frames]),
        np.concatenate([official.predicted_mm, other.predicted_mm]),
        np.concatenate([official.target_mm, other.target_mm]),
    )
    result = score(both)
    assert result.clean["pckh_1"] == 100
    assert result.clean["pckh_1_no_root"] == 100
    assert result.counts["frames_with_published_head_length"] == 3
    assert result.clean["head_length_source"].startswith("published for part")


def test_a_sequence_with_a_useless_published_length_is_dropped_whole():
    table = HeadLengths(mm={"11": 28.6, "12": 0.0}, px=TABLE.px)
    poses = random_poses()
    first = poses.sequences == "11"
    only_first = ScoredPoses(
        poses.sequences[first],
        poses.frames[first],
        poses.predicted_mm[first],
        poses.target_mm[first],
    )
    assert score(poses, table).clean["pckh_1"] == score(only_first, table).clean["pckh_1"]


def test_unlabelled_joints_count_nowhere():
    poses = random_poses()
    target_mm, target_px = poses.target_mm.copy(), poses.target_px.copy()
    target_mm[:, 3], target_px[2, 4] = np.nan, np.nan
    masked = replace(poses, target_mm=target_mm, target_px=target_px)
    wild_mm, wild_px = poses.predicted_mm.copy(), poses.predicted_px.copy()
    wild_mm[:, 3], wild_px[2, 4] = 1e6, np.nan
    result = score(masked)
    assert result == score(replace(masked, predicted_mm=wild_mm, predicted_px=wild_px))
    assert result.counts["joints_3d"] == 8 * 15
    assert result.counts["joints_2d"] == 8 * 16 - 1
    assert result.per_joint["clean"][PUBLISHED_16[3]].keys().isdisjoint({"ajpe_mm", "pckh_1"})


def test_pckh_is_the_mean_of_joint_rates_and_ajpe_of_distances():
    target = np.zeros((2, 16, 3))
    predicted = np.zeros((2, 16, 3))
    predicted[..., 0] = 10.0
    predicted[:, 0, 0] = 100.0
    target[1, 1:] = np.nan
    poses = ScoredPoses(np.array(["11", "11"]), np.arange(2), predicted, target)
    clean = score(poses).clean
    assert clean["pckh_1"] == pytest.approx(100 * 15 / 16)
    assert clean["ajpe_mm"] == pytest.approx((2 * 100 + 15 * 10) / 17)


def test_mirroring_both_swaps_the_sides_and_changes_no_total():
    poses = random_poses()
    mirror_mm, mirror_px = np.array([-1.0, 1, 1]), np.array([-1.0, 1])
    mirrored = ScoredPoses(
        poses.sequences,
        poses.frames,
        poses.predicted_mm[:, FLIP] * mirror_mm,
        poses.target_mm[:, FLIP] * mirror_mm,
        poses.predicted_px[:, FLIP] * mirror_px + [639, 0],
        poses.target_px[:, FLIP] * mirror_px + [639, 0],
    )
    before, after = score(poses), score(mirrored)
    assert numbers(after.clean) == pytest.approx(numbers(before.clean))
    assert numbers(after.paper) == pytest.approx(numbers(before.paper))
    for joint in PUBLISHED_16:
        other = PUBLISHED_16[FLIP[PUBLISHED_16.index(joint)]]
        assert after.per_joint["clean"][joint] == pytest.approx(before.per_joint["clean"][other])


def test_turning_and_moving_both_changes_nothing():
    poses = random_poses()
    turn = Rotation.from_euler("xyz", [10, 120, -70], degrees=True).as_matrix()
    shift = np.array([40.0, -300, 900])

    def moved(joints):
        return root_relative(joints @ turn.T + shift, ROOT)

    rigid = replace(poses, predicted_mm=moved(poses.predicted_mm), target_mm=moved(poses.target_mm))
    assert numbers(score(rigid).clean) == pytest.approx(numbers(score(poses).clean))


def test_the_prediction_is_not_moved_onto_the_root():
    """Protocol facts: relative to the true pelvis, no Procrustes, no scale fit."""
    shifted = replace(random_poses(), predicted_mm=random_poses().target_mm + [0, 0, 50.0])
    clean = score(shifted).clean
    assert clean["ajpe_mm"] == pytest.approx(50)
    assert clean["pa_mpjpe_mm"] == pytest.approx(0, abs=1e-9)


def test_the_order_of_sequences_does_not_matter():
    poses = random_poses()
    sigma = np.random.default_rng(3).uniform(5, 30, poses.target_mm.shape[:2])
    poses = replace(poses, sigma_mm=sigma, sigma_px=sigma / 2)
    order = np.r_[5:8, 0:5]
    swapped = ScoredPoses(*(getattr(poses, name)[order] for name in poses.__dataclass_fields__))
    assert numbers(score(swapped).clean) == pytest.approx(numbers(score(poses).clean))
    assert score(swapped).counts == score(poses).counts


def test_the_2d_pair_has_its_own_thresholds():
    poses = random_poses()
    poses = replace(poses, predicted_px=poses.target_px + [13.0, 0])
    clean = score(poses).clean
    assert clean["ajpe_2d_px"] == pytest.approx(13.0)
    assert clean["pckh_1_2d"] == pytest.approx(100 * 3 / 8)
    assert clean["pckh_2_2d"] == clean["pckh_1_2d_measured"] == 100


def test_without_2d_there_are_no_2d_keys():
    result = score(poses_off_by(20))
    assert not [key for key in result.clean if "2d" in key]
    assert "joints_2d" not in result.counts


def test_wrong_joint_axis_is_refused(unchecked):
    poses = poses_off_by(20)
    with pytest.raises(ValueError, match="not \\(frame"):
        score(replace(poses, target_mm=poses.target_mm[:, :15]))

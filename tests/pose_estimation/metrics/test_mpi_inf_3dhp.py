"""The MPI-INF-3DHP protocol: thresholds, groups, scenes, and what lies relative to what."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from Datasets.layouts.mpi_inf_3dhp import ACTIVITIES, TEST_VALID
from Datasets.skeletons import MPI_INF_17
from PoseEstimation.metrics.protocols import MpiInf3dhpPoses, MpiInf3dhpProtocol
from PoseEstimation.metrics.protocols.mpi_inf_3dhp import GROUPS, SCENES

ROOT = MPI_INF_17.index("pelvis")
MEASURES = {"pck_150", "auc", "mpjpe_mm", "pa_mpjpe_mm"}


def score(poses):
    return MpiInf3dhpProtocol().score(poses)


def off_by(distance, frames=2, sequence="TS1"):
    """Poses whose joints but the pelvis all miss by one distance."""
    target = np.random.default_rng(0).integers(-600, 600, (frames, 17, 3)).astype(float)
    predicted = target + np.array([0, distance, 0])
    predicted[:, ROOT] = target[:, ROOT]
    return MpiInf3dhpPoses(np.array([sequence] * frames), predicted, target)


def benchmark(frames=TEST_VALID, seed=3):
    """Poses for some sequences, each with an error of its own, in absolute camera space."""
    generator = np.random.default_rng(seed)
    names = np.repeat(list(frames), list(frames.values()))
    target = generator.normal(0, 250, (len(names), 17, 3)) + [100, -50, 3000]
    spread = dict(zip(frames, np.linspace(20, 120, len(frames)), strict=True))
    scale = np.array([spread[name] for name in names])[:, None, None]
    predicted = target + scale * generator.normal(0, 1, target.shape)
    activities = generator.choice(ACTIVITIES, len(names))
    return MpiInf3dhpPoses(names, predicted, target, activities=activities)


def official(errors):
    """Rates written out as the official scripts define them: errors (frame, 17) to four numbers."""
    groups = [[0], [1], [2, 5], [3, 6], [4, 7], [8, 11], [9, 12], [10, 13]]
    pck = auc = 0.0
    for group in groups:
        below = [100 * np.mean(errors[:, group] < t) for t in range(0, 155, 5)]
        pck += len(group) * 100 * np.mean(errors[:, group] < 150)
        auc += len(group) * sum(below) / len(below)
    return pck / 14, auc / 14


def errors_of(poses):
    predicted, target = (p - p[:, 14:15] for p in (poses.predicted_mm, poses.universal_mm))
    return np.sqrt(((predicted - target) ** 2).sum(axis=-1))


def test_an_error_of_150_mm_is_a_miss():
    assert score(off_by(150.0)).clean["pck_150"] == 0
    assert score(off_by(149.99)).clean["pck_150"] == 100


def test_auc_has_31_thresholds_of_which_zero_is_never_undercut():
    """The trap: 40 thresholds up to 195 mm would give 50 percent here, not 35.5."""
    assert score(off_by(0.0)).clean["auc"] == pytest.approx(100 * 30 / 31)
    assert score(off_by(97.5)).clean["auc"] == pytest.approx(100 * 11 / 31)
    assert score(off_by(100.0)).clean["auc"] == pytest.approx(100 * 10 / 31)
    assert score(off_by(160.0)).clean["auc"] == 0


def test_pck_has_14_joints_and_mpjpe_17_with_the_pelvis():
    poses = off_by(0.0)
    predicted = poses.predicted_mm.copy()
    predicted[:, MPI_INF_17.indices(["spine", "head"])] += [0, 0, 1000]
    result = score(replace(poses, predicted_mm=predicted))
    assert result.clean["pck_150"] == 100
    assert result.clean["mpjpe_mm"] == pytest.approx(2000 / 17)
    assert result.per_joint["clean"]["spine"]["pck_150"] == 0
    assert result.counts["joints"] == 2 * 14 and result.counts["joints_mpjpe"] == 2 * 17
    assert score(off_by(170.0)).clean["mpjpe_mm"] == pytest.approx(160.0)


def test_the_groups_name_the_official_joints():
    numbers = [MPI_INF_17.indices(joints) for joints in GROUPS.values()]
    assert numbers == [[0], [1], [2, 5], [3, 6], [4, 7], [8, 11], [9, 12], [10, 13]]
    assert ROOT == 14


def test_both_poses_are_relative_to_their_own_pelvis():
    poses = benchmark({"TS1": 20})
    shifted = replace(poses, predicted_mm=poses.predicted_mm + [500, -300, 2000])
    assert score(shifted).clean == pytest.approx(score(poses).clean)
    relative = poses.predicted_mm - poses.predicted_mm[:, ROOT : ROOT + 1]
    assert score(replace(poses, predicted_mm=relative)).clean == pytest.approx(score(poses).clean)


def test_the_complete_test_set_has_the_official_totals_and_weights():
    poses = benchmark()
    result, errors = score(poses), errors_of(poses)
    assert result.counts["frames"] == 2929
    assert (result.clean["pck_150"], result.clean["auc"]) == pytest.approx(official(errors))
    assert result.clean["mpjpe_mm"] == pytest.approx(errors.mean())
    rows = result.groups["sequence"]
    assert list(rows) == list(TEST_VALID)
    for name, row in rows.items():
        here = errors[poses.sequences == name]
        assert (row["pck_150"], row["auc"]) == pytest.approx(official(here))
        assert row["frames"] == TEST_VALID[name]
    for scene, (a, b) in SCENES.items():
        for key in MEASURES:
            weighted = rows[a][key] * TEST_VALID[a] + rows[b][key] * TEST_VALID[b]
            expected = weighted / (TEST_VALID[a] + TEST_VALID[b])
            assert result.groups["scene"][scene][key] == pytest.approx(expected)
    unweighted = np.mean([rows["TS5"]["pck_150"], rows["TS6"]["pck_150"]])
    assert abs(result.groups["scene"]["outdoor"]["pck_150"] - unweighted) > 1
    for activity in ACTIVITIES:
        row = result.groups["activity"][activity]
        expected = official(errors[poses.activities == activity])
        assert (row["pck_150"], row["auc"]) == pytest.approx(expected)


def test_a_part_of_the_test_set_weighs_the_frames_that_are_there():
    poses = benchmark({"TS2": 30, "TS5": 10, "TS6": 5, "S8/Seq1": 7})
    result = score(poses)
    rows, scenes = result.groups["sequence"], result.groups["scene"]
    assert set(scenes) == {"green_screen", "outdoor"}
    assert scenes["green_screen"] == rows["TS2"]
    expected = (10 * rows["TS5"]["auc"] + 5 * rows["TS6"]["auc"]) / 15
    assert scenes["outdoor"]["auc"] == pytest.approx(expected)
    assert rows["S8/Seq1"]["frames"] == 7 and result.counts["frames"] == 52


def test_frames_without_activity_have_no_row():
    poses = benchmark({"TS1": 6})
    some = replace(poses, activities=np.array(["Sports", "", "", "Sports", "Sitting", ""]))
    rows = score(some).groups["activity"]
    assert {name: row["frames"] for name, row in rows.items()} == {"Sports": 3 - 1, "Sitting": 1}
    assert score(replace(poses, activities=None)).groups["activity"] == {}


def test_totals_pool_joints_and_parts_are_theirs():
    poses = benchmark({"TS4": 50})
    result = score(poses)
    sizes = {part: len(joints) for part, joints in GROUPS.items()}
    for key in ("pck_150", "auc"):
        total = sum(sizes[part] * row[key] for part, row in result.groups["part"].items())
        assert result.clean[key] == pytest.approx(total / 14)
    elbows = [result.per_joint["clean"][f"{side}_elbow"]["auc"] for side in ("left", "right")]
    assert result.groups["part"]["elbow"]["auc"] == pytest.approx(np.mean(elbows))


def test_a_joint_without_prediction_is_a_miss_even_where_the_pelvis_is_near():
    """A hip 100 mm from the pelvis: put at the pelvis it would be a hit."""
    target = np.zeros((1, 17, 3))
    hip = MPI_INF_17.index("left_hip")
    target[0, hip] = [100, 0, 0]
    predicted = target.copy()
    predicted[0, hip] = np.nan
    result = score(MpiInf3dhpPoses(np.array(["TS1"]), predicted, target))
    assert result.clean["pck_150"] == pytest.approx(100 * 13 / 14)
    assert result.clean["mpjpe_mm"] == pytest.approx(100 / 17)
    assert result.counts["joints_without_prediction"] == 1


def test_a_pose_without_pelvis_or_with_nothing_misses_whole():
    poses = off_by(0.0)
    predicted = poses.predicted_mm.copy()
    predicted[0, ROOT] = np.nan
    result = score(replace(poses, predicted_mm=predicted))
    assert result.clean["pck_150"] == 50
    nothing = score(replace(poses, predicted_mm=predicted * np.nan))
    assert nothing.clean["pck_150"] == nothing.clean["auc"] == 0
    relative = poses.universal_mm - poses.universal_mm[:, ROOT : ROOT + 1]
    assert nothing.clean["mpjpe_mm"] == pytest.approx(np.linalg.norm(relative, axis=-1).mean())


def test_unlabelled_joints_count_nowhere():
    poses = benchmark({"TS1": 10})
    target = poses.universal_mm.copy()
    target[2, 4], target[5, ROOT] = np.nan, np.nan
    wild = poses.predicted_mm.copy()
    wild[2, 4], wild[5] = 1e6, -1e6
    result = score(replace(poses, universal_mm=target))
    assert result == score(replace(poses, universal_mm=target, predicted_mm=wild))
    assert result.counts["joints"] == 9 * 14 - 1
    assert result.counts["joints_mpjpe"] == 9 * 17 - 1


def test_the_two_annotations_are_named_and_only_the_given_ones_scored():
    true = benchmark({"TS1": 10}).universal_mm
    universal = 1.1 * true
    names = np.array(["TS1"] * 10)
    clean = score(MpiInf3dhpPoses(names, true, universal, true)).clean
    relative = np.linalg.norm(true - true[:, ROOT : ROOT + 1], axis=-1)
    assert clean["mpjpe_mm"] == pytest.approx(0.1 * relative.mean())
    assert clean["mpjpe_annot3_mm"] == 0
    assert clean["pa_mpjpe_mm"] == pytest.approx(0, abs=1e-9)
    assert clean["auc"] < clean["auc_annot3"] == pytest.approx(100 * 30 / 31)
    only = score(MpiInf3dhpPoses(names, true, joints_mm=true))
    assert set(only.clean) == {
        *("pck_150_annot3", "auc_annot3", "mpjpe_annot3_mm", "pa_mpjpe_annot3_mm")
    }
    with pytest.raises(ValueError, match="nothing to compare with"):
        score(MpiInf3dhpPoses(names, true))


def test_mirror_and_turn_of_both_change_nothing_and_a_turn_of_one_only_the_aligned():
    poses = benchmark({"TS1": 12, "TS6": 8})
    before = score(poses).clean
    flip = list(MPI_INF_17.flip_indices)
    mirrored = [(p * [-1, 1, 1])[:, flip] for p in (poses.predicted_mm, poses.universal_mm)]
    after = score(replace(poses, predicted_mm=mirrored[0], universal_mm=mirrored[1]))
    assert after.clean == pytest.approx(before)
    turn = Rotation.from_euler("xyz", [30, 100, -50], degrees=True).as_matrix().T
    both = replace(
        poses, predicted_mm=poses.predicted_mm @ turn, universal_mm=poses.universal_mm @ turn
    )
    assert score(both).clean == pytest.approx(before)
    one = score(replace(poses, predicted_mm=1.3 * poses.predicted_mm @ turn)).clean
    assert one["pa_mpjpe_mm"] == pytest.approx(before["pa_mpjpe_mm"])
    assert one["mpjpe_mm"] > 2 * before["mpjpe_mm"]


def test_a_wrong_shape_is_refused(unchecked):
    poses = off_by(0.0)
    with pytest.raises(ValueError, match=r"universal_mm has shape \(2, 16, 3\), not \(2, 17, 3\)"):
        score(replace(poses, universal_mm=poses.universal_mm[:, :16]))
    with pytest.raises(ValueError, match="1 activities for 2 frames"):
        score(replace(poses, activities=np.array(["Sports"])))

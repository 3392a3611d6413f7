"""The MPII protocol: its traps, its arithmetic and its invariances."""

import numpy as np
import pytest

from Datasets.skeletons import MPII_16
from PoseEstimation.metrics.protocols import MpiiProtocol

HEAD_BOX = np.array([10.0, 20, 40, 60])
HEAD_SIZE = 30.0  # 0.6 times the diagonal 50
JOINTS = len(MPII_16)


def people(number=1, seed=0):
    """Targets (person, 16, 2) and their head boxes, all of head size 30."""
    target = np.random.default_rng(seed).uniform(50, 400, (number, JOINTS, 2))
    return target, np.tile(HEAD_BOX, (number, 1))


def off_by(target, distance):
    return target + np.array([0.6, 0.8]) * np.asarray(distance, dtype=float)[..., None]


def score(predicted, target, boxes):
    return MpiiProtocol().score(predicted, target, boxes)


def random_people():
    """Forty people with unlabelled joints and unlike heads, predictions some head sizes off."""
    generator = np.random.default_rng(4)
    target, _ = people(40, seed=4)
    target[generator.uniform(size=target.shape[:2]) < np.linspace(0, 0.6, JOINTS)] = np.nan
    corner = generator.uniform(0, 100, (40, 2))
    boxes = np.concatenate([corner, corner + generator.uniform(15, 60, (40, 2))], axis=1)
    predicted = np.nan_to_num(target) + generator.normal(0, 12, target.shape)
    predicted[3, 4] = predicted[7] = np.nan
    return predicted, target, boxes


def test_the_length_is_the_head_boxes_never_the_head_keypoints():
    """The trap: with the keypoints' distance, here 200 px, 90 px off would be a hit."""
    target, boxes = people()
    neck, top = MPII_16.indices(["upper_neck", "head_top"])
    target[0, neck], target[0, top] = [100, 300], [100, 100]
    assert score(off_by(target, 90), target, boxes).clean["pckh_05"] == 0
    assert score(off_by(target, 14), target, boxes).clean["pckh_05"] == 100


def test_an_error_on_the_threshold_is_a_hit():
    target, boxes = np.zeros((1, JOINTS, 2)), HEAD_BOX[None]
    for distance, expected in ((15.0, 100), (15.001, 0)):
        predicted = np.zeros((1, JOINTS, 2)) + [distance, 0]
        assert score(predicted, target, boxes).clean["pckh_05"] == expected


def test_the_small_threshold_is_a_tenth_and_not_eleven_hundredths():
    target, boxes = np.zeros((1, JOINTS, 2)), HEAD_BOX[None]
    for distance, expected in ((3.0, 100), (3.15, 0)):
        predicted = np.zeros((1, JOINTS, 2)) + [0, distance]
        assert score(predicted, target, boxes).clean["pckh_01"] == expected


def test_auc_is_the_mean_over_fifty_one_thresholds_and_zero_is_a_hit_at_zero():
    target, boxes = people()
    assert score(target, target, boxes).clean["auc"] == 100
    clean = score(off_by(target, 0.255 * HEAD_SIZE), target, boxes).clean
    assert clean["auc"] == pytest.approx(100 * 25 / 51)


def test_pelvis_and_thorax_have_rates_but_no_part_in_the_mean():
    target, boxes = people(3)
    predicted = target.copy()
    predicted[:, MPII_16.indices(["pelvis", "thorax"])] += 1000
    result = score(predicted, target, boxes)
    assert result.clean == {"pckh_05": 100, "pckh_01": 100, "auc": 100}
    assert result.per_joint["clean"]["pelvis"] == {"pckh_05": 0, "pckh_01": 0, "counted": 3}
    assert result.counts["joints"] == 3 * 14
    assert "pelvis and thorax" in result.counts["rule"]


def test_the_upper_neck_is_in_the_mean_although_no_table_shows_it():
    target, boxes = people()
    predicted = target.copy()
    predicted[:, MPII_16.index("upper_neck")] += 1000
    assert score(predicted, target, boxes).clean["pckh_05"] == pytest.approx(100 * 13 / 14)


def test_the_mean_weighs_joints_by_how_often_they_were_counted():
    """A wrist labelled three times and hit, an ankle labelled once and missed: 75, not 50."""
    target = np.full((3, JOINTS, 2), np.nan)
    wrist, ankle = MPII_16.indices(["left_wrist", "left_ankle"])
    target[:, wrist], target[0, ankle] = 100.0, 200.0
    predicted = np.full((3, JOINTS, 2), 100.0)
    result = score(predicted, target, np.tile(HEAD_BOX, (3, 1)))
    assert result.clean["pckh_05"] == 75
    assert result.per_joint["clean"]["left_ankle"]["counted"] == 1
    assert result.per_joint["clean"]["left_knee"] == {"counted": 0}


def test_unlabelled_joints_never_count_whatever_is_predicted_there():
    predicted, target, boxes = random_people()
    wild = np.where(np.isnan(target), 1e6, predicted)
    absent = np.where(np.isnan(target), np.nan, predicted)
    result = score(predicted, target, boxes)
    assert score(wild, target, boxes) == score(absent, target, boxes) == result
    labelled = np.isfinite(target).all(-1)
    labelled[:, MPII_16.indices(["pelvis", "thorax"])] = False
    assert result.counts["joints"] == labelled.sum()


def test_a_joint_that_was_not_predicted_is_a_miss():
    target, boxes = people(2)
    predicted = target.copy()
    predicted[0, 0] = np.nan
    predicted[1, 1, 1] = np.nan
    result = score(predicted, target, boxes)
    assert result.clean["pckh_05"] == pytest.approx(100 * 26 / 28)
    assert result.counts["joints_without_prediction"] == 2


@pytest.mark.parametrize("box", [[np.nan] * 4, [30, 30, 30, 30]])
def test_a_person_without_head_box_leaves_numerator_and_denominator(box):
    target, boxes = people(2)
    predicted = target.copy()
    predicted[0, :7] += 1000
    boxes[1] = box
    result = score(predicted, target, boxes)
    assert result.clean["pckh_05"] == pytest.approx(100 * 8 / 14)
    assert (result.counts["people"], result.counts["people_without_head_box"]) == (2, 1)


def test_the_table_averages_the_sides_evenly():
    target, boxes = people(4)
    left, right = MPII_16.indices(["left_elbow", "right_elbow"])
    target[1:, right] = np.nan
    predicted = target.copy()
    predicted[:2, left] += 1000
    result = score(predicted, target, boxes)
    assert result.groups["part"]["elbow"]["pckh_05"] == 75
    assert list(result.groups["part"]) == [
        *("ankle", "knee", "hip", "pelvis", "thorax", "upper_neck", "head_top"),
        *("wrist", "elbow", "shoulder"),
    ]


def test_equals_the_definition_written_out():
    """An independent evaluation with loops: rates per joint, then their mean weighted by counts."""
    predicted, target, boxes = random_people()
    hits = {t: np.zeros(JOINTS) for t in (0.5, 0.1, *(i / 100 for i in range(51)))}
    counts = np.zeros(JOINTS)
    for p, g, (x1, y1, x2, y2) in zip(predicted, target, boxes, strict=True):
        size = 0.6 * ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        for j in range(JOINTS):
            if np.isnan(g[j, 0]):
                continue
            counts[j] += 1
            e = ((p[j, 0] - g[j, 0]) ** 2 + (p[j, 1] - g[j, 1]) ** 2) ** 0.5 / size
            for t in hits:
                hits[t][j] += e <= t
    counts[[6, 7]] = 0
    means = {t: (100 * hits[t] / np.maximum(counts, 1) * counts).sum() / counts.sum() for t in hits}
    clean = score(predicted, target, boxes).clean
    assert clean["pckh_05"] == pytest.approx(means[0.5])
    assert clean["pckh_01"] == pytest.approx(means[0.1])
    assert clean["auc"] == pytest.approx(np.mean([means[i / 100] for i in range(51)]))


def test_mirror_turn_shift_and_zoom_of_everything_change_nothing():
    predicted, target, boxes = random_people()
    before = score(predicted, target, boxes)
    flip = list(MPII_16.flip_indices)
    mirrored = [(p * [-1, 1] + [639, 0])[:, flip] for p in (predicted, target)]
    after = score(*mirrored, (boxes * [-1, 1, -1, 1]) + [639, 0, 639, 0])
    assert after.clean == pytest.approx(before.clean)
    assert after.groups["part"]["knee"] == pytest.approx(before.groups["part"]["knee"])
    for joint, other in zip(MPII_16.joints, flip, strict=True):
        twin = before.per_joint["clean"][MPII_16.joints[other]]
        assert after.per_joint["clean"][joint] == pytest.approx(twin)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = score(predicted @ turn.T + 7, target @ turn.T + 7, boxes)
    assert turned.clean == pytest.approx(before.clean)
    assert score(3 * predicted + 1, 3 * target + 1, 3 * boxes + 1).clean == pytest.approx(
        before.clean
    )


def test_no_people_have_no_rates_and_a_wrong_shape_is_refused(unchecked):
    empty = score(np.zeros((0, 16, 2)), np.zeros((0, 16, 2)), np.zeros((0, 4)))
    assert empty.clean == {} and empty.counts["joints"] == 0
    target, boxes = people(2)
    with pytest.raises(ValueError, match=r"target_px has shape \(2, 15, 2\), not \(any, 16, 2\)"):
        score(target[:, :15], target[:, :15], boxes)
    with pytest.raises(ValueError, match="head_boxes_xyxy"):
        score(target, target, boxes[:1])
    with pytest.raises(ValueError, match="differ in shape"):
        score(target[:1], target, boxes)

"""The evaluator against a predictor whose mistakes are known."""

import json

import numpy as np
import pytest

from Datasets.skeletons import INFANT, MINI_RGBD_25, MPII_16
from Datasets.skeletons.mini_rgbd import PUBLISHED_16
from Engine.errors import DataError
from PoseEstimation.evaluation.mini_rgbd import evaluate_mini_rgbd, published_indices
from PoseEstimation.evaluation.mini_rgbd_tables import mini_rgbd_tables

WHOLE = np.array([0.0, 0, 639, 479])


def test_a_predictor_that_knows_the_truth_is_right_everywhere(root, fake):
    metrics = evaluate_mini_rgbd(fake(root), root)
    clean = metrics["clean"]
    assert clean["ajpe_mm"] == pytest.approx(0, abs=1e-6)
    assert clean["ajpe_2d_px"] == pytest.approx(0, abs=1e-6)
    assert clean["pckh_1"] == clean["pckh_1_2d"] == clean["mean_iou"] == clean["box_ap"] == 100
    assert metrics["paper"]["pckh_1"] < clean["pckh_1"]
    assert metrics["counts"]["frames"] == metrics["data"]["frames"] == 7
    assert metrics["counts"]["identity_switches"] == 0
    assert metrics["counts"]["joints_3d"] == metrics["counts"]["joints_2d"] == 7 * 16


def test_known_offsets_give_the_known_errors(root, fake):
    metrics = evaluate_mini_rgbd(fake(root, off_mm=(16, 0, 12), off_px=(5, 12)), root, ["11"])
    clean = metrics["clean"]
    assert clean["ajpe_no_root_mm"] == pytest.approx(20)
    assert clean["ajpe_mm"] == pytest.approx(20 * 15 / 16)
    assert clean["ajpe_2d_px"] == pytest.approx(13)
    assert (clean["pckh_1"], metrics["paper"]["pckh_1"]) == (100, 93.75)
    assert (clean["pckh_1_2d"], clean["pckh_2_2d"]) == (0, 100)
    assert clean["velocity_mm_s"] == pytest.approx(0, abs=1e-6)


def test_head_length_is_neck_to_head_not_neck_to_nose(tmp_path, fake, write):
    """An error of 40 mm lies between the two: the nose is 83 mm from the neck."""
    write(tmp_path, "11", 2, 35.0, 15.0)
    metrics = evaluate_mini_rgbd(fake(tmp_path, off_mm=(40, 0, 0)), tmp_path)
    clean = metrics["clean"]
    assert clean["pckh_1_no_root"] == 0
    assert (clean["pckh_1"], metrics["paper"]["pckh_1"]) == (6.25, 0)
    assert clean["pckh_1_measured"] == 6.25
    assert clean["pckh_2_measured"] == 100
    assert clean["pckh_2"] == 100


def test_published_and_measured_thresholds_stand_side_by_side(tmp_path, fake, write):
    write(tmp_path, "11", 2, 35.0, 15.0)
    clean = evaluate_mini_rgbd(fake(tmp_path, off_mm=(30, 0, 0)), tmp_path)["clean"]
    assert (clean["pckh_1"], clean["pckh_1_measured"]) == (6.25, 100)
    assert clean["head_length_source"] == "published"


def test_other_sequences_have_only_the_measured_pair(tmp_path, fake, write):
    write(tmp_path, "0101", 2, 35.0, 15.0)
    metrics = evaluate_mini_rgbd(fake(tmp_path), tmp_path, output=tmp_path / "out")
    assert "pckh_1" not in metrics["clean"]
    assert metrics["clean"]["pckh_1_measured"] == metrics["clean"]["pckh_1_2d_measured"] == 100
    assert metrics["data"]["not_real_because"] == ["sequence 0101 is not one of the official set"]
    assert "| measured |" in (tmp_path / "out" / "table.md").read_text().replace("**", "")


def test_a_frame_without_detection_is_cropped_whole_and_counts(root, fake):
    predictor = fake(root, blind=(1, 5))
    metrics = evaluate_mini_rgbd(predictor, root)
    assert metrics["counts"]["frames_without_detection"] == 2
    assert "whole image" in metrics["counts"]["rule_without_detection"]
    assert metrics["counts"]["frames"] == 7
    assert metrics["clean"]["mean_iou"] == pytest.approx(100 * 5 / 7)
    assert metrics["clean"]["box_ap50"] == pytest.approx(100 * 5 / 7, abs=1.0)
    for i, box in predictor.asked_boxes.items():
        assert (box == WHOLE).all() == (i in (1, 5))


def test_the_best_of_several_boxes_is_used_and_scored(root, fake):
    wrong, right = np.array([0.0, 0, 20, 20]), np.array([100.0, 100, 500, 400])
    predictor = fake(root, boxes={2: np.stack([wrong, right])})
    metrics = evaluate_mini_rgbd(predictor, root)
    assert metrics["counts"]["frames_with_several_detections"] == 1
    assert (predictor.asked_boxes[2] == wrong).all()
    assert metrics["clean"]["mean_iou"] == pytest.approx(100 * 6 / 7)


def test_true_boxes_need_no_detector(root, fake):
    predictor = fake(root, blind=tuple(range(7)))
    own = evaluate_mini_rgbd(fake(root), root)
    metrics = evaluate_mini_rgbd(predictor, root, box_kind="true")
    assert "mean_iou" not in metrics["clean"]
    assert "frames_without_detection" not in metrics["counts"]
    assert not any((box == WHOLE).all() for box in predictor.asked_boxes.values())
    assert metrics["clean"]["ajpe_mm"] == own["clean"]["ajpe_mm"]
    assert metrics["data"]["boxes"] == "true"


def test_true_2d_masks_what_the_official_set_does_not_label_and_reads_no_image(
    tmp_path, fake, write
):
    write(tmp_path, "11", 2, 28.6, 12.17)
    for picture in tmp_path.glob("*/rgb/*.png"):
        picture.write_text("not an image")
    predictor = fake(tmp_path, off_mm=(0, 0, 20))
    metrics = evaluate_mini_rgbd(predictor, tmp_path, input_kind="gt2d")
    keypoints, scores = (
        np.concatenate([getattr(found, name) for found in predictor.lifted])
        for name in ("keypoints_px", "scores")
    )
    missing = set(np.array(INFANT.joints)[scores[0] == 0])
    assert missing == {"left_eye", "right_eye", "left_ear", "right_ear", "head_top"}
    assert np.isnan(keypoints[scores == 0]).all()
    assert np.isfinite(keypoints[scores == 1]).all()
    assert metrics["counts"]["joints_given"] == 20
    assert metrics["clean"]["ajpe_no_root_mm"] == pytest.approx(20)
    assert not [k for k in metrics["clean"] if "2d" in k or "box" in k or "iou" in k]


@pytest.mark.parametrize("skeleton", [MINI_RGBD_25, MPII_16], ids=lambda s: s.name)
def test_joints_are_taken_by_name_whatever_the_predictors_skeleton(root, fake, skeleton):
    offsets = {"off_mm": (10, 20, 5), "off_px": (3, 4)}
    reference = evaluate_mini_rgbd(fake(root, **offsets), root)
    other = evaluate_mini_rgbd(fake(root, skeleton=skeleton, **offsets), root)
    assert other == reference
    assert len(published_indices(skeleton)) == 16


def test_a_joint_that_the_predictor_leaves_out_is_an_error_not_a_gap(root, fake):
    """It is scored at the root in 3D and at the middle of the box in 2D."""
    predictor = fake(root, silent_joint="left_wrist")
    metrics = evaluate_mini_rgbd(predictor, root)
    wrist = metrics["per_joint"]["clean"]["left_wrist"]
    assert metrics["counts"]["joints_without_prediction"] == 7
    joint = MINI_RGBD_25.index("left_wrist")
    away = [np.linalg.norm(s.joints_mm[joint] - s.joints_mm[0]) for s in predictor.samples]
    assert wrist["ajpe_mm"] == pytest.approx(np.mean(away))
    boxes = np.stack([predictor.asked_boxes[i] for i in range(7)])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    seen = np.stack([s.keypoints_px[joint] for s in predictor.samples])
    off_centre = np.linalg.norm(seen - centres, axis=1).mean()
    assert wrist["ajpe_2d_px"] == pytest.approx(off_centre)
    assert wrist["pckh_1"] == 0
    assert metrics["counts"]["joints_3d"] == 7 * 16
    others = [v["ajpe_mm"] for j, v in metrics["per_joint"]["clean"].items() if j != "left_wrist"]
    assert max(others) == pytest.approx(0, abs=1e-6)


def test_every_nth_frame_counts_from_the_start_of_each_sequence(root, fake):
    metrics = evaluate_mini_rgbd(fake(root), root, every=2)
    assert metrics["data"]["frames"] == 4
    assert metrics["counts"]["velocity_steps"] == 0
    assert "velocity_mm_s" not in metrics["clean"]


def test_per_joint_has_both_columns_and_the_published_joints(root, fake):
    per_joint = evaluate_mini_rgbd(fake(root, off_mm=(10, 0, 0)), root)["per_joint"]
    assert set(per_joint) == {"clean", "paper"}
    for column in per_joint.values():
        assert tuple(column) == PUBLISHED_16
        assert {"ajpe_mm", "pckh_1", "pckh_2", "ajpe_2d_px", "pckh_1_2d"} <= set(column["nose"])
    assert per_joint["clean"]["pelvis"]["pckh_1"] == 100
    assert per_joint["paper"]["pelvis"]["pckh_1"] == 0


def test_metrics_json_is_what_was_returned_and_names_its_origin(root, fake, tmp_path):
    command = "infantpose evaluate mini_rgbd --weights fake"
    metrics = evaluate_mini_rgbd(fake(root), root, output=tmp_path / "new", command=command)
    written = json.loads((tmp_path / "new" / "metrics.json").read_text())
    assert written == metrics
    expected = "schema protocol data weights command clean paper per_joint infants counts"
    assert set(expected.split()) | {"code_version", "commit"} == set(written)
    assert written["schema"] == "infantpose-metrics/1"
    assert written["protocol"] == "mini_rgbd"
    assert written["command"] == command
    assert written["weights"]["name"] == "fake"
    assert written["data"]["sequences"] == ["11", "12"]


@pytest.mark.parametrize(
    ("options", "word"),
    [({"input_kind": "3d"}, "input"), ({"box_kind": "mask"}, "boxes"), ({"every": 0}, "every")],
)
def test_a_bad_option_is_refused_in_one_line(root, fake, options, word):
    with pytest.raises(DataError, match=word) as caught:
        evaluate_mini_rgbd(fake(root), root, **options)
    assert "\n" not in str(caught.value)


def test_a_missing_sequence_is_refused(root, fake):
    with pytest.raises(DataError, match="05"):
        evaluate_mini_rgbd(fake(root), root, ["05"])


def test_an_infant_that_jumps_in_the_picture_changes_its_track(root, fake):
    far = np.array([[0.0, 0, 20, 20]])
    metrics = evaluate_mini_rgbd(fake(root, boxes={1: far, 5: far}), root)
    assert metrics["counts"]["identity_switches"] == 4, "there and back, in both sequences"
    assert metrics["clean"]["ajpe_mm"] == pytest.approx(0, abs=1e-6)


def test_infants_are_summed_up_together_and_by_the_source_of_their_movement(tmp_path, fake, write):
    for number, source in (("11", "habits"), ("12", "reaching")):
        write(tmp_path, number, 2, 28.6, 12.17)
        (tmp_path / number / "infant.json").write_text(json.dumps({"source": source}))
    metrics = evaluate_mini_rgbd(fake(tmp_path, off_mm=(0, 0, 20)), tmp_path, input_kind="gt2d")
    assert list(metrics["infants"]) == ["all", "habits", "reaching"]
    assert [row["infants"] for row in metrics["infants"].values()] == [2, 1, 1]
    assert metrics["infants"]["all"]["ajpe_mm"] == pytest.approx(metrics["clean"]["ajpe_mm"])
    (table,) = (t for t in mini_rgbd_tables(metrics) if t.title == "Over infants")
    name = metrics["weights"].get("name", "this run")
    assert [row[:2] for row in table.rows] == [(name, g) for g in ("all", "habits", "reaching")]


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ((11, 12), "11-12"),
        ((1, 3, 8), "01, 03, 08"),
        (range(1, 40, 2), "(20 sequences)"),
    ],
)
def test_a_row_names_the_sequences_it_was_measured_on(numbers, name, root, fake):
    metrics = evaluate_mini_rgbd(fake(root), root, input_kind="gt2d")
    metrics["data"]["sequences"] = [f"{number:02d}" for number in numbers]
    table = mini_rgbd_tables(metrics)[0]
    assert {table.rows[row][2] for row in table.ours} == {f"the real MINI-RGBD {name}"}

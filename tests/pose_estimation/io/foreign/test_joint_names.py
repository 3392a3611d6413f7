"""Names of joints: which are known, which are not guessed, and what a map file says."""

from __future__ import annotations

import numpy as np
import pytest

from Datasets.skeletons import (
    COCO_17,
    INFANT,
    LSP_14,
    MINI_RGBD_25,
    MPI_INF_17,
    MPI_INF_28,
    MPII_16,
)
from Datasets.skeletons.convert import joint_map
from Engine.errors import DataError
from PoseEstimation.io.foreign.joint_names import joint_of, match_joints, read_joint_map
from PoseEstimation.io.foreign.recording import Recording, keypoints_of


def recording(names, **more):
    values = np.arange(3.0 * len(names)).reshape(1, len(names), 3) + 10
    one = np.zeros(1, dtype=np.int64)
    return Recording("a.csv", tuple(names), keypoints_of(values), one, None, one, **more)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("Nose", "nose"),
        ("LShoulder", "left_shoulder"),
        ("left_shoulder", "left_shoulder"),
        ("LEFT_SHOULDER", "left_shoulder"),
        ("Left Shoulder", "left_shoulder"),
        ("leftShoulder", "left_shoulder"),
        ("leftshoulder", "left_shoulder"),
        ("shoulder.L", "left_shoulder"),
        ("kneeR", "right_knee"),
        ("r-knee", "right_knee"),
        ("rknee", "right_knee"),
        ("REar", "right_ear"),
        ("leftear", "left_ear"),
        ("rear", None),
        ("RBigToe", "right_toes"),
        ("MidHip", "pelvis"),
        ("neck", "upper_neck"),
        ("head top", "head_top"),
        ("hip", None),
        ("left_hand", None),
        ("left_foot", None),
        ("head", None),
        ("left_right_knee", None),
        ("shoulder1", None),
        ("left_small_toe", None),
        ("LHeel", None),
    ],
)
def test_words_of_a_name(name, ours):
    assert joint_of(name, INFANT) == ours


@pytest.mark.parametrize(
    "skeleton", [COCO_17, MPII_16, LSP_14, MINI_RGBD_25, MPI_INF_17, MPI_INF_28]
)
def test_names_mean_what_the_written_correspondences_say(skeleton):
    """A name that is understood here is the joint that ``convert.py`` takes it for."""
    said = {theirs: ours for ours, theirs in joint_map(skeleton, INFANT).correspondence}
    understood = {name: joint_of(name, INFANT) for name in skeleton.joints}
    differing = {n: j for n, j in understood.items() if j is not None and said.get(n) != j}
    assert differing == {}
    assert sum(j is not None for j in understood.values()) >= 13


def test_left_and_right_change_sides_together():
    for joint in INFANT.joints:
        if joint.startswith("left_"):
            part = joint.removeprefix("left_")
            for name in (f"L{part.title()}", f"{part}_l", f"Left {part}"):
                assert joint_of(name, INFANT) == joint
            assert joint_of(f"{part} (R)", INFANT) == f"right_{part}"


def test_the_map_the_format_and_the_words_in_this_order():
    names = ("head", "left_hand", "nose", "Neck", "left_hip", "tail")
    found = recording(names, meanings={"Neck": None, "left_hand": "left_wrist"})
    assert match_joints(found, INFANT).given == {
        "left_wrist": "left_hand", "nose": "nose", "left_hip": "left_hip",
    }  # fmt: skip
    said = {"head": "nose", "left_hand": "left_fingers", "Neck": "upper_neck", "left_hip": None}
    match = match_joints(found, INFANT, said)
    assert match.given == {"nose": "head", "left_fingers": "left_hand", "upper_neck": "Neck"}
    rows = match.rows()
    assert rows[:3] == [("head", "nose"), ("left_hand", "left_fingers"), ("nose", "unused")]
    assert ("missing", "left_hip") in rows and len(rows) == 6 + 22


def test_apply_places_joints_by_name_and_leaves_the_rest_missing():
    found = recording(("right_hip", "tail", "nose", "left_hip"))
    ours = match_joints(found, INFANT).apply(found.keypoints)
    assert ours.keypoints_px[0, INFANT.index("right_hip")].tolist() == [10, 11]
    assert ours.keypoints_px[0, INFANT.index("nose")].tolist() == [16, 17]
    assert (ours.scores > 0).sum() == 3 and np.isnan(ours.keypoints_px).sum() == 2 * 22


@pytest.mark.parametrize(
    ("names", "said", "message"),
    [
        (("nose", "Nose", "left_hip"), {}, "'nose' and 'Nose' both mean nose"),
        (("nose", "nose", "left_hip"), {}, "'nose' stands twice"),
        (("head", "hand", "left_hip"), {}, "1 of its joints (head, hand, left_hip)"),
        (("a", "b", "nose"), {"a": "pelvis", "b": "pelvis"}, "both mean pelvis"),
    ],
)
def test_what_is_not_clear_is_refused(names, said, message):
    with pytest.raises(DataError) as refused:
        match_joints(recording(names), INFANT, said)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.yaml", "head: nose\n7: left_hip\ntail:\npaw: unused\n"),
        ("m.csv", "their_name,our_joint\nhead, nose\n7,left_hip\ntail,\npaw,Unused\n"),
    ],
)
def test_map_files(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    expected = {"head": "nose", "7": "left_hip", "tail": None, "paw": None}
    assert read_joint_map(tmp_path / name, INFANT) == expected


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.yaml", "head: skull\n", "'head: skull' is none of our joints"),
        ("m.yaml", "- head\n", "holds no lines"),
        ("m.yaml", "", "holds no lines"),
        ("m.yaml", "a: nose\na: pelvis\n", "stands twice"),
        ("m.csv", "a,nose,1\n", "line 1"),
        ("m.csv", "a,nose\na,pelvis\n", "line 2"),
        ("absent.yaml", None, "does not exist"),
    ],
)
def test_wrong_map_files_are_refused(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError) as refused:
        read_joint_map(tmp_path / name, INFANT)
    assert said in str(refused.value) and name in str(refused.value)

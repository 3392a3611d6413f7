"""Each format of other programs: exact values of hand-made files, and what their oddities mean."""

from __future__ import annotations

import json

import numpy as np
import pytest
from foreign_files import SIZE, WRITERS, clip, write_json

from Datasets.skeletons import COCO_17, INFANT
from PoseEstimation.io.foreign import read_recordings
from PoseEstimation.io.foreign.joint_names import match_joints
from PoseEstimation.structures import Keypoints


def one(path, size=None):
    _, (recording,) = read_recordings(path, size)
    return recording


def text(path, content):
    path.write_text(content)
    return path


def joint(recording, name, row=0):
    """x, y and score of a joint by the file's name."""
    at = recording.names.index(name)
    keypoints = recording.keypoints
    return [*keypoints.keypoints_px[row, at].tolist(), float(keypoints.scores[row, at])]


MISSING = [pytest.approx(np.nan, nan_ok=True)] * 2 + [0.0]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_every_format_gives_the_same_joints(tmp_path, write):
    values = clip()
    recording = one(write(tmp_path, values), SIZE)
    found: Keypoints = match_joints(recording, INFANT).apply(recording.keypoints)
    at = INFANT.indices(COCO_17.joints)
    np.testing.assert_allclose(found.keypoints_px[:, at], values[..., :2], atol=1e-9)
    np.testing.assert_allclose(found.scores[:, at], np.nan_to_num(values[..., 2]))
    others = np.delete(found.scores, at, axis=1)
    assert not others.any() and np.isnan(found.sigma_px).all()
    assert recording.indices.tolist() == recording.frames.tolist() == [0, 1, 2, 3]
    assert recording.tracks is None or len(set(recording.tracks)) == 1


def test_deeplabcut_of_several_animals_and_a_likelihood_above_one(tmp_path):
    path = text(
        tmp_path / "a.csv",
        "scorer,s,s,s,s,s,s,s,s,s\nindividuals,a,a,a,b,b,b,single,single,single\n"
        "bodyparts,nose,nose,nose,nose,nose,nose,toy,toy,toy\n"
        "coords,x,y,likelihood,x,y,likelihood,x,y,likelihood\n"
        "0,10,20,1.0000001,,,1.0,1,2,0.5\n1,11,21,0.5,30,40,0.9,,,\n",
    )
    recording = one(path)
    assert recording.names == ("nose", "toy")
    assert recording.tracks == ("a", "single", "a", "b")
    assert recording.frames.tolist() == [0, 0, 1, 1]
    assert joint(recording, "nose", 0) == [10, 20, 1]
    assert joint(recording, "toy", 1) == [1, 2, 0.5]
    assert joint(recording, "nose", 3) == [30, 40, 0.9] and joint(recording, "toy", 3) == MISSING


def test_deeplabcut_labels_have_no_likelihood_and_name_their_picture(tmp_path):
    path = text(
        tmp_path / "a.csv",
        "scorer,,,me,me\nbodyparts,,,nose,nose\ncoords,,,x,y\n"
        "labeled-data,clip,img004.png,10,20\nlabeled-data,clip,img017.png,,\n"
        "labeled-data,clip,img020.png,12,22\n",
    )
    recording = one(path)
    assert recording.indices.tolist() == [4, 17, 20] and recording.frames.tolist() == [0, 2]
    assert joint(recording, "nose", 1) == [12, 22, 1]


def test_sleap_sorts_frames_and_knows_two_tracks(tmp_path):
    path = text(
        tmp_path / "a.csv",
        "track,frame_idx,instance.score,Nose.x,Nose.y,Nose.score,knee.L.x,knee.L.y,knee.L.score\n"
        "t1,5,0.9,10,20,0.8,30,40,0.7\nt0,2,0.9,11,21,,,,\nt0,5,0.9,12,22,0.6,32,42,0.5\n",
    )
    recording = one(path)
    assert recording.names == ("Nose", "knee.L")
    assert recording.indices.tolist() == [2, 5] and recording.frames.tolist() == [0, 1, 1]
    assert recording.tracks == ("t0", "t1", "t0")
    assert joint(recording, "Nose", 0) == [11, 21, 1]  # placed by hand: without a score
    assert joint(recording, "knee.L", 1) == [30, 40, 0.7]


def test_sleap_without_tracks(tmp_path):
    path = text(tmp_path / "a.csv", "track,frame_idx,instance.score,N.x,N.y\n,0,1,10,20\n")
    assert one(path).tracks is None


def test_coco_annotations_name_joints_sizes_and_empty_images(tmp_path):
    content = {
        "images": [
            {"id": i, "file_name": f"{i}.jpg", "width": 64, "height": 48} for i in (3, 1, 2)
        ],
        "categories": [{"id": 1, "name": "infant", "keypoints": ["nose", "tail"]}],
        "annotations": [
            {"id": 1, "image_id": 3, "category_id": 1, "keypoints": [10, 20, 1, 5, 6, 0]},
            {"id": 2, "image_id": 1, "category_id": 1, "keypoints": [11, 21, 2, 0, 0, 0]},
        ],
    }
    recording = one(write_json(tmp_path / "a.json", content))
    assert recording.names == ("nose", "tail") and len(recording.indices) == 3
    assert recording.frames.tolist() == [0, 2] and recording.sizes.tolist() == [[64, 48]] * 3
    assert joint(recording, "nose", 0) == [11, 21, 1] and joint(recording, "tail", 1) == MISSING


def test_coco_results_with_ids_as_text_tracks_and_unnamed_joints(tmp_path):
    rows = [
        {"image_id": f"frame_{i}", "keypoints": [i, 9, 0.5, 0, 0, 0.3], "track_id": i % 2 + 1}
        for i in (10, 9)
    ]
    recording = one(write_json(tmp_path / "a.json", rows))
    assert recording.names == ("0", "1") and recording.tracks == ("2", "1")
    assert joint(recording, "0", 0) == [9, 9, 0.5] and joint(recording, "1", 0) == MISSING


def test_openpose_missing_people_hands_and_numbers_of_frames(tmp_path):
    body, hand = np.zeros((25, 3)), np.zeros((21, 3))
    body[1], body[8], body[19] = [50, 60, 0.9], [70, 80, 0.8], [90, 95, 0.7]
    hand[9] = [33, 44, 0.6]
    lists = body.ravel().tolist(), hand.ravel().tolist()
    flat = dict(zip(("pose_keypoints_2d", "hand_left_keypoints_2d"), lists, strict=True))
    for number, people in ((4, []), (7, [{"person_id": [-1], **flat}])):
        write_json(tmp_path / f"v_{number:012d}_keypoints.json", {"people": people})
    recording = one(tmp_path)
    assert recording.indices.tolist() == [4, 7] and recording.frames.tolist() == [1]
    assert joint(recording, "MidHip") == [70, 80, 0.8] and joint(recording, "RAnkle") == MISSING
    given = match_joints(recording, INFANT).given
    assert given["pelvis"] == "MidHip" and given["left_fingers"] == "LHand9"
    assert given["left_toes"] == "LBigToe" and "Neck" not in given.values()


def test_openpose_with_person_ids_and_a_canvas(tmp_path):
    points = [10.0, 20.0, 0.5] * 18
    frame = {"canvas_width": 64, "canvas_height": 48}
    frame["people"] = [{"person_id": [i], "pose_keypoints_2d": points} for i in (2, 1)]
    recording = one(write_json(tmp_path / "a.json", frame))
    assert recording.tracks == ("2", "1") and recording.sizes.tolist() == [[64, 48]]


def landmark(i):
    return {"x": i / 100, "y": 0.5, "z": 0.0, "visibility": 0.9, "presence": 1.0}


POSE = [landmark(i) for i in range(33)]
SHAPES = {
    "frames of landmarks": [None, POSE],
    "frames of people": [[], [POSE]],
    "lists": [[], [[i / 100, 0.5, 0.0, 0.9] for i in range(33)]],
    "legacy": [{"landmark": []}, {"landmark": POSE}],
    "tasks": {"frames": [{"pose_landmarks": []}, {"pose_landmarks": [POSE]}]},
    "javascript": {"frames": [{"poseLandmarks": None}, {"poseLandmarks": {"landmark": POSE}}]},
}


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_shapes_of_mediapipe(tmp_path, content):
    recording = one(write_json(tmp_path / "a.json", content), (200, 100))
    assert recording.frames.tolist() == [1] and recording.sizes.tolist() == [[200, 100]] * 2
    # places 11, 24 and 31 of the published list; a share counts from the picture's edge
    assert joint(recording, "left_shoulder") == pytest.approx([21.5, 49.5, 0.9])
    assert joint(recording, "right_hip") == pytest.approx([47.5, 49.5, 0.9])
    assert joint(recording, "left_foot_index") == pytest.approx([61.5, 49.5, 0.9])
    given = match_joints(recording, INFANT).given
    assert given["left_toes"] == "left_foot_index" and given["right_fingers"] == "right_index"
    assert not {"left_heel", "right_thumb", "mouth_left"} & set(given.values())


def test_mediapipe_may_say_size_rate_and_times(tmp_path):
    frames = [{"timestamp_ms": 40 * i, "landmarks": POSE} for i in range(2)]
    content = {"width": 200, "height": 100, "fps": 25, "frames": frames}
    recording = one(write_json(tmp_path / "a.json", content))
    assert recording.times_s.tolist() == [0.0, 0.04] and recording.fps == 25


def test_wide_csv_takes_times_as_they_are(tmp_path):
    path = text(tmp_path / "a.csv", "time_s,Nose_x,Nose_y\n0.5,10,20\n0.9,NaN,\n1.0,12,22\n")
    recording = one(path)
    assert recording.times_s.tolist() == [0.5, 0.9, 1.0]
    assert joint(recording, "Nose") == [10, 20, 1] and joint(recording, "Nose", 1) == MISSING


def test_npz_of_several_sequences_and_people(tmp_path):
    points = np.arange(24.0).reshape(2, 2, 3, 2) + 5
    points[1, 0] = np.nan
    more = {"scores_02": np.full((2, 2, 3), 0.5), "fps": np.array(25), "size": np.array([64, 48])}
    arrays = {"keypoints_px_01": points[:, 0], "keypoints_px_02": points, **more}
    np.savez(tmp_path / "a.npz", joints=np.array(["nose", "left_hip", "right_hip"]), **arrays)
    _, (first, second) = read_recordings(tmp_path / "a.npz")
    assert first.source.endswith("a.npz#01") and second.source.endswith("a.npz#02")
    assert first.frames.tolist() == [0] and len(first.indices) == 2
    assert second.tracks == ("1", "2", "2") and second.fps == 25
    assert joint(second, "left_hip", 1) == [13, 14, 0.5] and joint(first, "nose") == [5, 6, 1]
    assert second.sizes.tolist() == [[64, 48]] * 2


FAULTS = {
    "absent.csv": (None, "does not exist"),
    "notes.txt": ("x", "none of the known formats"),
    "a.csv": ("a,b\n1,2\n", "none of the known formats"),
    "empty.csv": ("", "none of the known formats"),
    "dlc_word.csv": ("scorer,s,s\nbodyparts,n,n\ncoords,x,y\n0,1,two\n", "line 4: 'two' is not"),
    "dlc_short.csv": ("scorer,s,s\nbodyparts,n,n\ncoords,x,y\n0,1\n", "line 4: has 2 cells"),
    "dlc_rows.csv": ("scorer,s,s\nbodyparts,n,n\ncoords,x,y\n", "no row below its header"),
    "dlc_head.csv": ("scorer,s,s\ncoords,x,y\n0,1,2\n", "no line 'bodyparts'"),
    "dlc_3d.csv": ("scorer,s,s,s\nbodyparts,n,n,n\ncoords,x,y,z\n0,1,2,3\n", "in 3D"),
    "dlc_y.csv": ("scorer,s,s\nbodyparts,n,n\ncoords,x,likelihood\n0,1,2\n", "no column y"),
    "dlc_nobody.csv": ("scorer,s,s\nbodyparts,n,n\ncoords,x,y\n0,,\n", "holds nobody"),
    "sleap_frame.csv": ("track,frame_idx,n.x,n.y\n,1.5,3,4\n", "line 2: frame_idx '1.5'"),
    "sleap_y.csv": ("track,frame_idx,n.x\n,1,3\n", "no column y"),
    "wide_y.csv": ("time_s,n_x\n0,3\n", "no column 'n_y'"),
    "wide_time.csv": ("time_s,n_x,n_y\n,30,40\n", "line 2: time_s is empty"),
    "wide_order.csv": ("time_s,n_x,n_y\n1,30,40\n0,31,41\n", "times do not increase"),
    "shares.csv": ("time_s,n_x,n_y\n0,0.3,0.4\n", "shares of the picture"),
    "broken.json": ("[{", "not valid JSON"),
    "any.json": ('{"a": 1}', "none of the known formats"),
    "nothing.json": ("[]", "none of the known formats"),
    "coco_short.json": ('[{"image_id": 1, "keypoints": [1, 2]}]', "entry 0: needs"),
    "coco_mixed.json": (
        json.dumps([{"image_id": i, "keypoints": [5, 6, 1] * (i + 1)} for i in range(2)]),
        "have 1 and 2 joints",
    ),
    "coco_boxes.json": ('{"images": [], "annotations": [{"bbox": [0, 0, 1, 1]}]}', "no keypoints"),
    "openpose_count.json": ('{"people": [{"pose_keypoints_2d": [1, 2, 1]}]}', "with 1 joints"),
    "openpose_word.json": ('{"people": [{"pose_keypoints_2d": ["a"]}]}', "no frame of OpenPose"),
    "mediapipe.json": (json.dumps([POSE]), "give --size"),
    "own.json": ('{"schema": "infantpose/1"}', "is no infantpose/1 file"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_file_is_refused_in_one_line(tmp_path, name):
    content, said = FAULTS[name]
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(Exception) as refused:
        read_recordings(tmp_path / name)
    assert refused.type.__name__ == "DataError", refused
    assert said in str(refused.value) and name in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"keypoints_px": np.ones((2, 3, 2))}, "no array 'names'"),
        ({"keypoints_px": np.ones((2, 3, 3)), "names": np.array(list("abc"))}, "must be (frame, 3"),
        ({"keypoints_px": 9 * np.ones((2, 1, 2)), "names": np.array(["a"]), "scores": np.ones(2)},
         "'scores' is (2,)"),
        ({"other": np.ones(2)}, "none of the known formats"),
    ],
)  # fmt: skip
def test_a_wrong_npz_is_refused(tmp_path, arrays, said):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(Exception, match=r"a\.npz") as refused:
        read_recordings(tmp_path / "a.npz")
    assert refused.type.__name__ == "DataError" and said in str(refused.value)

"""Joints of other programs as results in 2D: times, cameras, sizes, tracks, and the residual."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.skeletons import INFANT
from Engine.errors import DataError
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.given_joints import FPS, SIGMA_PX, GivenJoints
from PoseEstimation.inference.reprojection import ReprojectionQuality
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.tracks import lift_stream
from PoseEstimation.io.foreign.joint_names import match_joints
from PoseEstimation.io.foreign.recording import Recording, keypoints_of

NAMES = ("nose", "left_hip", "right_hip", "tail")
K = intrinsics_matrix(600, 600, 320, 240)


def recording(frames=(0, 1, 2), tracks=None, places=None, **more) -> Recording:
    """A row per entry of ``frames``, its joints around a place in the picture."""
    corners = np.array([[0, 0, 0.9], [40, 0, 0.6], [0, 30, 0.6], [9, 9, 1.0]])
    places = 100.0 * np.ones(len(frames)) if places is None else np.array(places)
    values = corners + np.stack([places, places, 0 * places], axis=-1)[:, None]
    indices = more.pop("indices", np.unique(frames))
    keypoints = keypoints_of(values, more.pop("sigma_px", None))
    return Recording("a.csv", NAMES, keypoints, np.array(frames), tracks, indices, **more)


def given(found: Recording, camera=None, **said) -> GivenJoints:
    camera = camera or Camera(given=True, intrinsics=K)
    return GivenJoints(found, match_joints(found, INFANT), camera, **said)


def test_a_result_holds_our_joints_and_a_box_around_them():
    first, *_ = given(recording()).results()
    (infant,) = first.infants
    assert infant.box_xyxy.tolist() == [100, 100, 140, 130]
    assert infant.box_score == pytest.approx(0.7)
    assert infant.keypoints_px[INFANT.index("left_hip")].tolist() == [140, 100]
    seen = infant.keypoint_scores > 0
    assert seen.sum() == 3 and np.isnan(infant.keypoints_px[~seen]).all()
    assert (infant.sigma_px[seen] == SIGMA_PX).all() and np.isnan(infant.joints_mm).all()
    assert np.array_equal(first.intrinsics, K) and first.width is None


def test_frames_without_an_infant_keep_their_place():
    found = recording((0, 2), indices=np.array([4, 7, 9, 12]))
    results = list(given(found).results())
    assert [len(r.infants) for r in results] == [1, 0, 1, 0]
    assert [r.index for r in results] == [4, 7, 9, 12]


@pytest.mark.parametrize(
    ("more", "said", "times", "source"),
    [
        ({}, {}, [0, 2 / FPS], "ASSUMED"),
        ({"fps": 10.0}, {}, [0, 0.2], "the file"),
        ({"times_s": np.array([1.0, 1.5])}, {}, [1.0, 1.5], "times of the file"),
        ({"times_s": np.array([1.0, 1.5]), "fps": 10.0}, {"fps": 4.0}, [0, 0.5], "given"),
    ],
)
def test_times(more, said, times, source):
    one = given(recording((0, 1), indices=np.array([0, 2]), **more), **said)
    assert [r.time_s for r in one.results()] == pytest.approx(times)
    assert one.assumption()["fps_source"].startswith(source)


def test_sigma_is_the_users_then_the_files_then_assumed():
    own = np.full((1, 4), 3.0)
    own[0, 1] = np.nan
    hips = INFANT.indices(["nose", "left_hip"])
    cases = [
        (None, {}, [SIGMA_PX, SIGMA_PX], "ASSUMED"),
        (own, {}, [3.0, SIGMA_PX], "the file"),
        (own, {"sigma_px": 0.5}, [0.5, 0.5], "given"),
    ]
    for sigma_px, said, expected, source in cases:
        one = given(recording((0,), sigma_px=sigma_px), **said)
        assert one.keypoints.sigma_px[0, hips].tolist() == expected
        assert one.assumption()["sigma_source"].startswith(source)


def test_the_camera_needs_a_size_unless_it_has_intrinsics():
    with pytest.raises(DataError, match=r"a\.csv.*--size"):
        given(recording(), Camera(60.0))
    (first, *_) = given(recording(), Camera(60.0), size=(640, 480)).results()
    assert (first.width, first.height) == (640, 480)
    assert first.intrinsics[0, 2] == 319.5
    known = Camera(given=True, intrinsics=K, size=(640, 480))
    halved = given(recording(), known, size=(320, 240))
    assert halved.intrinsics[0, 0, 0] == 300
    with pytest.raises(DataError, match="made for 640x480"):
        given(recording(), known, size=(480, 640))


def test_every_frame_has_the_camera_of_its_size():
    found = recording((0, 1), sizes=np.array([[640, 480], [320, 240]]))
    one = given(found, Camera(90.0))
    assert one.intrinsics[:, 0, 0].tolist() == pytest.approx([320, 160])
    assert given(found, Camera(90.0), size=(100, 50)).intrinsics[:, 0, 2].tolist() == [49.5, 49.5]


@pytest.mark.parametrize(
    ("tracks", "places", "numbers"),
    [
        (("b", "a", "b", "a"), (100, 300, 100, 300), [[1, 2], [1, 2]]),
        (("7", "3", "7", "3"), (100, 300, 100, 300), [[7, 3], [7, 3]]),
        (None, (100, 300, 302, 101), [[1, 2], [2, 1]]),  # the order of detections changes
    ],
)
def test_numbers_of_infants(tracks, places, numbers):
    found = recording((0, 0, 1, 1), tracks, places)
    results = given(found).results()
    assert [[infant.track_id for infant in r.infants] for r in results] == numbers


def test_one_person_at_a_time_is_one_infant_wherever_it_is():
    found = recording((0, 1), places=(100, 300))
    assert [r.infants[0].track_id for r in given(found).results()] == [1, 1]


def test_people_of_whom_none_of_our_joints_is_known_are_nobody():
    found = recording((0, 0), ("toy", "infant"), (100, 300))
    values = np.full((2, 4, 3), np.nan)
    values[0, 3], values[1, :3] = [50, 50, 1], [60, 70, 1]
    found = replace(found, keypoints=keypoints_of(values))
    (result,) = given(found).results()
    (infant,) = result.infants
    assert infant.track_id == 1 and infant.box_xyxy.tolist() == [60, 70, 60, 70]


def test_the_residual_is_the_distance_in_the_picture():
    """A pose whose projection lies 3 px beside one joint of three: 1 px on average."""
    joints_mm = np.zeros((25, 3))
    joints_mm[INFANT.indices(["nose", "left_hip", "right_hip"])] = [
        [0, -200, 0], [50, 20, 0], [-50, 20, 0],
    ]  # fmt: skip
    joints_mm[INFANT.index("upper_neck")] = [0, -130, 0]
    keypoints_px = project(joints_mm + [0, 0, 1000.0], K)
    values = np.full((1, 4, 3), np.nan)
    names = ("upper_neck", "left_hip", "right_hip", "nose")
    values[0, :, :2] = keypoints_px[INFANT.indices(list(names))]
    values[0, 3] = np.nan
    found = Recording(
        "a.csv", names, keypoints_of(values), np.zeros(1, int), None, np.zeros(1, int)
    )
    (result,) = given(found).results()
    (infant,) = result.infants
    moved = infant.keypoints_px + 0.0
    moved[INFANT.index("left_hip"), 0] += 3
    exact = replace(infant, joints_mm=joints_mm, root_mm=np.array([0, 0, 1000.0]))
    for off, pose in ((0.0, exact), (1.0, replace(exact, keypoints_px=moved))):
        quality = ReprojectionQuality(INFANT)
        quality.add(replace(result, infants=(pose,)))
        (row,) = quality.summary()["reprojection"]
        assert row["mean_px"] == pytest.approx(off, abs=1e-9)
        assert row["share_of_trunk"] == pytest.approx(off / 90, abs=1e-3)  # 150 mm at 600 px/m
        assert (row["source"], row["track_id"], row["frames"]) == ("a.csv", 1, 1)


def test_the_stream_that_lifts_predictions_lifts_given_joints():
    seen = []

    def lift(track):
        seen.append(track)
        count = len(track)
        return np.zeros((count, 25, 3)), np.ones((count, 25))

    one = given(recording((0, 0, 1, 1), ("a", "b", "a", "b"), (100, 300, 100, 300)))
    lifted = list(lift_stream(lift, one.results(), Camera(60.0)))
    assert len(lifted) == 2 and all(r.error is None for r in lifted)
    assert [track.times_s.tolist() for track in seen] == [[0, pytest.approx(1 / 30)]] * 2
    assert np.array_equal(seen[0].intrinsics[0], K)


def test_settings_of_tracks_are_used():
    found = recording((0, 0, 1, 1), None, (100, 300, 110, 310))
    strict = PredictSettings(track_min_iou=0.99)
    results = given(found, settings=strict).results()
    assert [[i.track_id for i in r.infants] for r in results] == [[1, 2], [3, 4]]

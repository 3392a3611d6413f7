"""What surrounds the networks: the camera, the infant's size, the summary."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from Datasets.skeletons import INFANT
from Engine.errors import DataError
from PoseEstimation.inference.body_scale import CHAIN_SHARE, known_length, scaled_to_body
from PoseEstimation.inference.camera import Camera, read_intrinsics
from PoseEstimation.inference.settings import BodySize
from PoseEstimation.quality import Quality
from PoseEstimation.result import Adult, FrameResult, InfantPose

JOINTS = len(INFANT)


def pose(track_id: int = 1, scale: float = 1.0, score: float = 0.5) -> InfantPose:
    joints = np.random.default_rng(0).normal(0, 100, (JOINTS, 3)) * scale
    zeros = np.zeros(JOINTS)
    root = np.array([0.0, 0.0, 1000.0])
    return InfantPose(
        track_id=track_id,
        box_xyxy=np.arange(4.0),
        box_score=0.9,
        keypoints_px=np.zeros((JOINTS, 2)),
        keypoint_scores=zeros + score,
        sigma_px=zeros,
        joints_mm=joints,
        sigma_mm=zeros + 10,
        root_mm=root,
    )


def quality_of(frames) -> dict:
    return Quality.of(frames).summary()


def frame(index: int, *infants: InfantPose, error: str | None = None) -> FrameResult:
    return FrameResult("v.mp4", index, 0.1 * index, 64, 48, infants, error)


def test_assumed_view_spans_the_longer_side():
    for size in ((640, 480), (480, 640)):
        matrix = Camera(90.0).matrix(size)
        assert matrix[0, 0] == matrix[1, 1] == pytest.approx(320)
        assert matrix[0, 2] == (size[0] - 1) / 2
    assert "ASSUMED" in Camera(60.0).assumption()["field_of_view_source"]
    assert "ASSUMED" not in str(Camera(60.0, given=True).assumption())


def test_intrinsics_follow_the_size_of_the_frame(tmp_path):
    values = {"fx": 500, "fy": 510, "cx": 319.5, "cy": 239.5, "width": 640, "height": 480}
    (tmp_path / "k.json").write_text(json.dumps(values))
    camera = read_intrinsics(tmp_path / "k.json")
    assert camera.matrix((640, 480))[0, 0] == 500
    half = camera.matrix((320, 240))
    assert half[0, 0] == 250 and half[0, 2] == pytest.approx(159.5)
    with pytest.raises(DataError, match="640x480"):
        camera.matrix((480, 640))


WRONG = ({}, [1], {"fx": 1, "fy": 1, "cx": "?", "cy": 1}, {"fx": -1, "fy": 1, "cx": 0, "cy": 0})


@pytest.mark.parametrize("values", WRONG)
def test_bad_intrinsics_are_refused(tmp_path, values):
    (tmp_path / "k.json").write_text(json.dumps(values))
    with pytest.raises(DataError, match=r"k\.json"):
        read_intrinsics(tmp_path / "k.json")


def test_scaled_infants_have_the_given_length(tmp_path):
    frames = [frame(i, pose(1, s), pose(2, 2 * s)) for i, s in enumerate((0.9, 1.0, 1.3))]
    scaled = list(scaled_to_body(frames, INFANT, BodySize(length_cm=60.0), 0.1, tmp_path))
    for number in (0, 1):
        chains = [f.infants[number].size_mm(INFANT) for f in scaled]
        assert np.median(chains) == pytest.approx(600 * CHAIN_SHARE)
    before, after = frames[1].infants[0], scaled[1].infants[0]
    factor = after.joints_mm[0, 0] / before.joints_mm[0, 0]
    assert (after.sigma_mm <= 10 * factor).all() and (after.sigma_mm > 7 * factor).all()
    assert after.root_mm[2] == pytest.approx(1000 * factor)
    assert np.array_equal(after.keypoints_px, before.keypoints_px)


def test_an_age_moves_the_size_by_its_share_of_what_is_known(tmp_path):
    """A lifter as unsure of the size as infants of one age differ: half of the way."""
    length_mm, spread = known_length(BodySize(age_weeks=20.0))
    frames = [frame(0, pose())]
    (half,) = scaled_to_body(frames, INFANT, BodySize(age_weeks=20.0), spread, tmp_path)
    before, after = (f.infants[0].size_mm(INFANT) for f in (frames[0], half))
    assert after == pytest.approx(np.sqrt(before * CHAIN_SHARE * length_mm))
    (sure,) = scaled_to_body(frames, INFANT, BodySize(age_weeks=20.0), 1e-6, tmp_path)
    assert sure.infants[0].size_mm(INFANT) == pytest.approx(before, rel=1e-4)
    (same,) = scaled_to_body(frames, INFANT, BodySize(), 0.1, tmp_path)
    assert same is frames[0]


def test_a_length_counts_before_an_age_and_older_infants_are_longer():
    assert known_length(BodySize(60.0, 20.0)) == (600.0, 0.0)
    lengths = [known_length(BodySize(age_weeks=weeks))[0] for weeks in (-16, -4, 0, 13, 26, 104)]
    assert np.all(np.diff(lengths) > 0)
    assert lengths[2] == pytest.approx(495) and lengths[4] == pytest.approx(667, abs=1)


def test_an_infant_without_a_whole_chain_stays_as_it_is(tmp_path):
    joints = pose().joints_mm.copy()
    joints[INFANT.index("left_knee")] = np.nan
    open_chain = frame(0, replace(pose(), joints_mm=joints))
    (scaled,) = scaled_to_body([open_chain], INFANT, BodySize(60.0), 0.1, tmp_path)
    assert np.array_equal(scaled.infants[0].joints_mm, joints, equal_nan=True)


def test_quality_counts_readable_frames():
    frames = [frame(0, pose(score=0.4)), frame(1), frame(2, pose(score=0.8)), frame(3, error="x")]
    quality = quality_of(frames)
    assert quality["infant_found_percent"] == pytest.approx(200 / 3)
    assert quality["mean_confidence"] == pytest.approx(0.6)
    assert quality["frames_unreadable"] == 1
    assert quality["fps"] == pytest.approx(10) and quality["duration_s"] == pytest.approx(0.3)
    assert quality["carer_present"] is None and "unknown" in quality["carer_present_note"]


def test_a_carer_is_present_where_a_detector_that_looks_finds_one():
    unreadable = frame(2, error="x")
    alone = [replace(frame(i, pose()), adults=()) for i in range(2)]
    carer = replace(alone[1], adults=(Adult(np.arange(4.0), 0.9), Adult(np.arange(4.0), 0.8)))
    assert quality_of([*alone, unreadable])["carer_present"] is False
    quality = quality_of([alone[0], carer, unreadable])
    assert quality["carer_present"] is True
    assert quality["carer_present_note"] == "an adult was found in 1 of 2 frames"
    assert quality_of([unreadable])["carer_present"] is None


def test_quality_of_photos_has_no_rate():
    photos = [replace(frame(0, pose()), source=f"{i}.jpg") for i in range(3)]
    quality = quality_of(photos)
    assert quality["fps"] is None and quality["duration_s"] is None
    assert quality_of([])["infant_found_percent"] is None

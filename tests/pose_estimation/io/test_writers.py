"""poses.json, poses.csv and COCO results: exact layouts, and what happens to missing values."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from Datasets.skeletons import COCO_17, INFANT
from Engine.errors import DataError
from PoseEstimation.io.coco import coco_keypoints
from PoseEstimation.io.header import Header
from PoseEstimation.io.poses_csv import poses_csv
from PoseEstimation.io.poses_json import poses_json, read_poses_json
from PoseEstimation.result import NOTICE, Adult, FrameResult, InfantPose

JOINTS = len(INFANT)


def infant(track_id: int = 1, offset: float = 0.0) -> InfantPose:
    generator = np.random.default_rng(track_id)
    return InfantPose(
        track_id=track_id,
        box_xyxy=np.array([1.0, 2.0, 31.0, 42.0]) + offset,
        box_score=np.float32(0.5),
        keypoints_px=generator.uniform(0, 50, (JOINTS, 2)),
        keypoint_scores=np.full(JOINTS, 0.5),
        sigma_px=np.full(JOINTS, 1.5),
        joints_mm=generator.normal(0, 100, (JOINTS, 3)),
        sigma_mm=np.full(JOINTS, 12.0),
    )


def written(writer, path, *frames: FrameResult, image_ids=None) -> str:
    """What a writer makes of frames."""
    counts = Counter(frame.source for frame in frames)
    header = Header(INFANT, {"name": "tiny"}, {"scale": "assumed"}, counts, image_ids)
    with writer(path, header) as write:
        for frame in frames:
            header.quality.add(frame)
            write(frame)
    return path.read_text()


def frame(source: str = "a.jpg", index: int = 0, infants=(), error=None) -> FrameResult:
    return FrameResult(source, index, index / 30, 64, 48, tuple(infants), error)


def strict(text: str):
    """Parse JSON that knows no NaN."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def test_poses_json_has_the_documented_layout(tmp_path):
    found = replace(infant(), root_mm=np.array([1.0, 2.0, 800.0]))
    bad = replace(frame("b.jpg", error="image: b.jpg is damaged"), width=None, height=None)
    written(poses_json, tmp_path / "poses.json", frame(infants=[found]), frame("c.jpg"), bad)
    content = strict((tmp_path / "poses.json").read_text())
    assert content["schema"] == "infantpose/1"
    assert content["notice"] == NOTICE
    assert content["units"] == {
        "keypoints": "px",
        "joints": "mm",
        "frame": "camera, pelvis-relative",
    }
    assert content["skeleton"]["names"] == list(INFANT.joints)
    assert all(len(bone) == 2 for bone in content["skeleton"]["bones"])
    first, second, third = content["frames"]
    (pose,) = first["infants"]
    assert pose["root_mm"] == [1.0, 2.0, 800.0]
    assert np.shape(pose["keypoints_px"]) == (JOINTS, 2)
    assert np.shape(pose["joints_mm"]) == (JOINTS, 3)
    assert np.allclose(pose["joints_mm"], found.joints_mm, atol=1e-3)
    assert np.allclose(
        np.array(pose["joints_per_size"]) * pose["size_mm"], found.joints_mm, atol=0.02
    )
    assert second["infants"] == [] and "error" not in second
    assert third["error"] == "image: b.jpg is damaged" and third["width"] is None


def test_adults_are_boxes_and_null_when_nobody_looked(tmp_path):
    carer = Adult(np.array([1.0, 2, 30, 40]), 0.75)
    frames = (frame(), replace(frame(), adults=()), replace(frame(), adults=(carer,)))
    written(poses_json, tmp_path / "poses.json", *frames)
    content = strict((tmp_path / "poses.json").read_text())["frames"]
    assert [f["adults"] for f in content] == [
        None,
        [],
        [{"box_xyxy": [1.0, 2.0, 30.0, 40.0], "box_score": 0.75}],
    ]


def test_nan_becomes_null(tmp_path):
    missing = infant()
    keypoints = missing.keypoints_px.copy()
    keypoints[3] = np.nan
    broken = replace(missing, keypoints_px=keypoints, box_score=np.float64("inf"))
    written(poses_json, tmp_path / "poses.json", frame(infants=[broken]))
    (pose,) = strict((tmp_path / "poses.json").read_text())["frames"][0]["infants"]
    assert pose["keypoints_px"][3] == [None, None]
    assert pose["box_score"] is None and pose["root_mm"] is None


def test_what_was_written_can_be_read(tmp_path):
    carer = Adult(np.array([1.0, 2, 30, 40]), 0.75)
    missing = replace(infant(), keypoints_px=np.full((JOINTS, 2), np.nan), root_mm=np.ones(3))
    frames = (replace(frame(infants=[infant(2), missing]), adults=(carer,)), frame(error="x"))
    written(poses_json, tmp_path / "poses.json", *frames)
    back = read_poses_json(tmp_path / "poses.json")
    assert back.skeleton == INFANT and not back.complete and back.track_ids == (1, 2)
    for one, other in zip(frames[0].infants, back.frames[0].infants, strict=True):
        for name in ("keypoints_px", "joints_mm", "sigma_mm", "box_xyxy"):
            both = getattr(one, name), getattr(other, name)
            assert np.allclose(*both, atol=1e-3, equal_nan=True), name
    assert back.frames[0].adults[0].box_score == 0.75 and back.frames[1].error == "x"
    (tmp_path / "poses.json").write_text("{}")
    with pytest.raises(DataError, match=r"poses\.json is no infantpose/1"):
        read_poses_json(tmp_path / "poses.json")


def test_no_frames_is_still_json(tmp_path):
    written(poses_json, tmp_path / "poses.json")
    assert strict((tmp_path / "poses.json").read_text())["frames"] == []


def test_csv_is_tidy_and_keeps_empty_frames(tmp_path):
    twins = [infant(1), infant(2)]
    written(poses_csv, tmp_path / "poses.csv", frame("v.mp4", 0, twins), frame("v.mp4", 1))
    with (tmp_path / "poses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:10] == [
        *("time_s", "track_id", "joint", "x_px", "y_px", "score"),
        *("x_mm", "y_mm", "z_mm", "sigma_mm"),
    ]
    assert len(rows) == 3 * JOINTS
    nose = rows[JOINTS]
    assert (nose["track_id"], nose["joint"]) == ("2", "nose")
    assert float(nose["y_mm"]) == pytest.approx(twins[1].joints_mm[0, 1], abs=1e-3)
    empty = rows[2 * JOINTS]
    assert empty["track_id"] == empty["x_px"] == empty["sigma_mm"] == ""
    assert float(empty["time_s"]) == pytest.approx(1 / 30, abs=1e-6)


def test_coco_entries(tmp_path):
    frames = (frame("b.jpg", 0, [infant(1)]), frame("a.jpg", 0, [infant(2), infant(3)]))
    written(coco_keypoints, tmp_path / "coco.json", *frames)
    entries = strict((tmp_path / "coco.json").read_text())
    assert [e["image_id"] for e in entries] == [2, 1, 1]
    first = entries[0]
    assert list(first) == ["image_id", "category_id", "keypoints", "score", "bbox"]
    assert first["category_id"] == 1 and first["bbox"] == [1, 2, 30, 40]
    assert first["score"] == pytest.approx(0.25)
    assert len(first["keypoints"]) == 3 * len(COCO_17)
    knee = 3 * COCO_17.index("left_knee")
    own = frames[0].infants[0].keypoints_px[INFANT.index("left_knee")]
    assert first["keypoints"][knee : knee + 2] == pytest.approx(own, abs=1e-3)


def test_coco_results_load_in_pycocotools(tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    one = frame("a.jpg", 0, [infant()])
    written(coco_keypoints, tmp_path / "r.json", one, image_ids={"a.jpg": 7})
    skeleton = {"id": 1, "name": "person", "keypoints": list(COCO_17.joints), "skeleton": []}
    truth = {"info": {}, "images": [{"id": 7, "file_name": "a.jpg"}], "annotations": []}
    (tmp_path / "t.json").write_text(json.dumps({**truth, "categories": [skeleton]}))
    loaded = coco.COCO(str(tmp_path / "t.json")).loadRes(str(tmp_path / "r.json"))
    assert len(loaded.anns) == 1


def test_missing_joint_in_coco_is_zero(tmp_path):
    pose = infant()
    keypoints = pose.keypoints_px.copy()
    keypoints[0] = np.nan
    frames = (frame("a.jpg", 0, [replace(pose, keypoints_px=keypoints)]),)
    written(coco_keypoints, tmp_path / "coco.json", *frames)
    (entry,) = strict((tmp_path / "coco.json").read_text())
    assert entry["keypoints"][:3] == [0, 0, 0]

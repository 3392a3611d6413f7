"""Cached detections of photos: of people whose joints are known in space, each on their own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from Datasets.geometry.camera import rays, rotation_to_axis
from Datasets.skeletons import COCO_17, INFANT, LSP_14
from Datasets.sources import DataSource
from Datasets.structures import PoseSample
from Datasets.writers.coco import CocoPerson, CocoPicture, write_coco, write_coco_image
from Engine.errors import DataError
from PoseEstimation.io.detection_cache import FILE
from PoseEstimation.stage_settings import DetectionCacheSettings
from PoseEstimation.training.clips import load_detections
from PoseEstimation.training.detection_cache import cache_detections


def _person(seed: int) -> PoseSample:
    rng = np.random.default_rng(seed)
    return PoseSample(
        Path("x.jpg"),
        INFANT,
        rng.uniform(10, 80, (len(INFANT), 2)).round(3),
        np.full(len(INFANT), 2, np.uint8),
        joints_mm=(rng.normal(0, 100, (len(INFANT), 3)) + [0, 0, 900]).round(3),
        intrinsics=np.array([[500.0, 0, 50], [0, 500, 50], [0, 0, 1]]),
        box_xyxy=np.array([1.0, 2, 80, 90]),
        area_px=500.0,
        age="infant",
    )


def _flat(sample: PoseSample) -> PoseSample:
    keypoints, visibility = np.full((len(COCO_17), 2), 30.0), np.full(len(COCO_17), 2, np.uint8)
    return replace(
        sample, skeleton=COCO_17, keypoints_px=keypoints, visibility=visibility, joints_mm=None
    )


def _photos(root: Path, *pictures: tuple[PoseSample, ...]) -> DetectionCacheSettings:
    pages = [
        CocoPicture(f"{number}.jpg", number, (100, 100), tuple(map(CocoPerson, people)))
        for number, people in enumerate(pictures, 1)
    ]
    write_coco(root, "train200", pages)
    for page in pages:
        write_coco_image(root, "train200", page.file_name, np.full((100, 100, 3), 9, np.uint8))
    return DetectionCacheSettings(DataSource("syrip", "all", root))


def test_people_without_joints_in_space_are_left_out(tmp_path: Path) -> None:
    people = [_person(seed) for seed in range(3)]
    settings = _photos(tmp_path / "data", (people[0], _flat(people[0])), (people[1], people[2]))
    assert cache_detections(settings, tmp_path) == {"frames": 3}
    seen = load_detections(tmp_path / FILE)
    assert [len(movement.joints_mm) for movement in seen] == [1, 1, 1]
    found = sorted(float(clip.joints_mm[0, 0, 0]) for clip in seen)
    np.testing.assert_allclose(found, sorted(p.joints_mm[0, 0] for p in people), rtol=1e-6)


def test_photos_without_joints_in_space_are_refused(tmp_path: Path) -> None:
    settings = _photos(tmp_path / "data", (_flat(_person(0)),))
    with pytest.raises(DataError, match="no 3D labels"):
        cache_detections(settings, tmp_path)


def test_weak_joints_of_photos_get_a_middle_and_a_camera(tmp_path: Path) -> None:
    settings = _photos(tmp_path / "data", *((_flat(_person(seed)),) for seed in range(3)))
    joints_m = np.random.default_rng(0).normal(0, 0.1, (2, 14, 3)).astype(np.float32)
    corrected, names = np.ones(2, bool), ["1.jpg", "3.jpg"]
    np.savez(
        tmp_path / "data" / "weak_3d.npz", file_name=names, joints_m=joints_m, corrected=corrected
    )
    assert cache_detections(replace(settings, weak=True), tmp_path) == {"frames": 2}
    first, second = load_detections(tmp_path / FILE)
    known = np.isfinite(first.joints_mm[0]).all(-1)
    assert known.sum() == 15 and known[INFANT.root_index]
    assert known[INFANT.indices(("left_hip", "right_hip"))].all()
    wrist = 1000 * joints_m[:, LSP_14.index("left_wrist")]
    place = INFANT.index("left_wrist")
    middle = rays(np.array([40.5, 46.0]), first.intrinsics[0])
    turn = rotation_to_axis(middle)
    np.testing.assert_allclose(turn @ (middle / np.linalg.norm(middle)), [0, 0, 1], atol=1e-6)
    found = np.stack([turn @ c.joints_mm[0, place] for c in (first, second)])
    np.testing.assert_allclose(found, wrist, rtol=1e-4)
    others = known & (np.arange(len(INFANT)) != INFANT.root_index)
    middle = first.joints_mm[0, others].mean(0)
    np.testing.assert_allclose(first.joints_mm[0, INFANT.root_index], middle, rtol=1e-4)
    assert first.intrinsics[0, 0, 2] == pytest.approx(49.5)
    np.savez(
        tmp_path / "data" / "weak_3d.npz",
        file_name=["other.jpg"], joints_m=joints_m[:1], corrected=corrected[:1],
    )  # fmt: skip
    with pytest.raises(DataError, match="no 3D labels"):
        cache_detections(replace(settings, weak=True), tmp_path)


def test_people_of_photos_from_one_video_stay_apart(tmp_path: Path) -> None:
    people = [_person(seed) for seed in range(2)]
    pages = [
        CocoPicture(f"{n}.jpg", n, (100, 100), (CocoPerson(one),), more=(("image_source", "v"),))
        for n, one in enumerate(people, 1)
    ]
    write_coco(tmp_path / "data", "train200", pages)
    for page in pages:
        pixels = np.full((100, 100, 3), 9, np.uint8)
        write_coco_image(tmp_path / "data", "train200", page.file_name, pixels)
    settings = DetectionCacheSettings(DataSource("syrip", "all", tmp_path / "data"))
    cache_detections(settings, tmp_path)
    assert [len(movement.joints_mm) for movement in load_detections(tmp_path / FILE)] == [1, 1]

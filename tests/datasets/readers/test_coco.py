"""COCO keypoints: what is written is read, crowds are ignored, damage is named."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from Datasets.catalogue import open_dataset
from Datasets.loaders import joined
from Datasets.readers.coco import open_coco, read_part, region_mask
from Datasets.skeletons import COCO_17, INFANT
from Datasets.skeletons.convert import joint_map
from Datasets.structures import PoseSample
from Datasets.verify.coco import verify_coco
from Datasets.writers.coco import (
    CocoPerson,
    CocoPicture,
    encode,
    keypoint_values,
    write_coco,
    write_coco_image,
)
from Engine.errors import DataError

SIZE = (64, 48)


def person(rng: np.random.Generator, labelled: int = 17, mask: bool = True) -> CocoPerson:
    """A person with some labelled joints inside a rectangular mask."""
    keypoints = rng.uniform((10, 10), (50, 40), (17, 2))
    visibility = np.zeros(17, np.uint8)
    visibility[rng.permutation(17)[:labelled]] = rng.integers(1, 3, labelled)
    keypoints = np.where(visibility[:, None] > 0, keypoints, np.nan)
    shape = np.zeros(SIZE[::-1], bool)
    x, y = rng.integers(0, 30), rng.integers(0, 20)
    shape[y : y + 20, x : x + 25] = True
    sample = PoseSample(
        Path("x.jpg"), COCO_17, keypoints, visibility, box_xyxy=np.array([x, y, x + 24, y + 19.0]),
        area_px=123.5,
    )  # fmt: skip
    return CocoPerson(sample, shape if mask else None)


def picture(number: int, *people: CocoPerson, **more) -> CocoPicture:
    return CocoPicture(f"{number:012d}.jpg", number, SIZE, people, **more)


def written(root: Path, *pictures: CocoPicture, split: str = "val2017") -> Path:
    write_coco(root, split, pictures)
    for item in pictures:
        write_coco_image(root, split, item.file_name, np.full((48, 64, 3), 90, np.uint8))
    return root


def edited(root: Path, change, split: str = "val2017") -> Path:
    """Change the annotation file in place."""
    path = root / "annotations" / f"person_keypoints_{split}.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    crowd = np.zeros((48, 64), bool)
    crowd[:10, 40:] = True
    return written(
        tmp_path,
        picture(7, person(rng), person(rng, labelled=0), crowds=(crowd,)),
        picture(9, person(rng, labelled=4)),
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32 - 1), labelled=st.integers(1, 17), mask=st.booleans())
def test_what_is_written_is_read(tmp_path: Path, seed: int, labelled: int, mask: bool) -> None:
    rng = np.random.default_rng(seed)
    people = [person(rng, labelled, mask) for _ in range(int(rng.integers(1, 4)))]
    written(tmp_path, picture(3, *people), split="train2017")
    read = open_coco(tmp_path, "train2017").samples
    assert len(read) == len(people)
    for ours, theirs in zip(people, read, strict=True):
        np.testing.assert_allclose(theirs.keypoints_px, ours.sample.keypoints_px, atol=5.1e-4)
        assert np.array_equal(theirs.visibility, ours.sample.visibility)
        np.testing.assert_allclose(theirs.box_xyxy, ours.sample.box_xyxy, atol=1e-3)
        assert theirs.area_px == 123.5
        assert theirs.image_id == 3 and theirs.image_path.name == "000000000003.jpg"


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
def test_run_lengths_are_those_of_the_library(seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((7, 5)) < share
    assert np.array_equal(region_mask(encode(mask), (5, 7)), mask)


def test_crowds_and_unlabelled_people_are_ignored_where_they_are(root: Path) -> None:
    first, second = read_part(root, "val2017").images
    assert [len(first.people), len(second.people)] == [1, 1]
    masks = [region_mask(region, first.size) for region in first.ignored]
    assert any(mask[5, 50] for mask in masks) and second.ignored == ()
    box = region_mask([4, 5, 10, 6], SIZE)
    assert box.shape == (48, 64) and box[5:12, 4:15].all() and box.sum() == 7 * 11


def test_boxes_without_joints_and_empty_images_are_kept_for_detectors(root: Path) -> None:
    rng = np.random.default_rng(3)
    bare, crowd = person(rng, labelled=0), np.ones((48, 64), bool)
    written(root, picture(1, bare), picture(2), picture(3, crowds=(crowd,)), split="val2014")
    data = open_coco(root, "val2014", INFANT)
    assert len(data) == 0
    boxed, nobody = data.without_joints
    np.testing.assert_array_equal(boxed.box_xyxy, bare.sample.box_xyxy)
    assert (boxed.image_id, nobody.image_id) == (1, 2) and nobody.box_xyxy is None
    assert not boxed.visibility.any() and nobody.image_path.name == "000000000002.jpg"
    both = joined([data, open_coco(root, "val2017", INFANT)])
    assert [sample.image_id for sample in both.without_joints] == [1, 2, 7]


def test_people_of_syrip_are_infants_unless_it_says_otherwise(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    carer = person(rng)
    carer = replace(carer, sample=replace(carer.sample, age="adult"))
    written(tmp_path, picture(1, person(rng), carer, person(rng, 0)), split="train200")
    assert [s.age for s in open_dataset("coco", tmp_path, "train").samples] == ["", "adult"]
    data = open_dataset("syrip", tmp_path, "train")
    assert [s.age for s in (*data.samples, *data.without_joints)] == ["infant", "adult", "infant"]


def test_splits_and_other_joints(root: Path) -> None:
    written(root, picture(1, person(np.random.default_rng(2))), split="train2014")
    assert [len(open_coco(root, s)) for s in ("train", "validation", "val2017", "all")] == [
        1,
        2,
        2,
        3,
    ]
    infant = open_coco(root, "train", INFANT)
    again = joint_map(INFANT, COCO_17).apply(infant.samples[0].keypoints_px)
    np.testing.assert_array_equal(again, open_coco(root, "train").samples[0].keypoints_px)
    with pytest.raises(DataError, match="no split 'test'; it has train2014, val2017"):
        open_coco(root, "test")


def test_the_evaluation_library_loads_it(root: Path) -> None:
    from faster_coco_eval import COCO

    loaded = COCO(str(root / "annotations" / "person_keypoints_val2017.json"))
    crowd = loaded.loadAnns(loaded.getAnnIds(imgIds=[7], iscrowd=True))[0]
    assert loaded.annToMask(crowd).sum() == crowd["area"] == 240


def test_a_person_needs_a_box_and_images_numbers(tmp_path: Path) -> None:
    bare = CocoPerson(PoseSample(Path("x"), COCO_17, np.full((17, 2), np.nan), np.zeros(17)))
    with pytest.raises(DataError, match="needs a mask"):
        write_coco(tmp_path, "a", [picture(1, bare)])
    with pytest.raises(DataError, match="repeats"):
        write_coco(tmp_path, "a", [picture(1), picture(1)])
    with pytest.raises(DataError, match="empty mask"):
        write_coco(tmp_path, "a", [picture(1, crowds=(np.zeros((4, 4), bool),))])


BREAKS = {
    "no list 'images'": lambda c: c.pop("images"),
    "no category 'person'": lambda c: c["categories"][0].update(name="dog"),
    "expected COCO's 17": lambda c: c["categories"][0]["keypoints"].reverse(),
    "has joints of another number": lambda c: c["categories"][0].update(keypoints=17),
}


@pytest.mark.parametrize("message", BREAKS)
def test_another_layout_is_refused_in_one_line_with_the_file(root: Path, message: str) -> None:
    path = edited(root, BREAKS[message])
    with pytest.raises(DataError, match=message) as caught:
        open_coco(root, "val2017")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert not verify_coco(root).ok


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        open_coco(tmp_path / "none")
    with pytest.raises(DataError, match=r"holds no person_keypoints_\*"):
        open_coco(tmp_path)
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/person_keypoints_x.json").write_text("{")
    with pytest.raises(DataError, match="not valid JSON"):
        open_coco(tmp_path)


def test_verify_finds_everything_in_one_pass(root: Path) -> None:
    assert verify_coco(root).ok
    written(root, picture(1, person(np.random.default_rng(2))), split="train2014")
    (root / "train2014/000000000001.jpg").write_bytes(b"text")
    (root / "val2017/000000000007.jpg").unlink()

    def damage(content: dict) -> None:
        content["images"][1]["file_name"] = "/etc/x.jpg"
        content["annotations"][0]["keypoints"][2] = 9
        content["annotations"][1]["num_keypoints"] = 3
        content["annotations"][2]["image_id"] = 55

    edited(root, damage)
    (root / "annotations/person_keypoints_zz.json").write_text("[]")
    report = verify_coco(root)
    text = str(report)
    assert not report.ok and [path.name for path in report.missing] == ["000000000007.jpg"]
    parts = (
        "no list 'images'",
        "outside",
        "0, 1 or 2",
        "num_keypoints",
        "not listed",
        "not a JPEG",
    )
    for part in parts:
        assert part in text, part


def test_keypoint_values_are_zero_where_unlabelled() -> None:
    values = keypoint_values(person(np.random.default_rng(1), labelled=3).sample)
    assert len(values) == 51 and sum(v > 0 for v in values[2::3]) == 3
    assert all(values[i : i + 2] == [0, 0] for i in range(0, 51, 3) if values[i + 2] == 0)


REAL = os.environ.get("INFANTPOSE_REAL_DATA")


@pytest.mark.skipif(not REAL, reason="INFANTPOSE_REAL_DATA is not set: no real annotations here")
@pytest.mark.parametrize("name", ["coco_mini", "syrip"])
def test_real_files_read_as_they_are(name: str) -> None:
    root = Path(REAL or "") / name
    assert verify_coco(root).ok
    for path in sorted((root / "annotations").glob("person_keypoints_*.json")):
        annotations = [a for a in json.loads(path.read_text())["annotations"] if not a["iscrowd"]]
        labelled = {a["id"]: a for a in annotations if a["num_keypoints"]}
        samples = open_coco(root, path.stem.removeprefix("person_keypoints_")).samples
        assert {s.annotation_id for s in samples} == labelled.keys()
        for sample in samples:
            truth = np.array(labelled[sample.annotation_id]["keypoints"]).reshape(17, 3)
            assert np.array_equal(sample.visibility, truth[:, 2])
            assert np.array_equal(sample.keypoints_px[truth[:, 2] > 0], truth[truth[:, 2] > 0, :2])
            assert sample.area_px == labelled[sample.annotation_id]["area"]


def test_generated_annotations_keep_all_joints_and_the_age(tmp_path):
    rng = np.random.default_rng(5)
    visibility = rng.integers(0, 3, len(INFANT)).astype(np.uint8)
    visibility[INFANT.index("nose")] = 2
    keypoints = rng.uniform(0, 90, (len(INFANT), 2)).round(3)
    sample = PoseSample(
        Path("x"),
        INFANT,
        np.where(visibility[:, None] > 0, keypoints, np.nan),
        visibility,
        joints_mm=rng.normal(0, 100, (len(INFANT), 3)).round(3),
        intrinsics=np.array([[500.0, 0, 50], [0, 500, 50], [0, 0, 1]]),
        box_xyxy=np.array([1.0, 2, 80, 90]),
        area_px=500.0,
        age="infant",
    )
    page = CocoPicture("1.jpg", 1, (100, 100), (CocoPerson(sample),))
    written(tmp_path, page, split="train200")
    path = tmp_path / "annotations/person_keypoints_train200.json"
    found = open_coco(tmp_path, "train200", skeleton=INFANT).samples[0]
    for name in ("keypoints_px", "visibility", "joints_mm", "intrinsics"):
        np.testing.assert_array_equal(getattr(found, name), getattr(sample, name))
    official = open_coco(tmp_path, "train200").samples[0]
    assert found.age == official.age == "infant"
    assert official.skeleton == COCO_17 and official.joints_mm is None
    path.write_text(path.read_text().replace('"joints_mm": [', '"joints_mm": [1.0, '))
    with pytest.raises(DataError, match=r"damaged infant_joints \(1\)"):
        open_coco(tmp_path, "train200", skeleton=INFANT)
    assert not verify_coco(tmp_path).ok

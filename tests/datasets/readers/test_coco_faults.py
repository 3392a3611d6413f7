"""One set of checks: whoever ``open_coco`` and ``crops`` leave out, ``verify`` finds, and why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.catalogue import open_dataset
from Datasets.crops import write_crops
from Datasets.geometry.boxes import box_fault
from Datasets.readers.coco import open_coco
from Datasets.scenes import ADULT_LABEL, INFANT_LABEL, scenes_of
from Datasets.verify.coco import verify_coco
from Datasets.writers.coco import CATEGORY
from Engine.errors import DataError

SIZE = (64, 48)
FAR = [-40, 9, 2]
"""A visible joint more than half the image's width beside it."""


def annotation(number: int, image: int, seen: int) -> dict:
    joints = np.random.default_rng(number).uniform((5, 5), (40, 30), (17, 2)).round(2)
    rows = np.column_stack([joints, np.arange(17) < seen]) * (np.arange(17) < seen)[:, None]
    box = {"bbox": [4, 4, 40, 30], "area": 900.0, "iscrowd": 0, "segmentation": []}
    numbers = {"id": number, "image_id": image, "category_id": 1, "num_keypoints": seen}
    return {**numbers, **box, "keypoints": rows.ravel().tolist()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Somebody labelled and somebody not in image 7, somebody labelled in image 9."""
    images = [
        {"id": number, "file_name": f"{number}.jpg", "width": SIZE[0], "height": SIZE[1]}
        for number in (7, 9)
    ]
    people = [annotation(1, 7, 17), annotation(2, 7, 0), annotation(3, 9, 5)]
    content = {"images": images, "annotations": people, "categories": [CATEGORY]}
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "person_keypoints_train.json").write_text(json.dumps(content))
    (tmp_path / "images").mkdir()
    for image in images:
        Image.new("RGB", SIZE, (90, 90, 90)).save(tmp_path / "images" / image["file_name"])
    return tmp_path


def edited(root: Path, change) -> None:
    """Change the annotation file in place."""
    path = root / "annotations" / "person_keypoints_train.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def first(content: dict) -> dict:
    return content["annotations"][0]


FAULTS = {
    "keypoints too many": ("keypoint values", lambda c: first(c)["keypoints"].append(1)),
    "visibility": ("not 0, 1 or 2", lambda c: first(c)["keypoints"].__setitem__(2, 7)),
    "text as keypoint": ("not numbers", lambda c: first(c)["keypoints"].__setitem__(0, "x")),
    "keypoints no list": ("not numbers", lambda c: first(c).update(keypoints="none")),
    "huge integer": ("not numbers", lambda c: first(c)["keypoints"].__setitem__(0, 10**400)),
    "NaN": ("not a finite", lambda c: first(c)["keypoints"].__setitem__(0, float("nan"))),
    "far keypoint": ("far outside", lambda c: first(c)["keypoints"].__setitem__(slice(3), FAR)),
    "no box": ("no bbox", lambda c: first(c).pop("bbox")),
    "box of text": ("no bbox", lambda c: first(c).update(bbox=["a", 1, 2, 3])),
    "box is text": ("no bbox", lambda c: first(c).update(bbox="1234")),
    "box of three": ("no bbox", lambda c: first(c).update(bbox=[1, 2, 3])),
    "box of NaN": ("no bbox", lambda c: first(c).update(bbox=[1, 2, 3, float("nan")])),
    "box without width": ("4 px or less", lambda c: first(c).update(bbox=[5, 5, 0, 20])),
    "box of a pixel": ("4 px or less", lambda c: first(c).update(bbox=[5, 5, 1, 1])),
    "box of a few pixels": ("4 px or less", lambda c: first(c).update(bbox=[5, 5, 4, 40])),
    "box inside out": ("4 px or less", lambda c: first(c).update(bbox=[25, 25, -20, -20])),
    "box outside": ("box far outside", lambda c: first(c).update(bbox=[640, 480, 20, 20])),
    "box mostly outside": ("box far outside", lambda c: first(c).update(bbox=[-30, 0, 40, 40])),
    "box too large": ("box far outside", lambda c: first(c).update(bbox=[0, 0, 128, 128])),
    "box beyond numbers": ("box far outside", lambda c: first(c).update(bbox=[0, 0, 1e308, 1e308])),
    "iscrowd": ("iscrowd is neither", lambda c: first(c).update(iscrowd="yes")),
    "image of nobody": ("its image is not listed", lambda c: first(c).update(image_id=99)),
    "image is a list": ("its image is not listed", lambda c: first(c).update(image_id=[7])),
    "category": ("its category is not listed", lambda c: first(c).pop("category_id")),
    "no image width": ("needs id, file_name", lambda c: c["images"][0].pop("width")),
    "image of no size": ("needs id, file_name", lambda c: c["images"][0].update(height=0)),
    "name outside": ("outside the folder", lambda c: c["images"][0].update(file_name="../x.jpg")),
    "image number twice": ("another image", lambda c: c["images"].append({**c["images"][0]})),
    "no such image": ("file is missing", lambda c: c["images"][0].update(file_name="none.jpg")),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_whoever_cannot_be_used_is_left_out_counted_and_found(root: Path, name: str) -> None:
    reason, change = FAULTS[name]
    edited(root, change)
    data = open_coco(root, "train")
    assert [sample.image_id for sample in data.samples] == [9]
    (note,) = data.notes
    assert reason in note and "\n" not in note
    assert all(s.box_xyxy is not None or s.image_id == 9 for s in data.without_joints)
    for scene in scenes_of(data):
        boxes = [*scene.boxes(INFANT_LABEL), *scene.boxes(ADULT_LABEL)]
        assert not any(box_fault(box, SIZE) for box in boxes), "what the detector learns from"
    report = verify_coco(root)
    assert not report.ok and ("missing" in reason or reason in str(report))
    counts = write_crops(root, "train", root / "crops", min_keypoints=1, size=32)
    assert counts.written == 1 and reason in counts.notes[0]


DOUBTS = {
    "no area": ("no area", lambda c: first(c).pop("area")),
    "area 0": ("no area", lambda c: first(c).update(area=0)),
    "negative area": ("no area", lambda c: first(c).update(area=-3)),
    "area is text": ("no area", lambda c: first(c).update(area="large")),
    "num_keypoints": ("num_keypoints is another", lambda c: first(c).update(num_keypoints=3)),
    "annotation number twice": ("another annotation", lambda c: first(c).update(id=2)),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_what_is_doubtful_is_kept_counted_and_found(root: Path, name: str) -> None:
    reason, change = DOUBTS[name]
    edited(root, change)
    data = open_coco(root, "train")
    assert [sample.image_id for sample in data.samples] == [7, 9]
    assert reason in data.notes[0] and "(1)" in data.notes[0]
    assert [s.area_px is None for s in data.samples] == [reason == "no area", False]
    assert reason in str(verify_coco(root)) and not verify_coco(root).ok
    assert write_crops(root, "train", root / "crops", min_keypoints=1, size=32).written == 2
    crops = open_coco(root / "crops", "train").samples
    assert [s.area_px is None for s in crops] == [reason == "no area", False]


def test_nobody_of_use_is_an_error_that_says_why(root: Path) -> None:
    for path in (root / "images").iterdir():
        path.unlink()
    with pytest.raises(
        DataError, match=r"no person in it can be used: its file is missing \(2\).*jpg"
    ):
        open_coco(root, "train")
    assert len(verify_coco(root).missing) == 2


def test_boxes_a_little_outside_stay_as_they_are(root: Path) -> None:
    edited(root, lambda c: first(c).update(bbox=[-2.5, -0.11, 66, 47.3]))
    person = open_coco(root, "train").samples[0]
    np.testing.assert_allclose(person.box_xyxy, [-2.5, -0.11, 63.5, 47.19])
    assert verify_coco(root).ok
    edited(root, lambda c: first(c).update(bbox=[59.8, 10, 4.2, 20]))
    assert len(open_coco(root, "train")) == 2, "a sliver at the edge lies in the image"


def test_people_without_joints_are_left_out_with_a_note_alone(root: Path) -> None:
    """An official file has a few boxes of no height: it stays OK."""
    edited(root, lambda c: c["annotations"][1].update(bbox=[5, 5, 20, 0], area=0))
    report, data = verify_coco(root), open_coco(root, "train")
    assert report.ok and "left out: a box with a side of 4 px or less (1)" in report.notes[-1]
    assert len(data) == 2 and not data.without_joints
    assert "1 people and 0 images are left out" in data.notes[0]
    assert "left out: 1" in report.counts[1]


def test_pictures_of_another_size_than_their_labels_say_are_found(root: Path) -> None:
    path = root / "images" / "7.jpg"
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", SIZE[::-1]).save(path, exif=turned)
    assert verify_coco(root).ok, "upright, as it is read, it has the size"
    Image.new("RGB", SIZE).save(path, exif=turned)
    assert "has 48 x 64 pixels upright, its labels 64 x 48" in str(verify_coco(root))
    Image.new("RGB", (8, 8)).save(path)
    assert not verify_coco(root).ok
    counts = write_crops(root, "train", root / "crops", min_keypoints=1, size=32)
    assert counts.written == 1 and "has 8 x 8 px: a box far outside" in counts.notes[0]


def test_one_damaged_picture_costs_no_other_crop(root: Path) -> None:
    (root / "images" / "7.jpg").write_bytes(b"text")
    counts = write_crops(root, "train", root / "crops", min_keypoints=1, size=32)
    assert counts.written == 1 and "annotation 1 is left out: image" in counts.notes[0]
    assert len(open_coco(root / "crops", "train")) == 1


def test_a_byte_order_mark_is_read(root: Path) -> None:
    path = root / "annotations" / "person_keypoints_train.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(open_coco(root, "train")) == 2


def test_notes_are_shown(root: Path, capsys: pytest.CaptureFixture) -> None:
    edited(root, lambda c: first(c).update(bbox=[5, 5, 0, 20]))
    open_dataset("coco", root, "train")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("infantpose: note: coco: person_keypoints_train.json: 1 people")

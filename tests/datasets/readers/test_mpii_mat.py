"""MPII's official file: every irregularity is read, every damage is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from Datasets.layouts.mpii import MAT
from Datasets.readers.mpii import open_mpii
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE
from Datasets.verify.mpii import verify_mpii
from Engine.errors import DataError


def structs(*rows: dict) -> np.ndarray:
    result = np.empty((1, len(rows)), dtype=[(key, object) for key in rows[0]])
    for i, row in enumerate(rows):
        for key, value in row.items():
            result[key][0, i] = value
    return result


def release(root: Path, *images: dict, flags: list[float] | None = None, **more) -> Path:
    content = {"annolist": structs(*images), "img_train": np.array([flags or [1.0] * len(images)])}
    savemat(root / MAT, {"RELEASE": structs({**content, **more})})
    return root / MAT


def rect(*points: dict, **more) -> dict:
    place = {"scale": 1.0, "objpos": structs({"x": 10.0, "y": 20.0})}
    inner = structs({"point": structs(*points)}) if points else np.zeros((0, 0))
    return {"annopoints": inner, **place, **more}


EMPTY = np.zeros((0, 0))
POINT = {"x": 11.0, "y": 21.0, "id": 9.0, "is_visible": EMPTY}


def test_every_irregularity_of_the_official_file_is_read(tmp_path: Path) -> None:
    flags = [{"is_visible": f} for f in ("0", "1", 0.0, 1.0, np.uint8(0), "", EMPTY)]
    points = [{**POINT, **flag, "id": float(i)} for i, flag in enumerate(flags)]
    lost = {"annopoints": EMPTY, "scale": EMPTY, "objpos": EMPTY}
    placed = {"scale": 1.0, "objpos": structs({"x": 10.0, "y": 20.0})}
    release(
        tmp_path,
        {"image": structs({"name": "one.jpg"}), "annorect": structs(rect(POINT))},
        {"image": structs({"name": "none.jpg"}), "annorect": EMPTY},
        {"image": structs({"name": "two.jpg"}),
         "annorect": structs(rect(*points), rect(), lost, {**rect(POINT), "objpos": EMPTY})},
        {"image": structs({"name": "head.jpg"}),
         "annorect": structs({"x1": 1.0, "y1": 1.0, "x2": 4.0, "y2": 5.0})},
        {"image": structs({"name": "test.jpg"}), "annorect": structs(placed)},
        {"image": structs({"name": "more.jpg"}), "annorect": structs(lost, rect())},
        flags=[1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
    )  # fmt: skip
    data = open_mpii(tmp_path, "train", form="mat")
    first, second = data.samples
    assert first.visibility[9] == VISIBLE and first.visibility.sum() == VISIBLE
    np.testing.assert_array_equal(first.keypoints_px[9], [10, 20])
    np.testing.assert_allclose(first.box_xyxy, [9 - 100, 19 + 15 - 100, 109, 134])
    assert first.head_box_xyxy is None and first.activity == first.sequence == ""
    states = [OCCLUDED, VISIBLE, OCCLUDED, VISIBLE, OCCLUDED, VISIBLE, VISIBLE, UNLABELLED]
    assert second.visibility[:8].tolist() == states
    assert "4 rectangles without centre, scale and joints" in data.notes[1]
    test = open_mpii(tmp_path, "test", form="mat")
    assert [s.image_path.name for s in test.samples] == ["test.jpg", "more.jpg"]
    assert test.notes == ("1 rectangles without centre and scale are left out",)


def test_one_image_one_person_one_joint_is_no_list(tmp_path: Path) -> None:
    act = structs({"cat_name": "rest", "act_name": "sleeping", "act_id": 4.0})
    videos = np.empty((1, 1), dtype=object)
    videos[0, 0] = "clip"
    head = {"x1": 1.0, "y1": 1.0, "x2": 4.0, "y2": 5.0}
    image = {"image": structs({"name": "a.jpg"}), "annorect": structs(rect(POINT, **head))}
    release(tmp_path, {**image, "vididx": 1.0, "frame_sec": 12.0}, act=act, video_list=videos)
    (sample,) = open_mpii(tmp_path, "train", form="mat").samples
    assert (sample.activity, sample.sequence, sample.frame) == ("rest: sleeping", "clip", 12)
    assert sample.head_box_xyxy.tolist() == [0, 0, 3, 4]
    assert sample.head_length_px == pytest.approx(0.6 * 5)


def at(x: float, y: float) -> np.ndarray:
    return structs({"x": x, "y": y})


def one(**point) -> dict:
    return {"annorect": structs(rect({**POINT, **point}))}


MAT_BREAKS = {
    "person 1: joint number 16 is not 0 to 15": one(id=16.0),
    "joint number nan is not": one(id="x"),
    "joint 3 has no finite x": one(x=np.nan, id=3.0),
    "centre is no finite": {"annorect": structs(rect(POINT, objpos=at(1.0, np.nan)))},
    "the centre is no": {"annorect": structs(rect(POINT, objpos=at(np.nan, np.nan)))},
    "the scale is no number above 0": {"annorect": structs(rect(POINT, scale=0.0))},
    "names '../a.jpg', outside": {"image": structs({"name": "../a.jpg"}), **one()},
    "image 2 has no name": {"image": EMPTY, **one()},
}  # fmt: skip


@pytest.mark.parametrize("message", MAT_BREAKS)
def test_damage_in_the_official_file_is_one_line(tmp_path: Path, message: str) -> None:
    good = {"image": structs({"name": "a.jpg"}), **one()}
    path = release(tmp_path, good, {**good, **MAT_BREAKS[message]})
    with pytest.raises(DataError, match=message) as caught:
        open_mpii(tmp_path, "train", form="mat")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_mpii(tmp_path).problems


def v73(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=512):
        pass
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


MAT_FILES: dict[str, Callable[[Path], object]] = {
    "expected version 5 to 7": v73,
    "no MATLAB file": lambda path: path.write_bytes(b"text, no MATLAB file at all" * 20),
    "no RELEASE.annolist": lambda path: savemat(path, {"OTHER": 1}),
    "RELEASE.annolist; use": lambda path: savemat(path, {"RELEASE": {"annolist": EMPTY}}),
    "img_train has 2 values for 1 images": lambda path: release(
        path.parent, {"image": structs({"name": "a.jpg"}), **one()}, flags=[1.0, 0.0]
    ),
}


def test_no_official_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"no {MAT}"):
        open_mpii(tmp_path, "train", form="mat")


@pytest.mark.parametrize("message", MAT_FILES)
def test_wrong_files_in_the_place_of_the_official_one(tmp_path: Path, message: str) -> None:
    MAT_FILES[message](tmp_path / MAT)
    with pytest.raises(DataError, match=message) as caught:
        open_mpii(tmp_path, "train")
    assert MAT in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value) in verify_mpii(tmp_path).problems

"""COCO image ids: of the image whose path fits best, or refused in one line before any work."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from Datasets.skeletons import INFANT
from Engine.errors import DataError
from PoseEstimation.cli import main
from PoseEstimation.io.coco import coco_keypoints, image_ids_of
from PoseEstimation.io.header import Header
from PoseEstimation.result import FrameResult, InfantPose


def annotations(folder: Path, **images: int | str) -> Path:
    return listed(folder, [{"id": number, "file_name": name} for name, number in images.items()])


def listed(folder: Path, images: object) -> Path:
    path = folder / "annotations.json"
    path.write_text(json.dumps({"images": images}))
    return path


def ids(folder: Path, names: dict[str, int], *sources: str | Path) -> list[int]:
    """Ids of photos in a folder."""
    path = listed(folder, [{"id": number, "file_name": name} for name, number in names.items()])
    photos = [folder / source for source in sources]
    found = image_ids_of(photos, path)
    assert list(found) == [photo.as_posix() for photo in photos]
    return list(found.values())


@pytest.mark.parametrize(
    ("names", "sources", "expected"),
    [
        ({"a/0001.jpg": 5, "b/0001.jpg": 6}, ["b/0001.jpg", "a/0001.jpg"], [6, 5]),
        ({"x/a.jpg": 42}, ["photos/a.jpg"], [42]),
        ({"train2017/a.jpg": 1, "a.jpg": 2}, ["photos/a.jpg"], [2]),
        ({"train2017/a.jpg": 1, "a.jpg": 2}, ["train2017/a.jpg", "val/a.jpg"], [1, 2]),
        ({"p/b/a.jpg": 1, "q/b/a.jpg": 2}, ["q/b/a.jpg"], [2]),
        ({"z/b/a.jpg": 1, "a.jpg": 2}, ["q/b/a.jpg"], [1]),
        ({"a\\0001.jpg": 5, "b\\.\\0001.jpg": 6}, ["b/0001.jpg", "a/0001.jpg"], [6, 5]),
        ({"a/./0001.jpg": 5, "./b//0001.jpg": 6}, ["b/0001.jpg", "a/0001.jpg"], [6, 5]),
        ({"a/0001.jpg": 5, "b/0001.jpg": 6}, ["c/../b/0001.jpg"], [6]),
        ({"C:\\data\\a.jpg": 3, "http://host/b.jpg": 4}, ["a.jpg", "b.jpg"], [3, 4]),
        ({"s\u00e4ugling \U0001f476.jpg": 8}, ["sa\u0308ugling \U0001f476.jpg"], [8]),
        ({"caf\udce9.jpg": 9}, [os.fsdecode(b"caf\xe9.jpg")], [9]),
        ({"line\nbreak.jpg": 0}, ["line\nbreak.jpg"], [0]),
        ({"A.jpg": 1, "a.jpg": 2}, ["a.jpg", "A.jpg"], [2, 1]),
    ],
)
def test_the_longest_matching_path_counts(tmp_path, names, sources, expected):
    assert ids(tmp_path, names, *sources) == expected


def test_sources_are_compared_from_the_folder_that_they_lie_in(tmp_path, monkeypatch):
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "b")
    path = annotations(tmp_path, **{"a/0001.jpg": 5, "b/0001.jpg": 6})
    assert image_ids_of([Path("0001.jpg")], path) == {"0001.jpg": 6}


@pytest.mark.parametrize(
    ("names", "sources", "message"),
    [
        ({"0001.jpg": 1}, ["a/0001.jpg", "b/0001.jpg"], r"a/0001.jpg and .*b/0001.jpg both fit"),
        ({"a/0001.jpg": 1, "b/0001.jpg": 2}, ["c/0001.jpg"], r"may be a/0001.jpg and b/0001.jpg"),
        ({"a.jpg": 1, "b.jpg": 1}, ["a.jpg"], "lists 2 images of id 1"),
        ({"a/b.jpg": 1, "a\\.\\b.jpg": 2}, ["b.jpg"], "lists 2 images of file_name 'a/b.jpg'"),
        ({"a.jpg": 1}, ["a.jpg", "b.jpg"], "annotations.json does not list b.jpg"),
        ({"A.jpg": 1}, ["a.jpg"], "does not list a.jpg"),
        ({"film.mp4": 1}, ["film.mp4"], "film.mp4 is a video"),
        ({}, ["a.jpg"], "does not list a.jpg"),
    ],
)
def test_what_is_ambiguous_is_refused_in_one_line(tmp_path, names, sources, message):
    with pytest.raises(DataError, match=message) as caught:
        ids(tmp_path, names, *sources)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "images",
    [None, {}, [7], [{"id": 1}], [{"id": "7", "file_name": "a"}], [{"id": 1, "file_name": 2}]],
)
def test_annotations_of_another_kind_are_refused(tmp_path, images):
    with pytest.raises(DataError, match=r"annotations\.json"):
        image_ids_of([tmp_path / "a.jpg"], listed(tmp_path, images))


@pytest.mark.parametrize("text", ["[]", "{}", "no json", '{"images": 1}'])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=r"a\.json"):
        image_ids_of([tmp_path / "a.jpg"], tmp_path / "a.json")


def test_a_byte_order_mark_is_read(tmp_path):
    path = annotations(tmp_path, **{"a.jpg": 5})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert image_ids_of([Path("a.jpg")], path) == {"a.jpg": 5}


def frame(source: str) -> FrameResult:
    joints = len(INFANT)
    infant = InfantPose(
        track_id=1,
        box_xyxy=np.array([1.0, 2, 31, 42]),
        box_score=0.5,
        keypoints_px=np.ones((joints, 2)),
        keypoint_scores=np.ones(joints),
        sigma_px=np.ones(joints),
        joints_mm=np.zeros((joints, 3)),
        sigma_mm=np.ones(joints),
    )
    return FrameResult(source, 0, 0.0, 64, 48, (infant,))


def test_results_have_the_ids_of_their_sources(tmp_path):
    frames = (frame("b/0001.jpg"), frame("a/0001.jpg"))
    counts = {"b/0001.jpg": 1, "a/0001.jpg": 1}
    for given, expected in (({"a/0001.jpg": 5, "b/0001.jpg": 6}, [6, 5]), (None, [2, 1])):
        header = Header(INFANT, {}, {}, counts, given)
        with coco_keypoints(tmp_path / "coco.json", header) as write:
            for one in frames:
                write(one)
        entries = json.loads((tmp_path / "coco.json").read_text())
        assert [entry["image_id"] for entry in entries] == expected


def test_the_command_refuses_before_it_loads_anything(tmp_path, capsys):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"")
    path = annotations(tmp_path, **{"film.mp4": 1})
    arguments = ["predict", str(film), "--output", str(tmp_path / "out"), "--weights", "none"]
    assert main([*arguments, "--coco-annotations", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "film.mp4 is a video" in line and not (tmp_path / "out").exists()

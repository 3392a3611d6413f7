"""The main job from files to files, with random weights: what comes out, where and how."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.readers.video import iter_frames
from Datasets.skeletons import INFANT
from PoseEstimation.cli import main
from PoseEstimation.visualise.video import VideoWriter


def picture(seed: int, size: tuple[int, int] = (81, 60)) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def load(output: Path) -> dict:
    return json.loads((output / "poses.json").read_text(), parse_constant=pytest.fail)


def test_photos_and_video_in_one_call(tmp_path, capsys, config):
    times = [0.0, 0.05, 0.2, 0.9]
    photos = tmp_path / "photos"
    photos.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(0).save(photos / "tilted.jpg", exif=exif)
    picture(1).save(photos / "plain.png")
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        for i, time in enumerate(times):
            writer.write(picture(i), time)
    output = tmp_path / "out"
    code = main(
        ["predict", str(photos), str(tmp_path / "clip.mp4"), "--output", str(output)]
        + ["--format", "json,csv,coco", "--config", str(config)]
    )
    assert code == 0
    content = load(output)
    sources = [Path(frame["source"]).name for frame in content["frames"]]
    assert sources == ["plain.png", "tilted.jpg", *["clip.mp4"] * 4]
    assert [f["time_s"] for f in content["frames"][2:]] == pytest.approx(times, abs=1e-3)
    tilted = content["frames"][1]
    assert (tilted["width"], tilted["height"]) == (60, 81)
    assert content["complete"] and content["quality"]["fps"] == pytest.approx(3 / 0.9, abs=0.01)
    check_infants(content)
    check_overlays(output, times)
    check_tables(output, content)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    for word in (
        "mm",
        "px",
        "pelvis",
        "25 joints",
        "poses.json",
        "ASSUMED",
        "not a medical device",
    ):
        assert word in lines[0]


def check_infants(content: dict) -> None:
    for frame in content["frames"]:
        ids = [infant["track_id"] for infant in frame["infants"]]
        assert ids and len(set(ids)) == len(ids)
        for infant in frame["infants"]:
            assert np.shape(infant["keypoints_px"]) == (25, 2)
            assert np.shape(infant["joints_mm"]) == (25, 3)
            assert infant["joints_mm"][INFANT.root_index] == [0, 0, 0]


def check_overlays(output: Path, times: list[float]) -> None:
    names = sorted(path.name for path in (output / "overlays").iterdir())
    assert names == ["clip.mp4", "plain.jpg", "tilted.jpg"]
    assert Image.open(output / "overlays" / "tilted.jpg").size == (60, 81)
    drawn = [frame.time_s for frame in iter_frames(output / "overlays" / "clip.mp4")]
    assert drawn == pytest.approx(times, abs=1e-3)


def check_tables(output: Path, content: dict) -> None:
    infants = sum(len(frame["infants"]) for frame in content["frames"])
    with (output / "poses.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 25 * infants
    entries = json.loads((output / "coco_keypoints.json").read_text())
    assert len(entries) == infants and {e["image_id"] for e in entries} == set(range(1, 7))


def test_no_infant_keeps_every_frame(tmp_path, config):
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        for i in range(5):
            writer.write(picture(i), i / 25)
    arguments = ["predict", str(tmp_path / "clip.mp4"), "--output", str(tmp_path / "out")]
    assert main([*arguments, "--config", str(config), "--set", "predict.min_box_score=0.999"]) == 0
    content = load(tmp_path / "out")
    assert [frame["infants"] for frame in content["frames"]] == [[]] * 5
    assert content["quality"]["infant_found_percent"] == 0 and content["complete"]
    assert len(list(iter_frames(tmp_path / "out" / "overlays" / "clip.mp4"))) == 5


def test_length_and_camera_are_used_and_said(tmp_path, config):
    picture(0).save(tmp_path / "a.png")
    common = ["predict", str(tmp_path / "a.png"), "--config", str(config), "--no-overlay"]
    results = []
    for i, options in enumerate(([], ["--length-cm", "50"], ["--length-cm", "100", "--fov", "40"])):
        assert main([*common, "--output", str(tmp_path / str(i)), *options]) == 0
        results.append(load(tmp_path / str(i)))
        assert not (tmp_path / str(i) / "overlays").exists()
    assumed, given, both = results
    assert "ASSUMED" in assumed["assumptions"]["scale_source"]
    assert "ASSUMED" in given["assumptions"]["field_of_view_source"]
    assert "ASSUMED" not in json.dumps(both["assumptions"])
    assert both["assumptions"]["field_of_view_deg"] == 40
    first, second = (np.array(r["frames"][0]["infants"][0]["joints_mm"]) for r in results[:2])
    factor = np.linalg.norm(second) / np.linalg.norm(first)
    assert np.allclose(second, factor * first, atol=0.01) and factor != pytest.approx(1, abs=0.01)


def test_nothing_is_written_beside_the_output(tmp_path, monkeypatch, config):
    picture(0).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert main(["predict", "a.png", "--config", str(config), "--output", "out"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "out"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("overlays", "poses.csv", "poses.json"),
    ]

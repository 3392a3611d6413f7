"""Overlays are files of their own on every disk, and hold nothing but what is drawn."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.readers.video import Frame
from Datasets.skeletons import INFANT
from PoseEstimation.result import FrameResult
from PoseEstimation.visualise.overlay import OverlayStyle, open_overlay, overlay_paths

RUDE = os.fsdecode(b"\xff\xe9")


def names(*sources: str) -> list[str]:
    return [path.name for path in overlay_paths([Path(s) for s in sources], Path("out")).values()]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (("x/a.jpg", "y/a.png", "a_2.jpg", "a.mov"), ["a.jpg", "a_2.jpg", "a_2_2.jpg", "a.mp4"]),
        (("a.jpg", "A.jpg", "A_2.JPG"), ["a.jpg", "A_2.jpg", "A_2_2.jpg"]),
        (("clip.mov", "Clip.mp4", "clip.MP4"), ["clip.mp4", "Clip_2.mp4", "clip_3.mp4"]),
        (("stra\u00dfe.png", "STRASSE.png"), ["stra\u00dfe.jpg", "STRASSE_2.jpg"]),
        (("\u00e9.png", "e\u0301.png"), ["\u00e9.jpg", "e\u0301_2.jpg"]),
        (("x.tar.mp4", "x.mp4", ".hidden.png"), ["x.tar.mp4", "x.mp4", ".hidden.jpg"]),
        ((f"{RUDE}.png", f"{RUDE}.jpg"), [f"{RUDE}.jpg", f"{RUDE}_2.jpg"]),
    ],
)
def test_names_stay_apart_on_a_disk_that_takes_like_for_equal(sources, expected):
    assert names(*sources) == expected


@pytest.mark.parametrize("letter", ["a", "\u00fc", os.fsdecode(b"\xff")])
def test_names_are_no_longer_than_disks_allow(letter, tmp_path):
    longest = letter * (251 // len(os.fsencode(letter)))
    sources = [f"{folder}/{longest}{end}" for folder in "xyz" for end in (".png", ".jpg", ".avi")]
    given = names(*sources)
    assert len({name.casefold() for name in given}) == len(sources)
    for name in given:
        (tmp_path / name).touch()
    assert given[0] == f"{longest}.jpg"


def test_a_photo_of_any_name_gets_its_overlay_and_nothing_of_its_file(tmp_path):
    image = Image.fromarray(np.full((40, 60, 3), 90, np.uint8))
    image.info = {"comment": b"secret", "exif": b"Exif\0\0secret", "xmp": b"secret"}
    path = overlay_paths([Path(f"{RUDE}.png")], tmp_path)[Path(f"{RUDE}.png")]
    with open_overlay(path, INFANT, OverlayStyle()) as overlay:
        overlay.write(Frame("a", 0, 0.0, image), FrameResult("a", 0, 0.0, *image.size))
    assert overlay.frames == 1 and b"secret" not in path.read_bytes()
    assert [p.name for p in path.parent.iterdir()] == [path.name]

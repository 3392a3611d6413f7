"""Own footage as a data set: one sample per photo and video frame, none labelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.layouts.mpi_inf_3dhp import VIDEO
from Datasets.readers.frames import load_sample_image
from Datasets.readers.unlabelled import read_frames
from Datasets.writers.mpi_inf_3dhp import write_train_video
from Engine.errors import DataError


def test_photos_and_videos_of_a_folder(tmp_path: Path) -> None:
    shades = [10, 90, 170, 250]
    write_train_video(tmp_path, 0, (np.full((32, 48, 3), s, np.uint8) for s in shades), 25)
    video = (tmp_path / VIDEO.format(camera=0)).rename(tmp_path / "b.avi")
    Image.new("RGB", (20, 10), (200, 0, 0)).save(tmp_path / "a.png")
    data = read_frames(tmp_path)
    assert [s.sequence for s in data.samples] == ["a.png", *["b.avi"] * 4]
    assert [s.video_frame for s in data.samples] == [None, 0, 1, 2, 3]
    assert not any(s.visibility.any() for s in data.samples)
    assert load_sample_image(data.samples[0]).getpixel((0, 0)) == (200, 0, 0)
    for sample, shade in zip(data.samples[1:], shades, strict=True):
        assert abs(np.asarray(load_sample_image(sample)).mean() - shade) < 4
    assert len(read_frames(video)) == 4


def test_what_is_no_footage_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none"):
        read_frames(tmp_path / "none")
    (tmp_path / "x.mp4").write_bytes(b"text")
    with pytest.raises(DataError, match="is no video"):
        read_frames(tmp_path)

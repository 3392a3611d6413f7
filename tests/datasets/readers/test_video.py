"""Photos and videos as frames: times, rotation, damage."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from Datasets.readers.video import iter_frames

SIZE = (64, 48)


def write_video(
    path: Path, pts_ms: list[int], codec: str = "libx264", index_first: bool = False
) -> Path:
    """Write frames whose left half is white; noise makes every packet large enough to be cut."""
    options = {"movflags": "faststart"} if index_first else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=30, time_base=Fraction(1, 1000))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=none"}
        for pts in pts_ms:
            frame = av.VideoFrame.from_ndarray(picture(pts), format="rgb24")
            frame.pts, frame.time_base = pts, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def picture(seed: int) -> np.ndarray:
    image = np.random.default_rng(seed).integers(0, 90, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    image[:, : SIZE[0] // 2] += 160
    return image


def rotate_header(path: Path, quarter_turns_clockwise: int) -> Path:
    """Write a phone's display rotation into the track header, as cameras held upright do."""
    a, b = {1: (0, 1), 2: (-1, 0), 3: (0, -1)}[quarter_turns_clockwise]
    one = 0x10000
    matrix = struct.pack(">9i", a * one, b * one, 0, -b * one, a * one, 0, 0, 0, 0x40000000)
    data = bytearray(path.read_bytes())
    start = data.find(b"tkhd") + 4 + 40
    data[start : start + 36] = matrix
    path.write_bytes(data)
    return path


def test_times_come_from_the_time_stamps(tmp_path):
    times = [0, 40, 80, 300, 320, 1000]
    frames = list(iter_frames(write_video(tmp_path / "v.mp4", times)))
    assert [f.index for f in frames] == list(range(6))
    assert [round(f.time_s * 1000) for f in frames] == times
    assert all(f.error is None and f.image.size == SIZE for f in frames)


def test_times_start_at_the_first_frame(tmp_path):
    frames = list(iter_frames(write_video(tmp_path / "v.mkv", [500, 540, 580])))
    assert [round(f.time_s * 1000) for f in frames] == [0, 40, 80]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_rotation_is_applied(tmp_path, turns):
    upright = next(iter_frames(write_video(tmp_path / "v.mp4", [0, 40])))
    turned = next(iter_frames(rotate_header(tmp_path / "v.mp4", turns)))
    expected = np.rot90(np.asarray(upright.image), -turns)
    assert np.array_equal(np.asarray(turned.image), expected)


def test_hevc_is_read(tmp_path):
    frames = list(iter_frames(write_video(tmp_path / "v.mov", [0, 33, 66], codec="libx265")))
    left, right = (
        np.asarray(frames[0].image)[:, :28].mean(),
        np.asarray(frames[0].image)[:, 36:].mean(),
    )
    assert len(frames) == 3
    assert left > right + 100


def cut_in_half(path: Path) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def test_cut_with_index_first_gives_frames_until_the_cut(tmp_path):
    video = write_video(tmp_path / "v.mp4", [40 * i for i in range(40)], index_first=True)
    frames = list(iter_frames(cut_in_half(video)))
    assert 5 < len(frames) < 39
    assert all(f.error is None for f in frames[:-1])
    assert frames[-1].image is None
    assert "of 40 frames" in frames[-1].error
    assert frames[-1].index == len(frames) - 1


def test_cut_with_index_last_is_refused_in_one_line(tmp_path):
    video = cut_in_half(write_video(tmp_path / "v.mp4", [40 * i for i in range(40)]))
    (frame,) = iter_frames(video)
    assert frame.image is None
    assert "index" in frame.error
    assert "\n" not in frame.error


def test_damage_inside_keeps_every_place(tmp_path):
    video = write_video(tmp_path / "v.avi", [33 * i for i in range(20)], codec="mpeg4")
    whole = len(list(iter_frames(video)))
    data = bytearray(video.read_bytes())
    packet = [i for i in range(len(data)) if data[i : i + 4] == b"00dc"][9]
    data[packet + 8 : packet + 60] = bytes(52)
    video.write_bytes(data)
    frames = list(iter_frames(video))
    assert len(frames) == whole
    assert [f.index for f in frames] == list(range(whole))

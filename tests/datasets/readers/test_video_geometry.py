"""What is seen of a video: its shown track, upright, with square pixels, in true colours."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from Datasets.readers.video import iter_frames
from Datasets.readers.video_picture import square_size

ONE = 0x10000


def matrix(a: int, b: int, c: int, d: int) -> list[int]:
    """A display matrix as a file holds it."""
    return [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 0x40000000]


def first(path: Path):
    frames = list(iter_frames(path))
    assert all(frame.error is None for frame in frames)
    return frames[0]


def disc(stored: tuple[int, int], ratio: float) -> np.ndarray:
    """A stored picture that shows a white disc of 20 px in its middle once pixels are square."""
    width, height = stored
    y, x = np.mgrid[:height, :width]
    x, y = (x - (width - 1) / 2) * max(ratio, 1), (y - (height - 1) / 2) / min(ratio, 1)
    return np.repeat(np.uint8(255 * (np.hypot(x, y) < 20))[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("name", "codec", "stored", "ratio", "shown"),
    [
        ("hdv.mp4", "libx264", (108, 80), "4/3", (144, 80)),
        ("hdv.mkv", "libx264", (108, 80), "4/3", (144, 80)),
        ("pal.avi", "mpeg4", (90, 72), "16/15", (96, 72)),
        ("ntsc.mov", "libx264", (90, 60), "8/9", (90, 68)),
        ("transport.mkv", "mpeg2video", (96, 72), "4/3", (128, 72)),
    ],
)
def test_pixels_become_square(make_video, name, codec, stored, ratio, shown):
    container = "mpegts" if name == "transport.mkv" else None
    picture = disc(stored, float(Fraction(ratio)))
    path = make_video(name, [picture] * 8, codec, pixel_ratio=ratio, container=container)
    frame = first(path)
    assert frame.image.size == shown
    white = np.asarray(frame.image.convert("L")) > 128
    for axis, side in enumerate(reversed(shown)):
        extent = np.flatnonzero(white.any(axis=1 - axis))
        assert np.ptp(extent) + 1 == pytest.approx(40, abs=2)
        assert extent.mean() == pytest.approx((side - 1) / 2, abs=0.6)
    was, now = (f"{width}x{height}" for width, height in (stored, shown))
    assert frame.notes == (
        f"pixels of shape {ratio.replace('/', ':')} made square: {was} is {now}",
    )


def test_what_the_file_says_of_pixels_counts_before_what_the_codec_says(make_video):
    # DV writes its own standard shape, 16:15; the file says that it is a wide picture.
    picture = np.zeros((576, 720, 3), np.uint8)
    frame = first(make_video("v.mov", [picture] * 2, "dvvideo", pixel_ratio="64/45"))
    assert frame.image.size == (1024, 576)


@pytest.mark.parametrize(
    ("ratio", "size", "said"),
    [
        (None, (64, 48), False),
        (Fraction(1), (64, 48), False),
        (Fraction(2025, 2024), (64, 48), False),
        (Fraction(1, 1000), (64, 48), True),
        (Fraction(-4, 3), (64, 48), True),
        (Fraction(1000), (64, 48), True),
        (Fraction(3, 4), (64, 64), True),
    ],
)
def test_pixel_shapes_that_are_square_or_impossible(ratio, size, said):
    got, notes = square_size((64, 48), ratio)
    assert got == size and len(notes) == said


@pytest.mark.parametrize("a, b", [(1, 0), (-1, 0), (0, 1), (0, -1)])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("ratio", [None, "4/3"])
def test_every_quarter_turn_and_mirror(make_video, a, b, mirrored, ratio):
    c, d = (b, -a) if mirrored else (-b, a)
    stored = np.zeros((48, 64, 3), np.uint8)
    corners = {(-1, -1): 240, (1, -1): 170, (-1, 1): 100, (1, 1): 30}
    for (x, y), grey in corners.items():
        stored[24 * (y > 0) :, 32 * (x > 0) :] = grey
    path = make_video("v.mp4", [stored] * 3, matrix=matrix(a, b, c, d), pixel_ratio=ratio)
    frame = first(path)
    size = (64 if ratio is None else 85, 48)
    assert frame.image.size == (size if a else size[::-1])
    width, height = frame.image.size
    for (x, y), grey in corners.items():
        right, down = a * x + c * y > 0, b * x + d * y > 0
        place = (width * (1 + 2 * right) // 4, height * (1 + 2 * down) // 4)
        assert frame.image.getpixel(place)[0] == pytest.approx(grey, abs=6)
    assert any("mirrored" in note for note in frame.notes) == mirrored


def test_odd_angles_are_rounded_and_no_turns_ignored(make_video):
    plain = np.asarray(first(make_video("a.mp4", 3)).image)
    turn = np.deg2rad(107)
    odd = [round(v * ONE) for v in (np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn))]
    frame = first(make_video("b.mp4", 3, matrix=[*odd[:2], 0, *odd[2:], 0, 0, 0, 0x40000000]))
    assert np.array_equal(np.asarray(frame.image), np.rot90(plain, -1))
    assert "odd angle" in frame.notes[0]
    frame = first(make_video("c.mp4", 3, matrix=matrix(1, 1, 1, 1)))
    assert np.array_equal(np.asarray(frame.image), plain)
    assert "not applied" in frame.notes[0]


def test_a_rotation_is_applied_beside_side_data_that_is_unknown(tmp_path):
    """Motion JPEG of a camera held upright: PyAV does not know the kind of its EXIF data."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[:, :20] = 200
    Image.fromarray(stored).save(file, "JPEG", exif=exif)
    with av.open(str(tmp_path / "v.avi"), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number in range(2):
            packet = av.Packet(file.getvalue())
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            container.mux(packet)
    image = np.asarray(first(tmp_path / "v.avi").image)
    assert image.shape == (64, 48, 3)
    assert image[:18].mean() > 190 and image[24:].mean() < 10


def write_tracks(path: Path, *tracks: tuple[int, Disposition]) -> Path:
    """Write square tracks of these sides and flags."""
    with av.open(str(path), "w") as container:
        streams = []
        for side, flags in tracks:
            stream = container.add_stream("libx264", rate=25)
            stream.width = stream.height = side
            stream.pix_fmt, stream.disposition = "yuv420p", flags
            streams.append(stream)
        for _ in range(3):
            for stream in streams:
                picture = np.full((stream.height, stream.width, 3), stream.width, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for stream in streams:
            container.mux(stream.encode())
    return path


NONE, DEFAULT = Disposition(0), Disposition.default


@pytest.mark.parametrize(
    ("tracks", "shown"),
    [
        (((32, NONE), (64, DEFAULT)), 64),
        (((64, NONE), (32, DEFAULT)), 32),
        (((32, NONE), (64, NONE)), 64),
        (((32, DEFAULT), (64, DEFAULT)), 64),
    ],
)
def test_the_track_that_a_player_shows(tmp_path, tracks, shown):
    frame = first(write_tracks(tmp_path / "v.mkv", *tracks))
    assert frame.image.size == (shown, shown)
    assert frame.image.getpixel((9, 9))[0] == pytest.approx(shown, abs=3)


def test_a_cover_picture_is_not_the_video(tmp_path):
    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 96, 96, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        film = container.add_stream("libx264", rate=25)
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        for stream, count in ((cover, 1), (film, 3)):
            for _ in range(count):
                picture = np.zeros((stream.height, stream.width, 3), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    assert [frame.image.size for frame in iter_frames(tmp_path / "v.mp4")] == [(64, 48)] * 3


def test_a_size_that_changes_midway(make_video, tmp_path):
    """As a call over a bad line: frames keep their sizes, and the change is said."""
    parts = [
        make_video("a.ts", 9, size=(64, 48), pixel_ratio="4/3"),
        make_video("b.ts", 9, size=(96, 64)),
    ]
    path = tmp_path / "v.mkv"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = list(iter_frames(path))
    assert [frame.image.size for frame in frames] == [(85, 48)] * 9 + [(96, 64)] * 9
    said = {frame.index: note for frame in frames for note in frame.notes if "changes" in note}
    assert said == {9: "frame size changes from 85x48 to 96x64"}


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("v.mp4", "libx264", "yuv420p"),
        ("v.mp4", "libx264", "yuv420p10le"),
        ("v.mov", "libx265", "yuv420p10le"),
        ("v.mkv", "libx264", "yuv444p"),
        ("v.avi", "mjpeg", "yuvj420p"),
        ("v.mkv", "ffv1", "yuv422p10le"),
    ],
)
@pytest.mark.parametrize("rgb", [(200, 40, 60), (250, 250, 250), (5, 5, 5)])
def test_colours_of_any_depth_and_range(make_video, name, codec, pixels, rgb):
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    picture = np.full((48, 64, 3), rgb, np.uint8)
    frame = first(make_video(name, [picture] * 6, codec, pixels=pixels, **options))
    assert frame.image.mode == "RGB"
    assert np.abs(np.asarray(frame.image)[20, 30].astype(int) - rgb).max() <= 5


def test_grey_videos_are_rgb(make_video):
    picture = np.repeat(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], 48, axis=0)
    path = make_video("v.mkv", [np.repeat(picture, 3, axis=2)] * 2, "ffv1", pixels="gray")
    frame = first(path)
    assert frame.image.mode == "RGB"
    assert np.abs(np.asarray(frame.image).astype(int) - picture).max() <= 3

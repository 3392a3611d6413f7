"""Times of frames: joined recordings, gaps, containers without presentation times; frame counts."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from Datasets.readers import video_stream
from Datasets.readers.video import RESTART, count_frames, iter_frames
from Datasets.readers.video_stream import VideoStream

STEP = 0.04


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def check_even(frames, restarts: list[int]) -> None:
    """Frames at 25 per second, in order, with a note at these places."""
    assert [f.error for f in frames] == [None] * len(frames)
    assert [f.time_s for f in frames] == pytest.approx(STEP * np.arange(len(frames)), abs=2e-3)
    assert [f.index for f in frames if RESTART in f.notes] == restarts


@pytest.mark.parametrize("counts", [(40, 40), (6, 30)])
@pytest.mark.parametrize(
    ("suffix", "codec", "options"),
    [
        (".ts", "libx264", {"bf": "3", "g": "20"}),
        (".ts", "mpeg2video", {"bf": "2"}),
        (".mkv", "libx264", {"bf": "3", "g": "20"}),
        (".webm", "libvpx", {"deadline": "realtime", "cpu-used": "8"}),
    ],
)
def test_time_goes_on_where_recordings_are_joined(
    make_video, tmp_path, counts, suffix, codec, options
):
    parts = [
        make_video(f"{number}{suffix}", count, codec, **options)
        for number, count in enumerate(counts)
    ]
    path = joined(tmp_path / ("v.mkv" if suffix == ".ts" else f"v{suffix}"), *parts)
    frames = list(iter_frames(path))
    assert len(frames) == sum(counts)
    check_even(frames, np.cumsum(counts)[:-1].tolist())


def test_three_recordings(make_video, tmp_path):
    parts = [make_video(f"{i}.ts", n, bf="2") for i, n in enumerate((30, 7, 20))]
    check_even(list(iter_frames(joined(tmp_path / "v.mkv", *parts))), [30, 37])


def test_a_joined_recording_that_starts_in_the_middle_of_the_first(make_video, tmp_path):
    times = [40 * i for i in range(50)]
    first = make_video("a.mkv", 50, pts=times)
    second = make_video("b.mkv", 30, pts=[1007 + t for t in times[:30]])
    check_even(list(iter_frames(joined(tmp_path / "v.mkv", first, second))), [50])


def test_a_recording_that_starts_without_a_key_frame_is_another_one(make_video, tmp_path):
    first = make_video("a.ts", 30, bf="2", g="250")
    with av.open(str(first)) as source, av.open(str(tmp_path / "b.ts"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in [packet for packet in source.demux(video=0) if packet.size][1:]:
            packet.stream = stream
            target.mux_one(packet)
    with VideoStream(joined(tmp_path / "v.mkv", first, tmp_path / "b.ts")) as video:
        assert [recording for recording, _ in video.places()] == [0] * 30 + [1] * 29


def test_damage_beside_a_join_keeps_its_place(make_video, tmp_path):
    parts = []
    for name, number in (("a.mkv", 18), ("b.mkv", 3)):
        path = make_video(name, 20, "mjpeg", pixels="yuvj420p")
        with av.open(str(path)) as container:
            packet = [bytes(packet) for packet in container.demux(video=0)][number]
        path.write_bytes(path.read_bytes().replace(packet, bytes(len(packet))))
        parts.append(path)
    frames = list(iter_frames(joined(tmp_path / "v.mkv", *parts)))
    assert [f.index for f in frames if f.error] == [18, 23]
    assert [f.time_s for f in frames] == pytest.approx(STEP * np.arange(40), abs=2e-3)
    assert [f.index for f in frames if RESTART in f.notes] == [20]


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_avi_reorders_frames_and_stores_no_times(make_video, codec):
    check_even(list(iter_frames(make_video("v.avi", 40, codec, bf="2", g="12"))), [])


def test_a_gap_in_a_recording_is_real_and_a_leap_of_days_is_not(make_video):
    hours = 5 * 3_600_000
    frames = list(iter_frames(make_video("a.mkv", 5, pts=[0, 40, 80, hours, hours + 40])))
    assert [f.time_s for f in frames] == pytest.approx([0, 0.04, 0.08, 18000, 18000.04], abs=2e-3)
    assert not any(f.notes for f in frames)
    days = 3 * 86_400_000
    frames = list(iter_frames(make_video("b.mkv", 5, pts=[0, 40, 80, days, days + 40], bf="0")))
    assert [f.index for f in frames if RESTART in f.notes] == [3]
    assert frames[-1].time_s < 86_400


def test_time_stamps_that_stand_still_or_jitter(make_video, tmp_path):
    """Time always grows, and is right again with the next stamp that is later."""
    stamps = [0, 40, 40, 120, 100, 200]
    with (
        av.open(str(make_video("a.mkv", 6, "libx264", bf="0"))) as source,
        av.open(str(tmp_path / "v.mkv"), "w") as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for number, (packet, stamp) in enumerate(zip(packets, stamps, strict=True)):
            packet.stream, packet.pts, packet.dts = stream, stamp, number
            target.mux_one(packet)
    frames = list(iter_frames(tmp_path / "v.mkv"))
    expected = [0, 0.04, 0.06, 0.12, 0.14, 0.2]
    assert [f.time_s for f in frames] == pytest.approx(expected, abs=1e-6)
    assert not any(f.notes for f in frames)


FAST = {"deadline": "realtime", "cpu-used": "8"}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("v.mp4", {}),
        ("v.avi", {"codec": "mpeg4"}),
        ("v.webm", {"codec": "libvpx-vp9", **FAST}),
        ("v.webm", {"codec": "libvpx", "container_options": {"live": "1"}, **FAST}),
        ("hour.mkv", {"pts": [3_600_000 + 40 * i for i in range(30)]}),
        ("variable.mkv", {"pts": [int(i**2.5) for i in range(0, 300, 10)]}),
        ("transport.mkv", {"container": "mpegts"}),
    ],
)
def test_the_count_for_the_progress_bar(make_video, name, known):
    path = make_video(name, 30, **known)
    assert count_frames(path) == len(list(iter_frames(path))) == 30


def test_the_count_leaves_out_what_a_trimmed_video_hides(make_video):
    path = make_video("v.mp4", 40, pts=[40 * i - 600 for i in range(40)], bf="2", g="10")
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 40
    frames = list(iter_frames(path))
    assert len(frames) == count_frames(path) == 25
    assert not any(f.error for f in frames)


def test_the_count_is_unknown_where_only_reading_a_large_file_tells(make_video, monkeypatch):
    monkeypatch.setattr(video_stream, "COUNTED_BYTES", 1000)
    assert count_frames(make_video("v.mkv", 9)) is None
    assert count_frames(make_video("v.mp4", 9)) == 9


def test_a_file_that_states_billions_of_frames(make_video):
    path = make_video("v.avi", 12, "mpeg4")
    data = bytearray(path.read_bytes())
    length = data.find(b"strh") + 8 + 32
    assert struct.unpack_from("<i", data, length) == (12,)
    struct.pack_into("<i", data, length, 2**31 - 1)
    path.write_bytes(data)
    assert count_frames(path) == 12
    frames = list(iter_frames(path))
    assert len(frames) == 13 and "ends after 12 of 2147483647" in frames[-1].error


def test_an_unreadable_video_counts_once(tmp_path):
    (tmp_path / "v.mp4").write_text("no video")
    assert count_frames(tmp_path / "v.mp4") == len(list(iter_frames(tmp_path / "v.mp4"))) == 1

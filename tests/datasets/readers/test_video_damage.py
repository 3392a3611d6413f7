"""No fault of a video's file costs another frame: random damage, odd metadata, any exception."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from Datasets.readers import video_stream
from Datasets.readers.frames import load_sample_image
from Datasets.readers.video import count_frames, iter_frames
from Datasets.skeletons import COCO_17
from Datasets.structures import PoseSample
from Engine.errors import DataError

FRAMES = 16
KINDS = {
    "v.mp4": {"codec": "libx264", "bf": "0", "container_options": {"movflags": "faststart"}},
    "v.avi": {"codec": "mpeg4"},
    "v.webm": {"codec": "libvpx-vp9", "deadline": "realtime", "cpu-used": "8"},
    "transport.mkv": {"codec": "libx264", "bf": "0", "container": "mpegts"},
    "v.mkv": {"codec": "libx264", "bf": "2"},
}
FAULTS = 50
"""Random faults of each kind of file."""


def damage(whole: bytes, generator: np.random.Generator, first: int) -> tuple[bytes, int]:
    """Flip a bit, overwrite some bytes or cut; half of the faults are in the header."""
    at = int(generator.integers(0, first if generator.random() < 0.3 else len(whole)))
    data, kind = bytearray(whole), generator.integers(3)
    if kind == 0:
        data[at] ^= 1 << int(generator.integers(8))
    elif kind == 1:
        length = min(int(generator.integers(1, 60)), len(data) - at)
        data[at : at + length] = generator.choice([bytes(60), b"\xff" * 60, generator.bytes(60)])[
            :length
        ].ljust(length, b"\0")
    else:
        del data[at:]
    return bytes(data), at


def packet_starts(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [packet.pos for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("name", KINDS)
def test_random_faults(make_video, name):
    path = make_video(name, FRAMES, g="6", **KINDS[name])
    whole, starts = path.read_bytes(), packet_starts(path)
    truth = [np.asarray(frame.image) for frame in iter_frames(path)]
    assert len(truth) == FRAMES
    reordered = 3 if KINDS[name].get("bf") == "2" else 0
    whole_runs = 0
    for seed in range(FAULTS):
        data, at = damage(whole, np.random.default_rng(seed), starts[0])
        path.write_bytes(data)
        frames = list(iter_frames(path))
        assert [frame.index for frame in frames] == list(range(len(frames)))
        assert 1 <= len(frames) <= FRAMES + 5
        assert all((frame.image is None) == (frame.error is not None) for frame in frames)
        assert all("\n" not in frame.error for frame in frames if frame.error)
        assert np.all(np.diff([frame.time_s for frame in frames]) > 0)
        assert isinstance(count_frames(path), int)
        if starts[0] <= at < starts[-1]:
            untouched = sum(start <= at for start in starts[1:]) - reordered
            for frame, right in zip(frames[: max(0, untouched)], truth, strict=False):
                assert np.array_equal(np.asarray(frame.image), right), (seed, frame.index)
        sample_of_a_data_set(path, seed % FRAMES)
        whole_runs += len(frames) == FRAMES and not any(frame.error for frame in frames)
    assert whole_runs < FAULTS


def sample_of_a_data_set(path: Path, number: int) -> None:
    """Read one frame by its number: a picture or one line."""
    joints = np.zeros((17, 2)), np.zeros(17, dtype=np.uint8)
    try:
        load_sample_image(PoseSample(path, COCO_17, *joints, video_frame=number))
    except DataError as error:
        assert "\n" not in str(error)


class FaultyDisk:
    """A container of which reading fails behind the sixth packet, once or for ever."""

    def __init__(self, container, for_ever: bool) -> None:
        self.container, self.for_ever, self.read = container, for_ever, 0

    def demux(self, stream):
        if self.read == 6 and self.for_ever:
            raise OSError("Input/output error")
        for packet in self.container.demux(stream):
            self.read += 1
            yield packet
            if self.read == 6:
                raise OSError("Input/output error")


@pytest.mark.parametrize(("for_ever", "read"), [(False, 12), (True, 6)])
def test_packets_that_a_disk_does_not_give(make_video, for_ever, read):
    """What comes before is decoded to its last frame, what comes behind as well."""
    with video_stream.VideoStream(make_video("v.mkv", 12, bf="2")) as video:
        container, video.container = video.container, FaultyDisk(video.container, for_ever)
        frames = list(video.frames())
        video.container = container
    assert len(frames) == read and all(place.frame is not None for place in frames)
    assert video.broken


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.avi"])
def test_metadata_that_is_no_text(make_video, name):
    path = make_video(name, 4, "mpeg4", metadata={"title": "nobody reads this"})
    data = path.read_bytes()
    assert b"nobody reads this" in data
    path.write_bytes(data.replace(b"nobody reads this", b"\xff\xfe\xe4ody reads thi\xe9"))
    assert [frame.error for frame in iter_frames(path)] == [None] * 4
    assert count_frames(path) == 4


@pytest.mark.parametrize("name", ["12:30 h.mp4", "50%d.mp4", "caf\udce9.mp4", "-i.mp4"])
def test_names_that_look_like_something_else(make_video, tmp_path, name, monkeypatch):
    make_video("v.mp4", 3).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert [frame.error for frame in iter_frames(Path(name))] == [None] * 3


@pytest.mark.parametrize("kind", [ValueError, MemoryError, OverflowError, KeyError])
def test_any_exception_is_its_frames_own(make_video, monkeypatch, kind):
    path, real, seen = make_video("v.mp4", 6), video_stream.shown_picture, []

    def fails(*arguments):
        seen.append(arguments)
        if len(seen) == 3:
            raise kind("of some\nsort")
        return real(*arguments)

    monkeypatch.setattr(video_stream, "shown_picture", fails)
    frames = list(iter_frames(path))
    assert [frame.index for frame in frames if frame.error] == [2]
    assert frames[2].error.startswith(f"video: {path}, frame 2 is damaged")
    assert "\n" not in frames[2].error and len(frames) == 6


def test_frames_that_are_too_large_are_refused(make_video, monkeypatch):
    monkeypatch.setattr(video_stream, "MAX_PIXELS", 64 * 48)
    small, large = make_video("a.mp4", 2), make_video("b.mp4", 2, size=(96, 48))
    assert [frame.error for frame in iter_frames(small)] == [None] * 2
    (frame,) = iter_frames(large)
    assert "megapixels" in frame.error


@pytest.mark.parametrize("word", ["absent.mp4", "folder.mp4", "sound.mp4"])
def test_what_cannot_be_opened_is_named(tmp_path, word):
    (tmp_path / "folder.mp4").mkdir()
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=8000)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        samples.sample_rate = 8000
        container.mux(sound.encode(samples))
        container.mux(sound.encode())
    (frame,) = iter_frames(tmp_path / word)
    assert word in frame.error and frame.image is None
    assert ("cannot be opened" in frame.error) == (word != "sound.mp4")

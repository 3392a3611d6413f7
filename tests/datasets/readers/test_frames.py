"""Frames of videos by number against decoding from the start, for containers that reorder them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.loaders import CropDataset
from Datasets.readers.frames import FrameSource, load_sample_image
from Datasets.readers.video import iter_frames
from Datasets.skeletons import COCO_17
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError

av = pytest.importorskip("av")

FRAMES = 70


def write_video(path: Path, codec: str, **options: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width = stream.height = 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for i in range(FRAMES):
            grey = np.full((48, 48, 3), 3 * i, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode())
    return path


def sample(path: Path, frame: int | None) -> PoseSample:
    return PoseSample(
        path, COCO_17, np.zeros((17, 2)), np.zeros(17, dtype=np.uint8), video_frame=frame
    )


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.avi", "mjpeg", {}),
        ("a.avi", "mpeg4", {"bf": "2"}),
        ("a.avi", "libx264", {"bf": "3", "g": "12"}),  # its time stamps do not name frames
        ("a.mp4", "libx264", {"bf": "3", "g": "12", "x264-params": "open-gop=1"}),
        ("a.mkv", "libx264", {"bf": "3", "g": "250"}),
    ],
)
def test_any_order_gives_the_frames_that_reading_from_the_start_gives(
    tmp_path, name, codec, options
):
    path = write_video(tmp_path / name, codec, **options)
    truth = [np.asarray(frame.image) for frame in iter_frames(path)]
    assert len(truth) == FRAMES
    order = [*np.random.default_rng(0).permutation(FRAMES), *range(0, FRAMES, 5), 3, 3, 69, 0]
    source = FrameSource()
    for number in order:
        np.testing.assert_array_equal(
            np.asarray(source.load(sample(path, int(number)))), truth[number]
        )


def check_like_reading(path: Path) -> int:
    """Frames by number in any order against frames in order; returns how many there are."""
    truth = [np.asarray(frame.image) for frame in iter_frames(path)]
    source = FrameSource()
    for number in np.random.default_rng(1).permutation(len(truth)):
        loaded = np.asarray(source.load(sample(path, int(number))))
        np.testing.assert_array_equal(loaded, truth[number])
    return len(truth)


@pytest.mark.parametrize("ratio", [None, "4/3", "8/9"])
@pytest.mark.parametrize("quarter", [None, (0, 1, -1, 0), (-1, 0, 0, 1), (0, 1, 1, 0)])
def test_frames_are_shown_as_predict_sees_them(make_video, ratio, quarter):
    matrix = None
    if quarter is not None:
        a, b, c, d = (0x10000 * value for value in quarter)
        matrix = [a, b, 0, c, d, 0, 0, 0, 0x40000000]
    path = make_video("v.mp4", 12, pixel_ratio=ratio, matrix=matrix, bf="2", g="5")
    assert check_like_reading(path) == 12


@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
def test_joined_recordings_have_one_numbering(make_video, tmp_path, suffix):
    """The second starts amid the first one's time stamps, none of which are equal."""
    parts = [
        make_video(f"{start}{suffix}", 40, pts=[start + 40 * i for i in range(40)], g="10", bf="2")
        for start in (0, 1007)
    ]
    path = tmp_path / "v.mkv"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert check_like_reading(path) == 80


def test_the_track_that_a_player_shows(tmp_path):
    with av.open(str(tmp_path / "v.mkv"), "w") as container:
        streams = [container.add_stream("mpeg4", rate=25) for _ in range(2)]
        for stream, side in zip(streams, (32, 64), strict=True):
            stream.width = stream.height = side
            stream.pix_fmt = "yuv420p"
        for number in range(8):
            for stream in streams:
                grey = np.full((stream.height, stream.width, 3), 20 * number, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        for stream in streams:
            container.mux(stream.encode())
    assert check_like_reading(tmp_path / "v.mkv") == 8
    assert load_sample_image(sample(tmp_path / "v.mkv", 3)).size == (64, 64)


def test_images_and_videos_alternate(tmp_path):
    first = write_video(tmp_path / "a.avi", "mjpeg")
    second = write_video(tmp_path / "b.avi", "mjpeg", qscale="20")
    Image.new("RGB", (5, 4), (9, 9, 9)).save(tmp_path / "c.png")
    source = FrameSource()
    for path, number, grey in ((first, 60, 180), (tmp_path / "c.png", None, 9), (second, 2, 6)):
        for load in (source.load, load_sample_image):
            pixel = np.asarray(load(sample(path, number)))[2, 2]
            assert np.abs(pixel.astype(int) - grey).max() <= 3


def test_a_source_can_go_to_another_process(tmp_path):
    path = write_video(tmp_path / "a.avi", "mjpeg")
    source = FrameSource()
    before = np.asarray(source.load(sample(path, 9)))
    again = pickle.loads(pickle.dumps(source))  # what a spawned worker receives
    np.testing.assert_array_equal(np.asarray(again.load(sample(path, 9))), before)


def test_crops_come_from_the_frame_that_the_sample_names(tmp_path):
    path = write_video(tmp_path / "a.avi", "mjpeg")
    samples = tuple(sample(path, number) for number in (10, 60))
    dataset = Dataset("made_up", tmp_path, COCO_17, samples)
    crops = CropDataset(dataset, np.tile([8.0, 8, 40, 40], (2, 1)), size=32, train=False)
    middles = [int(crops[i]["image"][0, 16, 16]) for i in (0, 1)]
    assert abs(middles[0] - 30) <= 3 and abs(middles[1] - 180) <= 3


@pytest.mark.parametrize("number", [-1, FRAMES])
def test_a_frame_beyond_the_video(tmp_path, number):
    path = write_video(tmp_path / "a.avi", "mjpeg")
    with pytest.raises(DataError, match=r"a\.avi has 70 frames, no frame"):
        load_sample_image(sample(path, number))


def test_bad_videos(tmp_path):
    (tmp_path / "text.avi").write_text("no video")
    with pytest.raises(DataError, match=r"text\.avi is no video"):
        load_sample_image(sample(tmp_path / "text.avi", 0))
    with pytest.raises(DataError, match=r"absent\.avi does not exist"):
        load_sample_image(sample(tmp_path / "absent.avi", 0))
    whole = write_video(tmp_path / "whole.avi", "mpeg4", g="10").read_bytes()
    middle = len(whole) // 2
    (tmp_path / "bad.avi").write_bytes(whole[:middle] + bytes(4000) + whole[middle + 4000 :])
    source, faults = FrameSource(), []
    for number in range(FRAMES):
        try:
            source.load(sample(tmp_path / "bad.avi", number))
        except DataError as error:
            faults.append(str(error))
    assert faults and all("\n" not in fault and "bad.avi" in fault for fault in faults)

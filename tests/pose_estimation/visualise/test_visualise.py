"""Overlays line up and last; videos keep their times."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from Datasets.readers.video import Frame, iter_frames
from Datasets.skeletons import INFANT
from PoseEstimation.result import FrameResult, InfantPose
from PoseEstimation.visualise.figure3d import pose_figure
from PoseEstimation.visualise.overlay import OverlayStyle, draw_overlay, open_overlay
from PoseEstimation.visualise.video import VideoWriter

JOINTS = len(INFANT)


def infant(keypoints: np.ndarray, score: float = 0.9) -> InfantPose:
    ones = np.ones(JOINTS)
    box = np.array([10.0, 10, 180, 140])
    return InfantPose(1, box, 0.9, keypoints, ones * score, ones, np.zeros((JOINTS, 3)), ones)


def result(*infants: InfantPose, size=(200, 160)) -> FrameResult:
    return FrameResult("a.jpg", 0, 0.0, *size, infants)


def spread() -> np.ndarray:
    """Joints far apart from each other."""
    places = np.stack(np.meshgrid(np.arange(30, 180, 30), np.arange(30, 130, 20)), -1)
    return places.reshape(-1, 2)[:JOINTS].astype(float)


def test_joints_are_drawn_at_their_pixels():
    image = Image.new("RGB", (200, 160), (90, 90, 90))
    keypoints = spread()
    keypoints[1:] = np.nan
    keypoints[INFANT.index("left_knee")] = (60.0, 100.0)
    drawn = np.asarray(draw_overlay(image, result(infant(keypoints)), INFANT)).astype(int)
    blue = drawn[98:103, 58:63, 2] - drawn[98:103, 58:63, 0]
    assert drawn.shape == (160, 200, 3)
    assert blue.mean() > 100
    assert np.array_equal(np.asarray(image), np.full((160, 200, 3), 90))


def test_a_frame_without_infant_says_so():
    image = Image.new("RGB", (200, 160), (90, 90, 90))
    drawn = np.asarray(draw_overlay(image, result(), INFANT))
    changed = np.flatnonzero((drawn != 90).any(axis=(1, 2)))
    assert changed.min() > 130


@pytest.mark.parametrize("size", [(64, 48), (65, 47)])
def test_video_has_even_sides_and_its_own_times(tmp_path, size):
    times = [0.0, 0.04, 0.3, 0.301, 2.0]
    with VideoWriter(tmp_path / "v.mp4") as writer:
        for i, time in enumerate(times):
            writer.write(Image.new("RGB", size, (50 * i, 0, 0)), time)
    frames = list(iter_frames(tmp_path / "v.mp4"))
    assert [f.time_s for f in frames] == pytest.approx(times, abs=1e-3)
    assert frames[0].image.size == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    with av.open(str(tmp_path / "v.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_a_later_frame_of_another_shape_is_not_stretched(tmp_path):
    with VideoWriter(tmp_path / "v.mp4") as writer:
        writer.write(Image.new("RGB", (64, 48), (200, 200, 200)), 0.0)
        writer.write(Image.new("RGB", (60, 90), (200, 200, 200)), 0.1)
    _, turned = iter_frames(tmp_path / "v.mp4")
    grey = np.asarray(turned.image)[..., 0]
    assert grey.shape == (48, 64)
    assert grey[:, 18:46].min() > 150 and grey[:, :14].max() < 50 and grey[:, 50:].max() < 50


def test_odd_frames_line_up(tmp_path):
    picture = np.zeros((47, 65, 3), np.uint8)
    picture[20:30, 30:40] = 255
    with VideoWriter(tmp_path / "v.mp4") as writer:
        writer.write(Image.fromarray(picture), 0.0)
    back = np.asarray(next(iter_frames(tmp_path / "v.mp4")).image)[:47, :65, 0]
    assert np.abs(back.astype(int) - picture[..., 0]).mean() < 4


def test_repeated_times_do_not_lose_frames(tmp_path):
    with VideoWriter(tmp_path / "v.mp4") as writer:
        for _ in range(3):
            writer.write(Image.new("RGB", (64, 48)), 0.0)
    assert len(list(iter_frames(tmp_path / "v.mp4"))) == 3


def test_an_interrupted_video_is_a_whole_file(tmp_path):
    with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / "v.mp4") as writer:
        for i in range(4):
            writer.write(Image.new("RGB", (64, 48)), i / 30)
        raise KeyboardInterrupt
    frames = list(iter_frames(tmp_path / "v.mp4"))
    assert len(frames) == 4 and all(f.error is None for f in frames)
    assert [p.name for p in tmp_path.iterdir()] == ["v.mp4"]


def test_no_frame_makes_no_file(tmp_path):
    with VideoWriter(tmp_path / "v.mp4"):
        pass
    path = tmp_path / "a.jpg"
    with open_overlay(path, INFANT, OverlayStyle()) as overlay:
        overlay.write(Frame("a.jpg", 0, 0.0, None, "damaged"), result())
    assert overlay.frames == 0 and not list(tmp_path.iterdir())


def test_figure_holds_both_parts():
    pose = np.random.default_rng(0).normal(0, 100, (JOINTS, 3))
    poses = {"predicted": pose, "true": pose}
    figure = pose_figure(Image.new("RGB", (64, 48)), poses, INFANT, "frame 3", height=300)
    assert figure.height == 300 and figure.width > 600
    assert (np.asarray(figure)[:, 400:] != 255).any()

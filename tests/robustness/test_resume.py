"""Several commands, one output: what one left never counts for another, and nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_run import FakePredictor, inputs, predicted, request, shade
from PIL import Image

from Datasets.readers import video as video_module
from Datasets.structures import Frame
from Engine.errors import DataError
from PoseEstimation.inference.predict import predict
from PoseEstimation.io.journal import FILE_NAME, Journal
from PoseEstimation.visualise.overlay import OverlayStyle
from PoseEstimation.visualise.video import VideoWriter

BLURRED = OverlayStyle(blur_face=True)


def photos(folder: Path, count: int = 3) -> list[Path]:
    """Photos of stripes, which a blur changes."""
    folder.mkdir()
    stripes = np.zeros((48, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    for i in range(count):
        Image.fromarray(np.roll(stripes, i, axis=0) - np.uint8(i)).save(folder / f"{i}.png")
    return sorted(folder.iterdir())


def stopped(ask, after: int) -> None:
    """Run until so many frames are there."""

    def on_frame(frame):
        nonlocal after
        after -= 1
        if not after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(FakePredictor(), ask, on_frame=on_frame)


def sharpness(path: Path) -> float:
    return float(np.abs(np.diff(np.asarray(Image.open(path)).astype(float), axis=1)).mean())


def test_an_overlay_that_another_command_drew_is_drawn_again(tmp_path):
    clear = request(photos(tmp_path / "in"), tmp_path / "out")
    hidden = replace(clear, overlay=BLURRED)
    stopped(hidden, 2)
    expected = sharpness(tmp_path / "out" / "overlays" / "0.jpg")
    stopped(clear, 2)
    assert sharpness(tmp_path / "out" / "overlays" / "0.jpg") > 2 * expected
    predict(FakePredictor(), hidden)
    for overlay in (tmp_path / "out" / "overlays").iterdir():
        assert sharpness(overlay) < 1.5 * expected


def test_an_overlay_of_an_earlier_photo_does_not_outlive_it(tmp_path):
    (photo,) = photos(tmp_path / "in", 1)
    predict(FakePredictor(), request([photo], tmp_path / "out"))
    photo.write_text("no picture")
    result = predict(FakePredictor(), request([photo], tmp_path / "out"))
    assert not (tmp_path / "out" / "overlays" / "0.jpg").exists() and result.overlays == ()


def test_a_finished_run_leaves_what_others_have_not_finished(tmp_path):
    first = request(photos(tmp_path / "a"), tmp_path / "out", overlay=None)
    second = request(photos(tmp_path / "b", 1), tmp_path / "out", overlay=None)
    stopped(first, 2)
    said, predictor = [], FakePredictor()
    predict(predictor, second, on_resume=said.append)
    assert not said and predictor.seen == 1
    predict(predictor, first, on_resume=said.append)
    assert said == [2] and predictor.seen == 2
    assert not (tmp_path / "out" / FILE_NAME).exists()


def test_stopping_never_replaces_a_result_that_has_more(tmp_path):
    sources = inputs(tmp_path / "in")
    ask = request(sources, tmp_path / "out")
    predict(FakePredictor(), ask)
    files = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    before = {path: path.read_bytes() for path in files}
    stopped(ask, 3)
    assert {path: path.read_bytes() for path in files} == before
    stopped(ask, 12)
    assert json.loads((tmp_path / "out" / "poses.json").read_text())["frames"]
    predict(FakePredictor(), ask)
    names = ("poses.json", "poses.csv", "coco_keypoints.json")
    for name in names:
        assert (tmp_path / "out" / name).read_bytes() == before[tmp_path / "out" / name]


def test_two_runs_in_one_output_are_refused(tmp_path):
    ask = request(photos(tmp_path / "in"), tmp_path / "out")
    (tmp_path / "out").mkdir()
    with (
        Journal(tmp_path / "out" / FILE_NAME, "another run"),
        pytest.raises(DataError, match="in use by another run"),
    ):
        predict(FakePredictor(), ask)
    assert len(predicted(FakePredictor(), ask)) == 3


def test_a_video_that_cannot_be_drawn_costs_no_other_source(tmp_path):
    """H.264 has no pictures of this width; a photo comes after it."""
    wide = tmp_path / "wide.mp4"
    with VideoWriter(wide) as writer:
        writer.write(shade(1), 0)
    after = photos(tmp_path / "in", 1)
    with pytest.MonkeyPatch.context() as patch:
        real = video_module._video_frames

        def frames(path):
            for frame in real(path):
                yield replace(frame, image=frame.image.resize((17000, 16)))

        patch.setattr(video_module, "_video_frames", frames)
        first, second = predicted(FakePredictor(), request([wide, *after], tmp_path / "out"))
    assert first["error"].startswith("overlay: ") and len(first["infants"]) == 1
    assert "error" not in second and second["infants"]
    assert [p.name for p in (tmp_path / "out" / "overlays").iterdir()] == ["0.jpg"]


def test_a_video_that_changes_its_size_keeps_infant_and_camera(tmp_path, monkeypatch):
    """Intrinsics without a size are those of the first frame; a track goes on in other pixels."""
    clip = tmp_path / "clip.mp4"
    with VideoWriter(clip) as writer:
        for i in range(4):
            writer.write(shade(1), i / 30)

    def frames(path):
        for frame in real(path):
            larger = (128, 96) if frame.index > 1 else (64, 48)
            yield replace(frame, image=Image.new("RGB", larger))

    class Sized(FakePredictor):
        def found(self, images, boxes=None, still=False):
            people, box = super().found(images[:1])[0], np.array([[10.0, 8, 30, 40]])
            return [replace(people, boxes_xyxy=box * image.width / 64) for image in images]

    real = video_module._video_frames
    monkeypatch.setattr(video_module, "_video_frames", frames)
    ask = request([clip], tmp_path / "out")
    camera = replace(ask.camera, intrinsics=np.array([[50.0, 0, 31.5], [0, 50, 23.5], [0, 0, 1]]))
    seen = predicted(Sized(), replace(ask, camera=camera, overlay=None))
    assert [frame["width"] for frame in seen] == [64, 64, 128, 128]
    infants = [frame["infants"][0] for frame in seen]
    assert [infant["track_id"] for infant in infants] == [1, 1, 1, 1]
    sums = [(np.sum(infant["sigma_mm"]), np.sum(infant["sigma_px"])) for infant in infants]
    focal = [mm / px for mm, px in sums]
    assert focal[0] == pytest.approx(50, rel=1e-3) and focal[3] == pytest.approx(100, rel=1e-3)


def test_pixels_of_a_photo_read_at_half_size_are_of_the_full_picture(tmp_path, monkeypatch):
    (photo,) = photos(tmp_path / "in", 1)
    (whole,) = predicted(FakePredictor(), request([photo], tmp_path / "a"))
    image = Image.open(photo).convert("RGB")
    halved = lambda path: Frame(str(path), 0, 0.0, image, None, ("read at 1/2 scale",), (128, 96))  # noqa: E731
    monkeypatch.setattr(video_module, "read_photo", halved)
    (full,) = predicted(FakePredictor(), request([photo], tmp_path / "b"))
    assert (full["width"], full["height"]) == (128, 96)
    assert full["notes"] == ["read at 1/2 scale"]
    pairs = (full["infants"][0], whole["infants"][0]), (full["adults"][0], whole["adults"][0])
    for other, one in pairs:
        assert np.allclose(other["box_xyxy"], 2 * np.array(one["box_xyxy"]) + 0.5, atol=0.01)
    (other, one), _ = pairs
    points = [np.array(pose["keypoints_px"], dtype=float) for pose in (other, one)]
    assert np.allclose(points[0], 2 * points[1] + 0.5, atol=0.01, equal_nan=True)
    assert np.allclose(other["sigma_px"], 2 * np.array(one["sigma_px"]), atol=0.01)
    with Image.open(tmp_path / "b" / "overlays" / "0.jpg") as drawn:
        assert drawn.size == (64, 48)


def test_one_pose_that_cannot_be_lifted_leaves_the_others_their_clip(tmp_path):
    class Clips(FakePredictor):
        """Lifts by the number of poses that it sees together."""

        def lifted(self, track):
            if np.isclose(track.keypoints.scores[:, 0], bad, atol=1e-3).any():
                raise ValueError("it broke")
            joints_mm, sigma_mm = super().lifted(track)
            return joints_mm, np.full(sigma_mm.shape, float(len(track)))

    clip = inputs(tmp_path / "in")[1]
    ask = request([clip], tmp_path / "out", overlay=None)
    bad = predicted(FakePredictor(), ask)[3]["infants"][0]["keypoint_scores"][0]
    frames = predicted(Clips(), ask)
    assert [i for i, frame in enumerate(frames) if "error" in frame] == [3]
    assert frames[3]["infants"][0]["joints_mm"][0] == [None, None, None]
    assert {f["infants"][0]["sigma_mm"][0] for i, f in enumerate(frames) if i != 3} == {9.0}


def test_many_files_are_prepared_in_time_that_grows_with_their_number(tmp_path):
    import time

    from PoseEstimation.inference.predict import prepare_output

    def seconds(count: int) -> float:
        sources = [tmp_path / str(i) / "a.jpg" for i in range(count)]
        begun = time.process_time()
        prepare_output(request(sources, tmp_path / "out"))
        return time.process_time() - begun

    assert seconds(4000) < 40 * seconds(400) + 0.5

"""A prediction without networks: every result follows from the frame's picture, in no time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from Datasets.skeletons import INFANT, Skeleton
from PoseEstimation.inference.predict import PredictRequest, predict
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.structures import Found, Keypoints, Track
from PoseEstimation.visualise.video import VideoWriter

SIZE, VIDEO_FRAMES = (64, 48), 10


class FakePredictor(Predictor):
    """Stands in for the networks; counts the frames that they see.

    Attributes:
        seen: number of images.
    """

    def __init__(self, name: str = "fake") -> None:
        self.seen = 0
        finder, lifter = _Calls(self.found), _Calls(self.lifted)
        super().__init__(finder, lifter, PredictSettings(batch_size=3), {"name": name})

    def found(self, images, boxes=None, still=False) -> list[Found]:
        """The finder."""
        self.seen += len(images)
        return [_people(image) for image in images]

    def lifted(self, track: Track) -> tuple[np.ndarray, np.ndarray]:
        """The lifter."""
        joints_mm = np.repeat(track.keypoints.keypoints_px, 2, axis=2)[..., :3] * np.pi
        return joints_mm, track.keypoints.sigma_px * track.intrinsics[:, :1, 0]


@dataclass(frozen=True)
class _Calls:
    call: Callable[..., Any]
    skeleton: Skeleton = INFANT
    size_sigma: float = 0.1

    def __call__(self, *arguments: Any) -> Any:
        return self.call(*arguments)


def _people(image: Image.Image) -> Found:
    value = float(np.asarray(image, dtype=np.float64).mean())
    generator = np.random.default_rng(round(value * 1e6))
    points = generator.uniform(0, 48, (1, len(INFANT), 2))
    points[0, generator.integers(len(INFANT))] = np.nan
    boxes = np.array([[2.0, 2, 60, 46]]) + generator.uniform(0, 1, 4)
    scores, sigma = generator.uniform(size=(2, 1, len(INFANT)))
    keypoints = Keypoints(points, scores, sigma, np.full((1, len(INFANT)), np.nan))
    adults = generator.uniform(0, 40, (1, 4))
    suspected = generator.uniform(0, 40, (2, 4))
    return Found(boxes, generator.uniform(size=1), keypoints, adults, np.array([0.7]), suspected)


def shade(i: int) -> Image.Image:
    """A picture unlike any other."""
    return Image.new("RGB", SIZE, (20 * i, 255 - 20 * i, 7 * i))


def inputs(folder: Path) -> list[Path]:
    """Two photos, one that cannot be read, and a video between them."""
    folder.mkdir()
    shade(11).save(folder / "a.png")
    with VideoWriter(folder / "b.mp4") as writer:
        for i in range(VIDEO_FRAMES):
            writer.write(shade(i), i / 30)
    (folder / "c.jpg").write_text("no picture")
    shade(12).save(folder / "d.png")
    return sorted(folder.iterdir())


def request(sources: Sequence[Path], output: Path, **more) -> PredictRequest:
    return PredictRequest(sources, output, formats=("csv", "coco"), **more)


def frames_in(output: Path) -> list[dict]:
    """Frames of ``poses.json``, which knows no NaN."""
    text = (output / "poses.json").read_text()
    return json.loads(text, parse_constant=lambda name: 1 / 0)["frames"]


def predicted(predictor: Predictor, ask: PredictRequest) -> list[dict]:
    """Predict and read what was written."""
    predict(predictor, ask)
    return frames_in(ask.output)

"""A prediction without networks: every result follows from the frame's picture, in no time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from Datasets.skeletons import INFANT
from PoseEstimation.inference.predict import PredictRequest
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.result import Adult, InfantPose, People
from PoseEstimation.visualise.video import VideoWriter

SIZE, VIDEO_FRAMES = (64, 48), 10


@dataclass
class FakePipeline:
    """Stands in for the networks; counts the frames that it sees."""

    settings: PredictSettings = field(default_factory=lambda: PredictSettings(batch_size=3))
    seen: int = 0

    skeleton = INFANT
    model_info = {"name": "fake"}  # noqa: RUF012

    def observe(self, images: Sequence[Image.Image], still: bool = False) -> list[People]:
        self.seen += len(images)
        return [_people(image) for image in images]

    def lift_poses(self, poses, intrinsics, times_s=None) -> list[InfantPose]:
        return [
            replace(
                pose,
                joints_mm=np.repeat(pose.keypoints_px, 2, axis=1)[:, :3] * np.pi,
                sigma_mm=pose.sigma_px * camera[0, 0],
            )
            for pose, camera in zip(poses, intrinsics, strict=True)
        ]


def _people(image: Image.Image) -> People:
    value = float(np.asarray(image, dtype=np.float64).mean())
    generator = np.random.default_rng(round(value * 1e6))
    points = generator.uniform(0, 48, (len(INFANT), 2))
    points[generator.integers(len(INFANT))] = np.nan
    infant = InfantPose.in_image(
        points,
        track_id=1,
        box_xyxy=np.array([2.0, 2, 60, 46]) + generator.uniform(0, 1, 4),
        box_score=generator.uniform(),
        keypoint_scores=generator.uniform(size=len(INFANT)),
        sigma_px=generator.uniform(size=len(INFANT)),
        depth_px=np.full(len(INFANT), np.nan),
    )
    adults = (Adult(generator.uniform(0, 40, 4), generator.uniform()),)
    return People((infant,), adults, generator.uniform(0, 40, (2, 4)))


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

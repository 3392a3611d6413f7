"""A tiny MINI-RGBD folder, and a pipeline whose mistakes are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.geometry.camera import project
from Datasets.readers.mini_rgbd import INTRINSICS, read_mini_rgbd
from Datasets.skeletons import INFANT, MINI_RGBD_25, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.writers.mini_rgbd import write_frame
from PoseEstimation.structures import Keypoints

HEAD = {"11": (28.6, 12.17), "12": (30.1, 13.93)}
"""Head length in mm and px of the official sequences that the tests imitate."""


@dataclass(frozen=True)
class FakeDetections:
    boxes_xyxy: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)


@dataclass
class FakePipeline:
    """Knows the truth of a folder and misses it by the offsets that it is told.

    A frame is recognised by its first pixel, a 2D pose by its pelvis.
    """

    root: Path
    skeleton: Skeleton = INFANT
    off_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    off_px: tuple[float, float] = (0.0, 0.0)
    blind: tuple[int, ...] = ()
    boxes: dict[int, np.ndarray] = field(default_factory=dict)
    silent_joint: str | None = None
    asked_boxes: list[np.ndarray] = field(default_factory=list)
    lifted: list[Keypoints] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model_info = {"name": "fake", "sha256": "0" * 64}
        self.samples = read_mini_rgbd(self.root).samples
        mapping = joint_map(MINI_RGBD_25, self.skeleton)
        self.truth_px = mapping.apply(np.stack([s.keypoints_px for s in self.samples]))
        joints = np.stack([s.joints_mm - s.joints_mm[:1] for s in self.samples])
        offsets = np.tile(self.off_mm, (len(MINI_RGBD_25), 1)) * 1.0
        offsets[0] = 0.0
        self.answer_mm = np.nan_to_num(mapping.apply(joints + offsets), nan=1e5)

    def _position(self, image: Image.Image) -> int:
        sequence, frame, _ = image.getpixel((0, 0))
        names = [(int(s.sequence), s.frame) for s in self.samples]
        return names.index((sequence, frame))

    def detect(self, image: Image.Image) -> FakeDetections:
        i = self._position(image)
        if i in self.blind:
            return FakeDetections(np.zeros((0, 4)), np.zeros(0))
        boxes = self.boxes.get(i, mask_box(self.samples[i].mask_path)[None])
        return FakeDetections(boxes, np.linspace(0.9, 0.5, len(boxes)))

    def estimate_2d(self, image: Image.Image, boxes: np.ndarray) -> Keypoints:
        self.asked_boxes.append(boxes[0])
        found = np.nan_to_num(self.truth_px[self._position(image)] + self.off_px, nan=-1e5)
        if self.silent_joint is not None:
            found[self.skeleton.index(self.silent_joint)] = np.nan
        ones = np.ones((1, len(self.skeleton)))
        return Keypoints(found[None], ones, ones, ones)

    def lift(self, found: Keypoints, intrinsics, times_s):
        assert np.allclose(intrinsics, INTRINSICS) and len(times_s) == len(found)
        self.lifted.append(found)
        pelvis = self.skeleton.index("pelvis")
        known = self.truth_px[:, pelvis]
        seen = found.keypoints_px[:, None, pelvis] - self.off_px
        away = np.linalg.norm(seen - known[None], axis=-1)
        joints = self.answer_mm[away.argmin(axis=1)]
        if self.silent_joint is not None:
            joints = joints.copy()
            joints[:, self.skeleton.index(self.silent_joint)] = np.nan
        return joints, np.ones(joints.shape[:2])


def mask_box(path: Path) -> np.ndarray:
    """Box of the mask with the 5 px that the detector's target has around it."""
    rows, columns = np.nonzero(np.asarray(Image.open(path)))
    return np.array([columns.min() - 5, rows.min() - 5, columns.max() + 5, rows.max() + 5.0])


def infant(frame: int, head_mm: float, head_px: float) -> np.ndarray:
    """A stretched-out pose (25, 3) mm whose neck-head segment has that length in mm and in px.

    The nose is far from the neck, so that a head length taken from it would be much longer.
    """
    generator = np.random.default_rng(7)
    joints = generator.uniform(-90, 90, (25, 3)) * [1, 1, 0]
    neck, head, nose = MINI_RGBD_25.indices(["neck", "head", "nose"])
    joints[neck] = [-head_mm / 2, -100, 0]
    joints[head] = [head_mm / 2, -100, 0]
    joints[nose] = [60, -130, 0]
    depth = INTRINSICS[0, 0] * head_mm / head_px
    return joints + [4.0 * frame, 3.0 * frame, depth]


def write_sequence(root: Path, name: str, frames: int, head_mm: float, head_px: float) -> None:
    for frame in range(frames):
        joints = infant(frame, head_mm, head_px)
        keypoints = project(joints, INTRINSICS)
        rgb = np.zeros((480, 640, 3), np.uint8)
        rgb[0, 0] = int(name), frame, 0
        low, high = keypoints.min(axis=0).astype(int), keypoints.max(axis=0).astype(int)
        mask = np.zeros((480, 640), bool)
        mask[low[1] : high[1] + 1, low[0] : high[0] + 1] = True
        depth = np.full((480, 640), 1000, np.uint16)
        write_frame(root / name, frame, rgb, depth, mask, keypoints, joints)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sequences 11 (four frames) and 12 (three), head lengths as published. Only read it."""
    folder = tmp_path_factory.mktemp("mini_rgbd")
    write_sequence(folder, "11", 4, *HEAD["11"])
    write_sequence(folder, "12", 3, *HEAD["12"])
    return folder


@pytest.fixture
def write():
    """``write(root, name, frames, head_mm, head_px)`` makes a sequence."""
    return write_sequence


@pytest.fixture
def fake():
    """``fake(root, ...)`` makes a pipeline with known mistakes."""
    return FakePipeline

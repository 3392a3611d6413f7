"""A tiny MINI-RGBD folder, and a predictor whose mistakes are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.geometry.camera import project
from Datasets.readers.mini_rgbd import INTRINSICS, read_mini_rgbd
from Datasets.skeletons import INFANT, MINI_RGBD_25, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.writers.mini_rgbd import write_frame
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.structures import Found, Keypoints, Track

HEAD = {"11": (28.6, 12.17), "12": (30.1, 13.93)}
"""Head length in mm and px of the official sequences that the tests imitate."""


class Network:
    """A finder or a lifter that is a function."""

    def __init__(self, skeleton: Skeleton, function) -> None:
        self.skeleton, self.function = skeleton, function

    def __call__(self, *args, **options):
        return self.function(*args, **options)


class FakePredictor(Predictor):
    """Knows the truth of a folder and misses it by the given offsets.

    A frame is recognised by its first pixel, a 2D pose by its pelvis. Only its networks are
    fakes.

    Attributes:
        asked_boxes: the first crop of each frame, by its position in the folder.
        lifted: the tracks that were lifted.
    """

    def __init__(
        self,
        root: Path,
        skeleton: Skeleton = INFANT,
        off_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
        off_px: tuple[float, float] = (0.0, 0.0),
        blind: tuple[int, ...] = (),
        boxes: dict[int, np.ndarray] | None = None,
        silent_joint: str | None = None,
    ) -> None:
        self.off_px, self.blind, self.boxes = off_px, blind, boxes or {}
        self.silent = [] if silent_joint is None else [skeleton.index(silent_joint)]
        self.asked_boxes: dict[int, np.ndarray] = {}
        self.lifted: list[Keypoints] = []
        self.samples = read_mini_rgbd(root).samples
        mapping = joint_map(MINI_RGBD_25, skeleton)
        self.truth_px = mapping.apply(np.stack([s.keypoints_px for s in self.samples]))
        joints = np.stack([s.joints_mm - s.joints_mm[:1] for s in self.samples])
        offsets = np.tile(off_mm, (len(MINI_RGBD_25), 1)) * 1.0
        offsets[0] = 0.0
        self.answer_mm = np.nan_to_num(mapping.apply(joints + offsets), nan=1e5)
        finder, lifter = Network(skeleton, self.find_people), Network(skeleton, self.lift_track)
        super().__init__(finder, lifter, model_info={"name": "fake", "sha256": "0" * 64})

    def _position(self, image: Image.Image) -> int:
        sequence, frame, _ = image.getpixel((0, 0))
        names = [(int(s.sequence), s.frame) for s in self.samples]
        return names.index((sequence, frame))

    def _detect(self, i: int) -> np.ndarray:
        if i in self.blind:
            return np.zeros((0, 4))
        return self.boxes.get(i, mask_box(self.samples[i].mask_path)[None])

    def find_people(self, images, boxes=None, still=False) -> list[Found]:
        places = [self._position(image) for image in images]
        crops = [self._detect(i) for i in places] if boxes is None else boxes
        return [self._found(i, own) for i, own in zip(places, crops, strict=True)]

    def _found(self, i: int, boxes: np.ndarray) -> Found:
        if len(boxes):
            self.asked_boxes[i] = boxes[0]
        points = np.nan_to_num(self.truth_px[i] + self.off_px, nan=-1e5)
        points[self.silent] = np.nan
        points = np.tile(points, (len(boxes), 1, 1))
        ones = np.ones(points.shape[:2])
        return Found(boxes, np.linspace(0.9, 0.5, len(boxes)), Keypoints(points, ones, ones, ones))

    def lift_track(self, track: Track):
        assert np.allclose(track.intrinsics, INTRINSICS) and len(track.times_s) == len(track)
        self.lifted.append(track.keypoints)
        pelvis = self.skeleton.index("pelvis")
        known = self.truth_px[:, pelvis]
        found = track.keypoints.keypoints_px[:, None, pelvis] - self.off_px
        away = np.linalg.norm(found - known[None], axis=-1)
        joints = self.answer_mm[away.argmin(axis=1)].copy()
        joints[:, self.silent] = np.nan
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
    """``fake(root, ...)`` makes a predictor with known mistakes."""
    return FakePredictor


@pytest.fixture
def network():
    """``network(skeleton, function)`` makes a finder or lifter."""
    return Network

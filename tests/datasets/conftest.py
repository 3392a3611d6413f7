"""A tiny MINI-RGBD folder that several tests of this package read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from Datasets.geometry.camera import project
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import INFANT, MINI_RGBD_25
from Datasets.writers.mini_rgbd import write_frame, write_infant_joints

WIDTH, HEIGHT = 640, 480

# A supine infant seen from above, mm from the pelvis: x to the image's right, y down the image.
# The infant's left is on the image's right.
_MIDDLE = {
    "pelvis": (0, 0, 0),
    "spine": (0, -30, -4),
    "spine1": (0, -65, -6),
    "spine2": (0, -95, -6),
    "neck": (0, -140, -8),
    "head": (2, -168, -14),
    "nose": (6, -190, -60),
}
_LEFT = {
    "hip": (26, 8, 0),
    "knee": (70, 60, -50),
    "ankle": (48, 135, -20),
    "toes": (60, 150, -55),
    "collar": (20, -125, -4),
    "shoulder": (55, -122, -4),
    "elbow": (105, -92, -20),
    "wrist": (125, -140, -45),
    "fingers": (130, -165, -50),
}


def infant_pose(generator: np.random.Generator) -> np.ndarray:
    """A plausible pose, (25, 3) mm in the camera frame, a metre away, jittered."""
    points = dict(_MIDDLE)
    for part, (x, y, z) in _LEFT.items():
        points[f"left_{part}"] = (x, y, z)
        points[f"right_{part}"] = (-x * 0.9, y + 6, z * 0.8)
    joints = np.array([points[joint] for joint in MINI_RGBD_25.joints], dtype=np.float64)
    return joints + generator.normal(0, 4, joints.shape) + [10.0, 20.0, 950.0]


def infant_picture(keypoints_px: np.ndarray, generator: np.random.Generator) -> tuple:
    """An image with a disc at every joint on a noisy bed: (rgb, depth_mm, mask)."""
    rgb = generator.integers(90, 130, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    for px, py in keypoints_px:
        mask |= (x - px) ** 2 + (y - py) ** 2 < 14**2
    rgb[mask] = (224, 172, 150)
    return rgb, np.where(mask, 950, 1000).astype(np.uint16), mask


def write_sequence(folder: Path, frames: int, seed: int = 0, infant: bool = False) -> np.ndarray:
    """Write a sequence; returns its joints (frame, 25, 3) in mm."""
    generator = np.random.default_rng(seed)
    poses = np.stack([infant_pose(generator) for _ in range(frames)])
    keypoints = project(poses, INTRINSICS)
    for frame in range(frames):
        picture = infant_picture(keypoints[frame], generator)
        write_frame(folder, frame, *picture, keypoints[frame], poses[frame])
    if infant:
        joints = generator.normal([0, 0, 900], 50, (frames, len(INFANT), 3))
        seen = np.full((frames, len(INFANT)), 2, dtype=np.uint8)
        write_infant_joints(folder, np.arange(frames), project(joints, INTRINSICS), joints, seen)
    return poses


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Sequences 01 (three frames) and 02 (two frames)."""
    write_sequence(tmp_path / "01", frames=3, seed=1)
    write_sequence(tmp_path / "02", frames=2, seed=2)
    return tmp_path


@pytest.fixture(scope="session")
def shared_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as ``root`` plus canonical joints, for tests that only read."""
    folder = tmp_path_factory.mktemp("mini_rgbd")
    write_sequence(folder / "01", frames=3, seed=1)
    write_sequence(folder / "02", frames=2, seed=2, infant=True)
    return folder

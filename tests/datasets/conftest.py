"""A tiny MINI-RGBD folder and small videos that several tests of this package read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
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


def numbered_picture(number: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """(height, width, 3) noise with a bright bar at the left, wider for higher numbers."""
    width, height = size
    picture = np.random.default_rng(number).integers(0, 90, (height, width, 3), dtype=np.uint8)
    picture[:, : 2 + 2 * (number % (width // 2 - 1))] += 160
    return picture


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Function that writes a video into ``tmp_path``."""

    def make(
        name: str,
        pictures: int | Sequence[np.ndarray],
        codec: str = "libx264",
        *,
        size: tuple[int, int] = (64, 48),
        pts: Sequence[int] | None = None,
        pixels: str = "yuv420p",
        pixel_ratio: str | None = None,
        matrix: Sequence[int] | None = None,
        container: str | None = None,
        container_options: dict[str, str] | None = None,
        metadata: dict[str, str] | None = None,
        **options: str,
    ) -> Path:
        """Encode pictures, or so many numbered ones, at 25 per second or at ``pts`` / 1000 s."""
        if isinstance(pictures, int):
            pictures = [numbered_picture(number, size) for number in range(pictures)]
        if codec == "libx264":
            # Key frames and reordered ones where they are asked for, though noise defies them.
            options = {"b_strategy": "0", "sc_threshold": "0", **options}
        path, base = tmp_path / name, Fraction(1, 25 if pts is None else 1000)
        with av.open(str(path), "w", format=container, options=container_options or {}) as file:
            file.metadata.update(metadata or {})
            stream = file.add_stream(codec, rate=25, time_base=base, options=options)
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = pixels
            if pixel_ratio is not None:
                stream.codec_context.sample_aspect_ratio = Fraction(pixel_ratio)
            if matrix is not None:
                stream.set_display_matrix(matrix)
            for number, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number if pts is None else pts[number], base
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
        return path

    return make

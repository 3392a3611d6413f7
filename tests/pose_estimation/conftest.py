from pathlib import Path

import numpy as np
import pytest

from Datasets.geometry.camera import project
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import INFANT, MINI_RGBD_25
from Datasets.skeletons.convert import joint_map
from Datasets.writers.mini_rgbd import write_frame, write_infant_joints

TEMPLATE_MM = np.array(
    [
        *((0, -250, -60), (15, -260, -50), (-15, -260, -50), (35, -250, 0), (-35, -250, 0)),
        *((70, -160, 0), (-70, -160, 0), (110, -90, 10), (-110, -90, 10), (140, -30, -20)),
        *((-140, -30, -20), (40, 0, 0), (-40, 0, 0), (70, 90, -40), (-70, 90, -40)),
        *((60, 170, 0), (-60, 170, 0), (0, 0, 0), (0, -130, 0), (0, -190, 0), (0, -300, 0)),
        *((150, 0, -30), (-150, 0, -30), (60, 200, -30), (-60, 200, -30)),
    ],
    dtype=float,
)
"""A supine infant in ``infant`` joints, mm from the pelvis, camera axes."""


def draw_poses(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random poses around the template: (count, 25, 2) px and (count, 25, 3) mm, camera frame."""
    generator = np.random.default_rng(seed)
    body = TEMPLATE_MM + generator.normal(0, 25, (count, 25, 3))
    joints_mm = body + generator.normal(0, 20, (count, 1, 3)) + [0, 40, 900]
    return project(joints_mm, INTRINSICS), joints_mm


def write_sequence(folder: Path, count: int, seed: int) -> None:
    """A sequence whose frames show coloured dots at the joints."""
    keypoints_px, joints_mm = draw_poses(count, seed)
    to_mini = joint_map(INFANT, MINI_RGBD_25)
    fill = [to_mini.apply(v) for v in (keypoints_px, joints_mm)]
    fill = [np.where(np.isnan(v), v[:, :1], v) for v in fill]
    rows, columns = np.mgrid[:480, :640]
    for i in range(count):
        rgb, mask = np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640), bool)
        for j, (x, y) in enumerate(keypoints_px[i]):
            dot = (columns - x) ** 2 + (rows - y) ** 2 < 100
            rgb[dot], mask[dot] = (9 * j + 20, 250 - 9 * j, 40 * (j % 6)), True
        depth = np.full((480, 640), 900, np.uint16)
        write_frame(folder, i, rgb, depth, mask, fill[0][i], fill[1][i])
    seen = np.full((count, 25), 2, np.uint8)
    write_infant_joints(folder, np.arange(count), keypoints_px, joints_mm, seen)


@pytest.fixture(scope="session")
def root(tmp_path_factory) -> Path:
    """Two tiny sequences, 01 to train on and 02 to validate on."""
    folder = tmp_path_factory.mktemp("mini_rgbd")
    write_sequence(folder / "01", 6, seed=1)
    write_sequence(folder / "02", 4, seed=2)
    return folder


@pytest.fixture(scope="session")
def make_poses():
    """The function that draws random poses."""
    return draw_poses

"""Shipped weights on real photos: runs only where ``INFANTPOSE_REAL_DATA`` names the samples."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from PoseEstimation.cli import main

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture
def photos() -> list[Path]:
    root = os.environ.get("INFANTPOSE_REAL_DATA")
    if not root:
        pytest.skip("INFANTPOSE_REAL_DATA is not set: no real photos here")
    found = sorted((Path(root) / "syrip" / "images").glob("*.jpg"))[:4]
    if not found:
        pytest.skip(f"no syrip/images/*.jpg under {root}")
    return found


def test_photos_give_a_valid_file_with_joints_inside_or_near_the_frame(photos, tmp_path):
    config = f"--config={REPOSITORY / 'config.yaml'}"
    weights = f"--weights={REPOSITORY / 'SavedModels' / 'infant-synthetic'}"
    arguments = ["predict", *map(str, photos), f"--output={tmp_path}", config, weights]
    assert main(arguments) == 0
    poses = json.loads((tmp_path / "poses.json").read_text())
    assert poses["complete"] and len(poses["frames"]) == len(photos)
    for frame in poses["frames"]:
        for infant in frame["infants"]:
            keypoints = np.array(infant["keypoints_px"], dtype=float)
            size = np.array([frame["width"], frame["height"]])
            assert keypoints.shape == (25, 2)
            assert ((keypoints > -size) & (keypoints < 2 * size)).all()

"""The Python API of the README: load a weight set, call it on a file, read arrays."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from PIL import Image

from Engine.errors import DataError
from PoseEstimation import load
from PoseEstimation.visualise.video import VideoWriter


def test_three_lines_give_joints_by_frame_and_person(tiny_weights, tmp_path):
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        for i in range(5):
            writer.write(Image.new("RGB", (96, 64), (40 * i, 90, 200)), i / 30)
    result = load(str(tiny_weights / "tiny"), device="cpu")(tmp_path / "clip.mp4")
    people = len(result.track_ids)
    assert people and result.joints_mm.shape == (5, people, 25, 3)
    assert np.isfinite(result.joints_mm).any() and result.quality["frames"] == 5
    assert result.model["name"] == "tiny" and result.complete
    if importlib.util.find_spec("pandas"):
        assert set(result.to_pandas()["joint"]) == set(result.skeleton.joints)
    else:
        with pytest.raises(DataError, match="pandas is not installed"):
            result.to_pandas()


def test_settings_are_held_to_their_limits_and_names_to_what_is_there(tiny_weights):
    with pytest.raises(DataError, match="fov_degrees is 300"):
        load(str(tiny_weights / "tiny"), fov_degrees=300)
    with pytest.raises(DataError, match="sets there"):
        load("no-such-set")

"""The stage that generates data for the stages after it."""

from __future__ import annotations

import pytest

from PoseEstimation.stage_settings import GenerateSettings
from PoseEstimation.training.generate import generate_data


@pytest.mark.parametrize(
    ("profile", "made", "file"),
    [
        ("mini_rgbd", {"infants": 1, "frames": 2}, "0001/rgb/syn_00001.png"),
        ("syrip", {"infants": 2}, "generator.json"),
        ("movements", {"infants": 1}, "movements.npz"),
    ],
)
def test_a_stage_writes_what_it_says(tmp_path, profile, made, file):
    settings = GenerateSettings(profile, infants=made["infants"], frames=2, workers=1, seed=3)
    assert generate_data(settings, tmp_path) == made
    assert (tmp_path / file).is_file()

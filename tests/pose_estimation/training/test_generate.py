"""The stage that generates data for the stages after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from Engine.errors import DataError
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


def test_a_stage_mixes_sources_of_movement_but_makes_nothing_that_is_measured_on(tmp_path):
    bank = GenerateSettings("movements", infants=1, workers=1, sources=("random=1",))
    generate_data(bank, tmp_path)
    with np.load(tmp_path / "movements.npz", allow_pickle=False) as made:
        assert made["source"].tolist() == ["random"]
    with pytest.raises(DataError, match="benchmarks"):
        generate_data(replace(bank, sources=("reaching=1",)), tmp_path)
    with pytest.raises(DataError, match="is a benchmark"):
        generate_data(replace(bank, profile="synthinfant2"), tmp_path)

"""A weight set is what the runs made, indexed by sha256, without anybody's folders in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.provenance import file_sha256
from Engine.trainer import save_settings
from FasterRCNN.settings import DetectorSettings, RescoringSettings
from PoseEstimation.cli import main
from PoseEstimation.config import load_config
from PoseEstimation.export.weight_set import collect
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.weight_sets import ROLES, WeightSet, is_indexed
from PoseEstimation.settings import HeatmapSettings
from PoseEstimation.stage_settings import CollectSettings


@pytest.fixture
def settings(tiny_weights) -> CollectSettings:
    files = {role: tiny_weights / "tiny" / name for role, name in ROLES.items()}
    return CollectSettings("mine", data="generated infants", **files)


def run_of(folder: Path, settings: object) -> Path:
    """A folder of a run with these settings."""
    save_settings(folder / "settings.yaml", settings)
    return folder


def test_a_collected_set_passes_its_own_check_and_predicts(settings, tmp_path):
    source = DataSource("mini_rgbd", root=tmp_path / "mine" / "a")
    runs = (
        run_of(tmp_path / "1", HeatmapSettings(train=(source,), batch_size=3)),
        run_of(tmp_path / "2", DetectorSettings(batch_size=4)),
        run_of(tmp_path / "3", RescoringSettings(batch_size=5)),
    )
    digests = collect(replace(settings, runs=runs), tmp_path / "sets")
    folder = tmp_path / "sets" / "mine"
    assert WeightSet.open(folder).digests() == digests and is_indexed(folder)
    assert digests["lifter.safetensors"] == file_sha256(settings.lifter)
    trained = yaml.safe_load((folder / "config.yaml").read_text())
    assert {name: trained[name]["batch_size"] for name in trained} == {
        "heatmap": 3,
        "detector": 4,
        "rescoring": 5,
    }
    assert trained["heatmap"]["train"][0]["root"] == "a"  # not whose folder it was
    assert load_config(folder / "config.yaml").heatmap.batch_size == 3
    index = yaml.safe_load((folder.parent / "index.yaml").read_text())
    assert index["mine"]["data"] == "generated infants"
    assert index["mine"]["licence"] == "Apache-2.0"
    predictor = Predictor.from_weights(folder, settings=PredictSettings(device="cpu"))
    assert predictor.model_info["sha256"] == digests


def test_a_set_may_lack_what_is_not_asked_for(settings, tmp_path):
    collect(replace(settings, lifter=None), tmp_path)
    weights = WeightSet.open(tmp_path / "mine")
    assert weights.path("detector").is_file() and set(weights.files) == {"detector", "keypoints"}
    with pytest.raises(DataError, match="has no lifter, only detector, keypoints; choose another"):
        weights.path("lifter")
    with pytest.raises(DataError, match="has no lifter"):
        Predictor.from_weights(tmp_path / "mine")


def test_roles_may_be_any_files_of_the_folder(settings, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "pose.safetensors").write_bytes(settings.keypoints.read_bytes())
    (folder / "manifest.yaml").write_text("roles: {keypoints: pose.safetensors}\n")
    assert WeightSet.open(folder).path("keypoints").name == "pose.safetensors"
    (tmp_path / "index.yaml").write_text("mine: {sha256: {pose.safetensors: abc}}\n")
    with pytest.raises(DataError, match=r"pose\.safetensors has sha256 .* says abc"):
        WeightSet.open(folder).path("keypoints")
    (folder / "manifest.yaml").write_text("detector: a\n")
    with pytest.raises(DataError, match=r"manifest\.yaml names no roles"):
        WeightSet.open(folder)


def test_the_command_collects_and_says_what(settings, tmp_path, capsys):
    given = [f"collect.{role}={getattr(settings, role)}" for role in ROLES]
    assert main(["train", "collect", *given, "--output", str(tmp_path)]) == 0
    assert "lifter.safetensors" in capsys.readouterr().out
    assert set(WeightSet.open(tmp_path / "mine").files) == set(ROLES)


def test_the_shipped_settings_are_read_and_their_data_named_in_the_card(capsys):
    folder = load_config().paths.saved_models / "infant-synthetic"
    settings = load_config(folder / "config.yaml", ())
    assert capsys.readouterr().err == ""
    card = (folder / "MODEL_CARD.md").read_text()
    for recipe in (settings.detector, settings.heatmap):
        named = [source.root.name for source in (*recipe.train, recipe.validation)]
        assert named and all(root in card for root in named)
    assert settings.clip_lifting.movement_banks[0].name in card


def test_what_cannot_be_collected_is_said(settings, tmp_path):
    for wrong, said in (
        (CollectSettings(), "nothing is given; name files for detector, keypoints, lifter"),
        (replace(settings, lifter=tmp_path / "absent"), "trained weights: .*absent does not exist"),
        (replace(settings, name="mine-research"), "state its terms as collect.licence"),
        (replace(settings, runs=(tmp_path,)), r"settings\.yaml does not exist"),
    ):
        with pytest.raises(DataError, match=said):
            collect(wrong, tmp_path / "sets")
    (tmp_path / "settings.yaml").write_text("seed: 3\n")
    with pytest.raises(DataError, match="fits no recipe"):
        collect(replace(settings, runs=(tmp_path,)), tmp_path / "sets")

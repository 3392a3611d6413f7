"""What CONTRIBUTING promises: a recipe, protocol, data set or format is one file and one row."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from types import ModuleType

import pytest

from Datasets import sources
from Datasets.catalogue import open_dataset, verify_dataset
from Datasets.skeletons import MINI_RGBD_25
from Datasets.structures import Dataset
from Engine.settings import Settings, count
from PoseEstimation import io, recipes
from PoseEstimation.chains.chain import Stages, placed_stages, run_chain
from PoseEstimation.cli import main, parse
from PoseEstimation.config import load_config


@dataclass(frozen=True)
class ToySettings(Settings):
    """A toy.

    Attributes:
        repeats: how often.
    """

    repeats: int = count(2)


def run_toy(settings, output):
    output.mkdir(parents=True, exist_ok=True)
    (output / "toy.npz").write_bytes(b"toy" * settings.repeats)
    return {"bytes": 3 * settings.repeats}


def evaluate_toy(weights, root, split, output, command, every=1):
    output.mkdir(parents=True, exist_ok=True)
    metrics = {"protocol": "toy", "clean": {"every": every}, "split": split, "file": weights.name}
    (output / "metrics.json").write_text(json.dumps(metrics))
    return metrics


def open_toy(root, split, skeleton):
    return Dataset("toy", root, skeleton or MINI_RGBD_25, ())


def verify_toy(root):
    return f"toy at {root.name}"


@pytest.fixture(autouse=True)
def toy(monkeypatch) -> None:
    """One file, ``toy``, and one row in each table."""
    file = ModuleType("toy")
    vars(file).update(
        run_toy=run_toy, evaluate_toy=evaluate_toy, open_toy=open_toy, verify_toy=verify_toy
    )
    monkeypatch.setitem(sys.modules, "toy", file)
    recipe = recipes.Recipe("toy", ToySettings, "toy:run_toy", "toy.npz")
    protocol = recipes.Protocol(
        "toy", "toy:evaluate_toy", split="test", options=("every",), role="keypoints"
    )
    dataset = sources.DataSet("toy", "toy:open_toy", "toy:verify_toy")
    monkeypatch.setattr(recipes, "RECIPES", (*recipes.RECIPES, recipe))
    monkeypatch.setattr(recipes, "PROTOCOLS", (*recipes.PROTOCOLS, protocol))
    monkeypatch.setattr(sources, "DATASETS", (*sources.DATASETS, dataset))
    monkeypatch.setattr(io, "FORMATS", (*io.FORMATS, io.Format("toy", "poses.toy", "toy:write")))


def test_a_recipe_is_trained_configured_and_chained_by_its_row(tmp_path, capsys):
    (tmp_path / "c.yaml").write_text("toy: {repeats: 5}\n")
    config = load_config(tmp_path / "c.yaml")
    assert config.toy == ToySettings(5)
    arguments = ["train", "toy", "--config", str(tmp_path / "c.yaml"), "--output"]
    assert main([*arguments, str(tmp_path / "run"), "toy.repeats=7"]) == 0
    assert "toy.npz: bytes 21" in capsys.readouterr().out
    assert main([*arguments, str(tmp_path / "run"), "toy.repeats=0"]) == 2
    assert "toy.repeats is 0, must lie from 1" in capsys.readouterr().err
    stages = Stages(tmp_path / "chain")
    made = stages.add("1-toy", config.toy)
    (record,) = run_chain(placed_stages(stages, config), stages.folder, lambda line: None)
    assert made.read_bytes() == b"toy" * 5 and set(record.made) == {"toy.npz"}


def test_a_protocol_is_run_by_its_row(tmp_path, capsys, config):
    arguments = ["evaluate", "toy", "--root", str(tmp_path), "--config", str(config)]
    assert main([*arguments, "--every", "3", "--output", str(tmp_path / "out")]) == 0
    assert "every: 3" in capsys.readouterr().out
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["split"], metrics["file"]) == ("test", "heatmap.safetensors")
    assert main([*arguments, "--boxes", "own", "--output", str(tmp_path / "out")]) == 2
    assert "evaluate toy: takes no --boxes, only --every" in capsys.readouterr().err


def test_a_data_set_is_opened_and_has_a_path_by_its_row(tmp_path):
    assert open_dataset("toy", tmp_path).root == tmp_path
    assert verify_dataset("toy", tmp_path) == f"toy at {tmp_path.name}"
    config = load_config(None, ["paths.toy=here", "heatmap.train=[{dataset: toy}]"])
    assert config.heatmap.train[0].root == config.paths.toy
    assert parse(["verify", "toy"]).dataset == "toy"


def test_a_format_is_taken_by_its_row():
    asked = parse(["predict", "a.jpg", "--output", "o", "--format", "json,toy"])
    assert asked.format == ("json", "toy")

"""What CONTRIBUTING promises: a recipe, protocol, data set or format is one file and one row."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from Datasets import sources
from Datasets.catalogue import open_dataset, verify_dataset
from Datasets.skeletons import MINI_RGBD_25
from Datasets.structures import Dataset
from Engine.callbacks import best_path
from Engine.errors import DataError
from Engine.registry import Network
from Engine.settings import Settings, count
from Engine.weights import write_safetensors
from PoseEstimation import io, models, recipes
from PoseEstimation.chains.chain import Stages, placed_stages, run_chain
from PoseEstimation.cli import main, parse
from PoseEstimation.config import load_config
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import TopDown
from PoseEstimation.inference.weights import load_keypoint_network
from PoseEstimation.io.poses_json import read_poses_json
from PoseEstimation.models.configs import HeatmapNetworkSettings
from PoseEstimation.structures import Maps
from PoseEstimation.training.heatmap import make_codec, make_network
from PoseEstimation.training.weights import write_best


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


@contextmanager
def write_toy(path, header):
    lines = []
    yield lambda frame: lines.append(f"{Path(frame.source).name} {len(frame.infants)}\n")
    path.write_text("".join(lines))


@dataclass(frozen=True)
class ToyNetworkSettings(HeatmapNetworkSettings):
    """A toy.

    Attributes:
        kind: toy.
        width: of its layer.
    """

    kind: Literal["toy"] = "toy"
    width: int = count(2)


@dataclass(frozen=True, kw_only=True)
class ToyNetworkConfig(ToyNetworkSettings):
    num_joints: int = count(25)
    maps_per_joint: int = count(1)


class ToyNetwork(torch.nn.Module):
    output_stride = 4

    def __init__(self, config: ToyNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.first = torch.nn.Conv2d(3, config.width, 4, 4)
        self.last = torch.nn.Conv2d(config.width, config.num_joints * config.maps_per_joint, 1)

    def forward(self, images):
        return Maps(*self.last(self.first(images)).chunk(self.config.maps_per_joint, 1))


def open_toy(root, split, skeleton):
    return Dataset("toy", root, skeleton or MINI_RGBD_25, ())


def verify_toy(root):
    return f"toy at {root.name}"


@pytest.fixture(autouse=True)
def toy(monkeypatch) -> None:
    """One file, ``toy``, and one row in each table."""
    file = ModuleType("toy")
    vars(file).update(
        run_toy=run_toy, evaluate_toy=evaluate_toy, open_toy=open_toy, verify_toy=verify_toy,
        write_toy=write_toy, ToyNetwork=ToyNetwork, ToyNetworkSettings=ToyNetworkSettings,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "toy", file)
    recipe = recipes.Recipe("toy", ToySettings, "toy:run_toy", "toy.npz")
    protocol = recipes.Protocol(
        "toy", "toy:evaluate_toy", split="test", options=("every",), role="keypoints"
    )
    dataset = sources.DataSet("toy", "toy:open_toy", "toy:verify_toy")
    monkeypatch.setattr(recipes, "RECIPES", (*recipes.RECIPES, recipe))
    monkeypatch.setattr(recipes, "PROTOCOLS", (*recipes.PROTOCOLS, protocol))
    monkeypatch.setattr(sources, "DATASETS", (*sources.DATASETS, dataset))
    monkeypatch.setattr(
        io, "FORMATS", (*io.FORMATS, io.Format("toy", "poses.toy", "toy:write_toy"))
    )


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


def test_a_format_is_written_by_its_row(tmp_path, config):
    Image.new("RGB", (64, 48), "grey").save(tmp_path / "a.png")
    arguments = ["predict", str(tmp_path / "a.png"), "--output", str(tmp_path / "out")]
    assert main([*arguments, "--format", "json,toy", "--config", str(config)]) == 0
    written = (tmp_path / "out" / "poses.toy").read_text()
    found = read_poses_json(tmp_path / "out" / "poses.json").frames[0].infants
    assert found and written == f"a.png {len(found)}\n"


def test_a_heatmap_network_is_trained_and_predicts_by_its_row(tmp_path, monkeypatch):
    row = Network("toy", "toy:ToyNetwork", "toy:ToyNetworkSettings")
    monkeypatch.setitem(models.HEATMAP_NETWORKS.table, "toy", row)
    overrides = ["heatmap.network={kind: toy, width: 4}", "heatmap.input_size=64"]
    settings = load_config(None, overrides).heatmap
    assert settings.network == ToyNetworkSettings(width=4)
    network = make_network(settings)
    maps = network(torch.zeros(2, 3, 64, 64))
    assert maps.heatmaps.shape == (2, 25, 16, 16) and maps.depth.shape == (2, 25, 16, 16)
    best = {f"average.{name}": value for name, value in network.state_dict().items()}
    write_safetensors(best_path(tmp_path), best, {})
    path = write_best(tmp_path, "heatmap", network, make_codec(settings), "infant")
    finder = TopDown(None, load_keypoint_network(path), PredictSettings())
    (found,) = finder([Image.new("RGB", (64, 48), "grey")], [np.array([[4.0, 4, 40, 40]])])
    assert np.isfinite(found.keypoints.keypoints_px).all()
    with pytest.raises(DataError, match=r"heatmap.network.kind is 'toi', must be one of .*toy"):
        load_config(None, ["heatmap.network={kind: toi}"])

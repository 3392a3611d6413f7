"""MoveNet's files: the same numbers as their graph computes, and one line for every damage."""

from __future__ import annotations

import json
import os
from pathlib import Path

import movenet_files as files
import numpy as np
import pytest
import torch

from Datasets.skeletons import COCO_17, INFANT
from Engine.errors import DataError
from Engine.images import as_input
from Engine.weights import load_initial, load_weights
from PoseEstimation.cli import main
from PoseEstimation.inference.weights import load_keypoint_network
from PoseEstimation.io.movenet import read_movenet, source_of
from PoseEstimation.models.configs import MobileNetFPNSettings
from PoseEstimation.models.movenet import NEIGHBOURS, start_of
from PoseEstimation.settings import HeatmapSettings
from PoseEstimation.training.heatmap import make_network

PUBLISHED_HEADS = {
    "center": "center_0",
    "heatmaps": "kpt_heatmap_0",
    "regress": "kpt_regress_0",
    "offset": "kpt_offset_0",
}


@pytest.fixture(scope="module")
def tensors():
    return files.tiny_tensors(np.random.default_rng(0))


@pytest.fixture
def model(tmp_path, tensors):
    return files.write_model(tmp_path, tensors)


@pytest.fixture
def images():
    generator = np.random.default_rng(1)
    return generator.integers(0, 256, (2, files.SIDE, files.SIDE, 3), dtype=np.uint8)


def as_tensor(images):
    return as_input(torch.from_numpy(images).permute(0, 3, 1, 2))


def test_the_heads_are_those_of_the_graph(model, tensors, images):
    expected = files.run_graph(images, tensors)
    with torch.no_grad():
        found = read_movenet(model)(as_tensor(images))
    for name, folder in PUBLISHED_HEADS.items():
        maps = found[name].permute(0, 2, 3, 1).numpy()
        assert np.abs(maps - expected[folder]).max() < 1e-4 * np.abs(expected[folder]).max(), name
        assert expected[folder].std() > 0.01, name


def test_the_decoding_is_the_published_one(model, tensors, images):
    heads = files.run_graph(images, tensors)
    weight = tensors[files.CENTRE][..., 0].astype(np.float64)
    with torch.no_grad():
        points, scores = read_movenet(model).keypoints(as_tensor(images))
    for i in range(len(images)):
        alone = {name: maps[i] for name, maps in heads.items()}
        alone["center_0"] = alone["center_0"][..., 0]
        expected = files.decode(alone, weight)
        np.testing.assert_allclose(points[i], expected[:, 1::-1], atol=1e-3)
        np.testing.assert_allclose(scores[i], expected[:, 2], atol=1e-3)


def test_the_start_keeps_known_maps_and_takes_others_from_neighbours(model, images):
    movenet = read_movenet(model)
    network = start_of(movenet, INFANT, 3)
    with torch.no_grad():
        known, maps = movenet(as_tensor(images))["heatmaps"], network(as_tensor(images))
    torch.testing.assert_close(maps.heatmaps[:, INFANT.indices(COCO_17.joints)], known)
    for joint, neighbours in NEIGHBOURS.items():
        mean = known[:, COCO_17.indices(neighbours)].mean(1)
        torch.testing.assert_close(
            maps.heatmaps[:, INFANT.index(joint)], mean, rtol=1e-4, atol=1e-4
        )
    assert not maps.depth.any() and not maps.log_sigma.any()
    assert set(NEIGHBOURS) == set(INFANT.joints) - set(COCO_17.joints)


def test_the_command_writes_weights_that_run_and_weights_to_start_from(model, tmp_path, images):
    assert main(["import", "movenet", f"--model={model}", f"--output={tmp_path}"]) == 0
    network = load_keypoint_network(tmp_path / "movenet.safetensors")
    maps = network.backend(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    with torch.no_grad():
        known = read_movenet(model)(as_tensor(images))["heatmaps"].numpy()
    np.testing.assert_allclose(maps["heatmaps"], known, atol=1e-3 * np.abs(known).max())
    assert network.skeleton is COCO_17 and network.codec.input_size == files.SIDE
    _, metadata = load_weights(tmp_path / "heatmap.safetensors")
    assert {key: metadata[key] for key in source_of(model)} == source_of(model)
    assert metadata["licence"] == "Apache-2.0" and len(metadata["sha256"]["tiny.bin"]) == 64
    recipe = HeatmapSettings(network=MobileNetFPNSettings(widths=files.WIDTHS), input_size=64)
    started = make_network(recipe)
    load_initial(started, tmp_path / "heatmap.safetensors")
    with torch.no_grad():
        heatmaps = started(as_tensor(images)).heatmaps[:, : len(COCO_17)].numpy()
    np.testing.assert_allclose(heatmaps, known, atol=1e-3 * np.abs(known).max())


def _without_a_tensor(model: Path) -> None:
    _change(model, lambda entry: entry["name"] == CONV1 and entry.update(name="other"))


def _of_another_shape(model: Path) -> None:
    _change(model, lambda e: e["name"] == CONV1 and e["shape"].reverse())


def _as_bytes(model: Path) -> None:
    _change(model, lambda e: e.get("quantization", {}).update(dtype="uint8"))


def _without_a_shape(model: Path) -> None:
    _change(model, lambda entry: entry.pop("shape"))


def _change(model: Path, change) -> None:
    content = json.loads(model.read_text())
    for entry in content["weightsManifest"][0]["weights"]:
        change(entry)
    model.write_text(json.dumps(content))


CONV1 = files.BODY + "Conv1/Conv2D_weights"

DAMAGES = {
    "not valid JSON": lambda m: m.write_text("{"),
    "graph model of TensorFlow.js": lambda m: m.write_text("[]"),
    "tiny.bin does not exist": lambda m: m.with_suffix(".bin").unlink(),
    "describes others": lambda m: m.with_suffix(".bin").write_bytes(b"short"),
    "describes  others": lambda m: m.with_suffix(".bin").open("ab").write(b"more"),
    "Conv1/Conv2D_weights' is missing": _without_a_tensor,
    "not MoveNet's single pose": _of_another_shape,
    "quantised to uint8": _as_bytes,
    "weightsManifest is damaged": _without_a_shape,
}


@pytest.mark.parametrize("message", DAMAGES)
def test_damage_is_one_line(model, message, tmp_path, capsys):
    DAMAGES[message](model)
    with pytest.raises(DataError, match=message.replace("  ", " ")):
        read_movenet(model)
    output = tmp_path / "out"
    assert main(["import", "movenet", f"--model={model}", f"--output={output}"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1 and not list(output.glob("*"))


@pytest.mark.parametrize("size", ["thunder", "lightning"])
def test_the_published_files_give_what_their_own_runtime_gives(size):
    root = os.environ.get("INFANTPOSE_REAL_DATA")
    if not root:
        pytest.skip("INFANTPOSE_REAL_DATA is not set: MoveNet's files are not here")
    folder = Path(root) / "pretrained"
    reference = np.load(folder / "reference.npz")
    movenet = read_movenet(folder / f"movenet-{size}.json")
    with torch.no_grad():
        points, scores = movenet.keypoints(as_tensor(reference[f"{size}_crops"]))
    expected = reference[f"{size}_keypoints_yxs"]
    np.testing.assert_allclose(points, expected[..., 1::-1], atol=1e-3)
    np.testing.assert_allclose(scores, expected[..., 2], atol=1e-3)

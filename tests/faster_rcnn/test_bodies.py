"""Detectors begin with the layers of heatmap networks."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from Engine.errors import DataError
from Engine.mobilenet_v2 import LAST
from Engine.weights import load_weights, save_weights
from FasterRCNN.detector import InfantDetector, save_detector
from FasterRCNN.model import build_detector, load_body
from FasterRCNN.settings import DetectorSettings
from PoseEstimation.models.configs import MobileNetFPNConfig
from PoseEstimation.models.mobilenet_fpn import MobileNetFPN

SMALL = DetectorSettings(min_size=72, max_size=128, box_head=16)


def test_resnet18_begins_with_a_heatmap_network_and_refuses_others(tiny_weights, tmp_path):
    heatmap = tiny_weights / "tiny" / "heatmap.safetensors"
    network = build_detector(dataclasses.replace(SMALL, backbone="resnet18_fpn"))
    load_body(network.backbone.body, heatmap)
    state, _ = load_weights(heatmap)
    body = network.backbone.body
    assert torch.equal(body.conv1.weight, state["stem.0.weight"])
    assert torch.equal(body.layer4[1].bn2.running_var, state["stages.3.1.bn2.running_var"])
    assert not body.layer1[0].conv1.weight.requires_grad
    assert body.layer2[0].conv1.weight.requires_grad
    with pytest.raises(DataError, match="not the weights of a heatmap"):
        load_body(network.backbone.body, tiny_weights / "tiny" / "lifter.safetensors")


def test_mobilenet_v2_begins_with_a_heatmap_network(tmp_path):
    config = MobileNetFPNConfig(widths=(8,) * 8, num_joints=2)
    heatmap, path = MobileNetFPN(config), tmp_path / "heatmap.safetensors"
    save_weights(path, heatmap.state_dict(), {"model": "MobileNetFPN"})
    settings = dataclasses.replace(SMALL, backbone="mobilenet_v2_fpn", widths=config.widths)
    network = build_detector(settings).eval()
    load_body(network.backbone.body, path)
    images = torch.rand(1, 3, 64, 96)
    levels = heatmap.half().float().features.levels(images)
    reached = network.backbone.body(2 * images - 1)
    for last, level in zip(LAST[1:], reached.values(), strict=True):
        torch.testing.assert_close(level, levels[last])
    frozen = [name for name, p in network.named_parameters() if not p.requires_grad]
    assert {name.split(".")[2] for name in frozen} == {"stem", "0", "1", "2"}
    assert network.transform.image_mean == [0.5] * 3
    save_detector(tmp_path / "detector.safetensors", network, settings)
    again = InfantDetector.from_weights(tmp_path / "detector.safetensors")
    assert again.settings.widths == config.widths
    with pytest.raises(DataError, match="not the weights of a heatmap"):
        wider = build_detector(dataclasses.replace(settings, widths=(16,) * 8))
        load_body(wider.backbone.body, path)

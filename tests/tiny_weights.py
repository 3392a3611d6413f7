"""A weight set of small networks with random weights."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
import yaml

from Datasets.skeletons import INFANT
from Engine.weights import save_weights
from FasterRCNN.detector import save_detector
from FasterRCNN.model import build_detector
from FasterRCNN.settings import DetectorSettings
from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
from PoseEstimation.models.pose_resnet import PoseResNet, PoseResNetConfig

SET_NAME = "tiny"


def write_tiny_weights(models: Path) -> None:
    """Write the set ``tiny`` into a ``SavedModels`` folder; its detector always finds a box."""
    torch.manual_seed(0)
    folder = models / SET_NAME
    small = DetectorSettings(min_size=64, max_size=128, box_head=32)
    detector = build_detector(small)
    predictor = detector.roi_heads.box_predictor
    torch.nn.init.zeros_(predictor.cls_score.weight)
    predictor.cls_score.bias.data = torch.tensor([0.0, 3.0, -3.0])
    described = {"skeleton": INFANT.name}
    heatmap = PoseResNet(PoseResNetConfig(head_channels=16))
    codec = {"input_size": 64, "heatmap_size": 16, "sigma": 2.0, "kind": "softmax"}
    config = {"model": "PoseResNet", "config": asdict(heatmap.config), "codec": codec, **described}
    lifter = ClipLifter(
        ClipLifterConfig(
            num_joints=25,
            root_index=17,
            bones=INFANT.bone_indices,
            twins=tuple(range(24)),
            width=32,
        )
    )
    lifting = {"model": "ClipLifter", "config": asdict(lifter.config), **described}
    lifting["codec"] = {"min_score": 0.0}
    digests = {
        "detector.safetensors": save_detector(folder / "detector.safetensors", detector, small),
        "heatmap.safetensors": save_weights(
            folder / "heatmap.safetensors", heatmap.state_dict(), config
        ),
        "lifter.safetensors": save_weights(
            folder / "lifter.safetensors", lifter.state_dict(), lifting
        ),
    }
    (models / "index.yaml").write_text(yaml.safe_dump({SET_NAME: {"sha256": digests}}))

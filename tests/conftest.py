"""What several tests need: repeatable chance, one thread per worker, a tiny weight set."""

from __future__ import annotations

import os
import random
import signal
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import settings

# set before torch and NumPy are imported: several workers with all cores each slow one another down
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# a shell ignores SIGINT in its background jobs, and what it starts inherits that
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("repeatable")

SET_NAME = "tiny"


def seed_all() -> None:
    """Set the generators that libraries share, once they are loaded."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup() -> None:
    """Every fixture draws the same numbers, whichever test asks for it first."""
    seed_all()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    """Every test draws the same numbers, whichever tests ran before it."""
    seed_all()


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``SavedModels`` folder with the set ``tiny``: its detector always finds a box."""
    import torch
    import yaml

    from Datasets.skeletons import INFANT
    from Engine.weights import save_weights
    from FasterRCNN.detector import save_detector
    from FasterRCNN.model import build_detector
    from FasterRCNN.settings import DetectorSettings
    from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
    from PoseEstimation.models.pose_resnet import PoseResNet, PoseResNetConfig

    torch.manual_seed(0)
    models = tmp_path_factory.mktemp("models")
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
    return models


@pytest.fixture(scope="session")
def config(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``config.yaml`` that points at the tiny weight set."""
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(
        f"weights: tiny\npaths: {{saved_models: {tiny_weights}}}\n"
        "predict: {precision: float32, device: cpu}\n"
    )
    return path

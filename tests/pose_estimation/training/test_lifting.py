"""The published 3D recipe."""

from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from Datasets.skeletons import INFANT, MPII_16
from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.training_settings import OptimiserSettings, TrainerSettings
from Engine.weights import load_weights
from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.io.detection_cache import save_detections
from PoseEstimation.models.configs import MartinezSettings
from PoseEstimation.models.martinez import MartinezConfig, MartinezLifter
from PoseEstimation.settings import LiftingSettings
from PoseEstimation.structures import Clip
from PoseEstimation.training.lifting import make_lifter, make_loaders, train_lifting


@pytest.fixture
def observed(tmp_path, make_poses):
    keypoints_px, joints_mm = make_poses(300, seed=5)
    ones, cameras = np.ones((300, 25)), np.tile(np.eye(3), (300, 1, 1))
    clip = Clip(keypoints_px, ones, ones, ones, joints_mm, cameras)
    path = tmp_path / "observed.npz"
    save_detections(path, clip, ["01"] * 300, range(300), INFANT)
    return path


@pytest.fixture
def settings(root, observed):
    return LiftingSettings(
        detections=(observed,),
        validation=DataSource("mini_rgbd", "2", root),
        skeleton="infant",
        network=MartinezSettings(width=64, dropout=0.0),
        optimiser=OptimiserSettings(learning_rate=5e-3, warmup_steps=5, average_decay=0.9),
        trainer=TrainerSettings(max_epochs=60, precision="32-true", patience=99),
    )


def test_a_run_learns_and_writes_weights_that_rebuild_the_lifter(settings, tmp_path, make_poses):
    train_lifting(settings, tmp_path)
    state, metadata = load_weights(tmp_path / "lifter.safetensors")
    lifter = MartinezLifter(MartinezConfig(**metadata["config"])).eval()
    lifter.load_state_dict(state)
    codec = PixelCodec(INFANT, **metadata["codec"])
    keypoints_px, joints_mm = make_poses(50, seed=9)
    with torch.no_grad():
        output = lifter(torch.from_numpy(codec.encode_input(keypoints_px, np.ones((50, 25)))))
    decoded = codec.decode(output.numpy())
    truth = joints_mm - joints_mm[:, INFANT.root_index, None]
    error = np.linalg.norm(decoded - truth, axis=-1)
    assert (decoded[:, INFANT.root_index] == 0).all()
    assert error.mean() < 0.5 * np.linalg.norm(truth, axis=-1).mean()


def test_the_default_reads_raw_pixels_of_the_16_published_joints(root):
    source = DataSource("mini_rgbd", root=root)
    settings = LiftingSettings(train=(source,), validation=source, batch_size=8)
    train, validation = make_loaders(settings)
    batch = next(iter(train))
    assert batch["features"].shape == (8, 16, 2) and batch["features"].abs().max() > 50
    assert batch["mask"].all() and (batch["target"][:, MPII_16.root_index] == 0).all()
    assert len(next(iter(validation))["features"]) == 10
    assert make_lifter(settings).config.root_index == MPII_16.root_index


def test_data_of_another_skeleton_and_no_data_are_named(settings, observed):
    with pytest.raises(DataError, match="joints of infant, expected mpii_16"):
        make_loaders(replace(settings, skeleton="mpii_16"))
    with pytest.raises(DataError, match="must be given"):
        make_loaders(replace(settings, detections=()))


def test_an_interrupted_run_ends_with_the_same_weights(root, tmp_path):
    trainer = TrainerSettings(
        max_epochs=4, steps_per_epoch=2, patience=9, precision="32-true", checkpoint_minutes=0.0
    )
    settings = LiftingSettings(
        train=(DataSource("mini_rgbd", "1", root),),
        validation=DataSource("mini_rgbd", root=root), network=MartinezSettings(width=16),
        batch_size=2,
        optimiser=OptimiserSettings(learning_rate=1e-2, warmup_steps=2, final_factor=1.0),
        trainer=trainer,
    )  # fmt: skip
    train_lifting(settings, tmp_path / "whole")
    train_lifting(replace(settings, trainer=replace(trainer, max_epochs=2)), tmp_path / "cut")
    train_lifting(settings, tmp_path / "cut", resume=True)
    whole, cut = (load_weights(tmp_path / n / "lifter.safetensors")[0] for n in ("whole", "cut"))
    assert all(np.array_equal(whole[k], cut[k]) for k in whole)


def test_a_time_budget_brings_the_rate_down_in_time(root, tmp_path, monkeypatch):
    # a clock that ticks when it is read: on a busy machine a step may take longer than the budget
    ticks = count(1)
    clock = SimpleNamespace(monotonic=lambda: next(ticks) / 100)
    monkeypatch.setattr("Engine.callbacks.time", clock)
    settings = LiftingSettings(
        train=(DataSource("mini_rgbd", root=root),),
        validation=DataSource("mini_rgbd", root=root), network=MartinezSettings(width=16),
        batch_size=2,
        optimiser=OptimiserSettings(warmup_steps=0),
        trainer=TrainerSettings(
            max_epochs=10_000, max_minutes=0.03, patience=10_000, precision="32-true", log_every=1
        ),
    )  # fmt: skip
    assert train_lifting(settings, tmp_path).stopped_by == "time limit"
    rows = [line.split(",") for line in (tmp_path / "log.csv").read_text().splitlines()]
    rates = [float(row[4]) for row in rows if row[3] == "learning_rate"]
    assert rates[-1] < 0.1 * rates[0]

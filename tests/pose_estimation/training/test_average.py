from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from Datasets.sources import DataSource
from Engine.module import AveragedModule, rate_factor
from Engine.training_settings import TrainerSettings
from Engine.weights import load_weights
from PoseEstimation.models.configs import MartinezSettings
from PoseEstimation.settings import LiftingSettings, OptimiserSettings
from PoseEstimation.training.lifting import train_lifting


@pytest.mark.parametrize("schedule", ["cosine", "exponential"])
def test_the_rate_rises_over_the_warm_up_and_falls_to_its_end(schedule):
    settings = OptimiserSettings(warmup_steps=10, schedule=schedule, final_factor=0.02)
    rates = [rate_factor(step / 100, step, settings) for step in range(101)]
    assert rates[0] < 0.11 and rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.02)
    assert rate_factor(7.0, 700, settings) == pytest.approx(0.02)


def test_a_constant_rate_is_a_final_factor_of_one():
    settings = OptimiserSettings(warmup_steps=0, final_factor=1.0)
    assert {rate_factor(p, 3, settings) for p in (0, 0.3, 1)} == {1.0}


def test_the_average_follows_the_network_and_not_the_optimiser():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    module = AveragedModule(network, OptimiserSettings(average_decay=0.9), TrainerSettings())
    parameters = module.configure_optimizers()[0].param_groups[0]["params"]
    assert not {id(p) for p in parameters} & {id(p) for p in module.average.parameters()}
    start = module.average[0].weight.clone()
    with torch.no_grad():
        network[0].weight += 1
        network[1].running_mean += 1
    module.end_batch(1000)
    assert torch.allclose(module.average[0].weight, start + 0.1)
    assert torch.allclose(module.average[1].running_mean, torch.full((2,), 0.1))
    assert not module.train().average.training and module.network.training
    plain = AveragedModule(network, OptimiserSettings(average_decay=0.0), TrainerSettings())
    with torch.no_grad():
        network[0].weight += 1
    plain.end_batch(5)
    assert torch.equal(plain.average[0].weight, network[0].weight)


def test_an_interrupted_run_ends_with_the_same_weights(root, tmp_path):
    trainer = TrainerSettings(
        max_epochs=4, steps_per_epoch=2, patience=9, precision="32-true", checkpoint_minutes=0.0
    )
    settings = LiftingSettings(
        train=(DataSource("mini_rgbd", "1", root),),
        validation=DataSource("mini_rgbd", root=root),
        network=MartinezSettings(width=16),
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
        validation=DataSource("mini_rgbd", root=root),
        network=MartinezSettings(width=16),
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

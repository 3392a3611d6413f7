import pytest
import torch
from torch import nn

from Engine.module import AveragedModule, rate_factor
from Engine.training_settings import OptimiserSettings, TrainerSettings


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

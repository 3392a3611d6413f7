"""Several optimisers in one batch: schedule, clipping, averages, kept weights and exact resume."""

from __future__ import annotations

import csv
import dataclasses

import pytest
import tiny_run as tiny
import torch
from tiny_run import kill, log_rows, weights

from Engine.callbacks import Measure, best_path
from Engine.module import rate_factor
from Engine.trainer import best_state, fit
from Engine.weights import read_metadata


def run(output, resume=False, measure=None, clip=0.5, **changes):
    module = tiny.TinyAdversarial(clip=clip)
    settings = dataclasses.replace(tiny.SETTINGS, **changes)
    return module, fit(module, *tiny.loaders(), settings, output, resume, measure=measure)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    output = tmp_path_factory.mktemp("whole")
    module, summary = run(output)
    return module, summary, output


@pytest.mark.parametrize("batches", [3, 4, 9])
def test_a_killed_run_resumes_bit_for_bit(tmp_path, whole, batches):
    kill("adversarial", tmp_path, batches)
    module, summary = run(tmp_path, resume=True)
    assert dataclasses.replace(summary, minutes=0) == dataclasses.replace(whole[1], minutes=0)
    expected = weights(whole[0])
    assert {name.split(".")[0] for name in expected} == {"network", "average", "discriminator"}
    for name, value in weights(module).items():
        assert torch.equal(value, expected[name]), name
    assert log_rows(tmp_path) == log_rows(whole[2])


def test_batches_are_counted_however_many_steps_each_takes(whole):
    module, summary, output = whole
    assert module.trainer.global_step == 3 * 12
    assert (summary.steps, summary.epochs, module.batches) == (12, 3, 12)
    assert [path.name for path in sorted((output / "checkpoints").iterdir())] == [
        "step-000000011.safetensors",
        "step-000000012.safetensors",
    ]
    with (output / "log.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    logged = [int(row["step"]) for row in rows if row["name"] == "discriminator_loss"]
    assert logged == [2, 4, 6, 8, 10, 12]


def test_the_schedule_moves_the_rates_of_all_optimisers_once_per_batch(whole):
    module = whole[0]
    factors = [rate_factor(i / 12, i, module.settings) for i in range(12)]
    assert module.rates == [[0.05 * factor, 0.1 * factor] for factor in factors]


def test_gradients_are_clipped_before_every_step(whole, tmp_path):
    clipped, (free, _) = whole[0], run(tmp_path, clip=None)
    assert len(clipped.norms) == 36 and max(clipped.norms) <= 0.5 + 1e-6
    assert max(free.norms) > 0.6


def test_the_average_moves_with_the_batches(tmp_path):
    steps = []

    class Recorder(tiny.TinyAdversarial):
        def end_batch(self, batches):
            before = [v.clone() for v in self.average.parameters()]
            super().end_batch(batches)
            keep = min(0.8, batches / (batches + 10))
            for old, new, trained in zip(
                before, self.average.parameters(), self.network.parameters(), strict=True
            ):
                torch.testing.assert_close(new, keep * old + (1 - keep) * trained)
            steps.append(batches)

    fit(Recorder(), *tiny.loaders(), tiny.SETTINGS, tmp_path, False)
    assert steps == list(range(1, 13))


def test_the_best_weights_by_a_named_measure_are_kept_in_order(tmp_path):
    measure = Measure("validation_good", higher=True, keep=3)
    every = Measure(keep=99)
    run(tmp_path / "all", measure=every, max_epochs=6)
    _, summary = run(tmp_path / "three", measure=measure, max_epochs=6)
    values = [read_metadata(best_path(tmp_path / "all", i))["validation_loss"] for i in range(6)]
    assert values == sorted(values) and len(set(values)) == 6
    kept = [read_metadata(best_path(tmp_path / "three", i)) for i in range(3)]
    assert [header["validation_loss"] for header in kept] == values[:3]
    assert (summary.best_loss, summary.best_step) == (-values[0], kept[0]["step"])
    assert not best_path(tmp_path / "three", 3).exists()
    for i in range(3):
        one, other = (best_state(tmp_path / name, place=i) for name in ("all", "three"))
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_measure_that_falls_stops_the_run_early(tmp_path):
    class Falling(tiny.TinyAdversarial):
        def validation_step(self, batch, batch_idx):
            self.log("validation_ap", -float(self.batches), batch_size=1)

    settings = dataclasses.replace(tiny.SETTINGS, max_epochs=9, patience=2)
    measure = Measure("validation_ap", higher=True)
    summary = fit(Falling(), *tiny.loaders(), settings, tmp_path, False, measure=measure)
    assert (summary.stopped_by, summary.epochs, summary.best_step) == ("early stop", 3, 4)

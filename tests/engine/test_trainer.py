"""The trainer: exact resume, stopping rules, checkpoints without pickles."""

from __future__ import annotations

import dataclasses
import signal
import sys
from types import SimpleNamespace

import pytest
import tiny_run as tiny
import torch
import yaml
from tiny_run import kill, log_rows, weights

from Datasets.loaders import make_loader
from Engine.callbacks import _log_rows
from Engine.checkpoints import flatten, list_checkpoints, unflatten
from Engine.errors import DataError
from Engine.process import stopped_by_term
from Engine.trainer import best_state, fit


def run(output, crash=None, resume=False, losses=None, **changes):
    module = tiny.TinyModule(crash, losses)
    settings = dataclasses.replace(tiny.SETTINGS, **changes)
    return module, fit(module, *tiny.loaders(), settings, output, resume)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    output = tmp_path_factory.mktemp("whole")
    module, summary = run(output)
    return weights(module), summary, output


@pytest.mark.parametrize("step", [1, 4, 7, 11])
def test_a_crashed_run_resumes_to_the_same_weights(tmp_path, whole, step):
    with pytest.raises(tiny.Killed):
        run(tmp_path, tiny.crash_at(step))
    module, summary = run(tmp_path, resume=True)
    assert summary.steps == whole[1].steps == 12
    assert summary.best_loss == whole[1].best_loss
    for name, value in weights(module).items():
        assert torch.equal(value, whole[0][name]), name
    assert log_rows(tmp_path) == log_rows(whole[2])


@pytest.mark.parametrize("tail", ["6,1,0.00,loss,0.1", "\r\n", "6,1,0.0", "\0\0\0\0"])
def test_a_log_that_was_cut_in_a_line_is_mended(tmp_path, whole, tail):
    with pytest.raises(tiny.Killed):
        run(tmp_path, tiny.crash_at(7))
    with (tmp_path / "log.csv").open("a", newline="") as stream:
        stream.write(tail)
    run(tmp_path, resume=True)
    assert log_rows(tmp_path) == log_rows(whole[2])


def test_a_log_cut_anywhere_has_no_wrong_row(tmp_path, whole):
    content = (whole[2] / "log.csv").read_bytes()
    rows = [line.decode().split(",") for line in content.splitlines()[1:]]
    for length in range(len(content)):
        (tmp_path / "log.csv").write_bytes(content[:length])
        read = _log_rows(tmp_path / "log.csv", 99)
        assert read == rows[: len(read)]
        assert len(read) >= content[:length].count(b"\n") - 1


def test_coarse_checkpoints_give_the_same_weights_too(tmp_path, whole):
    with pytest.raises(tiny.Killed):
        run(tmp_path, tiny.crash_at(7), checkpoint_minutes=60.0)
    assert [p.name for p in list_checkpoints(tmp_path)] == ["step-000000004.safetensors"]
    module, _ = run(tmp_path, resume=True, checkpoint_minutes=60.0)
    assert all(torch.equal(v, whole[0][k]) for k, v in weights(module).items())


def test_sigkill_then_resume_gives_the_same_weights(tmp_path, whole):
    kill("regression", tmp_path, 6)
    module, _ = run(tmp_path, resume=True)
    assert all(torch.equal(v, whole[0][k]) for k, v in weights(module).items())


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_user_who_stops_gets_an_interrupt_and_can_go_on(tmp_path, whole, kind):
    def stop(done: int) -> None:
        if done == 6:
            signal.raise_signal(kind)

    with stopped_by_term(), pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    module, _ = run(tmp_path, resume=True)
    assert all(torch.equal(v, whole[0][k]) for k, v in weights(module).items())


def test_every_pass_sees_every_sample_once(tmp_path):
    seen = []

    class Recorder(tiny.TinyModule):
        def training_step(self, batch, batch_idx):
            seen.extend(batch[1].ravel().tolist())
            return super().training_step(batch, batch_idx)

    fit(
        Recorder(),
        *tiny.loaders(),
        dataclasses.replace(tiny.SETTINGS, max_epochs=5),
        tmp_path,
        False,
    )
    assert len(seen) == 40
    assert all(len(set(seen[i : i + 10])) == 10 for i in range(0, 40, 10))


def test_early_stop_waits_for_a_relative_gain(tmp_path):
    losses = [1.0, 0.9995, 0.9992, 0.9985, 0.9984, 0.9983, 0.9980, 0.1]
    _, summary = run(tmp_path, losses=losses, patience=3, max_epochs=8)
    # 0.9985 gains 0.15 % on 1.0; the three after it stay within 0.1 % of it
    assert summary.stopped_by == "early stop"
    assert summary.epochs == 7
    assert summary.best_loss == pytest.approx(0.9980)
    _, again = run(tmp_path, losses=losses, patience=3, max_epochs=8, resume=True)
    assert (again.stopped_by, again.epochs) == ("early stop", 7)


def test_time_limit_stops_with_a_checkpoint(tmp_path, capsys):
    _, summary = run(tmp_path, max_minutes=0.0)
    assert (summary.stopped_by, summary.steps) == ("time limit", 1)
    assert list_checkpoints(tmp_path)[0].name == "step-000000001.safetensors"
    assert "time limit" in capsys.readouterr().out


def test_a_crashed_run_has_the_rest_of_its_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("Engine.callbacks.time", SimpleNamespace(monotonic=lambda: now[0]))

    def step_of_a_minute(crashing):
        def hook(done):
            now[0] += 60.0
            if done == crashing:
                raise tiny.Killed

        return hook

    with pytest.raises(tiny.Killed):
        run(tmp_path, step_of_a_minute(4), max_minutes=7.0)
    _, summary = run(tmp_path, step_of_a_minute(None), max_minutes=7.0, resume=True)
    assert (summary.stopped_by, summary.steps) == ("time limit", 7)
    _, summary = run(tmp_path, step_of_a_minute(None), max_minutes=7.0, resume=True)
    assert summary.steps == 12


def test_time_limited_pieces_equal_one_run(tmp_path, whole):
    for _ in range(5):
        module, _ = run(tmp_path, max_minutes=0.0, resume=True)
    module, _ = run(tmp_path, resume=True)
    assert all(torch.equal(v, whole[0][k]) for k, v in weights(module).items())


def test_keeps_two_checkpoints_and_the_best(whole):
    _, summary, output = whole
    assert len(list_checkpoints(output)) == 2
    best = best_state(output, prefix="network.")
    assert set(best) == {k.removeprefix("network.") for k in whole[0]}
    assert summary.best_loss is not None
    assert yaml.safe_load((output / "settings.yaml").read_text())["steps_per_epoch"] == 4


def test_a_damaged_newest_checkpoint_is_passed_over(tmp_path, whole):
    with pytest.raises(tiny.Killed):
        run(tmp_path, tiny.crash_at(6))
    newest = list_checkpoints(tmp_path)[0]
    newest.write_bytes(newest.read_bytes()[:50])
    module, _ = run(tmp_path, resume=True)
    assert all(torch.equal(v, whole[0][k]) for k, v in weights(module).items())


def test_a_second_run_does_not_overwrite_the_first(whole):
    with pytest.raises(DataError, match="--resume"):
        run(whole[2])


def test_flatten_gives_back_exactly_what_went_in():
    value = {
        "state": {0: {"step": torch.tensor(3.0), "seen": (1, 2.5, None)}, 1: {}},
        "betas": (0.9, 0.999),
        "text": ["a", True, float("inf")],
        "bf16": torch.ones(2, 3, dtype=torch.bfloat16).t(),
        "odd": {"$tensor": 1, ("a", 1): 2},
    }
    tensors = {}
    tree = flatten(value, tensors)
    back = unflatten(tree, tensors)
    assert torch.equal(back.pop("bf16"), value.pop("bf16"))
    assert back["state"][0].pop("step") == value["state"][0].pop("step")
    assert back == value
    assert isinstance(back["betas"], tuple)


def test_flatten_refuses_what_needs_a_pickle():
    with pytest.raises(TypeError, match=r"checkpoint\.a\.b"):
        flatten({"a": {"b": object()}}, {})


def test_a_damaged_file_met_by_a_loader_process_is_one_line(tmp_path):
    class Damaged(tiny.TenPoints):
        def __getitem__(self, key):
            raise DataError("image: a.png is damaged; restore it")

    train = make_loader(Damaged(), 2, num_workers=1, train=True)
    with pytest.raises(DataError, match=r"\Aimage: a.png is damaged; restore it\Z"):
        fit(tiny.TinyModule(), train, tiny.loaders()[1], tiny.SETTINGS, tmp_path, resume=False)

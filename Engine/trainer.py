"""The training loop of both stages: Lightning's, with our order of data, checkpoints and stop rule.

Every random choice of a step is a function of (seed, step), and so is the order of the data. A run
that is killed and resumed from a checkpoint therefore ends with the weights of one that was not.
"""

from __future__ import annotations

import csv
import dataclasses
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
import torch
import yaml
from lightning.pytorch.callbacks import Callback, RichProgressBar
from torch import Tensor
from torch.utils.data import DataLoader

from Engine.checkpoints import SafetensorsCheckpointIO, checkpoint_path, newest_checkpoint
from Engine.devices import supports_bf16
from Engine.errors import DataError
from Engine.files import cannot_write, replacing_text, write_text
from Engine.training_settings import TrainerSettings
from Engine.weights import read_metadata, read_safetensors, write_safetensors

MONITOR = "validation_loss"
BEST = "best.safetensors"
LOG = "log.csv"
LOG_COLUMNS = ["step", "epoch", "minutes", "name", "value"]


@dataclasses.dataclass(frozen=True)
class FitSummary:
    """How a training run ended.

    Attributes:
        steps: optimiser steps since the very start.
        epochs: whole epochs since the very start.
        best_loss: lowest validation loss, or None when validation never ran.
        best_step: its step.
        stopped_by: ``max_epochs``, ``early stop``, ``time limit`` or ``not finite``.
        minutes: duration of this call.
    """

    steps: int
    epochs: int
    best_loss: float | None
    best_step: int | None
    stopped_by: str
    minutes: float


def fit(
    module: L.LightningModule,
    train_loader: DataLoader,
    validation_loader: DataLoader,
    settings: TrainerSettings,
    output: Path,
    resume: bool,
    recipe: object | None = None,
) -> FitSummary:
    """Train until the epochs, the gain or the time run out; keep the best weights in ``output``.

    Args:
        module: has ``training_step`` and logs ``validation_loss`` in ``validation_step``.
        train_loader: made by ``Datasets.loaders.make_loader``, so that its order can be resumed.
        validation_loader: in a fixed order.
        settings: limits, precision, stopping rule.
        output: folder of ``best.safetensors``, ``checkpoints/``, ``log.csv`` and ``settings.yaml``.
        resume: go on from the newest checkpoint of ``output``, if there is one.
        recipe: dataclass saved as the resolved settings; default ``settings``.

    Raises:
        DataError: no data, or ``output`` holds a run and ``resume`` is False.
        KeyboardInterrupt: the user stopped; ``resume`` goes on from the last checkpoint.
    """
    start = _starting_point(output, resume)
    for name, loader in (("training", train_loader), ("validation", validation_loader)):
        if len(loader) == 0:
            raise DataError(
                f"{name} data: not one batch; give more sequences or a smaller batch_size"
            )
    save_settings(output / "settings.yaml", recipe or settings)
    stream = _StepStream(train_loader, settings.steps_per_epoch, start[1] if start else 0)
    stopping, checkpoints = _EarlyStop(settings), _Checkpoints(settings, output)
    callbacks = [_StepSeed(settings.seed), stopping, _Log(settings.log_every, output), checkpoints]
    began = time.monotonic()
    with _quiet():
        trainer = _make_trainer(settings, callbacks)
        if any(p.dim() == 4 for p in module.parameters()):
            module.to(memory_format=torch.channels_last)
        try:
            trainer.fit(
                module, stream, validation_loader, ckpt_path=str(start[0]) if start else None
            )
        except DataError as error:
            raise DataError(_without_traceback(error.args[0])) from error
        except SystemExit as end:  # what Lightning makes of a KeyboardInterrupt
            raise KeyboardInterrupt from end
    best = read_metadata(output / BEST) if (output / BEST).is_file() else {}
    return FitSummary(
        steps=trainer.global_step,
        epochs=trainer.global_step // len(stream),
        best_loss=best.get(MONITOR),
        best_step=best.get("step"),
        stopped_by=stopping.reason or checkpoints.reason or "max_epochs",
        minutes=(time.monotonic() - began) / 60,
    )


def best_state(output: Path, prefix: str = "") -> dict[str, Tensor]:
    """Weights with the lowest validation loss of a run.

    Args:
        output: folder given to ``fit``.
        prefix: keep only names that start with it, and cut it off (``network.``, say).

    Raises:
        DataError: the run has no best weights yet.
    """
    tensors, _ = read_safetensors(output / BEST)
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def save_settings(path: Path, settings: object) -> None:
    """Write a settings dataclass as YAML."""
    write_text(path, yaml.safe_dump(_plain(dataclasses.asdict(settings)), sort_keys=False))


def resolve_precision(precision: str) -> str:
    """Turn ``auto`` into bf16-mixed where the device multiplies in bf16, else 32-true."""
    if precision != "auto":
        return precision
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return "bf16-mixed" if supports_bf16(device) else "32-true"


class _StepStream:
    """Batches of a loader from any step on, cut into epochs of ``steps_per_epoch``.

    The loader's own passes and the epochs between validations need not have the same length.
    """

    def __init__(self, loader: DataLoader, steps_per_epoch: int | None, step: int) -> None:
        self._length = steps_per_epoch or len(loader)
        self._step = step
        self._batches = _batches_from(loader, step)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Any]:
        for _ in range(self._length - self._step % self._length):
            batch = next(self._batches)
            self._step += 1
            yield batch


def _batches_from(loader: DataLoader, step: int) -> Iterator[Any]:
    """Endless batches of a loader with a ``SeededSampler``, from any step on."""
    epoch, batch = divmod(step, len(loader))
    while True:
        loader.sampler.set_position(epoch, batch * loader.batch_size)
        yield from loader
        epoch, batch = epoch + 1, 0


class _StepSeed(Callback):
    """Makes dropout and sampling of a step a function of (seed, step), so that resume is exact."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        torch.manual_seed(self.seed * 1_000_003 + trainer.global_step)


class _EarlyStop(Callback):
    """Stops after ``patience`` epochs without a relative gain of ``min_gain``, as published."""

    def __init__(self, settings: TrainerSettings) -> None:
        self.patience, self.min_gain = settings.patience, settings.min_gain
        self.reference: float | None = None
        self.waited = 0
        self.reason = ""

    def on_train_start(self, trainer, module) -> None:
        if self.waited >= self.patience:
            self._stop(trainer, "early stop")

    def on_validation_end(self, trainer, module) -> None:
        loss = float(trainer.callback_metrics[MONITOR])
        if loss != loss:
            self._stop(trainer, "not finite")
        elif self.reference is None or self.reference - loss > self.min_gain * abs(self.reference):
            self.reference, self.waited = loss, 0
        else:
            self.waited += 1
            if self.waited >= self.patience:
                self._stop(trainer, "early stop")

    def _stop(self, trainer: L.Trainer, reason: str) -> None:
        self.reason = reason
        trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        return {"reference": self.reference, "waited": self.waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.reference, self.waited = state_dict["reference"], state_dict["waited"]


class _Checkpoints(Callback):
    """Saves at each epoch's end, every few minutes, at the time limit, and the best weights.

    The time limit is that of all sessions; once it is reached, a resumed run has as much again.
    """

    def __init__(self, settings: TrainerSettings, output: Path) -> None:
        self.output = output
        minutes = settings.max_minutes
        self.limit_s = float("inf") if minutes is None else minutes * 60
        self.interval_s = settings.checkpoint_minutes * 60
        self.began = self.saved = time.monotonic()
        self.before_s = 0.0
        self.reason = ""

    def state_dict(self) -> dict[str, Any]:
        return {"spent_s": self.before_s + time.monotonic() - self.began}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        spent_s = state_dict["spent_s"]
        self.before_s = spent_s if spent_s < self.limit_s else 0.0

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        now = time.monotonic()
        timed_out = self.before_s + now - self.began >= self.limit_s
        # after the last batch of an epoch come validation and then the epoch's own checkpoint
        last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if not last and (timed_out or now - self.saved >= self.interval_s):
            self._save(trainer)
        if timed_out:
            self.reason = "time limit"
            trainer.should_stop = True
            print(f"time limit: stopped after step {trainer.global_step}; go on with --resume")

    def on_train_epoch_end(self, trainer, module) -> None:
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._save(trainer)

    def on_validation_end(self, trainer, module) -> None:
        loss = float(trainer.callback_metrics[MONITOR])
        best = self.output / BEST
        if best.is_file() and not loss < read_metadata(best)[MONITOR]:
            return
        tensors = {k: v.detach().cpu().contiguous().clone() for k, v in module.state_dict().items()}
        metadata = {k: float(v) for k, v in trainer.callback_metrics.items()}
        write_safetensors(best, tensors, metadata | {"step": trainer.global_step})

    def _save(self, trainer: L.Trainer) -> None:
        trainer.save_checkpoint(checkpoint_path(self.output, trainer.global_step))
        self.saved = time.monotonic()


class _Log(Callback):
    """Writes one row per value to ``log.csv``: step, epoch, minutes, name, value."""

    def __init__(self, every: int, output: Path) -> None:
        self.every, self.path = every, output / LOG
        self.losses: list[Tensor] = []
        self.began = time.monotonic()
        self.lines = not sys.stdout.isatty()

    def on_train_start(self, trainer, module) -> None:
        kept = trainer.global_step and self.path.is_file()
        rows = _log_rows(self.path, trainer.global_step) if kept else []
        with replacing_text(self.path) as stream:
            csv.writer(stream).writerows([LOG_COLUMNS, *rows])

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        loss = outputs["loss"] if isinstance(outputs, dict) else outputs
        self.losses.append(loss.detach())
        if trainer.global_step % self.every == 0:
            mean = sum(map(float, self.losses)) / len(self.losses)
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            metrics = trainer.callback_metrics.items()
            others = {k: v for k, v in metrics if not k.startswith("validation")}
            self._write(trainer, {"loss": mean, "learning_rate": rate, **others})
            self.losses = []
            if mean != mean:
                step = trainer.global_step
                raise RuntimeError(
                    f"training loss is not finite at step {step}; lower learning_rate"
                )

    def on_validation_end(self, trainer, module) -> None:
        metrics = {k: v for k, v in trainer.callback_metrics.items() if k.startswith("validation")}
        self._write(trainer, metrics)

    def state_dict(self) -> dict[str, Any]:
        return {"losses": [float(v) for v in self.losses]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.losses = [torch.tensor(v) for v in state_dict["losses"]]

    def _write(self, trainer: L.Trainer, values: dict[str, Any]) -> None:
        values = {k: f"{float(v):.6g}" for k, v in values.items()}
        minutes = f"{(time.monotonic() - self.began) / 60:.2f}"
        place = [trainer.global_step, trainer.current_epoch, minutes]
        try:
            with self.path.open("a", newline="") as stream:
                csv.writer(stream).writerows([*place, k, v] for k, v in values.items())
        except OSError as error:
            raise cannot_write(self.path, error) from error
        if self.lines:
            text = "  ".join(f"{k} {v}" for k, v in values.items())
            print(f"epoch {place[1]}  step {place[0]}  {minutes} min  {text}", flush=True)


def _log_rows(path: Path, last: int) -> list[list[str]]:
    """Rows of a log up to a step, without one that a kill or a full disk cut short."""
    whole = path.read_text(encoding="utf-8", errors="replace").rpartition("\n")[0]
    rows = [row for row in csv.reader(whole.splitlines()) if len(row) == len(LOG_COLUMNS)]
    return [row for row in rows if row[0].isdigit() and int(row[0]) <= last]


def _make_trainer(settings: TrainerSettings, callbacks: list[Callback]) -> L.Trainer:
    interactive = sys.stdout.isatty()
    return L.Trainer(
        accelerator="auto",
        devices=1,
        max_epochs=settings.max_epochs,
        precision=resolve_precision(settings.precision),
        gradient_clip_val=settings.gradient_clip,
        callbacks=[*callbacks, *([RichProgressBar()] if interactive else [])],
        plugins=[SafetensorsCheckpointIO()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=interactive,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
    )


def _starting_point(output: Path, resume: bool) -> tuple[Path, int] | None:
    """Return the checkpoint to go on from and its step, or None for a new run."""
    newest = newest_checkpoint(output)
    if not resume and (newest is not None or (output / BEST).is_file()):
        raise DataError(f"{output}: holds a run; pass --resume, or choose another --output")
    return newest


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's tips and its advice about workers."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning.*")
        warnings.filterwarnings("ignore", message=".*isinstance.treespec.*")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _without_traceback(message: str) -> str:
    """Only the error itself: a loader's process puts its traceback in front."""
    return message.strip().splitlines()[-1].rpartition("DataError: ")[2]


def _plain(value: Any) -> Any:
    """Paths and tuples as YAML knows them."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value

"""The training loop of every recipe: Lightning's, with our order of data, checkpoints, stop rule.

Batches are counted here, whatever number of optimiser steps a module takes in each. Every random
choice of a batch is a function of (seed, batch), and so is the order of the data. A run that is
killed and resumed from a checkpoint therefore ends with the weights of one that was not.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning as L
import torch
import yaml
from lightning.pytorch.callbacks import Callback, RichProgressBar
from torch import Tensor
from torch.utils.data import DataLoader

from Engine.callbacks import Measure, Progress, best_path, make_callbacks
from Engine.checkpoints import SafetensorsCheckpointIO, newest_checkpoint
from Engine.devices import choose_device, computes_in_bf16
from Engine.errors import DataError
from Engine.files import write_text
from Engine.sampling import SeededSampler
from Engine.training_settings import TrainerSettings
from Engine.weights import read_metadata, read_safetensors

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclasses.dataclass(frozen=True)
class FitSummary:
    """How a training run ended.

    Attributes:
        steps: batches since the very start.
        epochs: whole epochs since the very start.
        best_loss: best value of the measure, or None when validation never ran.
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
    recipe: DataclassInstance | None = None,
    measure: Measure | None = None,
) -> FitSummary:
    """Train until the epochs, the gain or the time run out; keep the best weights in ``output``.

    Args:
        module: usually an ``AveragedModule``, which clips its gradients; logs the measure in
            ``validation_step``.
        train_loader: made by ``Datasets.loaders.make_loader``, so that its order can be resumed.
        validation_loader: in a fixed order.
        settings: limits, precision, stopping rule.
        output: folder of ``best.safetensors``, ``checkpoints/``, ``log.csv`` and ``settings.yaml``.
        resume: go on from the newest checkpoint of ``output``, if there is one.
        recipe: dataclass saved as the resolved settings; default ``settings``.
        measure: what training stops by, and which weights are kept; by default the one set with the
            lowest ``validation_loss``.

    Raises:
        DataError: no data, or ``output`` holds a run and ``resume`` is False.
        KeyboardInterrupt: the user stopped; ``resume`` goes on from the last checkpoint.
    """
    measure = measure or Measure()
    start = _starting_point(output, resume)
    for name, loader in (("training", train_loader), ("validation", validation_loader)):
        if len(loader) == 0:
            raise DataError(
                f"{name} data: not one batch; give more sequences or a smaller batch_size"
            )
    save_settings(output / "settings.yaml", recipe or settings)
    checkpoint, done = start or (None, 0)
    stream = _BatchStream(train_loader, settings.steps_per_epoch, done)
    progress = Progress(settings, done, settings.max_epochs * len(stream))
    with _quiet():
        trainer = _make_trainer(settings, make_callbacks(settings, measure, progress, output))
        if any(p.dim() == 4 for p in module.parameters()):
            module.to(memory_format=torch.channels_last)
        try:
            trainer.fit(module, stream, validation_loader, ckpt_path=checkpoint and str(checkpoint))
        except DataError as error:
            raise DataError(_without_traceback(error.args[0])) from error
        except SystemExit as end:  # what Lightning makes of a KeyboardInterrupt
            raise KeyboardInterrupt from end
    best = read_metadata(best_path(output)) if best_path(output).is_file() else {}
    return FitSummary(
        steps=progress.batches,
        epochs=progress.batches // len(stream),
        best_loss=best.get(measure.name),
        best_step=best.get("step"),
        stopped_by=progress.reason or "max_epochs",
        minutes=progress.session_s / 60,
    )


def best_state(output: Path, prefix: str = "", place: int = 0) -> dict[str, Tensor]:
    """The best weights of a run.

    Args:
        output: folder given to ``fit``.
        prefix: keep only names that start with it, and cut it off (``network.``, say).
        place: 0 for the best, 1 for the second best, ..., where ``Measure.keep`` kept them.

    Raises:
        DataError: the run has no best weights yet.
    """
    tensors, _ = read_safetensors(best_path(output, place))
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def save_settings(path: Path, settings: DataclassInstance) -> None:
    """Write a settings dataclass as YAML."""
    plain = json.loads(json.dumps(dataclasses.asdict(settings), default=str))  # no paths, tuples
    write_text(path, yaml.safe_dump(plain, sort_keys=False))


class _BatchStream:
    """Batches of a loader from any position on, cut into epochs of ``steps_per_epoch``.

    The loader's own passes and the epochs between validations need not have the same length.
    """

    def __init__(self, loader: DataLoader, steps_per_epoch: int | None, done: int) -> None:
        self._length = steps_per_epoch or len(loader)
        self._done = done
        self._batches = _batches_from(loader, done)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Any]:
        for _ in range(self._length - self._done % self._length):
            batch = next(self._batches)
            self._done += 1
            yield batch


def _batches_from(loader: DataLoader, done: int) -> Iterator[Any]:
    """Endless batches of a loader with a ``SeededSampler``, from any position on."""
    sampler = loader.sampler
    assert isinstance(sampler, SeededSampler)
    epoch, batch = divmod(done, len(loader))
    while True:
        sampler.set_position(epoch, batch * (loader.batch_size or 1))
        yield from loader
        epoch, batch = epoch + 1, 0


def _make_trainer(settings: TrainerSettings, callbacks: list[Callback]) -> L.Trainer:
    interactive = sys.stdout.isatty()
    bf16 = computes_in_bf16(settings.precision, choose_device("auto"))
    return L.Trainer(
        accelerator="auto",
        devices=1,
        max_epochs=settings.max_epochs,
        precision="bf16-mixed" if bf16 else "32-true",
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
    """Return the checkpoint to go on from and the batches done, or None for a new run."""
    newest = newest_checkpoint(output)
    if not resume and (newest is not None or best_path(output).is_file()):
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

"""The parts of the training loop: progress, early stopping, checkpoints, kept weights, the log."""

from __future__ import annotations

import csv
import dataclasses
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from Engine.checkpoints import checkpoint_path
from Engine.files import cannot_write, replacing_text, write_bytes
from Engine.module import AveragedModule
from Engine.training_settings import TrainerSettings
from Engine.weights import read_metadata, write_safetensors

LOG = "log.csv"
LOG_COLUMNS = ["step", "epoch", "minutes", "name", "value"]


@dataclasses.dataclass(frozen=True)
class Measure:
    """What a run stops by and chooses its weights by.

    Attributes:
        name: of a value that the module logs in validation.
        higher: whether higher is better.
        keep: how many weights are kept: ``best.safetensors``, ``best-2.safetensors``, ...
    """

    name: str = "validation_loss"
    higher: bool = False
    keep: int = 1

    def cost(self, metrics: Mapping[str, Any]) -> float:
        """The measured value, or its negative where higher is better."""
        value = float(metrics[self.name])
        return -value if self.higher else value


def best_path(output: Path, place: int = 0) -> Path:
    """Where the best weights of a run lie, or those of a later place."""
    return output / ("best.safetensors" if place == 0 else f"best-{place + 1}.safetensors")


class Progress(Callback):
    """Counts the batches and the time of all sessions of a run.

    Before each batch it seeds PyTorch, so that dropout and sampling are a function of (seed,
    batch); an ``AveragedModule`` gets its learning rates before and moves its average after it.

    Attributes:
        batches: batches done.
        reason: why training stopped before the last batch.
    """

    def __init__(self, settings: TrainerSettings, batches: int, total: int) -> None:
        self.seed, self.batches, self.total, self.reason = settings.seed, batches, total, ""
        minutes = settings.max_minutes
        self.limit_s = float("inf") if minutes is None else minutes * 60
        self.began, self.before_s, self.exhausted_s = time.monotonic(), 0.0, 0.0

    @property
    def session_s(self) -> float:
        """Seconds since this session began."""
        return time.monotonic() - self.began

    @property
    def share(self) -> float:
        """Share of the run that is done: of its batches, or of its time if that ends first."""
        spent = (self.before_s + self.session_s) / self.limit_s if self.limit_s else 0.0
        return max(self.batches / max(self.total, 1), spent)

    @property
    def timed_out(self) -> bool:
        """Whether the time limit is reached; a run that is resumed after it has as much again."""
        return self.before_s + self.session_s - self.exhausted_s >= self.limit_s

    def stop(self, trainer: L.Trainer, reason: str) -> None:
        """End training after this batch or validation."""
        self.reason = reason
        trainer.should_stop = True

    def on_train_batch_start(self, trainer, module, batch, batch_idx) -> None:
        """Seed the batch and set its learning rates."""
        torch.manual_seed(self.seed * 1_000_003 + self.batches)
        if isinstance(module, AveragedModule):
            module.begin_batch(self.batches, self.share)

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        """Count the batch and move the average."""
        self.batches += 1
        if isinstance(module, AveragedModule):
            module.end_batch(self.batches)

    def state_dict(self) -> dict[str, Any]:
        """Time spent; the batches are in the name of the checkpoint."""
        return {"spent_s": self.before_s + self.session_s, "exhausted_s": self.exhausted_s}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with what is left of the time, or with as much again where nothing is."""
        self.before_s, self.exhausted_s = state_dict["spent_s"], state_dict["exhausted_s"]
        if self.before_s - self.exhausted_s >= self.limit_s:
            self.exhausted_s = self.before_s


def make_callbacks(
    settings: TrainerSettings, measure: Measure, progress: Progress, output: Path
) -> list[Callback]:
    """List the callbacks of a run in the order in which they must act."""
    return [
        progress,
        _EarlyStop(settings, measure, progress),
        _Log(settings.log_every, progress, output),
        _Best(measure, progress, output),
        _Checkpoints(settings, progress, output),
    ]


class _EarlyStop(Callback):
    """Stops after ``patience`` epochs without a relative gain of ``min_gain``."""

    def __init__(self, settings: TrainerSettings, measure: Measure, progress: Progress) -> None:
        self.patience, self.min_gain = settings.patience, settings.min_gain
        self.measure, self.progress = measure, progress
        self.reference: float | None = None
        self.waited = 0

    def on_train_start(self, trainer, module) -> None:
        if self.waited >= self.patience:
            self.progress.stop(trainer, "early stop")

    def on_validation_end(self, trainer, module) -> None:
        cost = self.measure.cost(trainer.callback_metrics)
        if cost != cost:
            self.progress.stop(trainer, "not finite")
        elif self.reference is None or self.reference - cost > self.min_gain * abs(self.reference):
            self.reference, self.waited = cost, 0
        else:
            self.waited += 1
            if self.waited >= self.patience:
                self.progress.stop(trainer, "early stop")

    def state_dict(self) -> dict[str, Any]:
        return {"reference": self.reference, "waited": self.waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.reference, self.waited = state_dict["reference"], state_dict["waited"]


class _Checkpoints(Callback):
    """Saves checkpoints after each epoch, every few minutes and at the time limit; stops there."""

    def __init__(self, settings: TrainerSettings, progress: Progress, output: Path) -> None:
        self.output, self.progress = output, progress
        self.interval_s = settings.checkpoint_minutes * 60
        self.saved_s = 0.0

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        timed_out = self.progress.timed_out
        # after the last batch of an epoch come validation and then the epoch's own checkpoint
        last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        due = self.progress.session_s - self.saved_s >= self.interval_s
        if not last and (timed_out or due):
            self._save(trainer)
        if timed_out:
            self.progress.stop(trainer, "time limit")
            done = self.progress.batches
            print(f"time limit: stopped after step {done}; go on with --resume")

    def on_train_epoch_end(self, trainer, module) -> None:
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._save(trainer)

    def _save(self, trainer: L.Trainer) -> None:
        trainer.save_checkpoint(checkpoint_path(self.output, self.progress.batches))
        self.saved_s = self.progress.session_s


class _Best(Callback):
    """Keeps the best weights of a run, best first, with their metrics in the headers."""

    def __init__(self, measure: Measure, progress: Progress, output: Path) -> None:
        self.measure, self.progress, self.output = measure, progress, output

    def on_validation_end(self, trainer, module) -> None:
        step, keep = self.progress.batches, self.measure.keep
        metadata = {k: float(v) for k, v in trainer.callback_metrics.items()} | {"step": step}
        paths = [p for i in range(keep) if (p := best_path(self.output, i)).is_file()]
        headers = {path: read_metadata(path) for path in paths}
        # a session that was killed between validation and checkpoint validates this step again
        kept = [path for path in paths if headers[path]["step"] != step]
        cost = self.measure.cost(metadata)
        place = sum(not cost < self.measure.cost(headers[path]) for path in kept)
        if place >= keep:
            return
        for i in range(min(len(kept), keep - 1), place, -1):
            write_bytes(best_path(self.output, i), kept[i - 1].read_bytes())
        tensors = {k: v.detach().cpu().contiguous().clone() for k, v in module.state_dict().items()}
        write_safetensors(best_path(self.output, place), tensors, metadata)


class _Log(Callback):
    """Writes one row per value to ``log.csv``: step, epoch, minutes, name, value."""

    def __init__(self, every: int, progress: Progress, output: Path) -> None:
        self.every, self.progress, self.path = every, progress, output / LOG
        self.losses: list[Tensor] = []
        self.lines = not sys.stdout.isatty()

    def on_train_start(self, trainer, module) -> None:
        done = self.progress.batches
        rows = _log_rows(self.path, done) if done and self.path.is_file() else []
        with replacing_text(self.path) as stream:
            csv.writer(stream).writerows([LOG_COLUMNS, *rows])

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is not None:  # several optimisers may log their losses instead
            self.losses.append(loss.detach())
        if self.progress.batches % self.every:
            return
        metrics = trainer.callback_metrics.items()
        values = {k: float(v) for k, v in metrics if not k.startswith("validation")}
        values["learning_rate"] = trainer.optimizers[0].param_groups[0]["lr"]
        if self.losses:
            mean = sum(map(float, self.losses)) / len(self.losses)
            values = {"loss": mean, "learning_rate": values.pop("learning_rate"), **values}
        self._write(trainer, values)
        self.losses = []
        for name, value in values.items():
            if value != value:
                raise RuntimeError(
                    f"training: {name} is not finite at step {self.progress.batches}; "
                    "lower learning_rate"
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
        minutes = f"{self.progress.session_s / 60:.2f}"
        place = [self.progress.batches, trainer.current_epoch, minutes]
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

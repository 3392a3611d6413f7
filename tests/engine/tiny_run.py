"""A tiny regression run; as a program, ``tiny_run.py OUTPUT STEP`` kills itself after that step."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from Datasets.loaders import make_loader
from Engine.sampling import Draw
from Engine.trainer import fit
from Engine.training_settings import TrainerSettings

SETTINGS = TrainerSettings(
    max_epochs=3,
    steps_per_epoch=4,
    patience=9,
    precision="32-true",
    checkpoint_minutes=0.0,
    log_every=2,
    seed=3,
)


class Killed(Exception):
    """Stands for a crash inside a training step."""


class TenPoints(Dataset):
    """Ten points with their sums."""

    def __init__(self) -> None:
        self.x = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))

    def __len__(self) -> int:
        return 10

    def __getitem__(self, key: int | Draw) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.x[key.index if isinstance(key, Draw) else key]
        return x, x.sum(0, keepdim=True)


class TinyModule(L.LightningModule):
    """A network with dropout, momentum and a schedule: all that a resume can get wrong."""

    def __init__(self, crash=None, losses=None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1)
        )
        self.crash = crash or (lambda step: None)
        self.losses = losses

    def training_step(self, batch, batch_idx):
        self.crash(self.global_step)
        return nn.functional.mse_loss(self.network(batch[0]), batch[1])

    def validation_step(self, batch, batch_idx):
        loss = nn.functional.mse_loss(self.network(batch[0]), batch[1])
        self.log(
            "validation_loss",
            self.losses[self.current_epoch] if self.losses else loss,
            batch_size=len(batch[0]),
        )

    def configure_optimizers(self):
        optimiser = torch.optim.AdamW(self.parameters(), lr=0.05)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / 13)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def loaders() -> tuple[DataLoader, DataLoader]:
    """Train and validation loaders over the same ten points; the passes are five batches long."""
    data = TenPoints()
    return make_loader(data, 2, 0, train=True, seed=5), make_loader(data, 5, 0, train=False)


def crash_at(step: int):
    """Return a hook that fails once the given number of steps is done."""

    def crash(done: int) -> None:
        if done == step:
            raise Killed

    return crash


def kill_at(step: int):
    """Return a hook that kills this very process once the given number of steps is done."""

    def crash(done: int) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return crash


if __name__ == "__main__":
    fit(
        TinyModule(kill_at(int(sys.argv[2]))), *loaders(), SETTINGS, Path(sys.argv[1]), resume=False
    )

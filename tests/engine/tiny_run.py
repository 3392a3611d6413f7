"""Tiny runs; ``tiny_run.py KIND OUTPUT BATCHES`` kills itself after that many batches."""

from __future__ import annotations

import csv
import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from Datasets.loaders import make_loader
from Engine.module import AveragedModule
from Engine.sampling import Draw
from Engine.trainer import fit
from Engine.training_settings import OptimiserSettings, TrainerSettings

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
        x = self.x[key.item if isinstance(key, Draw) else key]
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


class TinyAdversarial(AveragedModule):
    """A generator that imitates points, and a discriminator that is trained twice as often.

    The average is that of the generator; the discriminator counts its own optimiser's steps.
    """

    def __init__(self, crash=None, clip: float | None = 0.5) -> None:
        torch.manual_seed(0)
        limits = dataclasses.replace(SETTINGS, gradient_clip=clip)
        schedule = OptimiserSettings(learning_rate=0.05, warmup_steps=3, average_decay=0.8)
        super().__init__(
            nn.Sequential(nn.Linear(2, 8), nn.GELU(), nn.Linear(8, 3)), schedule, limits
        )
        self.automatic_optimization = False
        self.discriminator = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.crash = crash or (lambda batches: None)
        self.rates, self.norms = [], []

    def make_optimisers(self):
        return [
            torch.optim.Adam(self.network.parameters(), lr=0.05),
            torch.optim.SGD(self.discriminator.parameters(), lr=0.1, momentum=0.9),
        ]

    def training_step(self, batch, batch_idx):
        self.crash(self.batches)
        generator, discriminator = self.optimizers()
        self.rates.append([o.param_groups[0]["lr"] for o in self.trainer.optimizers])
        for _ in range(2):
            made = self.network(torch.randn(len(batch[0]), 2)).detach()
            real, fake = self.discriminator(batch[0]), self.discriminator(made)
            loss = nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean()
            self.minimise(loss, discriminator)
            self.norms.append(norm_of_gradients(self.discriminator))
        made = self.network(torch.randn(len(batch[0]), 2))
        self.minimise(nn.functional.softplus(-self.discriminator(made)).mean(), generator)
        self.norms.append(norm_of_gradients(self.network))
        self.log("discriminator_loss", loss.detach())

    def validation_step(self, batch, batch_idx):
        made = self.average(torch.randn(64, 2, generator=torch.Generator().manual_seed(0)))
        spread = (made.mean(0) - batch[0].mean(0)).norm()
        self.log_dict({"validation_loss": spread, "validation_good": -spread}, batch_size=1)


def norm_of_gradients(network: nn.Module) -> float:
    """Norm of all gradients of a network together."""
    return float(torch.stack([p.grad.norm() for p in network.parameters()]).norm())


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


def kill(kind: str, output: Path, batches: int) -> None:
    """Begin a run in another process, which kills itself."""
    program = [sys.executable, __file__, kind, str(output), str(batches)]
    run = subprocess.run(program, capture_output=True, check=False)
    assert run.returncode == -signal.SIGKILL, run.stderr


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    """Copies of all weights of a module."""
    return {k: v.clone() for k, v in module.state_dict().items()}


def log_rows(output: Path) -> list[tuple[str, str, str]]:
    """Step, name and value of each row of a run's log."""
    with (output / "log.csv").open(newline="") as stream:
        return [(r["step"], r["name"], r["value"]) for r in csv.DictReader(stream)]


if __name__ == "__main__":
    kind = {"regression": TinyModule, "adversarial": TinyAdversarial}[sys.argv[1]]
    fit(kind(kill_at(int(sys.argv[3]))), *loaders(), SETTINGS, Path(sys.argv[2]), resume=False)

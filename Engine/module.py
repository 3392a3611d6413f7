"""What every recipe shares: optimisers, their schedule and clipping, and averaged weights."""

from __future__ import annotations

import copy
import math

import lightning as L
import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Optimizer

from Engine.training_settings import OptimiserSettings, TrainerSettings


def rate_factor(progress: float, step: int, settings: OptimiserSettings) -> float:
    """Factor of the learning rate: linear warm-up, then the fall to ``final_factor``."""
    progress = min(max(progress, 0.0), 1.0)
    if settings.schedule == "exponential":
        fall = settings.final_factor**progress
    else:
        half_wave = (1 + math.cos(math.pi * progress)) / 2
        fall = settings.final_factor + (1 - settings.final_factor) * half_wave
    return fall * min(1.0, (step + 1) / max(settings.warmup_steps, 1))


class AveragedModule(L.LightningModule):
    """A network in training beside the running average of its weights, which is evaluated and kept.

    A recipe with one optimiser returns its loss from ``training_step``. A recipe with several, such
    as a generator and a discriminator, sets ``automatic_optimization = False``, overrides
    ``make_optimisers`` and calls ``minimise`` for each of them, as often as it likes in a batch.
    Learning rates and the average move once per batch, whatever the number of optimiser steps.

    Attributes:
        network: the trained network, a ``ModuleDict`` where several are to be averaged.
        average: the running average of its weights.
        batches: batches done since the very start.
    """

    def __init__(
        self, network: nn.Module, optimiser: OptimiserSettings, limits: TrainerSettings
    ) -> None:
        super().__init__()
        self.network = network
        self.average = copy.deepcopy(network).requires_grad_(False).eval()
        self.settings, self.limits = optimiser, limits
        self.batches = 0
        self._rates: list[list[float]] = []

    def train(self, mode: bool = True) -> AveragedModule:
        """Switch the trained network; the average always evaluates."""
        super().train(mode)
        self.average.eval()
        return self

    def make_optimisers(self) -> list[Optimizer]:
        """AdamW over every trained parameter; override for other or several optimisers."""
        return [
            torch.optim.AdamW(
                [p for p in self.parameters() if p.requires_grad],
                lr=self.settings.learning_rate,
                weight_decay=self.settings.weight_decay,
            )
        ]

    def configure_optimizers(self) -> list[Optimizer]:
        """Make the optimisers; their learning rates now are the peaks of the schedule."""
        optimisers = self.make_optimisers()
        self._rates = [[group["lr"] for group in each.param_groups] for each in optimisers]
        return optimisers

    def begin_batch(self, batches: int, progress: float) -> None:
        """Set the learning rates of a batch.

        Args:
            batches: batches done.
            progress: share of the run that is done.
        """
        self.batches = batches
        factor = rate_factor(progress, batches, self.settings)
        for optimiser, rates in zip(self.trainer.optimizers, self._rates, strict=True):
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * factor

    def minimise(self, loss: Tensor, optimiser: LightningOptimizer) -> None:
        """Take one step of one of ``self.optimizers()`` (manual optimisation only)."""
        optimiser.zero_grad()
        self.manual_backward(loss)
        optimiser.step()

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip the gradients of the parameters of this optimiser."""
        if self.limits.gradient_clip is not None:
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(parameters, self.limits.gradient_clip)

    @torch.no_grad()
    def end_batch(self, batches: int) -> None:
        """Move the average towards the newest weights; early in training it follows faster."""
        self.batches = batches
        keep = min(self.settings.average_decay, batches / (batches + 10))
        average, newest = self.average.state_dict(), self.network.state_dict()
        names = [name for name, value in newest.items() if value.is_floating_point()]
        torch._foreach_lerp_([average[n] for n in names], [newest[n] for n in names], 1 - keep)

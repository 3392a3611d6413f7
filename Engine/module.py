"""What every recipe shares: optimiser, a schedule that knows its budget, averaged weights."""

from __future__ import annotations

import copy
import math
import time
from typing import Any

import lightning as L
import torch
from torch import nn

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
    """A network in training beside the running average of its weights, which is what counts.

    The schedule goes by steps, or by the minutes of all sessions where those run out first.
    """

    def __init__(
        self, network: nn.Module, optimiser: OptimiserSettings, limits: TrainerSettings
    ) -> None:
        super().__init__()
        self.network = network
        self.average = copy.deepcopy(network).requires_grad_(False).eval()
        self.settings, self.limits = optimiser, limits
        self._time_share, self._time_share_before = 0.0, 0.0
        self._began: float | None = None

    def train(self, mode: bool = True) -> AveragedModule:
        """Switch the trained network; the average always evaluates."""
        super().train(mode)
        self.average.eval()
        return self

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW over the trained network, and whatever else a recipe learns."""
        return torch.optim.AdamW(
            [p for p in self.parameters() if p.requires_grad],
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
        )

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Set the learning rate of this step."""
        self._began = self._began or time.monotonic()
        total = self.limits.max_epochs * self.trainer.num_training_batches
        if self.limits.max_minutes:
            spent = (time.monotonic() - self._began) / (60 * self.limits.max_minutes)
            self._time_share = self._time_share_before + spent
        progress = max(self.global_step / max(total, 1), self._time_share)
        factor = rate_factor(progress, self.global_step, self.settings)
        for group in self.optimizers().param_groups:
            group["lr"] = self.settings.learning_rate * factor

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step, then let the average follow, before any checkpoint is written."""
        super().optimizer_step(*args, **kwargs)
        self._follow(self.global_step + 1)

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        """Move the average towards the newest weights; early in training it follows faster."""
        keep = min(self.settings.average_decay, step / (step + 10))
        ours, newest = self.average.state_dict(), self.network.state_dict()
        names = [name for name, value in newest.items() if value.is_floating_point()]
        torch._foreach_lerp_([ours[n] for n in names], [newest[n] for n in names], 1 - keep)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the share of the minutes that is spent."""
        checkpoint["time_share"] = self._time_share

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with what is left of the minutes."""
        self._time_share_before = checkpoint["time_share"]

"""Settings that every training run shares; free of torch, so that ``--help`` is fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from Engine.settings import Settings, count, limited, seed, share


@dataclass(frozen=True)
class TrainerSettings(Settings):
    """What every training run shares.

    Attributes:
        max_epochs: upper limit of epochs.
        max_minutes: stop cleanly, with a checkpoint, after this time over all sessions; a run that
            has spent it has as much again on resume.
        steps_per_epoch: batches between two validations; None means one pass over the data.
        patience: epochs without ``min_gain`` after which training stops.
        min_gain: smallest relative drop of the validation loss that counts as a gain.
        precision: auto uses bf16 on CUDA and on CPUs that multiply in bf16, else 32-bit floats.
        gradient_clip: largest norm of the gradient, or None.
        checkpoint_minutes: time between two checkpoints within an epoch.
        log_every: steps between two log rows.
        seed: of weights, data order and dropout.
    """

    max_epochs: int = count(100)
    max_minutes: float | None = limited(None, 0.0, 1e6)
    steps_per_epoch: int | None = count(None)
    patience: int = count(3)
    min_gain: float = share(0.001)
    precision: Literal["auto", "bf16-mixed", "32-true"] = "auto"
    gradient_clip: float | None = limited(None, 1e-6, 1e6)
    checkpoint_minutes: float = limited(5.0, 0.0, 1e6)
    log_every: int = count(50)
    seed: int = seed(0)


@dataclass(frozen=True)
class OptimiserSettings(Settings):
    """AdamW, its learning rate over the run, and the average of the weights that is kept.

    Attributes:
        learning_rate: peak.
        weight_decay: of AdamW; 0 makes it Adam.
        warmup_steps: steps of linear rise of the learning rate.
        schedule: how the learning rate falls until the epochs or the minutes run out.
        final_factor: learning rate at the end over its peak.
        average_decay: share of the average of the weights that each step keeps; validation and the
            written weights use the average. 0 uses the newest weights.
    """

    learning_rate: float = limited(1e-3, 0.0, 10.0)
    weight_decay: float = limited(0.01, 0.0, 10.0)
    warmup_steps: int = limited(100, 0, 1_000_000)
    schedule: Literal["cosine", "exponential"] = "cosine"
    final_factor: float = share(0.01)
    average_decay: float = share(0.998)

"""What the pose recipes share: configs from settings, the run, and the weights it writes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from torch import nn
from torch.utils.data import DataLoader

from Engine.module import AveragedModule
from Engine.trainer import FitSummary, best_state, fit
from Engine.weights import load_weights, save_weights
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings, LiftingSettings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")


def configured(kind: type[Config], settings: object, /, **others: Any) -> Config:
    """Make a dataclass from the fields of settings that have the same names, and from others."""
    names = {field.name for field in dataclasses.fields(kind)} & vars(settings).keys()
    return kind(**{name: getattr(settings, name) for name in names} | others)


def train_and_write(
    name: str,
    module: AveragedModule,
    codec: DataclassInstance,
    loaders: tuple[DataLoader, DataLoader],
    settings: HeatmapSettings | LiftingSettings | ClipLiftingSettings,
    output: Path,
    resume: bool,
) -> FitSummary:
    """Train a recipe and write ``output/NAME.safetensors``; see ``Engine.trainer.fit``."""
    summary = fit(module, *loaders, settings.trainer, output, resume, recipe=settings)
    write_best(output, name, module.network, codec, settings.skeleton)
    return summary


def write_best(
    output: Path, name: str, network: nn.Module, codec: DataclassInstance, skeleton: str
) -> Path:
    """Write a run's best averaged weights as ``output/NAME.safetensors``, half precision.

    Returns:
        The file; its metadata name the model, its config, the codec's settings and the skeleton.
    """
    fields = dataclasses.fields(codec)
    metadata = {
        "model": type(network).__name__,
        "config": dataclasses.asdict(cast("DataclassInstance", network.config)),
        "codec": {f.name: getattr(codec, f.name) for f in fields if f.name != "skeleton"},
        "skeleton": skeleton,
    }
    path = output / f"{name}.safetensors"
    save_weights(path, best_state(output, "average."), metadata)
    return path


def with_codec(path: Path, output: Path, **changes: float | tuple[float, ...]) -> None:
    """Write weights again with other values of their codec."""
    state, metadata = load_weights(path)
    save_weights(output, state, {**metadata, "codec": {**metadata["codec"], **changes}})

"""What the pose recipes share beside ``AveragedModule``: the weights they end with."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from torch import nn

from Engine.trainer import best_state
from Engine.weights import load_weights, save_weights


def with_codec(path: Path, output: Path, **changes: float) -> None:
    """Write weights again with other values of their codec."""
    state, metadata = load_weights(path)
    save_weights(output, state, {**metadata, "codec": {**metadata["codec"], **changes}})


def write_best(output: Path, name: str, network: nn.Module, codec: object, skeleton: str) -> Path:
    """Write a run's best averaged weights as ``output/NAME.safetensors``, half precision.

    Returns:
        The file; its metadata name the model, its config, the codec's settings and the skeleton.
    """
    described = {
        f.name: getattr(codec, f.name) for f in dataclasses.fields(codec) if f.name != "skeleton"
    }
    metadata = {
        "model": type(network).__name__,
        "config": dataclasses.asdict(network.config),
        "codec": described,
        "skeleton": skeleton,
    }
    path = output / f"{name}.safetensors"
    save_weights(path, best_state(output, "average."), metadata)
    return path

"""What the pose recipes share beside ``AveragedModule``: the weights they end with."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from Engine.trainer import best_state
from Engine.weights import load_weights, save_weights


def with_codec(path: Path, output: Path, **changes: float) -> None:
    """Write weights again with other values of their codec."""
    state, metadata = load_weights(path)
    save_weights(output, state, {**metadata, "codec": {**metadata["codec"], **changes}})


def reordered(path: Path, output: Path, order: Sequence[int]) -> None:
    """Write weights again with the joints' inputs and outputs in another order.

    Args:
        path: of a ``PoseResNet`` of heatmaps alone or a ``MartinezLifter``.
        output: the new file.
        order: for each joint, the one whose weights it gets.
    """
    state, metadata = load_weights(path)
    last = max((key for key in state if key.startswith("head.")), default=None, key=_layer_number)
    for key, value in state.items():
        if last is not None and key.split(".")[:2] == last.split(".")[:2]:
            state[key] = value[list(order)].clone()
        elif key.startswith("position."):
            state[key] = value[_each(order, 3)].clone()
        elif key == "stem.0.weight" and metadata["model"] == "MartinezLifter":
            state[key] = value[:, _each(order, 2)].clone()
    save_weights(output, state, metadata)


def _layer_number(key: str) -> int:
    return int(key.split(".")[1])


def _each(order: Sequence[int], values: int) -> list[int]:
    """Places of the values of joints, which have so many each."""
    return [values * joint + i for joint in order for i in range(values)]


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

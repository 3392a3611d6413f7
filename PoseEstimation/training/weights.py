"""What the pose recipes share beside ``AveragedModule``: the weights they begin and end with."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from Datasets.structures import DataError
from FasterRCNN.trainer import best_state
from FasterRCNN.weights import load_weights, save_weights


def load_initial(network: nn.Module, path: Path | None) -> None:
    """Start a network from earlier weights; outputs that those lack keep their own start.

    Raises:
        DataError: the weights are of another shape.
    """
    if path is None:
        return
    state, _ = load_weights(path)
    own = network.state_dict()
    try:
        network.load_state_dict({key: _grown(value, own.get(key)) for key, value in state.items()})
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(
            f"{path}: does not fit the network; choose its settings alike ({reason})"
        ) from None


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


def _grown(given: Tensor, own: Tensor | None) -> Tensor:
    """Rows of further outputs, which the network has and the file lacks, put after the given."""
    alike = own is not None and given.ndim > 0 and given.shape[1:] == own.shape[1:]
    if not alike or len(given) >= len(own):
        return given
    return torch.cat([given, own[len(given) :].to(given)])


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

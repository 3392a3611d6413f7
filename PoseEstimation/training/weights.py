"""What the pose recipes share beside ``AveragedModule``: the weights they begin and end with."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from torch import nn

from Datasets.structures import DataError
from FasterRCNN.trainer import best_state
from FasterRCNN.weights import load_weights, save_weights


def load_initial(network: nn.Module, path: Path | None) -> None:
    """Start a network from earlier weights.

    Raises:
        DataError: the weights are of another shape.
    """
    if path is None:
        return
    state, _ = load_weights(path)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(
            f"{path}: does not fit the network; choose its settings alike ({reason})"
        ) from None


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

"""MoveNet's published weights: a graph model of TensorFlow.js.

``FILE.json`` names tensors in the order in which the files that it lists hold them, each stored as
float16 or as it is; convolutions are (height, width, in, out), those per channel (height, width,
channel, 1). The graph itself is known (``models.movenet``); only the tensors are read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from Engine.errors import DataError
from Engine.mobilenet_v2 import STAGES
from Engine.provenance import file_sha256
from Engine.reading import load_json, require_file
from PoseEstimation.models.configs import MobileNetFPNSettings
from PoseEstimation.models.movenet import MoveNet

LICENCE = "Apache-2.0"
"""Of MoveNet's weights, and of the start that is made from them."""

Tensors = dict[str, np.ndarray]

_ROOT = "StatefulPartitionedCall/"
_MODEL = _ROOT + "center_net_mobile_net_v2fpn_feature_extractor/model_1/"
_BODY = _MODEL + "model/"
_CENTRE_WEIGHT = "ConstantFolding/StatefulPartitionedCall/truediv_2_recip"

_HEADS = {
    "center": ("center_0", 3),
    "heatmaps": ("kpt_heatmap_0", 4),
    "regress": ("kpt_regress_0", 5),
    "offset": ("kpt_offset_0", 6),
}
"""Each head's name in the file, and the number of its first layer; the next follows it."""


def read_movenet(path: Path | str) -> MoveNet:
    """Read the published network, ready to run.

    Raises:
        DataError: a file is missing, damaged, or holds another network.
    """
    tensors = _read_tensors(Path(path))
    try:
        widths = tuple(tensors[name].shape[-1] for name in _widening_layers())
        network = MoveNet(MobileNetFPNSettings(widths=widths), len(tensors[_CENTRE_WEIGHT]))
        _fill(network, tensors)
    except KeyError as error:
        raise DataError(f"{path}: tensor {error} is missing; give MoveNet's single pose") from None
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"{path}: not MoveNet's single pose ({reason})") from None
    return network.eval()


def source_of(path: Path | str) -> dict[str, Any]:
    """Where weights come from: the address that the file names, and hashes of its parts."""
    model = load_json(path, "model")
    files = [Path(path), *_weight_files(Path(path), model)]
    return {
        "source": str(model.get("generatedBy", "unknown")),
        "licence": LICENCE,
        "sha256": {file.name: file_sha256(file) for file in files},
    }


def _read_tensors(path: Path) -> Tensors:
    """All tensors by name, as float32 or integers."""
    model = load_json(path, "model")
    files = _weight_files(path, model)
    stored = b"".join(file.read_bytes() for file in files)
    tensors, start = {}, 0
    for name, shape, kind, wanted in _entries(path, model):
        end = start + math.prod(shape) * kind.itemsize
        if end > len(stored):
            break
        tensors[name] = np.frombuffer(stored[start:end], kind).reshape(shape).astype(wanted)
        start = end
    else:
        end = start
    if end != len(stored):
        raise DataError(
            f"{files[0]}: {len(stored)} bytes, {path.name} describes others; fetch both again"
        )
    return tensors


def _weight_files(path: Path, model: Any) -> list[Path]:
    try:
        names = [Path(n).name for group in model["weightsManifest"] for n in group["paths"]]
    except (KeyError, TypeError):
        names = []
    if not names:
        raise DataError(f"{path}: names no weights; give a graph model of TensorFlow.js")
    return [require_file(path.parent / name, "weights") for name in names]


def _entries(path: Path, model: Any) -> Iterator[tuple[str, tuple[int, ...], np.dtype, np.dtype]]:
    """Name, shape, type as stored and type as meant of each tensor, in the order of storage."""
    for entry in (entry for group in model["weightsManifest"] for entry in group["weights"]):
        try:
            wanted = np.dtype(entry["dtype"]).newbyteorder("<")
            stored = np.dtype(entry.get("quantization", entry)["dtype"]).newbyteorder("<")
            shape = tuple(int(length) for length in entry["shape"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise DataError(f"{path}: weightsManifest is damaged; fetch it again") from None
        if stored != wanted and stored.kind != "f":
            raise DataError(f"{path}: {entry['name']} is quantised to {stored}; give float16")
        yield entry["name"], shape, stored, wanted


def _widening_layers() -> list[str]:
    """The layers whose outputs are the widths: the stem, and the first block of each stage."""
    firsts = np.cumsum([0, *(count for count, _ in STAGES[:-1])])
    blocks = ["expanded_conv", *(f"block_{i}" for i in firsts[1:])]
    return [f"{_BODY}Conv1/Conv2D_weights", *(f"{_BODY}{b}_project/Conv2D_weights" for b in blocks)]


def _fill(network: MoveNet, tensors: Tensors) -> None:
    """Copy every tensor to its layer; layers stand in the order of ``_feature_layers``."""
    _fill_layers(network.features, tensors, _feature_layers())
    for name, (folder, number) in _HEADS.items():
        first = f"{_ROOT}{folder}/separable_conv2d_{number}/"
        last = f"{_ROOT}{folder}/conv2d_{number + 1}/"
        layers = [
            (f"{first}separable_conv2d/ReadVariableOp", None),
            (f"{first}separable_conv2d/ReadVariableOp_1", f"{first}BiasAdd/ReadVariableOp"),
            (f"{last}Conv2D/ReadVariableOp", f"{last}BiasAdd/ReadVariableOp"),
        ]
        _fill_layers(network.heads[name], tensors, layers)
    _copy(network.centre_weight, tensors[_CENTRE_WEIGHT][..., 0], _CENTRE_WEIGHT)


def _feature_layers() -> list[tuple[str, str | None]]:
    """Names of weights and biases in the order of the layers of ``Features``."""
    blocks = ["expanded_conv", *(f"block_{i}" for i in range(1, sum(n for n, _ in STAGES)))]
    body = ["Conv1/Conv2D"]
    for i, block in enumerate(blocks):
        body += [f"{block}_expand/Conv2D"] if i else []
        body += [f"{block}_depthwise/depthwise", f"{block}_project/Conv2D"]
    body.append("Conv_1/Conv2D")
    layers: list[tuple[str, str | None]] = [
        (f"{_BODY}{name}_weights", f"{_BODY}{name}_bn_offset") for name in body
    ]
    for name in ("conv2d", "conv2d_1", "conv2d_2", "conv2d_3"):
        layer = f"{_MODEL}{name}/"
        layers.append((f"{layer}Conv2D/ReadVariableOp", f"{layer}BiasAdd/ReadVariableOp"))
    for name in ("separable_conv2d", "separable_conv2d_1", "separable_conv2d_2"):
        layer = f"{_MODEL}{name}/separable_conv2d"
        layers.append((f"{layer}/ReadVariableOp", None))
        layers.append((f"{layer}_weights", f"{layer}_bn_offset"))
    return layers


@torch.no_grad()
def _fill_layers(module: nn.Module, tensors: Tensors, names: list[tuple[str, str | None]]) -> None:
    """Copy weights and biases to the convolutions of a module, in their order."""
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    for layer, (weight, bias) in zip(layers, names, strict=True):
        order = (2, 3, 0, 1) if layer.groups > 1 else (3, 2, 0, 1)
        _copy(layer.weight, tensors[weight].transpose(order), weight)
        if layer.bias is not None and bias is not None:
            _copy(layer.bias, tensors[bias], bias)


def _copy(own: Tensor, given: np.ndarray, name: str) -> None:
    if own.shape != given.shape:
        raise ValueError(f"{name} is {given.shape}, must be {tuple(own.shape)}")
    own.copy_(torch.from_numpy(given))

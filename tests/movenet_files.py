"""A tiny network of MoveNet's graph in the files of TensorFlow.js, and its forward in NumPy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

ROOT = "StatefulPartitionedCall/"
MODEL = ROOT + "center_net_mobile_net_v2fpn_feature_extractor/model_1/"
BODY = MODEL + "model/"
CENTRE = "ConstantFolding/StatefulPartitionedCall/truediv_2_recip"
WIDTHS = (6, 4, 5, 6, 7, 8, 9, 10)
STRIDES = {1: 2, 3: 2, 6: 2, 13: 2}
STAGE = [0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6]
HEADS = (("center_0", 3, 1), ("kpt_heatmap_0", 4, 17), ("kpt_regress_0", 5, 34))
HEADS = (*HEADS, ("kpt_offset_0", 6, 34))
SIDE = 64


def tiny_tensors(generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Random weights by their published names, in float16."""
    shapes: dict[str, tuple[int, ...]] = {f"{BODY}Conv1/Conv2D": (3, 3, 3, WIDTHS[0])}
    channels = WIDTHS[0]
    for i, stage in enumerate(STAGE):
        name = f"{BODY}block_{i}" if i else f"{BODY}expanded_conv"
        inner = 6 * channels if i else channels
        if i:
            shapes[f"{name}_expand/Conv2D"] = (1, 1, channels, inner)
        shapes[f"{name}_depthwise/depthwise"] = (3, 3, inner, 1)
        shapes[f"{name}_project/Conv2D"] = (1, 1, inner, channels := WIDTHS[stage + 1])
    shapes[f"{BODY}Conv_1/Conv2D"] = (1, 1, channels, 1280)
    named = {}
    for name, shape in shapes.items():
        named[f"{name}_weights"] = shape
        named[f"{name}_bn_offset"] = (shape[2] if shape[3] == 1 else shape[3],)
    lateral = ((1280, 64), (WIDTHS[4], 64), (WIDTHS[3], 32), (WIDTHS[2], 24))
    for ending, shape in zip(("", "_1", "_2", "_3"), lateral, strict=True):
        named[f"{MODEL}conv2d{ending}/Conv2D/ReadVariableOp"] = (1, 1, *shape)
        named[f"{MODEL}conv2d{ending}/BiasAdd/ReadVariableOp"] = shape[1:]
    for ending, (a, b) in zip(("", "_1", "_2"), ((64, 32), (32, 24), (24, 24)), strict=True):
        layer = f"{MODEL}separable_conv2d{ending}/separable_conv2d"
        named[f"{layer}/ReadVariableOp"] = (3, 3, a, 1)
        named[f"{layer}_weights"], named[f"{layer}_bn_offset"] = (1, 1, a, b), (b,)
    for folder, number, outputs in HEADS:
        first = f"{ROOT}{folder}/separable_conv2d_{number}/"
        last = f"{ROOT}{folder}/conv2d_{number + 1}/"
        named[f"{first}separable_conv2d/ReadVariableOp"] = (3, 3, 24, 1)
        named[f"{first}separable_conv2d/ReadVariableOp_1"] = (1, 1, 24, 96)
        named[f"{first}BiasAdd/ReadVariableOp"] = (96,)
        named[f"{last}Conv2D/ReadVariableOp"] = (1, 1, 96, outputs)
        named[f"{last}BiasAdd/ReadVariableOp"] = (outputs,)
    names = list(named)
    generator.shuffle(names)  # the order in the file is any
    tensors = {}
    for name in names:
        shape = named[name]
        inputs = np.prod(shape[:2]) * (1 if shape[-1] == 1 else shape[2]) if len(shape) > 1 else 50
        tensors[name] = generator.normal(0, (2 / inputs) ** 0.5, shape).astype(np.float16)
    middle = generator.uniform(0.5, 1, (SIDE // 4, SIDE // 4, 1))
    return {**tensors, CENTRE: middle.astype(np.float16)}


def write_model(folder: Path, tensors: dict[str, np.ndarray]) -> Path:
    """Write ``tiny.json`` and ``tiny.bin``, with an integer tensor between the others."""
    folder.mkdir(parents=True, exist_ok=True)
    entries, stored = [], b""
    for i, (name, tensor) in enumerate(tensors.items()):
        if i == 3:
            entries.append({"name": "axis", "shape": [2], "dtype": "int32"})
            stored += np.array([1, -1], "<i4").tobytes()
        quantised = {"dtype": "float16", "original_dtype": "float32"}
        entry = {"name": name, "shape": list(tensor.shape), "dtype": "float32"}
        entries.append({**entry, "quantization": quantised})
        stored += tensor.astype("<f2").tobytes()
    manifest = [{"paths": ["tiny.bin"], "weights": entries}]
    model = {"format": "graph-model", "generatedBy": "a test", "weightsManifest": manifest}
    (folder / "tiny.json").write_text(json.dumps(model))
    (folder / "tiny.bin").write_bytes(stored)
    return folder / "tiny.json"


def run_graph(images: np.ndarray, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The published graph up to its four heads: RGB 0 to 255, (batch, row, column, channel)."""
    given = {name: value.astype(np.float64) for name, value in tensors.items()}

    def body(x, name, stride=1):
        return _conv(x, given[f"{name}_weights"], stride) + given[f"{name}_bn_offset"]

    def relu6(x):
        return np.clip(x, 0, 6)

    x = relu6(body(images / 127.5 - 1, f"{BODY}Conv1/Conv2D", 2))
    levels = []
    for i in range(17):
        name = f"{BODY}block_{i}" if i else f"{BODY}expanded_conv"
        wide = relu6(body(x, f"{name}_expand/Conv2D")) if i else x
        wide = relu6(body(wide, f"{name}_depthwise/depthwise", STRIDES.get(i, 1)))
        narrow = body(wide, f"{name}_project/Conv2D")
        x = narrow + x if i and STAGE[i] == STAGE[i - 1] else narrow
        levels.append(x)
    x = relu6(body(x, f"{BODY}Conv_1/Conv2D"))

    def lateral(x, ending):
        layer = f"{MODEL}conv2d{ending}/"
        kernel = given[f"{layer}Conv2D/ReadVariableOp"]
        return _conv(x, kernel) + given[f"{layer}BiasAdd/ReadVariableOp"]

    x = lateral(x, "")
    for up, (ending, tap) in enumerate((("_1", 9), ("_2", 5), ("_3", 2))):
        x = _doubled(x) + lateral(levels[tap], ending)
        layer = f"{MODEL}separable_conv2d{('', '_1', '_2')[up]}/separable_conv2d"
        x = np.maximum(body(_conv(x, given[f"{layer}/ReadVariableOp"]), layer), 0)
    outputs = {}
    for folder, number, _ in HEADS:
        first = f"{ROOT}{folder}/separable_conv2d_{number}/"
        last = f"{ROOT}{folder}/conv2d_{number + 1}/"
        y = _conv(x, given[f"{first}separable_conv2d/ReadVariableOp"])
        y = _conv(y, given[f"{first}separable_conv2d/ReadVariableOp_1"])
        y = np.maximum(y + given[f"{first}BiasAdd/ReadVariableOp"], 0)
        y = _conv(y, given[f"{last}Conv2D/ReadVariableOp"])
        outputs[folder] = y + given[f"{last}BiasAdd/ReadVariableOp"]
    return outputs


def decode(heads: dict[str, np.ndarray], centre_weight: np.ndarray) -> np.ndarray:
    """The published decoding of one image's heads, joint by joint: (joint, (y, x, score))."""
    side = len(centre_weight)
    centre = _sigmoid(heads["center_0"]) * centre_weight
    row, column = divmod(int(centre.argmax()), side)
    found = np.zeros((17, 3))
    for joint in range(17):
        y, x = heads["kpt_regress_0"][row, column, 2 * joint : 2 * joint + 2] + (row, column)
        scores = _sigmoid(heads["kpt_heatmap_0"][..., joint])
        rows, columns = np.mgrid[:side, :side]
        near = scores / (np.hypot(rows - y, columns - x) + 1.8)
        cell = divmod(int(near.argmax()), side)
        offset = heads["kpt_offset_0"][(*cell, slice(2 * joint, 2 * joint + 2))]
        found[joint, :2] = (np.array(cell) + offset) / side
        found[joint, 2] = scores[cell]
    return found


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _conv(x: np.ndarray, kernel: np.ndarray, stride: int = 1) -> np.ndarray:
    """Convolution with SAME padding; of each channel alone where the kernel has one output."""
    size = kernel.shape[0]
    rows, columns = (-(-length // stride) for length in x.shape[1:3])
    short = [
        max((n - 1) * stride + size - length, 0)
        for n, length in zip((rows, columns), x.shape[1:3], strict=True)
    ]
    x = np.pad(x, ((0, 0), *((s // 2, s - s // 2) for s in short), (0, 0)))
    total = 0.0
    for i in range(size):
        for j in range(size):
            part = x[:, i : i + stride * rows : stride, j : j + stride * columns : stride]
            part = part[:, :rows, :columns]
            alone = kernel.shape[3] == 1 and kernel.shape[2] > 1 and size == 3
            total = total + (part * kernel[i, j, :, 0] if alone else part @ kernel[i, j])
    return total


def _doubled(x: np.ndarray) -> np.ndarray:
    """Bilinear, twice as large, centres of pixels at halves."""
    for axis in (1, 2):
        length = x.shape[axis]
        place = np.clip((np.arange(2 * length) + 0.5) / 2 - 0.5, 0, length - 1)
        low = np.floor(place).astype(int)
        high, share = np.minimum(low + 1, length - 1), place - low
        share = share.reshape([-1 if a == axis else 1 for a in range(4)])
        x = x.take(low, axis) * (1 - share) + x.take(high, axis) * share
    return x

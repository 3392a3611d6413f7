"""``infantpose import``: initial weights of the 2D recipe from a published network."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from Engine.files import require_writable


def run(args: argparse.Namespace) -> int:
    """Write both files and name them."""
    output = require_writable(args.output)
    from Datasets.skeletons import COCO_17, INFANT
    from PoseEstimation.io.movenet import read_movenet, source_of
    from PoseEstimation.models.movenet import start_of

    movenet, source = read_movenet(args.model), source_of(args.model)
    side = 4 * len(movenet.centre_weight)
    for file, network, skeleton in (
        ("movenet", start_of(movenet, COCO_17, 1), COCO_17),
        ("heatmap", start_of(movenet, INFANT, 3), INFANT),
    ):
        path = output / f"{file}.safetensors"
        _write(path, network, side, skeleton.name, source)
        print(f"{path}: {len(skeleton)} joints, crops of {side} pixels, {source['licence']}")
    return 0


def _write(path: Path, network: Any, side: int, skeleton: str, source: dict[str, Any]) -> None:
    from Engine.weights import save_weights
    from PoseEstimation.codecs.heatmap import HeatmapCodec
    from PoseEstimation.models.movenet import PEAK

    stride = network.output_stride
    codec = HeatmapCodec(input_size=side, heatmap_size=side // stride, sigma=PEAK)
    metadata = {
        "model": type(network).__name__,
        "config": dataclasses.asdict(network.config),
        "codec": dataclasses.asdict(codec),
        "skeleton": skeleton,
        **source,
    }
    save_weights(path, network.state_dict(), metadata)

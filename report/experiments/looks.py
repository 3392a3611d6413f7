"""Do generated people look like people? MoveNet as it comes, which learnt from real ones, says.

``python -m report.experiments looks --model FILE.json --data NAME=FOLDER ... --output DIR`` prints
and writes keypoint AP in true boxes per data set, posture, age and joint. It has never seen a
generated picture: where it fails on them and not on photos, pictures or labels are wrong.

OKS divides by the area of the box, as SyRIP's annotations have it, for every data set alike; the
area that a data set states itself (in COCO the mask's, about half as large) has a column of its
own.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.catalogue import open_dataset
from Datasets.outlines import true_box
from Datasets.selection import spread
from Datasets.skeletons import COCO_17, INFANT
from Datasets.sources import DATASETS
from Datasets.structures import PoseSample
from Engine.backends import TorchBackend
from Engine.errors import DataError
from Engine.files import require_writable
from Engine.provenance import code_identity
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.evaluation.frames import labelled_frames, run_frames
from PoseEstimation.evaluation.photo_ap import ap_interval, keypoint_ap, keypoint_results
from PoseEstimation.evaluation.provenance import labels_sha256
from PoseEstimation.evaluation.report import (
    print_tables,
    write_metrics,
    write_tables,
)
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import KeypointNetwork, TopDown
from PoseEstimation.io.movenet import read_movenet, source_of
from PoseEstimation.models.movenet import PEAK, start_of
from report.build.looks_tables import SCHEMA, looks_tables

LIMIT = 250
"""People per data set, evenly spread: MoveNet needs about a third of a second for each."""

SETTINGS = PredictSettings(flip_test=False, turns="best")


def main(arguments: Sequence[str]) -> int:
    """Measure data sets and write ``metrics.json`` and ``table.md``; returns the exit code."""
    parser = argparse.ArgumentParser("python -m report.experiments looks", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="MoveNet's graph, FILE.json")
    parser.add_argument("--data", nargs="+", type=_named, required=True, metavar="NAME=FOLDER")
    parser.add_argument("--split", default="all", help="of every data set, default all")
    parser.add_argument("--limit", type=int, default=LIMIT, help=f"people, default {LIMIT}")
    parser.add_argument("--output", type=Path, default=Path("runs/looks"))
    options = parser.parse_args(arguments)
    output = require_writable(options.output)
    predictor = movenet_predictor(options.model)
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "command": _command(options),
        "weights": source_of(options.model),
        **code_identity(),
        "data": [
            measure(predictor, name, folder, options.split, options.limit)
            for name, folder in options.data
        ],
    }
    write_metrics(output, content)
    write_tables(output, looks_tables(content), ())
    print_tables(looks_tables(content), ())
    return 0


def _command(options: argparse.Namespace) -> str:
    """What was asked for, without the folders of one machine."""
    data = " ".join(f"{name}={folder.name}" for name, folder in options.data)
    rest = f"--split {options.split} --limit {options.limit}"
    return f"python -m report.experiments looks --model {options.model.name} --data {data} {rest}"


def _named(text: str) -> tuple[str, Path]:
    name, _, folder = text.partition("=")
    known = [row.name for row in DATASETS]
    if name not in known or not folder:
        raise argparse.ArgumentTypeError(f"'{text}': write NAME=FOLDER, NAME of {', '.join(known)}")
    return name, Path(folder)


def movenet_predictor(model: Path) -> Predictor:
    """MoveNet as it comes, in given boxes; the best of four turns.

    Raises:
        DataError: see ``read_movenet``.
    """
    movenet = read_movenet(model)
    side = len(movenet.centre_weight)
    network = start_of(movenet, COCO_17, maps_per_joint=1)
    codec = HeatmapCodec(network.output_stride * side, side, sigma=PEAK)
    keypoints = KeypointNetwork(TorchBackend(network), codec, COCO_17)
    return Predictor(TopDown(None, keypoints, SETTINGS), settings=SETTINGS)


def measure(
    predictor: Predictor, name: str, root: Path, split: str = "all", limit: int = LIMIT
) -> dict[str, Any]:
    """Run people of a data set in their true boxes; each is scored as a photo of its own.

    Raises:
        DataError: the folder cannot be used.
    """
    people = [sample.to(COCO_17) for sample in open_dataset(name, root, split, INFANT).samples]
    people = [
        replace(sample, image_id=i)
        for i, sample in enumerate(spread([s for s in people if s.visibility.any()], limit))
    ]
    if not people:
        raise DataError(f"{name}: {root} holds no labelled people in '{split}'")
    boxes = [true_box(sample) for sample in people]
    frames = labelled_frames(people, boxes, fps=1.0, still=True)
    frames = (replace(frame, intrinsics=None) for frame in frames)
    results = keypoint_results(
        predictor.skeleton, run_frames(predictor, frames, "true", len(people)), people
    )
    areas = [float(np.prod(box[2:] - box[:2])) for box in boxes]
    rated = [replace(s, area_px=area) for s, area in zip(people, areas, strict=True)]
    stated = [sample for sample in people if sample.area_px]
    return {
        "name": name,
        "folder": root.name,
        "real": not (root / "generator.json").exists(),
        "labels_sha256": labels_sha256(people),
        "people": len(people),
        **keypoint_ap(rated, results),
        "interval": ap_interval(rated, results),
        "ap_stated_area": keypoint_ap(stated, results)["ap"] if stated else None,
        "postures": _groups(rated, results, lambda sample: sample.activity.lower()),
        "ages": _groups(rated, results, lambda sample: sample.age),
        "joints": _joints(rated, results),
    }


def _groups(
    samples: Sequence[PoseSample], results: list[dict[str, Any]], key: Callable[[PoseSample], str]
) -> dict[str, dict[str, float]]:
    """AP and number of the people of each kind."""
    names = [key(sample) for sample in samples]
    table = {}
    for name in sorted(set(names) - {""}):
        chosen = [sample for sample, its in zip(samples, names, strict=True) if its == name]
        table[name] = {"people": len(chosen), "ap": keypoint_ap(chosen, results)["ap"]}
    return table


def _joints(
    samples: Sequence[PoseSample], results: Sequence[dict[str, Any]]
) -> dict[str, float | None]:
    """Mean OKS of each joint where it is labelled, percent."""
    found = np.array([result["keypoints"] for result in results]).reshape(-1, len(COCO_17), 3)
    true = np.stack([sample.keypoints_px for sample in samples])
    known = np.stack([sample.visibility > 0 for sample in samples])
    area = np.array([[sample.area_px] for sample in samples], np.float64)
    square = ((found[..., :2] - true) ** 2).sum(-1)
    likeness = np.exp(-square / (2 * area * (2 * np.array(COCO_17.sigmas)) ** 2))
    return {
        joint: float(100 * likeness[known[:, i], i].mean()) if known[:, i].any() else None
        for i, joint in enumerate(COCO_17.joints)
    }

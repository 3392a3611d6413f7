"""How long MPII's JSON of the official size takes to open: a script that prints, not a test.

    python tests/benchmarks/mpii_opening.py

writes ``train.json`` and ``valid.json`` of 25,204 made-up people (12 MB) to a temporary folder and
opens both, three times.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from Datasets.layouts.mpii import OFFICIAL_PEOPLE
from Datasets.readers.mpii import open_mpii
from Datasets.skeletons import MPII_16
from Datasets.structures import PoseSample
from Datasets.writers.mpii import write_mpii_json


def people(count: int, seed: int) -> list[PoseSample]:
    """People with all joints labelled, somewhere in an image of 1920 x 1080 pixels."""
    rng = np.random.default_rng(seed)
    joints = rng.uniform(0, (1920, 1080), (count, len(MPII_16), 2)).round(4)
    centres, halves = rng.uniform(200, 900, (count, 2)), rng.uniform(50, 500, (count, 1))
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    seen = np.full(len(MPII_16), 2, np.uint8)
    return [
        PoseSample(Path(f"{i:09d}.jpg"), MPII_16, joints[i], seen, box_xyxy=boxes[i])
        for i in range(count)
    ]


def main() -> None:
    """Write, open, print."""
    with tempfile.TemporaryDirectory() as folder:
        for seed, part in enumerate(("train", "valid")):
            write_mpii_json(Path(folder), part, people(OFFICIAL_PEOPLE[part], seed))
        for _ in range(3):
            start = time.perf_counter()
            dataset = open_mpii(folder)
            print(f"{len(dataset)} people in {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()

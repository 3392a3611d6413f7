"""Does loading keep up with training? Crops per second of both, on this machine.

    python tests/benchmarks/loading.py --root data/mpii

Two workers turn JPEGs of a folder in the MPII layout into varied 256 x 256 crops; then a ResNet-18
heatmap network trains on crops that lie in memory, in bf16 where the processor multiplies in it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from Datasets.catalogue import open_dataset
from Datasets.loaders import CropDataset, make_loader
from Datasets.outlines import boxes_of
from Datasets.skeletons import INFANT
from PoseEstimation.settings import HeatmapSettings
from PoseEstimation.training.heatmap import HeatmapModule

SIZE, BATCH, WORKERS = 256, 32, 2


def crops_per_second(root: Path, batches: int) -> float:
    """Rate at which the loader gives crops, start-up left out."""
    dataset = open_dataset("mpii", root, "train", INFANT)
    crops = CropDataset(dataset, boxes_of(dataset), SIZE, train=True)
    loader = make_loader(crops, BATCH, WORKERS, train=True, samples_per_epoch=BATCH * batches)
    start = 0.0
    for number, _ in enumerate(loader):
        if number == 1:
            start = time.perf_counter()
    return BATCH * (batches - 2) / (time.perf_counter() - start)


def samples_per_second(steps: int) -> float:
    """Rate at which the network trains, first steps left out."""
    module = HeatmapModule(HeatmapSettings(input_size=SIZE, batch_size=BATCH))
    optimiser = torch.optim.AdamW(module.network.parameters(), 1e-4)
    generator = torch.Generator().manual_seed(0)
    batch = {
        "image": torch.randint(
            0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8, generator=generator
        ),
        "keypoints_px": torch.rand(BATCH, len(INFANT), 2, generator=generator) * SIZE,
        "visibility": torch.full((BATCH, len(INFANT)), 2, dtype=torch.uint8),
    }
    module.network.train().to(memory_format=torch.channels_last)
    start = 0.0
    for step in range(steps + 2):
        if step == 2:
            start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16):
            loss = module.training_step(batch, step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return BATCH * steps / (time.perf_counter() - start)


def main() -> None:
    """Measure one after the other and print both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="folder in the MPII layout")
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    loading = crops_per_second(options.root, options.batches)
    print(f"loading: {loading:.1f} crops/s with {WORKERS} workers", flush=True)
    training = samples_per_second(options.steps)
    threads = torch.get_num_threads()
    print(f"training ResNet-18 at {SIZE}: {training:.1f} crops/s with {threads} threads")
    print(f"loading over training: {loading / training:.2f}")


if __name__ == "__main__":
    main()

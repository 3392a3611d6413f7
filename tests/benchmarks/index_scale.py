"""How long labels of official size take to open: a script that prints, not a test.

    python tests/benchmarks/index_scale.py FOLDER

writes MPI-INF-3DHP's ``annot.mat`` of official size (16 sequences, 14 cameras, 1.8 million
samples, made-up labels, no images; 3 GB) into FOLDER/set, converts them under FOLDER/cache (1.7 GB)
and opens them in a new process. What is already there is used again: remove FOLDER afterwards.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.layouts.mpi_inf_3dhp import CAMERA_SETS, FRAMES, CalibratedCamera
from Datasets.readers.mpi_inf_3dhp import read_mpi_inf_3dhp_train
from Datasets.writers.mpi_inf_3dhp import write_calibration, write_train_annotations

LABELS = 10_000
CAMERAS = CAMERA_SETS["regular"]
INTRINSICS = intrinsics_matrix(1500, 1500, 1023.5, 1023.5)


def write_sequence(folder: Path, frames: int, seed: int) -> None:
    """Labels of one sequence: noise, which compresses worst, around the middle of the image."""
    generator = np.random.default_rng(seed)
    shape = (len(CAMERAS), frames, 28, 3)
    joints = generator.standard_normal(shape, dtype=np.float32) * np.float32(300)
    joints += np.array([0, 0, 4000], dtype=np.float32)
    write_train_annotations(folder, project(joints, INTRINSICS).astype(np.float32), joints)
    cameras = [CalibratedCamera(n, INTRINSICS, np.eye(4), (2048, 2048)) for n in CAMERAS]
    write_calibration(folder, cameras)


def peak_mb() -> float:
    """Largest resident memory of this process so far, MB, from Linux's own count."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def measure_open(root: Path, cache: Path) -> dict[str, float]:
    """Open everything, then look at random labels."""
    start = time.perf_counter()
    dataset = read_mpi_inf_3dhp_train(root, cameras="regular", cache=cache)
    opened = time.perf_counter()
    found = {"samples": len(dataset), "open_s": opened - start, "peak_open_mb": peak_mb()}
    chosen = np.random.default_rng(0).integers(0, len(dataset), LABELS).tolist()
    start = time.perf_counter()
    for index in chosen:
        sample = dataset.samples[index]
        if not np.isfinite(sample.joints_mm).all():
            raise SystemExit(f"sample {index} is not finite")
    return {**found, "labels_s": time.perf_counter() - start, "peak_labels_mb": peak_mb()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where several gigabytes may be written")
    parser.add_argument("--only-open", action="store_true", help="used by the script itself")
    arguments = parser.parse_args()
    root, cache = arguments.folder / "set", arguments.folder / "cache"
    if arguments.only_open:
        print(json.dumps(measure_open(root, cache)))
        return
    for seed, (name, frames) in enumerate(FRAMES.items()):
        if not (root / name / "camera.calibration").exists():
            write_sequence(root / name, frames, seed)
            print(f"wrote {name}", flush=True)
    start = time.perf_counter()
    read_mpi_inf_3dhp_train(
        root, cache=cache, progress=lambda done, of: print(f"converted {done} of {of}", flush=True)
    )
    print(f"conversion: {time.perf_counter() - start:.1f} s, peak {peak_mb():.0f} MB")
    command = [sys.executable, __file__, str(arguments.folder), "--only-open"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(answer.stdout)
    print(f"open, new process: {found['samples']} samples in {found['open_s']:.2f} s, ", end="")
    print(f"peak {found['peak_open_mb']:.0f} MB")
    print(f"{LABELS} random labels: {found['labels_s']:.2f} s, ", end="")
    print(f"peak {found['peak_labels_mb']:.0f} MB")


if __name__ == "__main__":
    main()

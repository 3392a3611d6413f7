"""Frozen benchmarks: generated data whose labels anyone can make again and check.

``NAME.json`` holds the name, profile, version of the generator, seed and, per sequence, the number
of frames and the sha256 of its label files; ``NAME.npz`` the 3D labels of every 50th frame, to
which labels made on another kind of machine must be equal to 0.01 mm. A generator that makes other
labels is another version and gets another name.

SynthInfant-1, 12 infants of an earlier generator, stays as the record of what was measured on it.
SynthInfant-2 has 40 infants of 250 frames, spread evenly over ages, proportions and ways to lie;
every fourth moves and looks as nothing that is trained on.

``infantpose synth --profile synthinfant2 --labels-only --output ROOT`` makes its labels alone;
``python -m report.build.benchmark ROOT --write FOLDER`` writes both files, ``--lock NAME.json``
compares with them.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.readers import mini_rgbd
from Engine.files import write_json, write_npz
from Engine.process import exit_code
from Engine.reading import load_json

EVERY, TOLERANCE_MM = 50, 0.01
LABELS = ("joints_2Ddep", "joints_3D")


def describe(root: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Describe generated data in the MINI-RGBD layout.

    Returns:
        Contents of the two files.

    Raises:
        DataError: the folder is not generated, or a label is missing or damaged.
    """
    made = load_json(root / "generator.json", "record of the generator")
    name = f"SynthInfant-{made['generator']}-{made['seed']}"
    sequences, joints = {}, {}
    for sequence in mini_rgbd.sequence_names(root):
        folder = root / sequence
        frames = sorted(mini_rgbd.frames_on_disk(folder)["joints_3D"])
        sequences[sequence] = {"frames": len(frames), "labels_sha256": _digest(folder, frames)}
        if source := mini_rgbd.source_of(folder):
            sequences[sequence]["source"] = source
        chosen = [mini_rgbd.load_labels(folder, frame)[1] for frame in frames[::EVERY]]
        joints[sequence] = np.stack(chosen)
    record = {
        "name": name,
        "profile": made["name"],
        "generator": made["generator"],
        "seed": made["seed"],
        "command": f"infantpose synth --profile {made['name']} --sequences {len(sequences)} "
        f"--frames {made['frames']} --seed {made['seed']} --output DIR",
        "sequences": sequences,
    }
    return record, joints


def compare(root: Path, lock: Path) -> list[str]:
    """Say, one line per sequence, how its labels differ from the frozen ones; empty when equal.

    Equal bytes are equal; else the labels of every 50th frame may be 0.01 mm apart.

    Raises:
        DataError: no such benchmark, or the folder cannot be read.
    """
    locked, (record, joints) = load_json(lock, "benchmark"), describe(root)
    if record["name"] != locked["name"]:
        return [f"{root} is {record['name']}, not {locked['name']}"]
    frozen = locked["sequences"]
    with np.load(lock.with_suffix(".npz"), allow_pickle=False) as file:
        expected = {name: file[name] for name in file.files}
    differences = []
    for name, found in record["sequences"].items():
        if name not in frozen:
            differences.append(f"{name}: not in {lock.stem}")
        elif found["frames"] != frozen[name]["frames"]:
            differences.append(
                f"{name}: {found['frames']} frames, {lock.stem} has {frozen[name]['frames']}"
            )
        elif found != frozen[name]:
            apart = np.abs(joints[name] - expected[name]).max()
            if not apart <= TOLERANCE_MM:
                differences.append(f"{name}: labels up to {apart:.3f} mm from {lock.stem}")
    return differences


def write(root: Path, folder: Path) -> Path:
    """Freeze generated data; returns the path of the JSON file."""
    record, joints = describe(root)
    path = folder / f"{record['name']}.json"
    write_json(path, record)
    write_npz(path.with_suffix(".npz"), **joints)
    return path


def _digest(folder: Path, frames: list[int]) -> str:
    """sha256 over the label files of a sequence, in the order of frames."""
    digest = hashlib.sha256()
    for frame in frames:
        for kind in LABELS:
            digest.update(mini_rgbd.frame_path(folder, kind, frame).read_bytes())
    return digest.hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Check or freeze; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="generated data in the MINI-RGBD layout")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--write", type=Path, metavar="FOLDER", help="freeze it")
    group.add_argument("--lock", type=Path, metavar="NAME.json", help="compare with it")
    options = parser.parse_args(arguments)
    return exit_code("infantpose", lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    if options.write is not None:
        print(write(options.root, options.write))
        return 0
    differences = compare(options.root, options.lock)
    print("\n".join(differences) or f"{options.root}: labels as in {options.lock.stem}")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())

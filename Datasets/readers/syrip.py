"""SyRIP (Huang et al., 2021): photos of infants in COCO's layout, and weak 3D labels beside them.

    root/annotations, root/images    see ``Datasets/readers/coco.py``
    root/weak_3d.npz      file_name (n,), joints_m (n, 14, 3) in LSP's order, corrected (n,)

Metres, camera-like axes (x right, y down, z forward), any origin: a network's output, part of which
people corrected.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from Datasets.readers.base import load_npz
from Datasets.readers.coco import open_coco
from Datasets.skeletons import LSP_14, Skeleton
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError

WEAK_3D = "weak_3d.npz"

_VIDEO = re.compile(r"youtu(?:be\.com/watch\?(?:.*&)?v=|\.be/)([\w-]+)")


def open_syrip(root: Path | str, split: str = "all", skeleton: Skeleton | None = None) -> Dataset:
    """Open a part of the photos: as ``open_coco``, and people of unknown age are infants.

    Args:
        root: see the module.
        split: as of ``open_coco``; ``train:2of4`` is the second of four parts of ``train`` that
            share no source, ``train:not-2of4`` the other three.
        skeleton: convention of the samples, default COCO's own.

    Raises:
        DataError: see ``open_coco``, or a part that does not exist.
    """
    whole, number, count, not_it = _part_of(split)
    dataset = open_coco(root, whole, skeleton)
    groups = [
        tuple(replace(sample, age=sample.age or "infant") for sample in group)
        for group in (dataset.samples, dataset.without_joints)
    ]
    if count:
        parts = source_parts([source_of(sample) for group in groups for sample in group], count)
        groups = [
            tuple(s for s in group if (parts[source_of(s)] == number) != not_it) for group in groups
        ]
    return replace(dataset, samples=groups[0], without_joints=groups[1])


def source_of(sample: PoseSample) -> str:
    """Where a photo is from, a video from any second the same; of unknown source is its own."""
    video = _VIDEO.search(sample.sequence)
    return video[1] if video else sample.sequence or sample.image_path.name


def source_parts(sources: Sequence[str], count: int) -> dict[str, int]:
    """Deal sources out to parts, 1 to ``count``, of about as many photos each.

    Args:
        sources: of each photo.
        count: of the parts.
    """
    photos = Counter(sources)
    sizes, parts = [0] * count, {}
    for source in sorted(photos, key=lambda name: (-photos[name], name)):
        smallest = sizes.index(min(sizes))
        sizes[smallest] += photos[source]
        parts[source] = smallest + 1
    return parts


def _part_of(split: str) -> tuple[str, int, int, bool]:
    """Take a split's name apart: its whole, number and count of parts (0 for all), others of it."""
    match = re.fullmatch(r"(.+):(not-)?([0-9]+)of([0-9]+)", split)
    if match is None:
        return split, 0, 0, False
    number, count = int(match[3]), int(match[4])
    if not 1 <= number <= count or count < 2:
        raise DataError(f"SyRIP: '{split}' is no part; write train:1of4 or train:not-1of4")
    return match[1], number, count, bool(match[2])


def read_weak_3d(root: Path, names: Sequence[str]) -> Float[np.ndarray, "n 14 3"]:
    """Weak 3D joints of photos in millimetres, in LSP's order; NaN for a photo without.

    Args:
        root: the folder of the data set.
        names: file names of the photos, without folder.

    Raises:
        DataError: the file is missing, damaged or of another layout.
    """
    path = root / WEAK_3D
    arrays = load_npz(path, "SyRIP", ("file_name", "joints_m"))
    known, joints_m = arrays["file_name"].tolist(), arrays["joints_m"].astype(np.float64)
    if joints_m.shape != (len(known), len(LSP_14), 3):
        raise DataError(
            f"SyRIP: {path}: joints_m has shape {joints_m.shape} for {len(known)} names, expected "
            f"({len(known)}, {len(LSP_14)}, 3); restore the file"
        )
    rows = {name: i for i, name in enumerate(known)}
    result = np.full((len(names), len(LSP_14), 3), np.nan)
    for i, name in enumerate(names):
        if name in rows:
            result[i] = 1000 * joints_m[rows[name]]
    return result

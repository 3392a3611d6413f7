"""SyRIP (Huang et al., 2021): photos of infants in COCO's layout, and weak 3D labels beside them.

    root/annotations, root/images    see ``Datasets/readers/coco.py``
    root/weak_3d.npz      file_name (n,), joints_m (n, 14, 3) in LSP's order, corrected (n,)

Metres, camera-like axes (x right, y down, z forward), any origin: a network's output, part of which
people corrected.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from Datasets.readers.base import require_file
from Datasets.readers.coco import open_coco
from Datasets.skeletons import LSP_14, Skeleton
from Datasets.structures import DataError, Dataset, PoseSample

WEAK_3D = "weak_3d.npz"


def open_syrip(root: Path | str, split: str = "all", skeleton: Skeleton | None = None) -> Dataset:
    """Open a part of the photos: as ``open_coco``, and people of unknown age are infants.

    Raises:
        DataError: see ``open_coco``.
    """
    dataset = open_coco(root, split, skeleton)
    people = tuple(_infant(sample) for sample in dataset.samples)
    others = tuple(_infant(sample) for sample in dataset.without_joints)
    return replace(dataset, samples=people, without_joints=others)


def _infant(sample: PoseSample) -> PoseSample:
    return replace(sample, age=sample.age or "infant")


def read_weak_3d(root: Path, names: Sequence[str]) -> Float[np.ndarray, "n 14 3"]:
    """Weak 3D joints of photos in millimetres, in LSP's order; NaN for a photo without.

    Args:
        root: the folder of the data set.
        names: file names of the photos, without folder.

    Raises:
        DataError: the file is missing, damaged or of another layout.
    """
    path = require_file(root / WEAK_3D, "SyRIP")
    try:
        with np.load(path, allow_pickle=False) as file:
            known, joints_m = file["file_name"].tolist(), file["joints_m"].astype(np.float64)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"SyRIP: {path} is damaged ({reason}); restore the file") from None
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

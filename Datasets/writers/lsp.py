"""Write the layouts of LSP and LSP-extended; see ``Datasets.readers.lsp``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from Datasets.layouts.lsp import image_file, joints_file
from Datasets.skeletons import LSP_14
from Datasets.structures import OCCLUDED, UNLABELLED, PoseSample
from Datasets.writers.containers import write_mat
from Engine.errors import DataError
from Engine.files import write_image


def write_lsp(root: Path | str, samples: Sequence[PoseSample], extended: bool = False) -> Path:
    """Write ``joints.mat``; the order of the samples is that of the images; returns the file.

    Args:
        root: folder of the data set; made when missing.
        samples: one person per image; image paths do not count, the n-th image is
            ``image_file(root, n, extended)``. The box is not kept: it follows from the joints.
        extended: as LSP-extended, whose joints are visible or unlabelled; else as LSP, whose joints
            are visible or occluded.

    Raises:
        DataError: no samples, a visibility that the layout does not know, or a labelled joint that
            is not finite.
    """
    if not samples:
        raise DataError("LSP: there are no samples to write; give at least one")
    rows = np.stack([_row(i, sample, extended) for i, sample in enumerate(samples, 1)])
    path = joints_file(Path(root))
    joints = rows.transpose(1, 2, 0) if extended else rows.transpose(2, 1, 0)
    write_mat(path, {"joints": joints}, "LSP")
    return path


def write_lsp_image(
    root: Path | str, number: int, extended: bool, rgb: UInt8[np.ndarray, "height width 3"]
) -> Path:
    """Write the image of a person, counted from 1, as JPEG."""
    path = image_file(Path(root), number, extended)
    write_image(path, Image.fromarray(rgb), durable=False, format="JPEG", quality=92)
    return path


def _row(number: int, sample: PoseSample, extended: bool) -> np.ndarray:
    """(14, 3) x, y and the flag."""
    sample = sample.to(LSP_14)
    keypoints, visibility = sample.keypoints_px, sample.visibility
    unknown, name, words = (
        (OCCLUDED, "LSP-extended", "occluded") if extended else (UNLABELLED, "LSP", "unlabelled")
    )
    if (visibility == unknown).any():
        joint = LSP_14.joints[int((visibility == unknown).argmax())]
        raise DataError(f"{name}: sample {number}: {joint} is {words}, which the layout cannot say")
    seen = visibility != UNLABELLED
    if not np.isfinite(keypoints[seen]).all():
        raise DataError(f"{name}: sample {number}: a labelled joint is not finite; correct it")
    flags = seen if extended else visibility == OCCLUDED
    return np.column_stack([np.where(seen[:, None], keypoints, 0), flags])

"""MPII Human Pose as it lies on disk (Andriluka et al., 2014), in its three usual forms.

    root/images/015601864.jpg
    root/annot/{train,valid,trainval,test}.json     the published split (``mpii_json.py``)
    root/annot/gt_valid.mat                         head boxes of valid, optional
    root/annot/{train,valid}.h5                     the same split, smaller (``mpii_h5.py``)
    root/mpii_human_pose_v1_u12_1.mat               the official file (``mpii_mat.py``)

All give the same samples: pixels from 0; ``box_xyxy`` is the square of the annotated centre and
scale, which padded by 1.25 is the published crop; ``head_length_px`` is the length that PCKh
divides by, where the file tells it. The JSON says nothing of occlusion, the h5 cuts joints to whole
pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from Datasets.layouts.mpii import MAT, PARTS, annotation_file, find_mat
from Datasets.readers.mpii_h5 import read_mpii_h5
from Datasets.readers.mpii_json import read_mpii_json
from Datasets.readers.mpii_mat import read_mpii_mat
from Datasets.skeletons import MPII_16, Skeleton
from Datasets.structures import Dataset
from Engine.errors import DataError
from Engine.reading import require_folder

__all__ = ["open_mpii", "parts_on_disk", "read_mpii_h5", "read_mpii_json", "read_mpii_mat"]

_READERS: dict[str, Callable[[Path, str, Skeleton], Dataset]] = {
    "json": read_mpii_json,
    "h5": read_mpii_h5,
}
"""Forms with one file per part, the preferred first."""


def open_mpii(root: Path | str, split: str = "all", skeleton: Skeleton | None = None) -> Dataset:
    """Open a part of the data set in the first form that the folder has: JSON, h5, official file.

    A folder with a JSON or h5 file is never read from the official file, whose training part holds
    the people of ``validation`` too.

    Args:
        root: the folder that holds ``images`` and the annotations.
        split: ``train`` and ``validation`` (or ``valid``) of the published split; ``trainval``,
            both, from the file of that name; ``test``, which has no labels; ``all``: ``train`` and
            ``validation``, as far as they are there, else ``trainval``. The official file alone has
            ``train`` (which ``all`` and ``trainval`` are too) and ``test``.
        skeleton: convention of the samples, default MPII's own.

    Raises:
        DataError: a folder without annotations, a split that it does not have, or damaged files.
    """
    root, skeleton = require_folder(root, "MPII"), skeleton or MPII_16
    form, present = parts_on_disk(root)
    if form == "mat":
        return read_mpii_mat(root, split, skeleton)
    wanted = _parts(split, present)
    if not wanted or not set(wanted) <= set(present):
        raise DataError(
            f"MPII: {root} has no split '{split}'; its annot/*.{form} are {', '.join(present)}"
        )
    parts = [_READERS[form](root, part, skeleton) for part in wanted]
    samples = tuple(sample for part in parts for sample in part.samples)
    return Dataset("mpii", root, skeleton, samples)


def parts_on_disk(root: Path) -> tuple[str, tuple[str, ...]]:
    """The form that a folder is read in, and its parts (none for the official file).

    Raises:
        DataError: the folder holds none.
    """
    for form in _READERS:
        present = tuple(p for p in PARTS if annotation_file(root, p, form).is_file())
        if present:
            return form, present
    if find_mat(root) is None:
        raise DataError(
            f"MPII: {root} holds no annot/valid.json, no annot/valid.h5 and no {MAT}; give the "
            "folder that holds annot and images"
        )
    return "mat", ()


def _parts(split: str, present: tuple[str, ...]) -> tuple[str, ...]:
    """Files that a split stands for."""
    if split == "all":
        both = tuple(part for part in ("train", "valid") if part in present)
        return both or ("trainval",)
    return ("valid",) if split == "validation" else (split,)

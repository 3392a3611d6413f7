"""MPII Human Pose as it lies on disk (Andriluka et al., 2014), in its three usual forms.

    root/images/015601864.jpg
    root/annot/{train,valid,trainval,test}.json     the published split (``mpii_json.py``)
    root/annot/gt_valid.mat                         head boxes of valid, optional
    root/annot/{train,valid}.h5                     the same split, smaller (``mpii_h5.py``)
    root/mpii_human_pose_v1_u12_1.mat               the official file (``mpii_mat.py``)

All give the same samples: pixels from 0; ``box_xyxy`` is the square of the annotated centre and
scale, which padded by 1.25 is the published crop; ``head_length_px`` is the length that PCKh
divides by, where the file has it. The JSON has no occlusion, the h5 cuts joints to whole
pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from Datasets.layouts.mpii import MAT, PARTS, annotation_file, find_mat
from Datasets.readers.mpii_h5 import load_h5_people
from Datasets.readers.mpii_json import load_json_people
from Datasets.readers.mpii_mat import SPLITS, load_release, people_of
from Datasets.readers.mpii_people import People
from Datasets.skeletons import MPII_16, Skeleton
from Datasets.structures import Dataset
from Engine.errors import DataError
from Engine.reading import require_folder

LOADERS: dict[str, Callable[[Path], People]] = {"json": load_json_people, "h5": load_h5_people}
"""Forms with one file per part, the preferred first."""

OFFICIAL_NOTE = (
    "the official training part holds the people whom most papers validate on; "
    "annot/train.json and annot/valid.json keep them apart"
)


def open_mpii(
    root: Path | str, split: str = "all", skeleton: Skeleton | None = None, form: str = ""
) -> Dataset:
    """Open a part of the data set in the first form that the folder has: JSON, h5, official file.

    A folder with a JSON or h5 file is never read from the official file, whose training part holds
    the people of ``validation`` too.

    Args:
        root: the folder that holds ``images`` and the annotations.
        split: ``train`` and ``validation`` (or ``valid``) of the published split; ``trainval``,
            both, from the file of that name; ``test``, which has no labels; ``all``: ``train`` and
            ``validation``, as far as they are there, else ``trainval``. The official file alone has
            ``train`` (which ``all`` and ``trainval`` are too) and ``test``.
        skeleton: of the samples, default MPII's own.
        form: ``json``, ``h5`` or ``mat``; empty takes the first that is there.

    Raises:
        DataError: a folder without annotations, a split that it does not have, a person or a joint
            that is not in the layout, or an image that lies outside ``images``.
    """
    root = require_folder(root, "MPII")
    form, present = parts_on_disk(root, form)
    if form == "mat":
        return _open_official(root, split).to(skeleton)
    wanted = _parts(split, present)
    if not wanted or not set(wanted) <= set(present):
        raise DataError(
            f"MPII: {root} has no split '{split}'; its annot/*.{form} are {', '.join(present)}"
        )
    parts = [LOADERS[form](annotation_file(root, part, form)).samples(root) for part in wanted]
    return Dataset("mpii", root, MPII_16, tuple(s for part in parts for s in part)).to(skeleton)


def parts_on_disk(root: Path, form: str = "") -> tuple[str, tuple[str, ...]]:
    """The form that a folder is read in, and its parts (none for the official file).

    Raises:
        DataError: the folder holds none.
    """
    for known in (form,) if form else LOADERS:
        present = tuple(p for p in PARTS if annotation_file(root, p, known).is_file())
        if present:
            return known, present
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


def _open_official(root: Path, split: str) -> Dataset:
    path = find_mat(root) or root / MAT
    if split not in SPLITS:
        raise DataError(
            f"MPII: {path} has no split '{split}'; it has train and test (validation is a part of "
            "train that annot/valid.json names)"
        )
    people, left_out = people_of(load_release(path), split)
    notes: tuple[str, ...] = (OFFICIAL_NOTE,) if split != "test" else ()
    if left_out:
        needed = "centre, scale and joints" if split != "test" else "centre and scale"
        notes += (f"{left_out} rectangles without {needed} are left out",)
    return Dataset("mpii", root, MPII_16, people.samples(root), notes)

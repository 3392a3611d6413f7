"""Leeds Sports Pose (Johnson & Everingham, 2010) and LSP-extended (2011): one person an image.

    LSP            root/joints.mat   joints (3, 14, 2000)   x, y, 1 = occluded
                   root/images/im0001.jpg ...               1-1000 train, 1001-2000 test
    LSP-extended   root/joints.mat   joints (14, 3, 10000)  x, y, 1 = visible
                   root/images/im00001.jpg ...              train alone

LSP labels every joint. LSP-extended knows no occlusion: a joint is visible or unlabelled, and the
coordinates of an unlabelled one mean nothing. Neither says whether its pixels count from 0 or 1:
they are taken as they are. ``box_xyxy`` is the box of the labelled joints, larger on every side by
``BOX_PADDING`` times its longer side and by ``MIN_PADDING_PX`` at least.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from Datasets.geometry.boxes import box_from_points
from Datasets.layouts.lsp import image_file, joints_file
from Datasets.readers.matlab import load_mat
from Datasets.skeletons import LSP_14, Skeleton
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE, Dataset, PoseSample
from Engine.errors import DataError
from Engine.reading import require_folder

BOX_PADDING = 0.1
MIN_PADDING_PX = 8.0


@dataclass(frozen=True)
class LspLabels:
    """Content of ``joints.mat``.

    Attributes:
        keypoints_px: (person, joint, 2) as in the file, whatever it is.
        flags: (person, joint) the third value.
        extended: whether the flags say visible (LSP-extended) or occluded (LSP).
    """

    keypoints_px: Float[np.ndarray, "person 14 2"]
    flags: Float[np.ndarray, "person 14"]
    extended: bool

    @property
    def labelled(self) -> Bool[np.ndarray, "person 14"]:
        """True where the coordinates mean something."""
        return self.flags == 1 if self.extended else np.ones(self.flags.shape, dtype=bool)

    def faults(self, path: Path) -> Iterator[str]:
        """Every fault, one line each: flags that are neither 0 nor 1, coordinates not finite."""
        wrong = ~np.isin(self.flags, (0, 1))
        broken = self.labelled & ~np.isfinite(self.keypoints_px).all(axis=2)
        for person in np.flatnonzero((wrong | broken).any(axis=1)):
            joint = LSP_14.joints[int((wrong | broken)[person].argmax())]
            what = "flag is not 0 or 1" if wrong[person].any() else "place is not finite"
            yield f"LSP: {path}, person {person + 1}: the {joint}'s {what}; correct the file"


def open_lsp(root: Path | str, split: str = "all", skeleton: Skeleton | None = None) -> Dataset:
    """Open LSP or LSP-extended; images stay paths, ``frame`` and ``image_id`` are their numbers.

    Args:
        root: the folder that holds ``joints.mat`` and ``images``.
        split: ``all``; ``train`` and ``test``, the first and second half of LSP, where
            LSP-extended is ``train`` throughout.
        skeleton: of the samples, default LSP's own.

    Raises:
        DataError: the file is missing, damaged or of another version, has another number of
            joints, holds NaN, or the set has no such split.
    """
    root = require_folder(root, "LSP")
    labels = load_labels(root)
    fault = next(labels.faults(joints_file(root)), None)
    if fault:
        raise DataError(fault)
    people = [i for i in _part(root, split, labels) if labels.labelled[i].any()]
    bare = sum(not labelled.any() for labelled in labels.labelled)
    notes = (f"{bare} people without a labelled joint are left out",) if bare else ()
    samples = tuple(_sample(root, labels, person) for person in people)
    return Dataset("lsp", root, LSP_14, samples, notes).to(skeleton)


def load_labels(root: Path) -> LspLabels:
    """Read ``joints.mat`` in either order of its axes.

    The first image's name (four digits or five) tells LSP from LSP-extended, the order of the axes
    where neither image is there.

    Raises:
        DataError: the file is missing, no MATLAB file of version 5 to 7, or has other axes.
    """
    path = joints_file(root)
    joints = load_mat(path, "LSP", ["joints"]).get("joints")
    if joints is None or joints.dtype.kind not in "fiub":
        raise DataError(f"LSP: {path} has no numbers 'joints'; restore the file")
    joints = joints[..., None] if joints.ndim == 2 else joints
    orders = {(3, len(LSP_14)): (2, 1, 0), (len(LSP_14), 3): (2, 0, 1)}
    if joints.ndim != 3 or joints.shape[:2] not in orders:
        raise DataError(
            f"LSP: {path}, 'joints' has shape {joints.shape}, expected (3, 14, n) of LSP or "
            "(14, 3, n) of LSP-extended; restore the file"
        )
    rows = joints.transpose(orders[joints.shape[:2]]).astype(np.float64)
    named = [kind for kind in (False, True) if image_file(root, 1, kind).exists()]
    extended = named[0] if len(named) == 1 else joints.shape[0] == len(LSP_14)
    return LspLabels(rows[..., :2], rows[..., 2], extended)


def _part(root: Path, split: str, labels: LspLabels) -> range:
    """Positions of the people of a split."""
    count = len(labels.flags)
    half = count if labels.extended else count // 2
    parts = {"all": range(count), "train": range(half)}
    if not labels.extended:
        parts["test"] = range(half, count)
    if split not in parts:
        name = "LSP-extended" if labels.extended else "LSP"
        raise DataError(f"LSP: {root} is {name}: no split '{split}', it has {', '.join(parts)}")
    return parts[split]


def _sample(root: Path, labels: LspLabels, person: int) -> PoseSample:
    seen = labels.labelled[person]
    keypoints = np.where(seen[:, None], labels.keypoints_px[person], np.nan)
    occluded = (labels.flags[person] == 1) & (not labels.extended)
    visibility = np.where(seen, np.where(occluded, OCCLUDED, VISIBLE), UNLABELLED)
    return PoseSample(
        image_path=image_file(root, person + 1, labels.extended),
        skeleton=LSP_14,
        keypoints_px=keypoints,
        visibility=visibility.astype(np.uint8),
        box_xyxy=box_from_points(keypoints, MIN_PADDING_PX, BOX_PADDING),
        frame=person + 1,
        image_id=person + 1,
        age="adult",
    )

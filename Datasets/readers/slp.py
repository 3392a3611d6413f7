"""SLP as it lies on disk (Liu et al., 2022): people lying in bed, seen by several sensors.

    root/danaLab/00001/RGB/uncover/image_000001.png    also IR, depth, PM; cover1, cover2; 45 frames
    root/danaLab/00001/joints_gt_RGB.mat               joints_gt (3, 14, 45): x, y, occluded
    root/danaLab/00001/align_PTr_RGB.npy               homography onto the pressure map
    root/simLab/00001/...                              the hospital room
    root/train/train/00001/IR/uncover/...              the VIP Cup package; also valid/valid, test1

Labels count from 1 and become 0-based; their third row is 1 where a joint is occluded. What has a
label file is labelled, the rest is not. A modality without a file of its own takes RGB's or IR's
labels through the homographies of the bed plane.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from Datasets.geometry.boxes import LEAST_SIDE_PX, box_from_points
from Datasets.layouts.slp import (
    ALIGNMENT,
    COVERS,
    IMAGE,
    JOINTS,
    LABS,
    MODALITIES,
    TRAIN_SUBJECTS,
    VALIDATION_FROM,
)
from Datasets.readers.matlab import load_mat
from Datasets.skeletons import SLP_14, Skeleton
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE, Dataset, PoseSample
from Engine.errors import DataError
from Engine.reading import require_file, require_folder

VIP_CUP = ("train/train", "valid/valid", "test1")
BOX_PADDING = 0.1
"""Of a person's box around the labelled joints, as a share of its longer side."""

_SPLITS = ("train", "validation", "test", "all")


@dataclass(frozen=True)
class Subject:
    """One subject's folder.

    Attributes:
        lab: such as ``danaLab``.
        folder: where it is.
    """

    lab: str
    folder: Path

    @property
    def name(self) -> str:
        """Such as ``danaLab/00001``."""
        return f"{self.lab}/{self.folder.name}"


def open_slp(root: Path | str, split: str = "all", skeleton: Skeleton | None = None) -> Dataset:
    """Open a part of the data set.

    Args:
        root: the folder that holds ``danaLab`` and ``simLab``, or the VIP Cup package.
        split: ``train`` (danaLab 1-80), ``validation`` (danaLab 81-90, of the official training
            subjects), ``test`` (danaLab 91-102 and simLab), ``all``, or a folder such as
            ``simLab``; in the VIP Cup package its own folders. A modality and covers may follow:
            ``train:IR``, ``test:depth:cover1,cover2``; the default is RGB under every cover.
        skeleton: of the samples, default SLP's own.

    Raises:
        DataError: an unknown split, modality or cover, a damaged label or alignment file, or no
            image at all.
    """
    root = require_folder(root, "SLP")
    part, modality, covers = _parse(split)
    present = subjects_on_disk(root)
    subjects = [subject for subject in present if _belongs(subject, part)]
    if not subjects:
        known = ", ".join(dict.fromkeys([*_SPLITS, *(subject.lab for subject in present)]))
        raise DataError(f"SLP: {root} has no subjects in '{part}'; choose one of {known}")
    samples = tuple(s for subject in subjects for s in _subject(subject, modality, covers))
    if not samples:
        raise DataError(f"SLP: {root} holds no {modality} image under {', '.join(covers)}")
    return Dataset("slp", root, SLP_14, samples).to(skeleton)


def _parse(split: str) -> tuple[str, str, tuple[str, ...]]:
    """Split ``part[:modality[:covers]]``."""
    part, _, rest = split.partition(":")
    modality, _, covers = rest.partition(":")
    modality, chosen = modality or "RGB", tuple(covers.split(",") if covers else COVERS)
    unknown = [cover for cover in chosen if cover not in COVERS]
    if modality not in MODALITIES or unknown:
        wrong = modality if modality not in MODALITIES else unknown[0]
        raise DataError(
            f"SLP: '{wrong}' in split '{split}' is unknown; write such as test:IR:cover1 with "
            f"{', '.join(MODALITIES)} and {', '.join(COVERS)}"
        )
    return part, modality, chosen


def _belongs(subject: Subject, part: str) -> bool:
    """Whether a subject is in a part."""
    lab, number = subject.lab, int(subject.folder.name)
    if part in ("all", lab):
        return True
    if lab in VIP_CUP:
        return VIP_CUP.index(lab) == ("train", "validation", "test", part).index(part)
    if lab == "simLab" or number > TRAIN_SUBJECTS:
        return part == "test"
    return part == ("validation" if number >= VALIDATION_FROM else "train")


def subjects_on_disk(root: Path) -> tuple[Subject, ...]:
    """All subjects of a folder, labs in order.

    Raises:
        DataError: there is none.
    """
    found = []
    for lab in (*LABS, *VIP_CUP):
        folder = root / lab
        if folder.is_dir():
            names = sorted(p.name for p in folder.iterdir() if re.fullmatch("[0-9]{5}", p.name))
            found += [Subject(lab, folder / name) for name in names]
    if not found:
        raise DataError(
            f"SLP: {root} holds no subject such as danaLab/00001 or train/train/00001; "
            "give the folder that directly contains danaLab or train"
        )
    return tuple(found)


def frames_of(subject: Subject, modality: str, cover: str) -> list[int]:
    """Numbers of the images, from 1."""
    folder = subject.folder / modality / cover
    if not folder.is_dir():
        return []
    matches = (re.fullmatch(r"image_([0-9]{6})\.png", path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in matches if match)


def _subject(subject: Subject, modality: str, covers: Sequence[str]) -> list[PoseSample]:
    labels = load_labels(subject, modality)
    samples = []
    for cover in covers:
        for frame in frames_of(subject, modality, cover):
            joints, seen = _frame(labels, frame)
            samples.append(
                PoseSample(
                    image_path=image_file(subject, modality, cover, frame),
                    skeleton=SLP_14,
                    keypoints_px=joints,
                    visibility=seen,
                    box_xyxy=box_from_points(joints, share=BOX_PADDING),
                    sequence=subject.name,
                    frame=frame,
                    activity=cover,
                    age="adult",
                    modality=MODALITIES[modality],
                    cover=COVERS[cover],
                )
            )
    return samples


def image_file(subject: Subject, modality: str, cover: str, frame: int) -> Path:
    """Image of a frame, counted from 1."""
    return subject.folder / IMAGE.format(modality=modality, cover=cover, frame=frame)


def _frame(
    labels: tuple[np.ndarray, np.ndarray] | None, frame: int
) -> tuple[np.ndarray, np.ndarray]:
    """Joints and visibility of a frame; unlabelled ones where there is no label."""
    if labels is None or frame > len(labels[0]):
        return np.full((len(SLP_14), 2), np.nan), np.full(len(SLP_14), UNLABELLED, np.uint8)
    return labels[0][frame - 1], labels[1][frame - 1]


def load_labels(subject: Subject, modality: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Labels of a subject in a modality.

    Returns:
        (frame, 14, 2) 0-based pixels and (frame, 14) visibility, or None without labels.

    Raises:
        DataError: a file is damaged or lacks what is needed to bring labels over.
    """
    own = subject.folder / JOINTS.format(modality=modality)
    if own.is_file():
        return _load_joints(own)
    for other in ("RGB", "IR"):
        path = subject.folder / JOINTS.format(modality=other)
        alignments = [subject.folder / ALIGNMENT.format(modality=m) for m in (other, modality)]
        if path.is_file() and alignments[0].is_file():
            joints, seen = _load_joints(path)
            across = between(subject, other, modality)
            return apply_homography(across, joints), seen
    return None


def _load_joints(path: Path) -> tuple[np.ndarray, np.ndarray]:
    values = load_mat(path, "SLP", ["joints_gt"]).get("joints_gt")
    if values is None or values.ndim != 3 or values.shape[:2] != (3, len(SLP_14)):
        shape = None if values is None else values.shape
        raise DataError(
            f"SLP: {path}, joints_gt has shape {shape}, expected (3, 14, frames); restore the file"
        )
    rows = values.astype(np.float64).transpose(2, 1, 0)
    bad = np.argwhere(~np.isfinite(rows))
    if bad.size:
        frame, joint = bad[0][0] + 1, SLP_14.joints[bad[0][1]]
        raise DataError(f"SLP: {path}, frame {frame}, {joint}: not a finite number; correct it")
    small = np.flatnonzero(np.ptp(rows[..., :2], axis=1).max(axis=1) <= LEAST_SIDE_PX)
    if small.size:
        raise DataError(f"SLP: {path}, frame {small[0] + 1}: all joints in one place; correct it")
    seen = np.where(rows[..., 2] > 0.5, OCCLUDED, VISIBLE).astype(np.uint8)
    return rows[..., :2] - 1, seen


def between(subject: Subject, source: str, target: str) -> Float[np.ndarray, "3 3"]:
    """Homography of the bed plane from one modality's pixels (counted from 0) to another's.

    Raises:
        DataError: an alignment file is missing or is no invertible (3, 3) matrix.
    """
    to_map, from_map = (_alignment(subject, modality) for modality in (source, target))
    return np.linalg.inv(from_map) @ to_map


def _alignment(subject: Subject, modality: str) -> Float[np.ndarray, "3 3"]:
    if modality == "PM":
        return np.eye(3)
    path = require_file(subject.folder / ALIGNMENT.format(modality=modality), "SLP")
    try:
        matrix = np.load(path, allow_pickle=False).astype(np.float64)
    except (OSError, ValueError, EOFError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"SLP: {path} is unreadable ({reason}); restore it") from None
    usable = matrix.shape == (3, 3) and np.isfinite(matrix).all() and np.linalg.det(matrix) != 0
    if not usable:
        raise DataError(f"SLP: {path} is no invertible 3 x 3 matrix; restore it")
    return matrix


def apply_homography(
    matrix: Float[np.ndarray, "3 3"], points_px: Float[np.ndarray, "*n 2"]
) -> Float[np.ndarray, "*n 2"]:
    """Carry pixels through a homography; NaN stays NaN."""
    ones = np.ones((*points_px.shape[:-1], 1))
    carried = np.concatenate([points_px, ones], axis=-1) @ matrix.T
    return carried[..., :2] / carried[..., 2:]

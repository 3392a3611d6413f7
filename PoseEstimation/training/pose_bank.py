"""Poses in memory: what the lifter learns from, without images."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from Datasets.skeletons import INFANT, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import DataError, Dataset


@dataclass(frozen=True)
class PoseBank:
    """Many poses with their 2D joints and cameras; float32.

    Attributes:
        skeleton: convention of the joints.
        keypoints_px: image pixels; NaN where unlabelled.
        scores: 0 to 1; 1 for labels, 0 where unlabelled.
        joints_mm: millimetres, camera frame; NaN where unlabelled.
        intrinsics: pixels.
    """

    skeleton: Skeleton
    keypoints_px: Float[np.ndarray, "pose joint 2"]
    scores: Float[np.ndarray, "pose joint"]
    joints_mm: Float[np.ndarray, "pose joint 3"]
    intrinsics: Float[np.ndarray, "pose 3 3"]

    def __len__(self) -> int:
        return len(self.keypoints_px)

    def take(self, rows: Sequence[int] | np.ndarray) -> PoseBank:
        """Some of the poses, in the order asked."""
        rows = np.asarray(rows)
        return PoseBank(
            self.skeleton,
            self.keypoints_px[rows],
            self.scores[rows],
            self.joints_mm[rows],
            self.intrinsics[rows],
        )


def bank_of(dataset: Dataset) -> PoseBank:
    """Collect the 3D-labelled samples of a data set.

    Raises:
        DataError: a sample has 3D labels but no camera, or none has 3D labels.
    """
    samples = [s for s in dataset.samples if s.joints_mm is not None]
    if not samples:
        raise DataError(f"{dataset.root}: no sample has 3D labels; the lifter cannot learn from it")
    unknown = [s for s in samples if s.intrinsics is None]
    if unknown:
        raise DataError(f"{unknown[0].image_path}: 3D labels without intrinsics; give the camera")
    seen = np.stack([s.visibility for s in samples]) > 0
    return _bank(
        dataset.skeleton,
        np.stack([s.keypoints_px for s in samples]),
        seen,
        np.stack([s.joints_mm for s in samples]),
        np.stack([s.intrinsics for s in samples]),
    )


def load_bank(path: Path, skeleton: Skeleton = INFANT) -> PoseBank:
    """Read a pose bank: npz with ``keypoints_px``, ``joints_mm``, ``intrinsics``, maybe ``scores``.

    Args:
        path: the file, ``infant`` joints.
        skeleton: convention to convert to.

    Raises:
        DataError: missing or damaged file, missing array, or another shape.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such pose bank; export one or leave it out") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: unreadable pose bank ({reason}); export it again") from None
    joints = len(INFANT)
    count = len(arrays.get("keypoints_px", ()))
    arrays.setdefault("scores", np.ones((count, joints), dtype=np.float32))
    shapes = {"keypoints_px": (joints, 2), "joints_mm": (joints, 3), "intrinsics": (3, 3)}
    for key, shape in {**shapes, "scores": (joints,)}.items():
        found = arrays[key].shape if key in arrays else None
        if found != (count, *shape):
            raise DataError(
                f"{path}: '{key}' has shape {found}, expected {(count, *shape)}; export it again"
            )
    to_skeleton = joint_map(INFANT, skeleton)
    return _bank(
        skeleton,
        to_skeleton.apply(arrays["keypoints_px"]),
        to_skeleton.apply(arrays["scores"][..., None], fill=0)[..., 0],
        to_skeleton.apply(arrays["joints_mm"]),
        arrays["intrinsics"],
    )


def joined_banks(banks: Sequence[PoseBank]) -> PoseBank:
    """Concatenate banks of one skeleton.

    Raises:
        DataError: there is none.
    """
    if not banks:
        raise DataError("lifting: no poses to train on; give train or pose_banks")
    return PoseBank(
        banks[0].skeleton,
        np.concatenate([b.keypoints_px for b in banks]),
        np.concatenate([b.scores for b in banks]),
        np.concatenate([b.joints_mm for b in banks]),
        np.concatenate([b.intrinsics for b in banks]),
    )


def _bank(
    skeleton: Skeleton,
    keypoints_px: np.ndarray,
    scores: np.ndarray,
    joints_mm: np.ndarray,
    intrinsics: np.ndarray,
) -> PoseBank:
    """Check and narrow to float32; joints without finite 2D have score 0."""
    finite = np.isfinite(keypoints_px).all(-1)
    return PoseBank(
        skeleton,
        keypoints_px.astype(np.float32),
        np.where(finite, scores, 0).astype(np.float32),
        joints_mm.astype(np.float32),
        intrinsics.astype(np.float32),
    )

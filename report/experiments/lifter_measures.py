"""How far lifters are off over infants that none of them has seen, from true 2D joints.

The infants are those of SynthInfant-2: three quarters move as infants of the training data do, one
quarter as none of them does. Their labels are enough; no picture is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from Datasets.geometry.alignment import procrustes, root_relative, scale_align
from Datasets.geometry.camera import project
from Datasets.readers import mini_rgbd
from Datasets.skeletons import INFANT, MINI_RGBD_25
from Datasets.skeletons.convert import joint_map
from Datasets.synthetic.people.motion_sources import SOURCES
from Engine.errors import DataError
from Engine.provenance import hash_files
from Engine.reading import require_folder
from PoseEstimation.codecs.rays import CLIP_FRAMES
from PoseEstimation.evaluation.mini_rgbd import published_indices
from PoseEstimation.inference.lifting import ClipLifting
from PoseEstimation.metrics.errors import joint_errors, mean_error
from PoseEstimation.metrics.uncertainty import coverage
from PoseEstimation.structures import Clip
from PoseEstimation.training.calibrate import lift_clip, parts_of
from PoseEstimation.training.clip_noise import resize_bones
from PoseEstimation.training.given_joints import JOINT_SETS, TRACKED_14

SIDES = ("left", "right")

MEASURES = ("ajpe_mm", "scaled_mm", "aligned_mm", "speed_ratio")


class Proportion(NamedTuple):
    """A row: a length over the trunk, from the neck to the middle of the hips.

    Attributes:
        ends: joints whose distance is the length; ``*`` stands for the side.
        moved: far ends of the bones that make it up.
        elder: of generated infants with the body model's own proportions (version 1).
        real: median over infants of MINI-RGBD (Hesse et al., 2018), sequences 01-10.
    """

    ends: tuple[str, str]
    moved: tuple[str, ...]
    elder: float
    real: float


PROPORTIONS = (
    Proportion(("left_hip", "right_hip"), ("*_hip",), 0.38, 0.26),
    Proportion(("*_hip", "*_knee"), ("*_knee",), 0.81, 0.44),
    Proportion(("*_knee", "*_ankle"), ("*_ankle",), 0.73, 0.56),
    Proportion(("*_shoulder", "*_elbow"), ("*_elbow",), 0.53, 0.33),
    Proportion(("*_elbow", "*_fingers"), ("*_wrist", "*_fingers"), 0.82, 0.47),
)
"""Published lengths are the 99th percentiles of what a camera above the infant sees of them."""

ELDER = tuple(row.elder for row in PROPORTIONS)
REAL = tuple(row.real for row in PROPORTIONS)


class Case(NamedTuple):
    """Joints that the lifter is given, and proportions of the bodies; None: their own."""

    given: tuple[str, ...]
    proportions: Sequence[float] | None = None


CASES = {
    "20 joints": Case(JOINT_SETS["mini_rgbd_25"][0]),
    "14 joints": Case(TRACKED_14),
    "20 joints, real proportions": Case(JOINT_SETS["mini_rgbd_25"][0], REAL),
}
"""The first is what the others are set against."""


class Infant(NamedTuple):
    """An infant to measure on.

    Attributes:
        name: of its sequence.
        seen: whether the source of its movement may be trained on.
        joints_mm: ``infant`` joints, camera frame; NaN where MINI-RGBD has none.
        intrinsics: pixels.
    """

    name: str
    seen: bool
    joints_mm: Float[np.ndarray, "frame 25 3"]
    intrinsics: Float[np.ndarray, "3 3"]


def read_infants(
    root: Path, count: int | None = None, frames: int | None = None
) -> tuple[list[Infant], str]:
    """Read the labels of generated infants, whose sources of movement are recorded.

    Args:
        root: folder of ``infantpose synth --profile synthinfant2 --labels-only``.
        count: the first so many infants; None: all.
        frames: the first of each infant; None: all.

    Returns:
        The infants, and the sha256 of their labels.

    Raises:
        DataError: no such folder, or an infant without a recorded source.
    """
    require_folder(root, "labels")
    names, intrinsics = mini_rgbd.sequence_names(root), mini_rgbd.read_intrinsics(root)
    infants, files = [], []
    for name in names[:count]:
        source = mini_rgbd.source_of(root / name)
        if source not in SOURCES:
            raise DataError(f"labels: {root / name} names no source of movement; make it again")
        numbers = sorted(mini_rgbd.frames_on_disk(root / name)["joints_3D"])[:frames]
        files += [mini_rgbd.frame_path(root / name, "joints_3D", number) for number in numbers]
        joints = np.stack([mini_rgbd.load_labels(root / name, number)[1] for number in numbers])
        joints = joint_map(MINI_RGBD_25, INFANT).apply(joints)
        infants.append(Infant(name, not SOURCES[source].held_out, joints, intrinsics))
    return infants, hash_files(root, files)


def with_proportions(
    joints_mm: Float[np.ndarray, "frame joint 3"], shares: Sequence[float]
) -> Float[np.ndarray, "frame joint 3"]:
    """Resize the bones of one infant, directions kept, to lengths over its trunk.

    Args:
        joints_mm: ``infant`` joints, in any axes.
        shares: of each row of ``PROPORTIONS``.
    """
    for row, share in zip(PROPORTIONS, shares, strict=True):
        length = np.median([_distance(joints_mm, _on(side, row.ends)) for side in SIDES])
        moved = {joint for side in SIDES for joint in _on(side, row.moved)}
        factor = share * _trunk(joints_mm) / length
        ratios = [factor if child in moved else 1.0 for _, child in INFANT.bones]
        joints_mm = resize_bones(joints_mm, np.array(ratios), INFANT)
    return joints_mm


def _on(side: str, joints: Sequence[str]) -> tuple[str, ...]:
    return tuple(joint.replace("*", side) for joint in joints)


def _distance(joints_mm: np.ndarray, ends: Sequence[str]) -> Float[np.ndarray, "frame"]:
    first, second = INFANT.indices(list(ends))
    return np.linalg.norm(joints_mm[:, first] - joints_mm[:, second], axis=-1)


def _trunk(joints_mm: np.ndarray) -> float:
    """Median distance from the neck to the middle of the hips."""
    hips = joints_mm[:, INFANT.indices(["left_hip", "right_hip"])].mean(1)
    neck = joints_mm[:, INFANT.index("upper_neck")]
    return float(np.median(np.linalg.norm(neck - hips, axis=-1)))


def observed(infant: Infant, case: Case) -> Clip:
    """What a camera sees of an infant, without error."""
    joints_mm = infant.joints_mm
    if case.proportions is not None:
        joints_mm = with_proportions(joints_mm, case.proportions)
    keypoints_px = project(joints_mm, infant.intrinsics)
    given = np.array([joint in case.given for joint in INFANT.joints])
    scores = (np.isfinite(keypoints_px).all(-1) & given).astype(np.float64)
    return Clip(
        keypoints_px,
        scores,
        np.zeros(scores.shape),
        np.full(scores.shape, np.nan),
        joints_mm,
        np.broadcast_to(infant.intrinsics, (len(joints_mm), 3, 3)),
    )


def accuracy(lifting: ClipLifting, infants: Sequence[Infant]) -> dict[str, dict[str, list[float]]]:
    """Per case and infant: ``ajpe_mm`` over the 16 published joints, and what it consists of.

    ``scaled_mm`` is left after one scale for the clip, ``aligned_mm`` after one scale and rotation:
    one camera shows neither the size nor how it leans. ``speed_ratio`` is the predicted over the
    true path of these joints.
    """
    rows, measured = published_indices(INFANT), {}
    for name, case in CASES.items():
        values: dict[str, list[float]] = {name: [] for name in MEASURES}
        for infant in infants:
            clip = observed(infant, case)
            predicted = lift_clip(lifting, clip)[0][:, rows]
            true = root_relative(clip.joints_mm, INFANT.root_index)[:, rows]
            found = _measured(predicted, true)
            for measure, value in zip(MEASURES, found, strict=True):
                values[measure].append(value)
        measured[name] = values
    return measured


def _measured(
    predicted: Float[np.ndarray, "frame joint 3"], true: Float[np.ndarray, "frame joint 3"]
) -> tuple[float, ...]:
    """Values of ``MEASURES``, of root-relative joints."""
    aligned = procrustes(predicted.reshape(-1, 3), true.reshape(-1, 3)).reshape(true.shape)
    parts = (predicted, scale_align(predicted, true), aligned)
    errors = [mean_error(joint_errors(part, true)) for part in parts]
    return (*errors, _path(predicted) / _path(true))


def _path(joints_mm: np.ndarray) -> float:
    return mean_error(joint_errors(joints_mm[1:], joints_mm[:-1]))


def coverages(lifting: ClipLifting, infants: Sequence[Infant]) -> dict[str, list[float]]:
    """Percent of the joints of each infant within their 90 % error bars, by frames of a clip."""
    case, rows = next(iter(CASES.values())), published_indices(INFANT)
    rows = [row for row in rows if row != INFANT.root_index]
    found: Mapping[str, Any] = {str(frames): [] for frames in CLIP_FRAMES}
    for infant in infants:
        clip = observed(infant, case)
        for frames in CLIP_FRAMES:
            parts = parts_of(clip, frames)
            lifted = [lift_clip(lifting, part) for part in parts]
            true = [root_relative(part.joints_mm, INFANT.root_index) for part in parts]
            errors = [
                joint_errors(joints[:, rows], its[:, rows])
                for (joints, _), its in zip(lifted, true, strict=True)
            ]
            sigmas = [sigma[:, rows] for _, sigma in lifted]
            share = coverage(np.concatenate(errors), np.concatenate(sigmas), 3)
            found[str(frames)].append(share)
    return dict(found)

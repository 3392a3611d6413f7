"""Compare a folder with the official MINI-RGBD."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.geometry.camera import project
from Datasets.readers import mini_rgbd
from Datasets.verify.base import Verification, image_faults, mask_faults
from Engine.reading import require_folder

OFFICIAL_SEQUENCES = tuple(mini_rgbd.HEAD_LENGTH_PX)
OFFICIAL_FRAMES = 1000
MAX_RESIDUAL_PX = 0.5
HEAD_LENGTH_TOLERANCE = 0.05
PICTURES = {"rgb": image_faults, "depth": image_faults, "fg_mask": mask_faults}


def verify_mini_rgbd(root: Path | str) -> Verification:
    """Count sequences and frames, list what is missing, and project 3D labels onto 2D ones.

    Raises:
        DataError: the folder does not exist or holds no sequence.
    """
    root = require_folder(root, "MINI-RGBD")
    sequences = mini_rgbd.sequence_names(root)
    intrinsics = mini_rgbd.read_intrinsics(root)
    found = Verification("mini_rgbd", root)
    frames = sum(_verify_sequence(root / name, intrinsics, found) for name in sequences)
    absent = [sequence for sequence in OFFICIAL_SEQUENCES if sequence not in sequences]
    official = len(OFFICIAL_SEQUENCES)
    if absent and not found.generated:
        found.problems.insert(0, f"sequence folders missing: {', '.join(absent)}")
    found.counts.append(f"sequences: {len(sequences)} (official {official})")
    found.count("frames", frames, official * OFFICIAL_FRAMES, may_differ=bool(absent))
    found.counts.append(
        f"projection of joints_3D onto joints_2Ddep: at most {found.worst_px:.3f} px apart"
    )
    return found


def _verify_sequence(folder: Path, intrinsics: np.ndarray, found: Verification) -> int:
    """Check one sequence; returns its number of frames."""
    present = mini_rgbd.frames_on_disk(folder)
    frames = sorted(set().union(*present.values()))
    if not frames:
        found.problems.append(f"{folder} holds no frame")
        return 0
    labels = []
    for frame in frames:
        absent = [kind for kind in mini_rgbd.FILES if frame not in present[kind]]
        found.missing += [mini_rgbd.frame_path(folder, kind, frame) for kind in absent]
        for kind, faults in PICTURES.items():
            if kind not in absent:
                found.problems += faults(mini_rgbd.frame_path(folder, kind, frame))
        if not {"joints_2Ddep", "joints_3D"} & set(absent):
            labels += _verify_labels(folder, frame, intrinsics, found)
    gaps = sorted(set(range(frames[-1] + 1)) - set(frames))
    if gaps:
        found.problems.append(f"{folder}: {len(gaps)} frame numbers skipped, first {gaps[0]:05d}")
    more = folder / "infant_joints.npz"
    if more.exists():
        found.attempt(mini_rgbd.load_infant_joints, more, frames)
    if labels:
        _verify_head_length(folder, labels, found)
    return len(frames)


def _verify_labels(
    folder: Path, frame: int, intrinsics: np.ndarray, found: Verification
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Read one frame's labels and compare them under the camera; empty when unreadable."""
    labels = found.attempt(mini_rgbd.load_labels, folder, frame)
    if labels is None:
        return []
    keypoints_px, joints_mm = labels
    difference = np.abs(project(joints_mm, intrinsics) - keypoints_px)
    residual = float(difference.max()) if np.isfinite(difference).all() else np.inf
    found.worst_px = max(found.worst_px, residual)
    if residual > MAX_RESIDUAL_PX:
        path = mini_rgbd.frame_path(folder, "joints_2Ddep", frame)
        found.problems.append(f"{path}: {residual:.2f} px from the projection of joints_3D")
    return [labels]


def _verify_head_length(folder: Path, labels: list, found: Verification) -> None:
    """Remark when the measured head length is not the published one: then it is another set."""
    published = mini_rgbd.HEAD_LENGTH_MM.get(folder.name)
    arrays = (np.stack([pair[i] for pair in labels]) for i in (0, 1))
    _, measured = mini_rgbd.head_lengths(*arrays)
    if published and abs(measured / published - 1) > HEAD_LENGTH_TOLERANCE:
        found.notes.append(
            f"{folder.name}: head length {measured:.1f} mm, published {published} mm: "
            "not the official infant"
        )

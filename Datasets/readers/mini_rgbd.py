"""MINI-RGBD as it lies on disk (Hesse et al., 2018): 12 synthetic infants, 1000 frames each.

    root/01 .. 12/rgb/syn_00000.png                         RGB 640 x 480
                  depth/syn_00000_depth.png                 16 bit
                  fg_mask/mask_00000.png                    0 / 255
                  joints_2Ddep/syn_joints_2Ddep_00000.txt   25 lines "x y depth id", pixels
                  joints_3D/syn_joints_3D_00000.txt         25 lines "X Y Z id", metres, camera

Generated data keep this layout and may add ``NN/infant_joints.npz`` (all joints of the canonical
skeleton), ``NN/infant.json`` (age and length) and, when their camera differs, ``intrinsics.json``
at the root.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from Datasets.geometry.camera import intrinsics_matrix
from Datasets.readers.base import load_npz, load_rows
from Datasets.selection import sequences_of
from Datasets.skeletons import INFANT, MINI_RGBD_25, Skeleton
from Datasets.structures import VISIBLE, Dataset, PoseSample
from Engine.errors import DataError
from Engine.reading import load_json, require_folder

INTRINSICS = intrinsics_matrix(
    588.67905803875317, 590.25690113005601, 322.22048191353628, 237.46785983766890
)
"""Camera of the official set, pixels."""

_SEQUENCES = tuple(f"{number:02d}" for number in range(1, 13))

_PX = (11.21, 11.39, 11.96, 11.13, 7.75, 9.10, 12.77, 13.34, 12.75, 11.23, 12.17, 13.93)
_MM = (24.9, 26.3, 25.3, 27.8, 20.6, 23.4, 28.2, 26.2, 29.0, 26.1, 28.6, 30.1)

HEAD_LENGTH_PX = dict(zip(_SEQUENCES, _PX, strict=True))
"""Published head length (neck to head) per official sequence, pixels."""

HEAD_LENGTH_MM = dict(zip(_SEQUENCES, _MM, strict=True))
"""Published head length (neck to head) per official sequence, millimetres."""

FILES = {
    "rgb": "syn_{:05d}.png",
    "depth": "syn_{:05d}_depth.png",
    "fg_mask": "mask_{:05d}.png",
    "joints_2Ddep": "syn_joints_2Ddep_{:05d}.txt",
    "joints_3D": "syn_joints_3D_{:05d}.txt",
}
"""Folder of a sequence and the file name in it of one frame."""

_INFANT_ARRAYS = {
    "keypoints_px": (len(INFANT), 2),
    "joints_mm": (len(INFANT), 3),
    "visibility": (len(INFANT),),
    "frames": (),
}

REQUIRED = ("rgb", "joints_2Ddep", "joints_3D")
"""Folders that a sample cannot do without."""


def read_mini_rgbd(
    root: Path | str,
    sequences: Sequence[str] | None = None,
    skeleton: Skeleton = MINI_RGBD_25,
) -> Dataset:
    """Read labels eagerly; images and masks stay paths.

    Args:
        root: the folder that holds the sequence folders.
        sequences: names such as ``"01"``; None takes every all-digit folder.
        skeleton: of the samples. With ``INFANT``, joints beyond MINI-RGBD's come from
            ``infant_joints.npz`` where a (generated) sequence has it and are unlabelled elsewhere.

    Raises:
        DataError: a folder or file is missing, or a table is damaged.
    """
    root = require_folder(root, "MINI-RGBD")
    chosen = sequence_names(root) if sequences is None else tuple(sequences)
    intrinsics = read_intrinsics(root)
    samples = [s for name in chosen for s in _read_sequence(root / name, skeleton, intrinsics)]
    return Dataset("mini_rgbd", root, skeleton, tuple(samples))


def open_mini_rgbd(
    root: Path | str, split: str = "all", skeleton: Skeleton | None = None
) -> Dataset:
    """Read a part of the published split, or a list of sequences such as 11-12.

    Raises:
        DataError: see ``sequences_of`` and ``read_mini_rgbd``.
    """
    return read_mini_rgbd(root, sequences_of(split), skeleton or MINI_RGBD_25)


def sequence_names(root: Path) -> tuple[str, ...]:
    """Sorted names of the sequence folders.

    Raises:
        DataError: there is none.
    """
    names = sorted(p.name for p in root.iterdir() if p.is_dir() and re.fullmatch("[0-9]+", p.name))
    if not names:
        raise DataError(
            f"MINI-RGBD: {root} holds no sequence folders 01, 02, ...; "
            "give the folder that directly contains them (MINI-RGBD_web)"
        )
    return tuple(names)


def read_intrinsics(root: Path) -> Float[np.ndarray, "3 3"]:
    """Camera of the folder: ``intrinsics.json`` where present, else the official one.

    Raises:
        DataError: the file lacks a key or holds something other than positive numbers.
    """
    path = root / "intrinsics.json"
    if not path.exists():
        return INTRINSICS.copy()
    values = load_json(path, "intrinsics")
    try:
        fx, fy, cx, cy = (float(values[key]) for key in ("fx", "fy", "cx", "cy"))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise DataError(f"intrinsics: {path} needs the numbers fx, fy, cx, cy in pixels") from None
    if not (np.isfinite([fx, fy, cx, cy]).all() and fx > 0 and fy > 0):
        raise DataError(f"intrinsics: {path} needs finite fx, fy, cx, cy with fx, fy above 0")
    return intrinsics_matrix(fx, fy, cx, cy)


def frames_on_disk(folder: Path) -> dict[str, set[int]]:
    """Frame numbers present in each sub-folder of a sequence; a missing sub-folder has none."""
    present: dict[str, set[int]] = {}
    for kind, pattern in FILES.items():
        name = re.compile(re.escape(pattern).replace(r"\{:05d\}", "([0-9]{5,})"))
        files = (folder / kind).iterdir() if (folder / kind).is_dir() else ()
        matches = (name.fullmatch(path.name) for path in files)
        present[kind] = {int(match[1]) for match in matches if match}
    return present


def frame_path(folder: Path, kind: str, frame: int) -> Path:
    """File of one frame: ``kind`` is a key of ``FILES``."""
    return folder / kind / FILES[kind].format(frame)


def load_labels(folder: Path, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Read one frame's labels.

    Returns:
        (25, 2) pixels and (25, 3) millimetres, camera frame.

    Raises:
        DataError: a file is missing or damaged.
    """
    joints = len(MINI_RGBD_25)
    keypoints_px = load_rows(frame_path(folder, "joints_2Ddep", frame), joints, 2)
    # The unit of the depth column is not documented: it is ignored, Z comes from joints_3D.
    joints_mm = load_rows(frame_path(folder, "joints_3D", frame), joints, 3) * 1000.0
    return keypoints_px, joints_mm


def _read_sequence(
    folder: Path, skeleton: Skeleton, intrinsics: Float[np.ndarray, "3 3"]
) -> list[PoseSample]:
    require_folder(folder, "MINI-RGBD sequence")
    present = frames_on_disk(folder)
    frames = sorted(set().union(*(present[kind] for kind in REQUIRED)))
    for kind in REQUIRED:
        missing = [frame for frame in frames if frame not in present[kind]]
        if missing or not frames:
            path = frame_path(folder, kind, missing[0] if missing else 0)
            others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise DataError(
                f"MINI-RGBD: {path} does not exist{others}; "
                "restore it or list the gaps with 'infantpose verify mini_rgbd'"
            )
    labels = [load_labels(folder, frame) for frame in frames]
    keypoints_px, joints_mm = (np.stack(arrays) for arrays in zip(*labels, strict=True))
    head_px, head_mm = head_lengths(keypoints_px, joints_mm)
    visibility = np.full(keypoints_px.shape[:2], VISIBLE, dtype=np.uint8)
    own, canonical = MINI_RGBD_25, folder / "infant_joints.npz"
    if skeleton == INFANT and canonical.exists():
        own = INFANT
        keypoints_px, joints_mm, visibility = load_infant_joints(canonical, frames)
    return [
        PoseSample(
            image_path=frame_path(folder, "rgb", frame),
            skeleton=own,
            keypoints_px=keypoints_px[i],
            visibility=visibility[i],
            joints_mm=joints_mm[i],
            intrinsics=intrinsics,
            mask_path=frame_path(folder, "fg_mask", frame) if frame in present["fg_mask"] else None,
            sequence=folder.name,
            frame=frame,
            head_length_px=head_px,
            head_length_mm=head_mm,
            age="infant",
        ).to(skeleton)
        for i, frame in enumerate(frames)
    ]


def head_lengths(keypoints_px: np.ndarray, joints_mm: np.ndarray) -> tuple[float, float]:
    """Mean neck-to-head distance of a sequence, pixels and millimetres, from MINI-RGBD joints."""
    neck, head = MINI_RGBD_25.indices(["neck", "head"])
    px = np.linalg.norm(keypoints_px[:, neck] - keypoints_px[:, head], axis=-1).mean()
    mm = np.linalg.norm(joints_mm[:, neck] - joints_mm[:, head], axis=-1).mean()
    return float(px), float(mm)


def load_infant(folder: Path) -> dict[str, float] | None:
    """Age in weeks and length in millimetres of a sequence's infant; None where not recorded.

    Raises:
        DataError: the file is damaged.
    """
    path = folder / "infant.json"
    if not path.exists():
        return None
    values = load_json(path, "infant")
    try:
        return {name: float(values[name]) for name in ("age_weeks", "length_mm")}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"infant: {path} does not hold numbers age_weeks and length_mm; make it again"
        ) from error


def load_infant_joints(path: Path, frames: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the canonical joints of a generated sequence for the frames asked.

    Returns:
        (frame, 25, 2) pixels, (frame, 25, 3) millimetres, (frame, 25) visibility.

    Raises:
        DataError: the file is damaged or lacks a frame.
    """
    arrays = load_npz(path, "infant joints", _INFANT_ARRAYS, "make it again")
    count = len(arrays["frames"])
    for key, channels in _INFANT_ARRAYS.items():
        shape = (count, *channels)
        if arrays[key].shape != shape:
            raise DataError(
                f"infant joints: {path}, '{key}' has shape {arrays[key].shape}, expected {shape}; "
                "make it again"
            )
    row = {int(frame): i for i, frame in enumerate(arrays["frames"])}
    absent = [frame for frame in frames if frame not in row]
    if absent:
        raise DataError(f"infant joints: {path} lacks frame {absent[0]}; make it again")
    rows = [row[frame] for frame in frames]
    return (
        arrays["keypoints_px"][rows].astype(np.float64),
        arrays["joints_mm"][rows].astype(np.float64),
        arrays["visibility"][rows].astype(np.uint8),
    )

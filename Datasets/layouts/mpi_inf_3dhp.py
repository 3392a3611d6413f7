"""MPI-INF-3DHP (Mehta et al., 2017): official sequences, cameras and file names.

Patterns of files count from the folder of a sequence; frames in them count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

FRAMES = {
    f"S{subject}/Seq{number}": count
    for subject, counts in enumerate(
        (
            *((6416, 12430), (6502, 6081), (12488, 12283), (6171, 6675)),
            *((12820, 12312), (6188, 6145), (6239, 6320), (6468, 6054)),
        ),
        1,
    )
    for number, count in enumerate(counts, 1)
}
"""Official frames per camera of each sequence; labels beyond them belong to no frame."""

CAMERA_SETS = {
    "regular": tuple(range(14)),
    "relevant": tuple(range(11)),
    "ceiling": (11, 12, 13),
    "vnect": (0, 1, 2, 4, 5, 6, 7, 8),
    "mm3d_chest": (0, 2, 4, 7, 8),
}
"""The published choices of cameras; ``vnect`` is the usual training set."""

IMAGE = "imageSequence/img_{camera}_{frame:06d}.jpg"
UNPACKED = "imageFrames/video_{camera}/frame_{frame:06d}.jpg"
VIDEO = "imageSequence/video_{camera}.avi"
MASK = "FGmasks/img_{camera}_{frame:06d}.png"

TEST_FRAMES = dict(TS1=6151, TS2=6080, TS3=5838, TS4=6007, TS5=320, TS6=492)
"""Official frames of each sequence."""

TEST_VALID = dict(TS1=603, TS2=540, TS3=505, TS4=553, TS5=276, TS6=452)
"""Official number of frames that the benchmark counts."""

ACTIVITIES = (
    *("Standing/Walking", "Exercising", "Sitting", "Reaching/Crouching"),
    *("On the Floor", "Sports", "Miscellaneous"),
)
"""Names of the activities 1 to 7."""

TEST_IMAGE = "imageSequence/img_{frame:06d}.jpg"


def frame_path(folder: Path, pattern: str, camera: int, frame: int) -> Path:
    """File of a frame counted from 0; the files count from 1."""
    return folder / pattern.format(camera=camera, frame=frame + 1)


def image_pattern(folder: Path, camera: int, frames: int) -> str:
    """Form of a camera's frames on disk: the first whose first or last frame is there."""
    for pattern in (IMAGE, UNPACKED, VIDEO):
        if any(frame_path(folder, pattern, camera, i).exists() for i in (0, frames - 1)):
            return pattern
    return IMAGE


def training_sequences(root: Path) -> tuple[str, ...]:
    """Official training sequences that the folder holds, in order."""
    return tuple(name for name in FRAMES if (root / name).is_dir())


def benchmark_folder(root: Path) -> Path:
    """Folder that holds the test sequences: ``mpi_inf_3dhp_test_set`` where there is one."""
    inner = root / "mpi_inf_3dhp_test_set"
    return inner if inner.is_dir() else root


def benchmark_sequences(root: Path) -> tuple[str, ...]:
    """Official test sequences that the folder holds, in order."""
    return tuple(name for name in TEST_FRAMES if (benchmark_folder(root) / name).is_dir())


@dataclass(frozen=True)
class CalibratedCamera:
    """One camera of a studio.

    Attributes:
        number: its name in the file, 0 to 13 in the official set.
        intrinsics: (3, 3) pixels.
        extrinsics: (4, 4) world to camera, millimetres.
        size: (width, height) of its images in pixels.
    """

    number: int
    intrinsics: Float[np.ndarray, "3 3"]
    extrinsics: Float[np.ndarray, "4 4"]
    size: tuple[int, int]

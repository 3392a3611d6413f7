"""``observed.npz``: cached detections: predictions of a 2D network and the truth beside them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from Datasets.skeletons import INFANT, Skeleton
from Engine.errors import DataError
from Engine.files import write_npz
from PoseEstimation.structures import FIELDS, Clip

FILE = "observed.npz"


@dataclass(frozen=True)
class CachedSequence:
    """One infant before one camera.

    Attributes:
        name: of the sequence.
        clip: (frame, ...) predictions and truth, in order.
        frames: number of each frame in the sequence.
    """

    name: str
    clip: Clip
    frames: Int[np.ndarray, "frame"]


def save_detections(
    path: Path, clip: Clip, sequences: Sequence[str], frames: Sequence[int], skeleton: Skeleton
) -> None:
    """Write predictions and truth of the frames of some sequences, in their order."""
    write_npz(
        path,
        sequence=np.array(sequences),
        frame=np.array(frames, dtype=np.int64),
        skeleton=np.array(skeleton.name),
        **{name: getattr(clip, name).astype(np.float32) for name in FIELDS},
    )


def read_detections(path: Path, skeleton: Skeleton = INFANT) -> list[CachedSequence]:
    """Read what ``save_detections`` wrote.

    Raises:
        DataError: missing or damaged file, a missing array, or joints of another convention.
    """
    arrays = read_arrays(path)
    missing = [name for name in (*FIELDS, "sequence", "frame", "skeleton") if name not in arrays]
    if missing:
        raise DataError(f"{path}: '{missing[0]}' is missing; write it again")
    if str(arrays["skeleton"]) != skeleton.name:
        found = arrays["skeleton"]
        raise DataError(
            f"{path}: has joints of {found}, expected {skeleton.name}; use that network"
        )
    every = Clip(*(arrays[name] for name in FIELDS))
    names = arrays["sequence"]
    return [
        CachedSequence(str(name), every[names == name], arrays["frame"][names == name])
        for name in np.unique(names)
    ]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read every array of an npz file.

    Raises:
        DataError: missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; write it or leave it out") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: unreadable ({reason}); write it again") from None

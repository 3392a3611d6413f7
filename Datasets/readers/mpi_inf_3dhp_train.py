"""Training set of MPI-INF-3DHP: samples made on demand from memory-mapped labels.

    root/S1 .. S8/Seq1, Seq2/annot.mat              labels, MATLAB version 5
                             camera.calibration     14 cameras
                             imageSequence/img_{camera}_{000001}.jpg, or
                             imageFrames/video_{camera}/frame_{000001}.jpg, or
                             imageSequence/video_{camera}.avi
                             FGmasks/img_{camera}_{000001}.png

Which of the three forms a camera's frames have is decided once, when the data set is opened. The
masks are grey images that generated data may hold; the official masks are colour videos whose
channels mark the green screen and clothes, and are not used.

Part of the reader in ``mpi_inf_3dhp.py``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from jaxtyping import Float

from Datasets.geometry.boxes import box_from_points, clip_box
from Datasets.layouts.mpi_inf_3dhp import (
    CAMERA_SETS,
    FRAMES,
    MASK,
    VIDEO,
    CalibratedCamera,
    frame_path,
    image_pattern,
    training_sequences,
)
from Datasets.readers.mpi_inf_3dhp_calibration import read_calibration
from Datasets.readers.mpi_inf_3dhp_index import SequenceLabels, indexed
from Datasets.skeletons import MPI_INF_28, Skeleton
from Datasets.sources import CACHE
from Datasets.structures import OCCLUDED, VISIBLE, Dataset, OnDemand, PoseSample
from Engine.errors import DataError
from Engine.reading import require_folder

NAME = "mpi_inf_3dhp"

BOX_PADDING = 0.05
"""Of the longer side of the box around the 28 joints, which reach from the crown to the toes."""

ANNOTATIONS = ("annot3", "univ_annot3")

RELEASE_EVERY = 100
"""Samples between two returns of memory: for each label the system maps up to a megabyte around it,
so that random reading would in time hold the whole cache."""


@dataclass(frozen=True)
class CameraFrames:
    """Frames of one camera of one sequence.

    Attributes:
        folder: of the sequence.
        name: such as ``S1_Seq1_Cam0``.
        labels: of all cameras of the sequence.
        row: this camera's place in them.
        camera: its calibration.
        images: pattern of its frames, or of the video that holds them.
        masks: whether there are masks.
    """

    folder: Path
    name: str
    labels: SequenceLabels
    row: int
    camera: CalibratedCamera
    images: str
    masks: bool

    def sample(self, frame: int, annotation: str) -> PoseSample:
        """Make the sample of a frame, counted from 0; ``univ_annot3`` has no camera."""
        keypoints = np.array(self.labels["annot2"][self.row, frame], dtype=np.float64)
        joints = np.array(self.labels[annotation][self.row, frame], dtype=np.float64)
        camera, mask = self.camera, frame_path(self.folder, MASK, self.camera.number, frame)
        return PoseSample(
            image_path=frame_path(self.folder, self.images, camera.number, frame),
            skeleton=MPI_INF_28,
            keypoints_px=keypoints,
            visibility=visible_in(keypoints, camera.size),
            joints_mm=joints,
            box_xyxy=person_box(keypoints, camera.size, BOX_PADDING),
            intrinsics=camera.intrinsics.copy() if annotation == "annot3" else None,
            mask_path=mask if self.masks else None,
            sequence=self.name,
            frame=frame + 1,
            age="adult",
            video_frame=frame if self.images == VIDEO else None,
        )


class _Maker:
    """Makes the samples of several cameras, numbered one camera after the other."""

    def __init__(self, parts: Sequence[CameraFrames], skeleton: Skeleton, annotation: str) -> None:
        self.parts, self.skeleton, self.annotation = tuple(parts), skeleton, annotation
        self.ends = tuple(accumulate(part.labels.frames for part in self.parts))
        self.made = 0

    def __call__(self, position: int) -> PoseSample:
        self.made += 1
        if self.made % RELEASE_EVERY == 0:
            for labels in {part.labels for part in self.parts}:
                labels.release()
        part = bisect_right(self.ends, position)
        frame = position - (self.ends[part - 1] if part else 0)
        return self.parts[part].sample(frame, self.annotation).to(self.skeleton)


def visible_in(keypoints_px: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """Visibility of (joint, 2) labels: inside the image or not; the set does not say more."""
    if size is None:
        return np.full(len(keypoints_px), VISIBLE, dtype=np.uint8)
    inside = ((keypoints_px >= -0.5) & (keypoints_px < np.array(size) - 0.5)).all(axis=1)
    return np.where(inside, VISIBLE, OCCLUDED).astype(np.uint8)


def person_box(
    keypoints_px: np.ndarray, size: tuple[int, int] | None, padding: float
) -> Float[np.ndarray, "4"] | None:
    """Box around the joints, grown on all sides by a share of its longer side.

    Args:
        keypoints_px: (joint, 2), all finite.
        size: (width, height) of the image, to keep the box inside; None when unknown.
        padding: the share.

    Returns:
        (4,) pixels; None when it lies outside the image.
    """
    box = box_from_points(keypoints_px, share=padding)
    if box is not None and size is not None:
        box = clip_box(box, size)
    return None if box is None or not (box[2:] > box[:2]).all() else box


def read_mpi_inf_3dhp_train(
    root: Path | str,
    sequences: Iterable[str] | None = None,
    cameras: str | Sequence[int] = "vnect",
    annotation: str = "annot3",
    cache: Path = CACHE,
    progress: Callable[[int, int], None] | None = None,
    skeleton: Skeleton = MPI_INF_28,
) -> Dataset:
    """Open the training set; its labels are converted once to memory-mapped arrays.

    2D labels are taken as they are: they are the projections of ``annot3`` under the calibration.

    Args:
        root: the folder that holds ``S1``, ``S2``, ...
        sequences: such as ``"S1/Seq1"``; None takes all that are there.
        cameras: a key of ``CAMERA_SETS`` or camera numbers; those without labels are left out.
        annotation: ``annot3``, true to the image, or ``univ_annot3``, scaled to a person of
            standard height: that one does not project, so its samples have no intrinsics.
        cache: folder for the converted labels (1.7 GB for the official set).
        progress: called with (sequences read, sequences in all), if any has to be converted.
        skeleton: of the samples.

    Raises:
        DataError: a file is missing or damaged, or an argument is unknown.
    """
    root = require_folder(root, "MPI-INF-3DHP")
    names = training_sequences(root) if sequences is None else tuple(sequences)
    if not names:
        raise DataError(f"MPI-INF-3DHP: {root} holds no S1/Seq1 ... S8/Seq2; check the path")
    require_known("annotation", annotation, ANNOTATIONS)
    if isinstance(cameras, str):
        cameras = CAMERA_SETS[require_known("cameras", cameras, CAMERA_SETS)]
    parts: list[CameraFrames] = []
    for done, name in enumerate(names, 1):
        if name not in FRAMES:
            raise DataError(f"MPI-INF-3DHP: '{name}' is no sequence; write S1/Seq1 ... S8/Seq2")
        folder, title = require_folder(root / name, "MPI-INF-3DHP sequence"), name.replace("/", "_")
        labels, converted = indexed(folder / "annot.mat", cache, title, FRAMES[name])
        parts += _cameras(folder, title, labels, cameras)
        if converted and progress is not None:
            progress(done, len(names))
    if not parts:
        raise DataError(f"MPI-INF-3DHP: {root} has labels of no camera {cameras}; choose others")
    make = _Maker(parts, skeleton, annotation)
    return Dataset(NAME, root, skeleton, OnDemand(make, range(make.ends[-1])))


def require_known(what: str, name: str, known: Iterable[str]) -> str:
    """Return a name that is known.

    Raises:
        DataError: it is not.
    """
    if name not in known:
        raise DataError(f"{what}: '{name}' is unknown; choose one of {', '.join(known)}")
    return name


def _cameras(
    folder: Path, title: str, labels: SequenceLabels, wanted: Sequence[int]
) -> list[CameraFrames]:
    """Cameras of one sequence that are wanted and labelled."""
    path = folder / "camera.calibration"
    calibration = read_calibration(path)
    parts = []
    for row, number in enumerate(labels.cameras):
        if number not in wanted:
            continue
        if number not in calibration:
            raise DataError(f"camera calibration: {path} lacks camera {number}; restore the file")
        images = image_pattern(folder, number, labels.frames)
        masks, name = frame_path(folder, MASK, number, 0).exists(), f"{title}_Cam{number}"
        parts.append(CameraFrames(folder, name, labels, row, calibration[number], images, masks))
    return parts

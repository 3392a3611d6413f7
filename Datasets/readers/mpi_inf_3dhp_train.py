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
from pathlib import Path

import numpy as np
from jaxtyping import Float

from Datasets.geometry.boxes import box_from_points, clip_box
from Datasets.layouts.mpi_inf_3dhp import (
    CAMERA_SETS,
    FRAMES,
    IMAGE,
    MASK,
    UNPACKED,
    VIDEO,
    CalibratedCamera,
)
from Datasets.readers.mpi_inf_3dhp_calibration import read_calibration
from Datasets.readers.mpi_inf_3dhp_index import SequenceLabels, indexed
from Datasets.skeletons import MPI_INF_28, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.sources import CACHE
from Datasets.structures import OCCLUDED, VISIBLE, Dataset, PoseSample
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
class View:
    """One camera of one sequence.

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

    def file(self, pattern: str, frame: int) -> Path:
        """Path of a frame, counted from 0."""
        return frame_path(self.folder, pattern, self.camera.number, frame)


class TrainSamples(Sequence[PoseSample]):
    """Samples in the order (sequence, camera, frame), each made when it is asked for."""

    def __init__(self, views: Sequence[View], skeleton: Skeleton, annotation: str) -> None:
        self.views, self.skeleton, self.annotation = tuple(views), skeleton, annotation
        self._map = joint_map(MPI_INF_28, skeleton)
        ends = np.cumsum([view.labels.frames for view in self.views]).tolist()
        self._starts, self._order = [0, *ends[:-1]], range(ends[-1] if ends else 0)
        self._made = 0

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int | slice) -> PoseSample | TrainSamples:
        if isinstance(index, slice):
            part = TrainSamples(self.views, self.skeleton, self.annotation)
            part._order = self._order[index]
            return part
        self._made += 1
        if self._made % RELEASE_EVERY == 0:
            for labels in {view.labels for view in self.views}:
                labels.release()
        position = self._order[index]
        number = bisect_right(self._starts, position) - 1
        return self._sample(self.views[number], position - self._starts[number])

    def _sample(self, view: View, frame: int) -> PoseSample:
        keypoints = np.array(view.labels.annot2[view.row, frame], dtype=np.float64)
        joints = np.array(getattr(view.labels, self.annotation)[view.row, frame], dtype=np.float64)
        projects = self.annotation == "annot3"
        in_video = view.images == VIDEO
        seen = visible_in(keypoints, view.camera.size)
        return PoseSample(
            image_path=view.file(view.images, frame),
            skeleton=self.skeleton,
            keypoints_px=self._map.apply(keypoints),
            visibility=self._map.apply(seen[:, None], fill=0)[:, 0].astype(np.uint8),
            joints_mm=self._map.apply(joints),
            box_xyxy=person_box(keypoints, view.camera.size, BOX_PADDING),
            intrinsics=view.camera.intrinsics.copy() if projects else None,
            mask_path=view.file(MASK, frame) if view.masks else None,
            sequence=view.name,
            frame=frame + 1,
            age="adult",
            video_frame=frame if in_video else None,
        )


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
    box = box_from_points(keypoints_px)
    box = box + padding * float(max(box[2] - box[0], box[3] - box[1])) * np.array([-1, -1, 1, 1])
    box = box if size is None else clip_box(box, size)
    return box if (box[2:] > box[:2]).all() else None


def sequence_names(root: Path) -> tuple[str, ...]:
    """Official sequences that the folder holds, in order."""
    return tuple(name for name in FRAMES if (root / name).is_dir())


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
        progress: called with (sequences seen, sequences in all), if any has to be converted.
        skeleton: convention of the samples.

    Raises:
        DataError: a file is missing or damaged, or an argument is unknown.
    """
    root = require_folder(root, "MPI-INF-3DHP")
    names = sequence_names(root) if sequences is None else tuple(sequences)
    if not names:
        raise DataError(f"MPI-INF-3DHP: {root} holds no S1/Seq1 ... S8/Seq2; check the path")
    if annotation not in ANNOTATIONS:
        known = ", ".join(ANNOTATIONS)
        raise DataError(f"annotation: '{annotation}' is unknown; choose one of {known}")
    wanted = camera_numbers(cameras)
    views: list[View] = []
    for done, name in enumerate(names, 1):
        labels, converted = _labels(root, name, cache)
        views += _views(root / name, name, labels, wanted)
        if converted and progress is not None:
            progress(done, len(names))
    if not views:
        raise DataError(f"MPI-INF-3DHP: {root} has labels of no camera {wanted}; choose others")
    return Dataset(NAME, root, skeleton, TrainSamples(views, skeleton, annotation))


def camera_numbers(cameras: str | Sequence[int]) -> tuple[int, ...]:
    """Numbers of a named camera set.

    Raises:
        DataError: the name is unknown.
    """
    if not isinstance(cameras, str):
        return tuple(cameras)
    if cameras not in CAMERA_SETS:
        known = ", ".join(CAMERA_SETS)
        raise DataError(f"cameras: '{cameras}' is unknown; choose one of {known}")
    return CAMERA_SETS[cameras]


def _labels(root: Path, name: str, cache: Path) -> tuple[SequenceLabels, bool]:
    if name not in FRAMES:
        raise DataError(f"MPI-INF-3DHP: '{name}' is no sequence; write S1/Seq1 ... S8/Seq2")
    folder = require_folder(root / name, "MPI-INF-3DHP sequence")
    return indexed(folder / "annot.mat", cache, name.replace("/", "_"), FRAMES[name])


def _views(folder: Path, name: str, labels: SequenceLabels, wanted: Sequence[int]) -> list[View]:
    """Cameras of one sequence that are wanted and labelled."""
    path = folder / "camera.calibration"
    calibration = read_calibration(path)
    views = []
    for row, number in enumerate(labels.cameras):
        if number not in wanted:
            continue
        if number not in calibration:
            raise DataError(f"camera calibration: {path} lacks camera {number}; restore the file")
        title = f"{name.replace('/', '_')}_Cam{number}"
        images = image_pattern(folder, number, labels.frames)
        masks = frame_path(folder, MASK, number, 0).exists()
        views.append(View(folder, title, labels, row, calibration[number], images, masks))
    return views


def frame_path(folder: Path, pattern: str, camera: int, frame: int) -> Path:
    """File of a frame counted from 0; the files count from 1."""
    return folder / pattern.format(camera=camera, frame=frame + 1)


def image_pattern(folder: Path, camera: int, frames: int) -> str:
    """Form of a camera's frames on disk: the first whose first or last frame is there."""
    for pattern in (IMAGE, UNPACKED, VIDEO):
        if any(frame_path(folder, pattern, camera, i).exists() for i in (0, frames - 1)):
            return pattern
    return IMAGE

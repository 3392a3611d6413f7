"""Test set of MPI-INF-3DHP: six sequences, 17 joints, the frames that count marked as valid.

    root/TS1 .. TS6/annot_data.mat                        labels, MATLAB version 7.3 (HDF5)
                    imageSequence/img_000001.jpg
    root may also be the folder that holds mpi_inf_3dhp_test_set/TS1 .. TS6

Cameras are not given: each sequence's is fitted to its own labels.

Part of the reader in ``mpi_inf_3dhp.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.layouts.mpi_inf_3dhp import (
    ACTIVITIES,
    TEST_FRAMES,
    TEST_IMAGE,
    benchmark_folder,
    benchmark_sequences,
)
from Datasets.readers.matlab import load_hdf5, load_mat
from Datasets.readers.mpi_inf_3dhp_train import (
    ANNOTATIONS,
    NAME,
    person_box,
    require_known,
    visible_in,
)
from Datasets.skeletons import MPI_INF_17, Skeleton
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError
from Engine.reading import require_file, require_folder

BOX_PADDING = 0.1
"""Of the longer side of the box around the 17 joints, which lack hands and feet."""

WHAT = "MPI-INF-3DHP test annotation"
JOINTS = len(MPI_INF_17)
_SHAPES = {
    "annot2": (1, JOINTS, 2),
    "annot3": (1, JOINTS, 3),
    "univ_annot3": (1, JOINTS, 3),
    "valid_frame": (1,),
    "activity_annotation": (1,),
}
"""Arrays of ``annot_data.mat`` as HDF5 shows them, without the leading axis of frames."""


@dataclass(frozen=True)
class BenchmarkLabels:
    """Labels of one test sequence.

    Attributes:
        keypoints_px: (frame, 17, 2) pixels.
        joints_mm: (frame, 17, 3) millimetres, camera frame.
        universal_mm: the same of a person of standard height; does not project.
        valid: (frame,) whether the benchmark counts it.
        activity: (frame,) 1 to 7; 0 where none is given, -1 for anything else.
    """

    keypoints_px: Float[np.ndarray, "frame 17 2"]
    joints_mm: Float[np.ndarray, "frame 17 3"]
    universal_mm: Float[np.ndarray, "frame 17 3"]
    valid: Bool[np.ndarray, "frame"]
    activity: Int[np.ndarray, "frame"]

    def camera(self) -> tuple[Float[np.ndarray, "3 3"] | None, float]:
        """Fit a camera to the valid frames; see ``fit_intrinsics``."""
        return fit_intrinsics(self.keypoints_px[self.valid], self.joints_mm[self.valid])


def read_mpi_inf_3dhp_test(
    root: Path | str,
    sequences: Iterable[str] | None = None,
    annotation: str = "annot3",
    skeleton: Skeleton = MPI_INF_17,
) -> Dataset:
    """Read the frames that the benchmark counts; notes say how well each fitted camera fits.

    Args:
        root: the folder that holds ``TS1``, ``TS2``, ... or ``mpi_inf_3dhp_test_set``.
        sequences: such as ``"TS1"``; None takes all that are there.
        annotation: ``annot3``, true to the image, or ``univ_annot3``, which the benchmark scores:
            that one does not project, so its samples have no intrinsics.
        skeleton: of the samples.

    Raises:
        DataError: a file is missing or damaged, or an argument is unknown.
    """
    root = require_folder(root, "MPI-INF-3DHP")
    names = benchmark_sequences(root) if sequences is None else tuple(sequences)
    if not names:
        raise DataError(f"MPI-INF-3DHP: {root} holds no TS1 ... TS6; check the path")
    require_known("annotation", annotation, ANNOTATIONS)
    samples: list[PoseSample] = []
    notes: list[str] = []
    for name in names:
        if name not in TEST_FRAMES:
            raise DataError(f"MPI-INF-3DHP: '{name}' is no test sequence; write TS1 ... TS6")
        folder = require_folder(benchmark_folder(root) / name, "MPI-INF-3DHP test sequence")
        labels = read_test_labels(folder / "annot_data.mat")
        camera, residual_px = labels.camera()
        notes.append(f"{name}: too few labels to fit a camera; its samples have no intrinsics")
        if camera is not None:
            (fx, _, cx), (_, fy, cy) = camera[:2]
            notes[-1] = (
                f"{name}: camera fitted to its labels, focal lengths {fx:.1f} {fy:.1f}, centre "
                f"{cx:.1f} {cy:.1f} px; labels at most {residual_px:.2f} px from the projection"
            )
        joints_mm = labels.joints_mm
        if annotation != "annot3":
            joints_mm, camera = labels.universal_mm, None
        samples += _samples(folder, labels, joints_mm, camera)
    return Dataset(NAME, root, MPI_INF_17, tuple(samples), tuple(notes)).to(skeleton)


def _samples(
    folder: Path, labels: BenchmarkLabels, joints_mm: np.ndarray, intrinsics: np.ndarray | None
) -> list[PoseSample]:
    """Samples of the frames of one sequence that the benchmark counts."""
    size = _image_size(folder / TEST_IMAGE.format(frame=1))
    return [
        PoseSample(
            image_path=folder / TEST_IMAGE.format(frame=row + 1),
            skeleton=MPI_INF_17,
            keypoints_px=labels.keypoints_px[row],
            visibility=visible_in(labels.keypoints_px[row], size),
            joints_mm=joints_mm[row],
            box_xyxy=person_box(labels.keypoints_px[row], size, BOX_PADDING),
            intrinsics=intrinsics,
            sequence=folder.name,
            frame=row + 1,
            activity=("", *ACTIVITIES)[labels.activity[row]],
            age="adult",
        )
        for row in np.flatnonzero(labels.valid).tolist()
    ]


def _image_size(path: Path) -> tuple[int, int] | None:
    """Width and height from the first image's header; the annotation does not hold them."""
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def fit_intrinsics(
    keypoints_px: Float[np.ndarray, "frame joint 2"], joints_mm: Float[np.ndarray, "frame joint 3"]
) -> tuple[Float[np.ndarray, "3 3"] | None, float]:
    """Find the camera that projects 3D labels onto 2D ones.

    ``u Z = fx X + cx Z`` is linear in fx and cx, likewise for y; solved by least squares.

    Returns:
        Intrinsics, None when the labels do not determine them, and the largest distance of a label
        from its projection in pixels.
    """
    points = joints_mm.reshape(-1, 3).astype(np.float64)
    pixels = keypoints_px.reshape(-1, 2).astype(np.float64)
    usable = np.isfinite(points).all(1) & np.isfinite(pixels).all(1) & (points[:, 2] > 0)
    points, pixels = points[usable], pixels[usable]
    solved = []
    for axis in (0, 1):
        system = points[:, [axis, 2]]
        solution, _, rank, _ = np.linalg.lstsq(system, pixels[:, axis] * points[:, 2], rcond=1e-6)
        if rank < 2 or solution[0] <= 0:
            return None, float("nan")
        solved.append(solution)
    (fx, cx), (fy, cy) = solved
    intrinsics = intrinsics_matrix(fx, fy, cx, cy)
    distance = np.linalg.norm(project(points, intrinsics) - pixels, axis=1)
    return intrinsics, float(distance.max())


def read_test_labels(path: Path) -> BenchmarkLabels:
    """Read ``annot_data.mat``, of version 7.3 or, saved again by a user, of an older one.

    Raises:
        DataError: the file is missing, damaged or lacks an array, an array has another shape (the
            number of joints), or a valid frame has labels that are not finite or no known activity.
    """
    import h5py

    arrays = (
        load_hdf5(path, WHAT, _SHAPES) if h5py.is_hdf5(require_file(path, WHAT)) else _older(path)
    )
    flat = {name: _by_frame(arrays[name], name, path) for name in _SHAPES}
    if len({len(values) for values in flat.values()}) > 1:
        found = ", ".join(f"{name} {len(values)}" for name, values in flat.items())
        raise DataError(f"{WHAT}: {path} has unequal numbers of frames ({found}); restore the file")
    activity = flat["activity_annotation"]
    known = np.isin(activity, range(len(ACTIVITIES) + 1))
    labels = BenchmarkLabels(
        flat["annot2"],
        flat["annot3"],
        flat["univ_annot3"],
        flat["valid_frame"] == 1,
        np.where(known, activity, -1).astype(np.int64),
    )
    _check_values(labels, path)
    return labels


def _by_frame(values: np.ndarray, name: str, path: Path) -> np.ndarray:
    """Check an array's shape and drop its axis of persons."""
    shape = _SHAPES[name]
    # MATLAB drops its last axes of length 1: of a single frame, HDF5's first.
    values = values.reshape((1,) * (len(shape) + 1 - values.ndim) + values.shape)
    if values.shape[1:] != shape or values.dtype.kind not in "fiub":
        expected = ", ".join(map(str, ("frames", *shape)))
        raise DataError(
            f"{WHAT}: {path}, '{name}' is {values.dtype} of shape {values.shape}, expected numbers "
            f"of shape ({expected}), {JOINTS} joints; restore the file"
        )
    return values[:, 0].astype(np.float64)


def _check_values(labels: BenchmarkLabels, path: Path) -> None:
    """Refuse valid frames without finite labels and activities that have no name."""
    for name in ("keypoints_px", "joints_mm", "universal_mm"):
        bad = ~np.isfinite(getattr(labels, name)) & labels.valid[:, None, None]
        if bad.any():
            frame, joint, _ = np.argwhere(bad)[0]
            raise DataError(
                f"{WHAT}: {path}, frame {frame + 1}: {MPI_INF_17.joints[joint]} is not finite in a "
                "valid frame; restore the file"
            )
    unknown = np.flatnonzero(labels.activity < 0)
    if unknown.size:
        raise DataError(
            f"{WHAT}: {path}, frame {unknown[0] + 1}: its activity is not 1 to {len(ACTIVITIES)}; "
            "restore the file"
        )


def _older(path: Path) -> dict[str, np.ndarray]:
    """Arrays of a version 5 to 7 file, with the axes in HDF5's order."""
    loaded = load_mat(path, WHAT, list(_SHAPES))
    for name in _SHAPES:
        if not isinstance(loaded.get(name), np.ndarray):
            raise DataError(f"{WHAT}: {path} has no array '{name}'; restore the file")
    return {name: loaded[name].T for name in _SHAPES}

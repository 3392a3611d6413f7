"""Write the official MPI-INF-3DHP layout: training sequences and test sequences.

A training sequence is one ``annot.mat`` (MATLAB version 5), one ``camera.calibration`` and, for
each camera, images or a video; a test sequence is one ``annot_data.mat`` (version 7.3, HDF5) and
images. ``bb_crop`` of the test files is not written: no reader uses it.

``univ_annot3`` is by this project's convention ``annot3`` scaled about each frame's pelvis by one
factor per sequence, the one that makes the person's knee-to-neck length 920 mm. That length is
measured along the bones, so that posture does not change it: neck to spine to pelvis, and hip to
knee, the mean of both sides; its median over all frames counts. Joints of these names are in both
the 28 and the 17.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from PIL import Image

from Datasets.layouts.mpi_inf_3dhp import (
    ACTIVITIES,
    CAMERA_SETS,
    FRAMES,
    IMAGE,
    MASK,
    TEST_IMAGE,
    UNPACKED,
    CalibratedCamera,
)
from Datasets.skeletons import MPI_INF_17, MPI_INF_28, Skeleton
from Datasets.writers.containers import write_hdf5, write_mat
from Engine.errors import DataError
from Engine.files import write_image, write_text

UNIVERSAL_KNEE_TO_NECK_MM = 920.0
JPEG_QUALITY = 95

_MAT73_HEADER = (
    b"MATLAB 7.3 MAT-file, MPI-INF-3DHP layout, HDF5 schema 1.00 .".ljust(116)
    + bytes(8)
    + b"\x00\x02IM"
)
"""First 128 bytes of an HDF5 file for MATLAB. They state no date: same labels, same bytes."""


def universal(
    joints_mm: Float[np.ndarray, "*frame joint 3"], skeleton: Skeleton
) -> Float[np.ndarray, "*frame joint 3"]:
    """Scale the poses of one person about their pelvis to the standard size (see above).

    Raises:
        DataError: the person has no length from knee to neck.
    """

    def length(a: str, b: str) -> np.ndarray:
        i, j = skeleton.indices([a, b])
        return np.linalg.norm(joints_mm[..., i, :] - joints_mm[..., j, :], axis=-1)

    trunk = length("neck", "spine") + length("spine", "pelvis")
    thigh = (length("left_hip", "left_knee") + length("right_hip", "right_knee")) / 2
    knee_to_neck = float(np.median(trunk + thigh))
    if not knee_to_neck > 0:
        raise DataError("univ_annot3: the person has no length from knee to neck; check joints_mm")
    root = joints_mm[..., [skeleton.root_index], :]
    return root + (joints_mm - root) * (UNIVERSAL_KNEE_TO_NECK_MM / knee_to_neck)


def write_train_annotations(
    folder: Path,
    keypoints_px: Float[np.ndarray, "camera frame 28 2"],
    joints_mm: Float[np.ndarray, "camera frame 28 3"],
    cameras: Sequence[int] = CAMERA_SETS["regular"],
) -> None:
    """Write ``annot.mat``: a cell for each of the 14 cameras, empty where there are no labels.

    Args:
        folder: of the sequence, such as ``root/S1/Seq1``; made when missing.
        keypoints_px: joints in pixels.
        joints_mm: the same in millimetres, camera frame.
        cameras: number of each camera, 0 to 13.

    Raises:
        DataError: what the layout cannot hold.
    """
    views, frames = np.shape(keypoints_px)[:2]
    _require_shape(folder, "keypoints_px", keypoints_px, (views, frames, len(MPI_INF_28), 2))
    _require_shape(folder, "joints_mm", joints_mm, (views, frames, len(MPI_INF_28), 3))
    known = set(cameras) & set(CAMERA_SETS["regular"])
    if not len(cameras) == len(known) == views:
        raise DataError(
            f"MPI-INF-3DHP: {folder}, cameras {list(cameras)} are not {views} different numbers "
            "from 0 to 13; correct them"
        )
    limit = FRAMES.get("/".join(Path(folder).absolute().parts[-2:]), frames)
    if frames > limit:
        raise DataError(
            f"MPI-INF-3DHP: {folder} takes at most {limit} frames, given {frames}; readers cut the "
            "rest: use a longer sequence or several"
        )
    arrays = {
        "annot2": np.asarray(keypoints_px, dtype=np.float64),
        "annot3": np.asarray(joints_mm, dtype=np.float64),
    }
    arrays["univ_annot3"] = universal(arrays["annot3"], MPI_INF_28)
    content: dict[str, np.ndarray] = {}
    for name, values in arrays.items():
        cells = np.empty((len(CAMERA_SETS["regular"]), 1), dtype=object)
        cells[:, 0] = [np.zeros((0, 0))] * len(cells)
        for number, view in zip(cameras, values, strict=True):
            cells[number, 0] = view.reshape(frames, -1)
        content[name] = cells
    content["cameras"] = np.arange(len(CAMERA_SETS["regular"]), dtype=np.float64)[None]
    content["frames"] = np.arange(frames, dtype=np.float64)[:, None]
    write_mat(Path(folder) / "annot.mat", content, "MPI-INF-3DHP")


def _require_shape(folder: Path, name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    values = np.asarray(values)
    if values.shape != shape or 0 in shape:
        raise DataError(
            f"MPI-INF-3DHP: {folder}, {name} has shape {values.shape}, expected {shape} with at "
            "least one frame; correct it"
        )
    if not np.isfinite(values).all():
        raise DataError(
            f"MPI-INF-3DHP: {folder}, {name} is not finite; the layout has no unlabelled joints"
        )


def write_calibration(folder: Path, cameras: Sequence[CalibratedCamera]) -> None:
    """Write ``camera.calibration``; numbers keep every digit.

    The sensor is stated as if its pixels were 7 micrometres wide.

    Raises:
        DataError: a camera is not finite or two share a number.
    """
    lines = ["Skeletool Camera Calibration File V1.0"]
    for camera in cameras:
        matrices = np.eye(4), np.asarray(camera.extrinsics, dtype=np.float64)
        matrices[0][:3, :3] = camera.intrinsics
        if not np.isfinite(matrices).all():
            raise DataError(f"camera calibration: camera {camera.number} is not finite; correct it")
        intrinsic, extrinsic = (" ".join(map(repr, m.ravel().tolist())) for m in matrices)
        width, height = camera.size
        lines += [
            f"name          {camera.number}",
            f"  sensor      {width * 0.007:.4f} {height * 0.007:.4f}",
            f"  size        {width} {height}",
            "  animated    0",
            f"  intrinsic   {intrinsic}",
            f"  extrinsic   {extrinsic}",
            "  radial      0",
        ]
    if len({camera.number for camera in cameras}) < len(cameras):
        raise DataError("camera calibration: two cameras have the same number; number them anew")
    write_text(folder / "camera.calibration", "\n".join(lines) + "\n")


def write_train_image(
    folder: Path,
    camera: int,
    frame: int,
    rgb: UInt8[np.ndarray, "height width 3"],
    unpacked: bool = False,
) -> Path:
    """Write one frame of a camera as JPEG; returns the file.

    Args:
        folder: of the sequence.
        camera: its number.
        frame: number from 1, as in the file names.
        rgb: the image.
        unpacked: use ``imageFrames/video_0/frame_000001.jpg`` instead of the official
            ``imageSequence/img_0_000001.jpg``.
    """
    pattern = UNPACKED if unpacked else IMAGE
    return _save_jpeg(folder / pattern.format(camera=camera, frame=frame), rgb)


def write_train_mask(
    folder: Path, camera: int, frame: int, mask: Bool[np.ndarray, "height width"]
) -> Path:
    """Write the mask of one frame, 255 on the person, as a grey image; returns the file."""
    path = folder / MASK.format(camera=camera, frame=frame)
    grey = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))
    write_image(path, grey, durable=False, compress_level=1)
    return path


def write_test_annotations(
    folder: Path,
    keypoints_px: Float[np.ndarray, "frame 17 2"],
    joints_mm: Float[np.ndarray, "frame 17 3"],
    activity: Int[np.ndarray, "frame"],
    valid: Bool[np.ndarray, "frame"] | None = None,
) -> None:
    """Write ``annot_data.mat``, an HDF5 file that MATLAB opens.

    Args:
        folder: of the sequence, such as ``root/TS1``; made when missing.
        keypoints_px: joints in pixels.
        joints_mm: the same in millimetres, camera frame.
        activity: 1 to 7, places in ``ACTIVITIES``.
        valid: which frames the benchmark counts, default all.

    Raises:
        DataError: what the layout cannot hold.
    """
    frames = len(keypoints_px)
    valid = np.ones(frames, dtype=bool) if valid is None else np.asarray(valid, dtype=bool)
    _require_shape(folder, "keypoints_px", keypoints_px, (frames, len(MPI_INF_17), 2))
    _require_shape(folder, "joints_mm", joints_mm, (frames, len(MPI_INF_17), 3))
    _require_shape(folder, "activity", activity, (frames,))
    _require_shape(folder, "valid", valid, (frames,))
    if not np.isin(activity, range(1, len(ACTIVITIES) + 1)).all():
        raise DataError(f"MPI-INF-3DHP: {folder}, activity must be 1 to {len(ACTIVITIES)}")
    joints_mm = np.asarray(joints_mm, dtype=np.float64)
    write_hdf5(
        Path(folder) / "annot_data.mat",
        {
            "annot2": np.asarray(keypoints_px, dtype=np.float64)[:, None],
            "annot3": joints_mm[:, None],
            "univ_annot3": universal(joints_mm, MPI_INF_17)[:, None],
            "valid_frame": valid[:, None].astype(np.float64),
            "activity_annotation": np.asarray(activity, dtype=np.float64)[:, None],
        },
        {"MATLAB_class": np.bytes_("double")},
        _MAT73_HEADER.ljust(512, b"\0"),
    )


def write_test_image(folder: Path, frame: int, rgb: UInt8[np.ndarray, "height width 3"]) -> Path:
    """Write one frame of a test sequence, numbered from 1, as JPEG; returns the file."""
    return _save_jpeg(folder / TEST_IMAGE.format(frame=frame), rgb)


def _save_jpeg(path: Path, rgb: np.ndarray) -> Path:
    write_image(path, Image.fromarray(rgb), durable=False, quality=JPEG_QUALITY)
    return path

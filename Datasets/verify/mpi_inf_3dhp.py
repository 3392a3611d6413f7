"""Compare a folder with the official MPI-INF-3DHP: training sequences, test sequences or both."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from Datasets.geometry.camera import project
from Datasets.layouts.mpi_inf_3dhp import (
    CAMERA_SETS,
    FRAMES,
    MASK,
    TEST_FRAMES,
    TEST_IMAGE,
    TEST_VALID,
    VIDEO,
    CalibratedCamera,
)
from Datasets.readers import mpi_inf_3dhp_test as test_set
from Datasets.readers import mpi_inf_3dhp_train as train_set
from Datasets.readers.mpi_inf_3dhp_calibration import read_calibration
from Datasets.readers.mpi_inf_3dhp_index import CHANNELS, read_cameras, read_cells
from Datasets.readers.video_picture import is_square
from Datasets.readers.video_stream import VideoStream
from Datasets.verify.base import Findings, Verification, image_faults, is_generated, mask_faults
from Engine.errors import DataError
from Engine.reading import require_folder

MAX_MEAN_PX, MAX_RESIDUAL_PX = 2.0, 20.0
"""Real labels agree to 0.4 px in the mean, the hips to 2 px; a wrong camera is tens off."""


def verify_mpi_inf_3dhp(root: Path | str) -> Verification:
    """Count sequences, cameras and frames, list what is missing, project 3D labels onto 2D ones.

    A folder may hold the training set, the test set or both; what is absent as a whole is a remark.

    Raises:
        DataError: the folder does not exist or holds no sequence.
    """
    root = require_folder(root, "MPI-INF-3DHP")
    train, test = train_set.sequence_names(root), test_set.sequence_names(root)
    if not train and not test:
        raise DataError(
            f"MPI-INF-3DHP: {root} holds neither S1/Seq1 ... nor TS1 ...; give the folder that "
            "directly contains them"
        )
    found = Findings()
    generated = is_generated(root, found)
    counts = []
    for kind, names, official in (("training", train, FRAMES), ("test", test, TEST_FRAMES)):
        counts.append(f"{kind} sequences: {len(names)} (official {len(official)})")
        absent = [name for name in official if name not in names]
        if not names:
            found.notes.append(f"the {kind} set is not here")
        elif absent and not generated:
            found.problems.append(f"{kind} sequences missing: {', '.join(absent)}")
    for name in train:
        counts += _verify_train(root / name, name, generated, found)
    for name in test:
        counts += _verify_test(test_set.sequences_folder(root) / name, generated, found)
    counts.append(f"projection of annot3 onto annot2: at most {found.worst_px:.3f} px apart")
    return found.close("mpi_inf_3dhp", root, counts)


def _verify_train(folder: Path, name: str, generated: bool, found: Findings) -> list[str]:
    """Check one training sequence; returns its lines of counts."""
    cameras: dict[int, CalibratedCamera] | None = None
    calibration, annotations = folder / "camera.calibration", folder / "annot.mat"
    absent = [path for path in (annotations, calibration) if not path.is_file()]
    found.missing += absent
    if calibration not in absent:
        try:
            cameras = read_calibration(calibration)
        except DataError as error:
            found.problems.append(str(error))
    if annotations in absent:
        return []
    labels = _train_labels(annotations, FRAMES[name], found)
    views = labels.get("annot2", {})
    frames = max(map(len, views.values()), default=0)
    for number, keypoints in views.items():
        _verify_frames(folder, number, len(keypoints), found)
        if cameras is not None and number not in cameras:
            found.problems.append(f"{calibration} lacks camera {number}")
        elif cameras is not None and number in labels.get("annot3", {}):
            joints = labels["annot3"][number]
            where = f"{annotations}, camera {number}"
            _compare(where, joints, keypoints, cameras[number].intrinsics, found)
    official = len(CAMERA_SETS["regular"])
    return [
        found.compare_count(f"{name} frames", frames, FRAMES[name], generated),
        found.compare_count(f"{name} cameras", len(views), official, generated),
    ]


def _train_labels(annotations: Path, limit: int, found: Findings) -> dict[str, dict]:
    """Cells of ``annot2`` and ``annot3`` by camera; what is wrong with any array is noted."""
    labels: dict[str, dict[int, np.ndarray]] = {}
    shapes = {}
    try:
        cameras = read_cameras(annotations)
    except DataError as error:
        found.problems.append(str(error))
        return {}
    for name in CHANNELS:
        try:
            cells = dict(read_cells(annotations, name, cameras, limit))
        except DataError as error:
            found.problems.append(str(error))
            continue
        shapes[name] = {number: len(cell) for number, cell in cells.items()}
        if name != "univ_annot3":
            labels[name] = cells
    if any(shape != next(iter(shapes.values())) for shape in shapes.values()):
        found.problems.append(f"{annotations}: its arrays differ in cameras or frames")
    return labels


def _compare(
    where: str, joints: np.ndarray, keypoints: np.ndarray, intrinsics: np.ndarray, found: Findings
) -> None:
    """Project (frame, joint, 3) labels and note how far they are from (frame, joint, 2) ones."""
    if joints.shape[:2] != keypoints.shape[:2] or not len(joints):
        return
    distance = np.linalg.norm(project(joints, intrinsics) - keypoints, axis=-1)
    # A joint behind the camera has no projection.
    distance = np.nan_to_num(distance, nan=np.inf)
    mean, worst = float(distance.mean()), float(distance.max())
    found.worst_px = max(found.worst_px, worst)
    if mean > MAX_MEAN_PX or worst > MAX_RESIDUAL_PX:
        frame = int(distance.max(axis=1).argmax()) + 1
        found.problems.append(
            f"{where}: annot2 is {mean:.2f} px from the projected annot3 in the mean, "
            f"{worst:.2f} px in row {frame}"
        )


def _verify_frames(folder: Path, camera: int, frames: int, found: Findings) -> None:
    """Look for the images or the video of one camera."""
    pattern = train_set.image_pattern(folder, camera, frames)
    masks = [train_set.frame_path(folder, MASK, camera, frame) for frame in range(frames)]
    if masks and masks[0].exists():
        _verify_images(masks, found, mask_faults)
    paths = [train_set.frame_path(folder, pattern, camera, frame) for frame in range(frames)]
    if pattern == VIDEO:
        _verify_video(paths[0], frames, found)
    elif not any(path.exists() for path in {paths[0], paths[-1]}):
        # Neither images nor video: the video is what the official archives hold.
        found.missing.append(train_set.frame_path(folder, VIDEO, camera, 0))
    else:
        _verify_images(paths, found)


def _verify_images(
    paths: list[Path], found: Findings, faults: Callable[[Path], list[str]] = image_faults
) -> None:
    """Note images that are not there or whose end is missing; all lie in one folder."""
    folder = paths[0].parent
    present = set(os.listdir(folder)) if folder.is_dir() else set()
    for path in paths:
        if path.name in present:
            found.problems += faults(path)
        else:
            found.missing.append(path)


def _verify_video(path: Path, frames: int, found: Findings) -> None:
    """Compare the number of frames that a video states, and their shape, with the labels."""
    try:
        with VideoStream(path) as video:
            held, ratio = video.stream.frames, video.stream.sample_aspect_ratio
    except DataError as error:
        found.problems.append(str(error))
        return
    if held < frames:
        found.problems.append(f"{path} states {held} frames, its labels have {frames}")
    if not is_square(ratio):
        found.problems.append(f"{path} has pixels of shape {ratio}, its labels count square ones")


def _verify_test(folder: Path, generated: bool, found: Findings) -> list[str]:
    """Check one test sequence; returns its lines of counts."""
    name, annotations = folder.name, folder / "annot_data.mat"
    if not annotations.is_file():
        found.missing.append(annotations)
        return []
    try:
        labels = test_set.read_test_labels(annotations)
    except DataError as error:
        found.problems.append(str(error))
        return []
    frames, valid = len(labels.valid), int(labels.valid.sum())
    _verify_images([folder / TEST_IMAGE.format(frame=i + 1) for i in range(frames)], found)
    keypoints, joints = labels.keypoints_px[labels.valid], labels.joints_mm[labels.valid]
    intrinsics, residual_px = test_set.fit_intrinsics(keypoints, joints)
    if intrinsics is None:
        found.problems.append(f"{annotations}: no camera explains its valid labels")
    else:
        found.notes.append(f"{name}: labels at most {residual_px:.2f} px from their fitted camera")
        _compare(str(annotations), joints, keypoints, intrinsics, found)
    return [
        found.compare_count(f"{name} frames", frames, TEST_FRAMES[name], generated),
        found.compare_count(f"{name} valid frames", valid, TEST_VALID[name], generated),
    ]

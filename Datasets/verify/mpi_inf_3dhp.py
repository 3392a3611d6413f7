"""Compare a folder with the official MPI-INF-3DHP: training sequences, test sequences or both."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.geometry.camera import project
from Datasets.layouts import mpi_inf_3dhp as layout
from Datasets.readers.mpi_inf_3dhp_calibration import read_calibration
from Datasets.readers.mpi_inf_3dhp_index import CHANNELS, read_cameras, read_cells
from Datasets.readers.mpi_inf_3dhp_test import read_test_labels
from Datasets.readers.video_picture import is_square
from Datasets.readers.video_stream import VideoStream
from Datasets.verify.base import Verification, mask_faults
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
    train, test = layout.training_sequences(root), layout.benchmark_sequences(root)
    if not train and not test:
        raise DataError(
            f"MPI-INF-3DHP: {root} holds neither S1/Seq1 ... nor TS1 ...; give the folder that "
            "directly contains them"
        )
    found = Verification("mpi_inf_3dhp", root)
    parts = (("training", train, layout.FRAMES), ("test", test, layout.TEST_FRAMES))
    for kind, names, official in parts:
        found.counts.append(f"{kind} sequences: {len(names)} (official {len(official)})")
        absent = [name for name in official if name not in names]
        if not names:
            found.notes.append(f"the {kind} set is not here")
        elif absent and not found.generated:
            found.problems.append(f"{kind} sequences missing: {', '.join(absent)}")
    for name in train:
        _verify_train(root / name, name, found)
    for name in test:
        _verify_test(layout.benchmark_folder(root) / name, found)
    found.counts.append(f"projection of annot3 onto annot2: at most {found.worst_px:.3f} px apart")
    return found


def _verify_train(folder: Path, name: str, found: Verification) -> None:
    """Check one training sequence."""
    calibration, annotations = folder / "camera.calibration", folder / "annot.mat"
    absent = [path for path in (annotations, calibration) if not path.is_file()]
    found.missing += absent
    cameras = None if calibration in absent else found.attempt(read_calibration, calibration)
    if annotations in absent:
        return
    labels = _train_labels(annotations, layout.FRAMES[name], found)
    views = labels.get("annot2", {})
    for number, keypoints in views.items():
        _verify_frames(folder, number, len(keypoints), found)
        if cameras is not None and number not in cameras:
            found.problems.append(f"{calibration} lacks camera {number}")
        elif cameras is not None and number in labels.get("annot3", {}):
            joints = labels["annot3"][number]
            where = f"{annotations}, camera {number}"
            _compare(where, joints, keypoints, cameras[number].intrinsics, found)
    frames = max(map(len, views.values()), default=0)
    found.count(f"{name} frames", frames, layout.FRAMES[name])
    found.count(f"{name} cameras", len(views), len(layout.CAMERA_SETS["regular"]))


def _train_labels(annotations: Path, limit: int, found: Verification) -> dict[str, dict]:
    """Cells of ``annot2`` and ``annot3`` by camera; what is wrong with any array is noted."""
    labels: dict[str, dict[int, np.ndarray]] = {}
    shapes = {}
    known = len(found.problems)
    cameras = found.attempt(read_cameras, annotations)
    if len(found.problems) > known:
        return {}
    for name in CHANNELS:
        cells = found.attempt(lambda *a: dict(read_cells(*a)), annotations, name, cameras, limit)
        if cells is None:
            continue
        shapes[name] = {number: len(cell) for number, cell in cells.items()}
        if name != "univ_annot3":
            labels[name] = cells
    if any(shape != next(iter(shapes.values())) for shape in shapes.values()):
        found.problems.append(f"{annotations}: its arrays differ in cameras or frames")
    return labels


def _compare(
    where: str,
    joints: np.ndarray,
    keypoints: np.ndarray,
    intrinsics: np.ndarray,
    found: Verification,
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


def _verify_frames(folder: Path, camera: int, frames: int, found: Verification) -> None:
    """Look for the images or the video of one camera."""

    def paths(pattern: str) -> list[Path]:
        return [layout.frame_path(folder, pattern, camera, frame) for frame in range(frames)]

    masks, images = paths(layout.MASK), paths(layout.image_pattern(folder, camera, frames))
    if masks and masks[0].exists():
        found.look_at(masks, mask_faults)
    if images[0].suffix == ".avi":
        _verify_video(images[0], frames, found)
    elif not any(path.exists() for path in {images[0], images[-1]}):
        # Neither images nor video: the video is what the official archives hold.
        found.missing += paths(layout.VIDEO)[:1]
    else:
        found.look_at(images)


def _verify_video(path: Path, frames: int, found: Verification) -> None:
    """Compare the number of frames that a video states, and their shape, with the labels."""
    video = found.attempt(VideoStream, path)
    if video is None:
        return
    with video:
        held, ratio = video.stream.frames, video.stream.sample_aspect_ratio
    if held < frames:
        found.problems.append(f"{path} states {held} frames, its labels have {frames}")
    if not is_square(ratio):
        found.problems.append(f"{path} has pixels of shape {ratio}, its labels count square ones")


def _verify_test(folder: Path, found: Verification) -> None:
    """Check one test sequence."""
    name, annotations = folder.name, folder / "annot_data.mat"
    if not annotations.is_file():
        found.missing.append(annotations)
        return
    labels = found.attempt(read_test_labels, annotations)
    if labels is None:
        return
    frames = len(labels.valid)
    found.look_at(folder / layout.TEST_IMAGE.format(frame=i + 1) for i in range(frames))
    intrinsics, residual_px = labels.camera()
    if intrinsics is None:
        found.problems.append(f"{annotations}: no camera explains its valid labels")
    else:
        found.notes.append(f"{name}: labels at most {residual_px:.2f} px from their fitted camera")
        keypoints, joints = labels.keypoints_px[labels.valid], labels.joints_mm[labels.valid]
        _compare(str(annotations), joints, keypoints, intrinsics, found)
    found.count(f"{name} frames", frames, layout.TEST_FRAMES[name])
    found.count(f"{name} valid frames", int(labels.valid.sum()), layout.TEST_VALID[name])

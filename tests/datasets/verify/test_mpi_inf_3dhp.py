"""Is a folder MPI-INF-3DHP? Whole ones pass, and every fault of a broken one is told at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.layouts.mpi_inf_3dhp import VIDEO, CalibratedCamera
from Datasets.verify.mpi_inf_3dhp import verify_mpi_inf_3dhp
from Datasets.writers.mpi_inf_3dhp import (
    write_calibration,
    write_test_annotations,
    write_test_image,
    write_train_annotations,
    write_train_image,
)
from Engine.errors import DataError

INTRINSICS = intrinsics_matrix(50, 50, 31.5, 23.5)
RGB = np.full((48, 64, 3), 90, dtype=np.uint8)
TRAIN = ("S1/Seq1", "S1/Seq2", "S2/Seq1")


def labels(views: tuple[int, ...], joints: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    mm = generator.normal([0, 0, 4000], [300, 400, 100], (*views, joints, 3))
    return project(mm, INTRINSICS), mm


def video(make_video: Callable[..., Path], folder: Path, camera: int, frames: int) -> None:
    path = folder / VIDEO.format(camera=camera)
    path.parent.mkdir(exist_ok=True)
    make_video(path, [RGB] * frames, "mjpeg", pixels="yuvj420p")


@pytest.fixture
def root(tmp_path: Path, make_video: Callable[..., Path]) -> Path:
    """Three training sequences in the three forms of images, two test sequences; generated."""
    (tmp_path / "generator.json").write_text(json.dumps({"profile": "mpi_inf_3dhp"}))
    cameras = [CalibratedCamera(n, INTRINSICS, np.eye(4), (64, 48)) for n in range(14)]
    for form, name in enumerate(TRAIN):
        folder = tmp_path / name
        write_train_annotations(folder, *labels((2, 3), 28), cameras=(0, 8))
        write_calibration(folder, cameras)
        for number in (0, 8):
            for frame in (1, 2, 3):
                if form < 2:
                    write_train_image(folder, number, frame, RGB, unpacked=form == 1)
            if form == 2:
                video(make_video, folder, number, 3)
    for name in ("TS1", "TS6"):
        folder = tmp_path / "mpi_inf_3dhp_test_set" / name
        write_test_annotations(folder, *labels((3,), 17), activity=np.array([1, 2, 3]))
        for frame in (1, 2, 3):
            write_test_image(folder, frame, RGB)
    return tmp_path


def test_a_whole_generated_folder_passes(root: Path) -> None:
    result = verify_mpi_inf_3dhp(root)
    assert result.ok, str(result)
    text = str(result)
    for words in (
        "training sequences: 3 (official 16)",
        "test sequences: 2 (official 6)",
        "S1/Seq2 frames: 3 (official 12430)",
        "S2/Seq1 cameras: 2 (official 14)",
        "TS6 valid frames: 3 (official 452)",
        "projection of annot3 onto annot2: at most 0.000 px apart",
    ):
        assert words in text


def test_what_is_not_official_is_said_when_nothing_says_generated(root: Path) -> None:
    (root / "generator.json").unlink()
    result = verify_mpi_inf_3dhp(root)
    problems = "\n".join(result.problems)
    assert "training sequences missing: S2/Seq2, S3/Seq1" in problems
    assert "test sequences missing: TS2, TS3, TS4, TS5" in problems
    assert "3 S1/Seq1 frames, the official set has 6416" in problems
    assert "3 TS1 valid frames, the official set has 603" in problems


def change(path: Path, name: str, camera: int, values: np.ndarray) -> None:
    content = {k: v for k, v in loadmat(path).items() if k[:2] != "__"}
    content[name][camera, 0] = values(content[name][camera, 0])
    savemat(path, content)


def damage_everywhere(root: Path, make_video: Callable[..., Path]) -> None:
    """Each fault in a place of its own."""
    change(root / "S1/Seq1/annot.mat", "annot3", 8, lambda cell: cell[:, :-3])
    (root / "S1/Seq1/imageSequence/img_0_000002.jpg").unlink()
    cut = root / "S1/Seq1/imageSequence/img_8_000003.jpg"
    cut.write_bytes(cut.read_bytes()[:-40])
    change(root / "S1/Seq2/annot.mat", "annot2", 0, lambda cell: cell + 30)
    change(root / "S1/Seq2/annot.mat", "univ_annot3", 0, lambda cell: cell * np.nan)
    calibration = root / "S1/Seq2/camera.calibration"
    calibration.write_text(calibration.read_text().replace("name          8", "name          80"))
    (root / "S2/Seq1/camera.calibration").unlink()
    (root / "S2/Seq1/imageSequence/video_0.avi").unlink()
    video(make_video, root / "S2/Seq1", 8, 2)
    (root / "S2/Seq2").mkdir()
    (root / "mpi_inf_3dhp_test_set/TS1/annot_data.mat").write_text("text")
    (root / "mpi_inf_3dhp_test_set/TS6/imageSequence/img_000003.jpg").write_bytes(b"no image")
    (root / "mpi_inf_3dhp_test_set/TS5").mkdir()


def test_every_fault_in_one_pass(root: Path, make_video) -> None:
    damage_everywhere(root, make_video)
    result = verify_mpi_inf_3dhp(root)
    assert sorted(str(path.relative_to(root)) for path in result.missing) == [
        "S1/Seq1/imageSequence/img_0_000002.jpg",
        "S2/Seq1/camera.calibration",
        "S2/Seq1/imageSequence/video_0.avi",
        "S2/Seq2/annot.mat",
        "S2/Seq2/camera.calibration",
        "mpi_inf_3dhp_test_set/TS5/annot_data.mat",
    ]
    problems = "\n".join(result.problems)
    for words in (
        "annot3, camera 8: float64 of shape (3, 81), expected numbers in 84 columns",
        "img_8_000003.jpg is damaged",
        "camera 0: annot2 is 42.43 px from the projected annot3 in the mean",
        "univ_annot3, camera 0, row 1: spine3 is not finite",
        "S1/Seq2/camera.calibration lacks camera 8",
        "video_8.avi states 2 frames, its labels have 3",
        "TS1/annot_data.mat is no MATLAB file",
        "TS6/imageSequence/img_000003.jpg is not a JPEG file",
    ):
        assert words in problems, words
    assert len(result.problems) == 8 and "NOT OK" in str(result)
    assert all("\n" not in problem for problem in result.problems)


def test_arrays_that_differ_and_a_bad_video(root: Path) -> None:
    change(root / "S1/Seq1/annot.mat", "annot3", 8, lambda cell: cell[:2])
    (root / "S2/Seq1/imageSequence/video_0.avi").write_bytes(b"no video")
    path = root / "S2/Seq1/camera.calibration"
    path.write_text(path.read_text().replace("intrinsic", "intrinsik"))
    problems = "\n".join(verify_mpi_inf_3dhp(root).problems)
    assert "its arrays differ in cameras or frames" in problems
    assert "video_0.avi is no video" in problems and "lacks 'intrinsic'" in problems


def test_a_video_whose_pixels_are_not_square(root: Path) -> None:
    path = root / "S2/Seq1/imageSequence/video_0.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width = RGB.shape[:2]
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(RGB, format="rgb24")))
        container.mux(stream.encode())
    problems = "\n".join(verify_mpi_inf_3dhp(root).problems)
    assert "video_0.avi has pixels of shape 4/3, its labels count square ones" in problems


def test_no_such_folder(root: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        verify_mpi_inf_3dhp(root / "absent")
    with pytest.raises(DataError, match="holds neither"):
        verify_mpi_inf_3dhp(root / "S1")

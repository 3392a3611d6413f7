"""Every writer of every package: a save that fails in the middle leaves the old files whole."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from Datasets.geometry.camera import intrinsics_matrix
from Datasets.layouts.mpi_inf_3dhp import CalibratedCamera
from Datasets.outlines import outlines_of
from Datasets.readers.self_labels import SelfLabels
from Datasets.readers.video import Frame
from Datasets.skeletons import COCO_17, INFANT, LSP_14, MPII_16, Skeleton
from Datasets.structures import PoseSample
from Datasets.synthetic.profiles import movement_bank
from Datasets.synthetic.profiles.coco import generate_coco
from Datasets.writers import coco, lsp, mini_rgbd, mpi_inf_3dhp, mpii, slp
from Engine.callbacks import _Log
from Engine.checkpoints import SafetensorsCheckpointIO, checkpoint_path
from Engine.errors import WriteError
from Engine.files import write_image, write_json, write_text
from Engine.trainer import save_settings
from Engine.training_settings import TrainerSettings
from Engine.weights import save_weights
from FasterRCNN.detector import save_detector, save_rescoring
from FasterRCNN.settings import DetectorSettings
from PoseEstimation.chains.chain import _Clock
from PoseEstimation.evaluation.compare import write_comparison
from PoseEstimation.evaluation.errors_file import FrameErrors, write_errors
from PoseEstimation.evaluation.report import Table, write_metrics, write_tables
from PoseEstimation.export.weight_set import collect
from PoseEstimation.inference.weight_sets import ROLES
from PoseEstimation.io.coco import coco_keypoints
from PoseEstimation.io.detection_cache import save_detections
from PoseEstimation.io.header import Header, Writer
from PoseEstimation.io.poses_csv import poses_csv
from PoseEstimation.io.poses_json import poses_json
from PoseEstimation.result import FrameResult, InfantPose
from PoseEstimation.stage_settings import CollectSettings
from PoseEstimation.structures import Clip
from PoseEstimation.visualise.overlay import OverlayStyle, open_overlay
from PoseEstimation.visualise.video import VideoWriter
from report.build import benchmark
from report.build.figures import Figure, write_figure

RGB = (255 * np.random.default_rng(1).random((96, 64, 3))).astype(np.uint8)
GREY = RGB[..., 0]
J = len(INFANT)


def values(*shape: int) -> np.ndarray:
    """Some numbers from 1 to 60."""
    return 1 + 59 * np.random.default_rng(2).random(shape)


def pose_frame() -> FrameResult:
    infant = InfantPose(
        1, np.array([1.0, 2, 31, 42]), 0.5, values(J, 2), np.full(J, 0.5), np.ones(J),
        values(J, 3), np.ones(J),
    )  # fmt: skip
    return FrameResult("a.jpg", 0, 0.0, 64, 96, (infant,), None)


def poses(writer: Writer, path: Path) -> None:
    with writer(path, Header(INFANT, {"name": "tiny"}, {}, {"a.jpg": 1})) as write:
        write(pose_frame())


def sample(skeleton: Skeleton, path: str | Path = "a.jpg") -> PoseSample:
    n = len(skeleton)
    return PoseSample(
        Path(path), skeleton, values(n, 2), np.full(n, 2, np.uint8), area_px=900.0,
        box_xyxy=np.array([1.0, 2, 31, 42]), head_box_xyxy=np.array([3.0, 4, 20, 22]),
    )  # fmt: skip


def rescored(folder: Path) -> None:
    if not (folder / "first.safetensors").exists():
        save_detector(folder / "first.safetensors", nn.Linear(30, 30), DetectorSettings())
    save_rescoring(folder / "both.safetensors", folder / "first.safetensors", nn.Linear(40, 40))


def outlines(folder: Path) -> None:
    """The cache is made again when a label has changed."""
    picture = folder / "root" / "a.png"
    person = sample(MPII_16, picture)
    person.keypoints_px[0] += picture.exists()
    if not picture.exists():
        write_image(picture, Image.fromarray(RGB))
    outlines_of([person], folder / "cache.npz")


def log(folder: Path) -> None:
    _Log(1, SimpleNamespace(batches=5), folder).on_train_start(None, None)


def frame_errors(folder: Path) -> None:
    columns = (values(4, 3),) * 4
    names = np.array(["01"] * 4)
    write_errors(folder, FrameErrors(("a", "b", "c"), names, np.arange(4), *columns, values(4, 3)))


def observed(folder: Path) -> None:
    clip = Clip(
        values(3, J, 2), *(values(3, J) for _ in range(3)), values(3, J, 3), values(3, 3, 3)
    )
    save_detections(folder / "observed.npz", clip, ["01"] * 3, range(3), INFANT)


def bank(folder: Path) -> None:
    def made(number: int) -> movement_bank.BankedInfant:
        return movement_bank.BankedInfant(values(4, 25, 3), 10.0, 600.0, "habits")

    movement_bank._write_bank(folder / "a.npz", made, 2, (), 30.0, 1, None)


def frozen(folder: Path) -> None:
    root = folder / "root"
    if not root.exists():
        sequence(root / "01")
        write_json(root / "generator.json", {"generator": "1", "seed": 2, "name": "a", "frames": 1})
    benchmark.write(root, folder)


def sequence(folder: Path) -> None:
    mini_rgbd.write_frame(
        folder, 0, RGB, GREY.astype(np.uint16), GREY > 9, values(25, 2), 9 * values(25, 3)
    )


def mini_rgbd_rest(folder: Path) -> None:
    mini_rgbd.write_head_length(folder, 30.0, 80.0)
    labels = values(1, J, 2), values(1, J, 3), np.full((1, J), 2, np.uint8)
    mini_rgbd.write_infant_joints(folder, np.arange(1), *labels)


def slp_labels(folder: Path) -> None:
    slp.write_slp_joints(folder, "RGB", values(2, 14, 2), np.full((2, 14), 2))


def coco_labels(folder: Path) -> None:
    person = coco.CocoPerson(sample(COCO_17))
    coco.write_coco(folder, "val", [coco.CocoPicture("a.jpg", 1, (64, 96), (person,))])


def calibration(folder: Path) -> None:
    camera = CalibratedCamera(0, intrinsics_matrix(50, 50, 31, 23), np.eye(4), (64, 48))
    mpi_inf_3dhp.write_calibration(folder, [camera])


def test_sequence(folder: Path) -> None:
    write = mpi_inf_3dhp.write_test_annotations
    write(folder, values(3, 17, 2), values(3, 17, 3), np.array([1, 2, 3]))


test_sequence.__test__ = False


def tables(folder: Path) -> None:
    write_tables(folder, [Table("Errors", ("name", "mm"), (("ours", "20.1"),))], ["a note"])


def comparison(folder: Path) -> None:
    write_comparison(folder, "Errors", {})


def photo(folder: Path) -> None:
    style = OverlayStyle()
    with open_overlay(folder / "a.jpg", INFANT, style) as overlay:
        overlay.write(Frame("a.jpg", 0, 0.0, Image.fromarray(RGB)), pose_frame())


def video(folder: Path) -> None:
    with VideoWriter(folder / "a.mp4") as writer:
        for number in range(40):
            writer.write(Image.fromarray(np.roll(RGB, 7 * number, axis=0)), number / 30)


def weight_set(folder: Path) -> None:
    files = {role: folder / "runs" / name for role, name in ROLES.items()}
    for role, path in files.items():
        if not path.exists():
            write_text(path, role * 500)
    collect(CollectSettings("mine", data="generated infants", **files), folder / "models")


def minutes(folder: Path) -> None:
    with _Clock(folder / "minutes.json"):
        pass


def labels_of(person: str) -> SelfLabels:
    return SelfLabels(INFANT, [person], values(1, J, 2), np.ones((1, J), bool))


JOINTS_28 = values(1, 3, 28, 2), values(1, 3, 28, 3)
STATE = {"weight": torch.rand(40, 40)}
CHECKPOINT = {"global_step": 3, "state_dict": STATE}
WRITERS: dict[str, Callable[[Path], object]] = {
    "weights": lambda f: save_weights(f / "a.safetensors", STATE, {"model": "Net"}),
    "detector": lambda f: save_detector(f / "a.safetensors", nn.Linear(30, 30), DetectorSettings()),
    "detector and re-scoring": rescored,
    "checkpoint": lambda f: SafetensorsCheckpointIO().save_checkpoint(
        CHECKPOINT, checkpoint_path(f, 3)
    ),
    "settings.yaml": lambda f: save_settings(f / "settings.yaml", TrainerSettings()),
    "log.csv": log,
    "outlines": outlines,
    "weight set": weight_set,
    "minutes.json": minutes,
    "poses.json": lambda f: poses(poses_json, f / "poses.json"),
    "poses.csv": lambda f: poses(poses_csv, f / "poses.csv"),
    "coco_keypoints.json": lambda f: poses(coco_keypoints, f / "coco_keypoints.json"),
    "overlay of a photo": photo,
    "overlay of a video": video,
    "metrics.json": lambda f: write_metrics(f, {"clean": {"ajpe_mm": 20.5}}),
    "table.md": tables,
    "compare.json": comparison,
    "errors.npz": frame_errors,
    "figure": lambda f: write_figure(f / "a.png", Figure()),
    "observed.npz": observed,
    "self-labels": lambda f: labels_of("a.jpg None None").write(f / "labels.npz"),
    "movements.npz": bank,
    "generator.json": lambda f: generate_coco(f, 0),
    "benchmark": frozen,
    "MINI-RGBD frame": sequence,
    "MINI-RGBD sequence": mini_rgbd_rest,
    "SLP image": lambda f: slp.write_slp_image(f, "RGB", "uncover", 1, RGB),
    "SLP depth": lambda f: slp.write_slp_depth(f, "uncover", 1, GREY.astype(np.uint16)),
    "SLP joints": slp_labels,
    "SLP alignment": lambda f: slp.write_slp_alignment(f, "RGB", np.eye(3)),
    "COCO image": lambda f: coco.write_coco_image(f, "val", "a.jpg", RGB),
    "COCO labels": coco_labels,
    "LSP image": lambda f: lsp.write_lsp_image(f, 1, False, RGB),
    "LSP labels": lambda f: lsp.write_lsp(f, [sample(LSP_14)]),
    "MPII json": lambda f: mpii.write_mpii_json(f, "train", [sample(MPII_16)]),
    "MPII h5": lambda f: mpii.write_mpii_h5(f, "train", [sample(MPII_16)]),
    "MPII gt_valid": lambda f: mpii.write_gt_valid_mat(f, [sample(MPII_16)]),
    "MPII mat": lambda f: mpii.write_mpii_mat(f, [sample(MPII_16)]),
    "MPI-INF-3DHP training": lambda f: mpi_inf_3dhp.write_train_annotations(f, *JOINTS_28, (0,)),
    "MPI-INF-3DHP calibration": calibration,
    "MPI-INF-3DHP image": lambda f: mpi_inf_3dhp.write_train_image(f, 0, 1, RGB),
    "MPI-INF-3DHP mask": lambda f: mpi_inf_3dhp.write_train_mask(f, 0, 1, GREY > 9),
    "MPI-INF-3DHP test": test_sequence,
    "MPI-INF-3DHP test image": lambda f: mpi_inf_3dhp.write_test_image(f, 1, RGB),
}


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file grows beyond a size: what libraries of any language write, ends in the middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of every file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(params=WRITERS.values(), ids=WRITERS)
def write(request) -> Callable[[Path], object]:
    return request.param


def test_a_disk_that_is_full_in_the_middle_of_a_save_leaves_the_old_files(write, tmp_path):
    write(tmp_path)
    before = contents(tmp_path)
    assert before
    # of what the writer makes, not of what it is given
    largest = max((len(v) for k, v in before.items() if not k.startswith(("root/", "runs/"))))
    for size in (0, largest // 2, largest * 9 // 10):
        with pytest.raises(WriteError, match="cannot be written") as caught, full_disk(size):
            write(tmp_path)
        assert "\n" not in str(caught.value)
        assert contents(tmp_path) == before


def test_an_interruption_before_the_last_step_leaves_the_old_files(write, tmp_path, monkeypatch):
    write(tmp_path)
    before = contents(tmp_path)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path)
    assert contents(tmp_path) == before

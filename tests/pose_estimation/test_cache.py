"""``paths.cache``: whoever opens a data set keeps its labels there and nowhere else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.layouts.mpi_inf_3dhp import CalibratedCamera
from Datasets.sources import DataSource
from Datasets.writers.mpi_inf_3dhp import write_calibration, write_train_annotations
from PoseEstimation.cli import main
from PoseEstimation.commands.train import stages_of
from PoseEstimation.config import load_config
from PoseEstimation.recipes import CHAINS
from PoseEstimation.stage_settings import DetectionCacheSettings
from PoseEstimation.training.detection_cache import cache_detections

CAMERAS = (0, 1, 2)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: labels of one adult, a config.yaml whose cache lies elsewhere."""
    for name in ("S1/Seq1", "S7/Seq1"):
        folder = tmp_path / "adults" / name
        joints = np.random.default_rng(0).normal([0, 0, 4000], [300, 400, 100], (3, 4, 28, 3))
        intrinsics = intrinsics_matrix(50.5, 49.25, 32.1, 24)
        write_train_annotations(folder, project(joints, intrinsics), joints, CAMERAS)
        cameras = [CalibratedCamera(n, intrinsics, np.eye(4), (64, 48)) for n in range(14)]
        write_calibration(folder, cameras)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("config.yaml").write_text("paths: {mpi_inf_3dhp: ../adults, cache: ../kept}\n")
    return tmp_path / "here"


def cached(folder: Path) -> set[str]:
    """Sequences whose labels are kept."""
    return {path.name[:7] for path in (folder / "mpi_inf_3dhp").iterdir()}


def sources(settings: object) -> Iterator[DataSource]:
    """Every data set that settings name."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, DataSource):
                yield item


def test_training_keeps_labels_in_the_cache_of_the_configuration(here, capsys):
    options = (
        "lifting.train=[{dataset: mpi_inf_3dhp, split: train}]",
        "lifting.validation={dataset: mpi_inf_3dhp, split: validation}",
        *("lifting.network.width=8", "lifting.batch_size=4", "lifting.trainer.max_epochs=1"),
    )
    assert main(["train", "lifting", *options, "--output", "run"]) == 0, capsys.readouterr()
    assert cached(here.parent / "kept") == {"S1_Seq1", "S7_Seq1"}
    assert {path.name for path in here.iterdir()} == {"config.yaml", "run"}


def test_what_chains_look_at_and_score_uses_it_too(here):
    config = load_config()
    for name in (row.name for row in CHAINS):
        for stage in stages_of(name, config, Path("chain") / name):
            for source in sources(stage.settings):
                assert source.cache == config.paths.cache, stage.name
                assert source.root is not None
    (source,) = sources(
        DetectionCacheSettings(DataSource("mpi_inf_3dhp", "S1", here.parent / "adults"))
    )
    with_cache = dataclasses.replace(source, cache=here.parent / "other")
    settings = DetectionCacheSettings(with_cache, skeleton="mpii_16")
    assert cache_detections(settings, here / "seen")["frames"] > 0
    assert cached(here.parent / "other") == {"S1_Seq1"} and not Path("data").exists()


def test_render_uses_it(here, capsys):
    assert main(["render", "mpi_inf_3dhp", "--output", "sheet"]) == 2  # there are no images
    assert cached(here.parent / "kept") == {"S1_Seq1", "S7_Seq1"} and not Path("data").exists()

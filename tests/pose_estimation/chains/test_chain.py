"""Chains: stages begin with what earlier ones made, are done once, and go on where they stopped."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from Datasets.skeletons import INFANT
from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.provenance import file_sha256
from Engine.training_settings import TrainerSettings
from Engine.weights import load_weights
from PoseEstimation.chains import chain
from PoseEstimation.chains.best import MOVEMENTS, PICTURES
from PoseEstimation.chains.chain import Stage, named_files, placed_stages, run_chain
from PoseEstimation.chains.ellershaw import EXACT
from PoseEstimation.codecs.rays import CLIP_FRAMES, RayCodec
from PoseEstimation.commands.train import stages_of
from PoseEstimation.config import load_config
from PoseEstimation.inference.lifting import ClipLifting
from PoseEstimation.inference.weights import load_lifter
from PoseEstimation.models.configs import ClipLifterSettings, PoseResNetSettings
from PoseEstimation.recipes import CHAINS, Recipe
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings, LiftingSettings
from PoseEstimation.stage_settings import (
    CalibrationSettings,
    DetectionCacheSettings,
    GenerateSettings,
)
from PoseEstimation.training.clips import load_detections
from report.experiments.__main__ import EXPERIMENTS

TINY = TrainerSettings(max_epochs=2, steps_per_epoch=2, precision="32-true")


@pytest.fixture
def stages(root, tmp_path):
    infants, held_out = DataSource("mini_rgbd", "1", root), DataSource("mini_rgbd", "2", root)
    common = {"train": (infants,), "validation": held_out, "batch_size": 3, "trainer": TINY}
    heatmap = HeatmapSettings(
        input_size=64, network=PoseResNetSettings(head_channels=8), num_workers=0, **common
    )
    clips = ClipLiftingSettings(
        network=ClipLifterSettings(width=16, frame_blocks=1, dilations=(1,)),
        runs=1,
        frames=3,
        num_workers=0,
        **common,
    )
    weights = tmp_path / "1-heatmap" / "heatmap.safetensors"
    seen = tmp_path / "2-observe" / "observed.npz"
    lifter = tmp_path / "3-clips" / "lifter.safetensors"
    return [
        Stage("1-heatmap", heatmap),
        Stage("2-observe", DetectionCacheSettings(infants, weights)),
        Stage("3-clips", replace(clips, detections=(seen,))),
        Stage("4-calibrated", CalibrationSettings((seen,), weights, lifter)),
    ]


def test_a_chain_runs_once_and_records_what_each_stage_began_with(stages, tmp_path):
    said = []
    records = run_chain(stages, tmp_path, said.append)
    made = {r.name: r.made for r in records}
    assert records[1].begins_with == {"heatmap": made["1-heatmap"]["heatmap.safetensors"]}
    assert records[2].begins_with == {"detections": made["2-observe"]["observed.npz"]}
    weights = tmp_path / "4-calibrated" / "lifter.safetensors"
    assert made["4-calibrated"]["lifter.safetensors"] == file_sha256(weights)
    assert len(said) == 6 and "at most inf min" in said[0]
    again = run_chain(stages, tmp_path, said.append)
    assert again == records and "done before" in said[7]


def test_calibration_changes_the_scale_of_sigma_and_the_error_of_size_alone(stages, tmp_path):
    records = run_chain(stages, tmp_path, lambda line: None)
    before, after = (
        load_weights(tmp_path / folder / "lifter.safetensors")
        for folder in ("3-clips", "4-calibrated")
    )
    assert all((before[0][key] == value).all() for key, value in after[0].items())
    found, factors = records[3].summary, after[1]["codec"].pop("sigma_scale")
    assert min(factors) > 0 and np.mean(factors) == pytest.approx(found["sigma_mm"])
    assert after[1]["codec"].pop("size_sigma") == found["size_sigma"] > 0
    assert before[1]["codec"].pop("sigma_scale") == [1] * len(CLIP_FRAMES)
    assert before[1]["codec"].pop("size_sigma") == RayCodec(INFANT).size_sigma
    assert before[1] == after[1]


def test_calibration_makes_the_detector_cautious_where_there_is_one(stages, tiny_weights, tmp_path):
    weights, held_out = tiny_weights / "tiny" / "detector.safetensors", stages[0].settings.train
    honest = replace(stages[3].settings, detector=weights, scenes=held_out, mistaken_percent=0.0)
    records = run_chain([*stages[:3], Stage("4-calibrated", honest)], tmp_path, lambda line: None)
    cautious = tmp_path / "4-calibrated" / "detector.safetensors"
    assert records[3].made["detector.safetensors"] == file_sha256(cautious)
    assert records[3].begins_with["detector"] == file_sha256(weights)
    assert load_weights(cautious)[1]["min_score"] == records[3].summary["score"] > 0.5
    with pytest.raises(DataError, match="scenes must be given"):
        run_chain([Stage("5", replace(honest, scenes=()))], tmp_path, lambda line: None)


def test_the_lifter_is_calibrated_on_what_the_calibrated_2d_network_tells(
    stages, tmp_path, monkeypatch
):
    told = []

    class Listening(ClipLifting):
        def __call__(self, track):
            told.append(track.keypoints.sigma_px)
            return super().__call__(track)

    def listening(path):
        lifting = load_lifter(path)
        return Listening(lifting._backend, lifting._codec)

    monkeypatch.setattr("PoseEstimation.training.calibrate.load_lifter", listening)
    records = run_chain(stages, tmp_path, lambda line: None)
    (clip,) = load_detections(tmp_path / "2-observe" / "observed.npz")
    factor = records[3].summary["sigma_px"]
    assert abs(factor - 1) > 0.05
    np.testing.assert_allclose(told[-1], factor * clip.sigma_px, rtol=1e-6)  # the whole clip


def test_what_was_observed_has_the_truth_beside_it(stages, tmp_path):
    run_chain(stages[:2], tmp_path, lambda line: None)
    (clip,) = load_detections(tmp_path / "2-observe" / "observed.npz")
    assert clip.keypoints_px.shape == (6, 25, 2) and np.isfinite(clip.depth_px).all()
    assert (clip.sigma_px > 0).all()
    assert clip.joints_mm[:, INFANT.root_index, 2].min() > 500


def test_a_stage_that_was_stopped_goes_on(stages, tmp_path, monkeypatch):
    kept = tmp_path / "2-observe" / "minutes.json"

    run = Recipe.run

    def stopped(recipe, settings, output):
        if recipe.name != "detection_cache":
            return run(recipe, settings, output)
        while not kept.is_file():
            time.sleep(0.01)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Recipe, "run", stopped)
        patched.setattr(chain, "BEAT_S", 0.01)
        run_chain(stages[:2], tmp_path, lambda line: None)
    assert (tmp_path / "1-heatmap" / "stage.json").is_file()
    assert not (tmp_path / "2-observe" / "stage.json").is_file()
    assert json.loads(kept.read_text())["minutes"] > 0
    assert len(run_chain(stages[:2], tmp_path, lambda line: None)) == 2


def test_a_file_that_is_not_there_is_named(stages, tmp_path):
    with pytest.raises(DataError, match=r"heatmap names .*heatmap\.safetensors"):
        run_chain(stages[1:2], tmp_path)
    assert dict(named_files(LiftingSettings())) == {}


@pytest.mark.parametrize("name", [*(row.name for row in CHAINS), *EXPERIMENTS])
def test_every_file_that_a_stage_names_is_made_by_an_earlier_one(name, tmp_path):
    config = load_config()
    made_for_real = stages_of("real", config, tmp_path / "real")
    others = {
        "data_sources": {tmp_path / "best" / file for file in (*PICTURES, MOVEMENTS)},
        "photo_sources": {tmp_path / "real" / s.name for s in made_for_real},
        "parts": {tmp_path / "ellershaw" / EXACT / "lifter.safetensors"},
    }
    made, shipped = others.get(name, set()), config.paths.saved_models
    if name in EXPERIMENTS:
        stages = placed_stages(EXPERIMENTS[name](tmp_path / name, config), config)
    else:
        stages = stages_of(name, config, tmp_path / name)
    for stage in stages:
        settings, folder = stage.settings, tmp_path / name / stage.name
        files = [getattr(settings, field, None) for field in settings.__dataclass_fields__]
        flat = [p for v in files for p in (v if isinstance(v, tuple) else (v,))]
        paths = [p for p in flat if hasattr(p, "suffix") and p.suffix]
        assert all(p in made or p.is_relative_to(shipped) for p in paths), stage.name
        assert {s.labels for s in flat if isinstance(s, DataSource)} - {None} <= made, stage.name
        sources = [s.root for s in flat if isinstance(s, DataSource)]
        assert all(r in made for r in sources if r.is_relative_to(tmp_path)), stage.name
        if isinstance(settings, GenerateSettings):
            made |= {folder, folder / "movements.npz", folder / "postures.npz"}
        made |= {folder / n for n in ("heatmap.safetensors", "lifter.safetensors", "observed.npz")}
        made |= {folder / "labels.npz", folder / "detector.safetensors"}
        if name == "data_sources" and hasattr(settings, "trainer"):
            assert settings.trainer.max_minutes <= 8


def test_the_published_chain_keeps_the_published_rates(tmp_path):
    stages = {s.name: s.settings for s in stages_of("ellershaw", load_config(), tmp_path)}
    adult, infant = stages["3-lifting-3dhp"], stages["4-lifting-mini_rgbd"]
    assert (adult.optimiser.learning_rate, infant.optimiser.learning_rate) == (1e-3, 1e-2)
    assert adult.optimiser.final_factor ** (1 / adult.trainer.max_epochs) == pytest.approx(0.96)
    assert infant.optimiser.final_factor ** (1 / infant.trainer.max_epochs) == pytest.approx(0.9)
    assert stages["1-heatmap-mpii"].network.depth == 50 and not stages["1-heatmap-mpii"].augment

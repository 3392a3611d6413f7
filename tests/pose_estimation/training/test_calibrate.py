"""Calibration: honest factors, which multiply those that the weights already have."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import INFANT
from Engine.weights import load_weights, save_weights
from PoseEstimation.io.detection_cache import save_detections
from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
from PoseEstimation.stage_settings import CalibrationSettings
from PoseEstimation.structures import Clip
from PoseEstimation.training.calibrate import calibrate

FRAMES = 200


@pytest.fixture
def clip(make_poses):
    """Poses whose 2D joints are off by 3 px and claim 1 px."""
    keypoints_px, joints_mm = make_poses(FRAMES)
    noise = np.random.default_rng(0).normal(0, 3, keypoints_px.shape)
    one = np.ones(keypoints_px.shape[:2])
    cameras = np.broadcast_to(INTRINSICS, (FRAMES, 3, 3))
    return Clip(keypoints_px + noise, one, one, np.nan * one, joints_mm, cameras)


@pytest.fixture
def run(tmp_path):
    """``run(clip, heatmap, lifter, name)`` calibrates and returns the factors and the folder."""

    def run(clip, heatmap, lifter, name):
        path, output = tmp_path / f"{name}.npz", tmp_path / name
        save_detections(path, clip, ["1"] * FRAMES, range(FRAMES), INFANT)
        return calibrate(CalibrationSettings((path,), heatmap, lifter), output), output

    return run


def weights(folder, heatmap_scale=1.0, lifter_scale=1.0):
    bones = INFANT.bone_indices
    config = ClipLifterConfig(
        num_joints=len(INFANT),
        root_index=INFANT.root_index,
        bones=bones,
        twins=tuple(range(len(bones))),
        width=16,
    )
    torch.manual_seed(0)
    known = {"model": "ClipLifter", "config": asdict(config), "skeleton": "infant"}
    state = ClipLifter(config).state_dict()
    heatmap, lifter = folder / "heatmap.safetensors", folder / "lifter.safetensors"
    save_weights(lifter, state, {**known, "codec": {"sigma_scale": lifter_scale}})
    save_weights(heatmap, {"x": torch.zeros(1)}, {"codec": {"sigma_scale": heatmap_scale}})
    return heatmap, lifter


def scale_of(path):
    return load_weights(path)[1]["codec"]["sigma_scale"]


def test_calibrating_calibrated_weights_changes_nothing(clip, run, tmp_path):
    first, folder = run(clip, *weights(tmp_path), "first")
    assert first["sigma_px"] == pytest.approx(3, rel=0.05) and abs(first["sigma_mm"] - 1) > 0.1
    parts = folder / "heatmap.safetensors", folder / "lifter.safetensors"
    seen = replace(clip, sigma_px=first["sigma_px"] * clip.sigma_px)
    again, twice = run(seen, *parts, "again")
    assert again == pytest.approx({"sigma_px": 1, "sigma_mm": 1}, rel=1e-4)
    for part, name in zip(parts, ("sigma_px", "sigma_mm"), strict=True):
        assert scale_of(part) == pytest.approx(first[name])
        assert scale_of(twice / part.name) == pytest.approx(first[name], rel=1e-4)


def test_factors_multiply_those_of_the_weights(clip, run, tmp_path):
    plain, _ = run(clip, *weights(tmp_path), "plain")
    factors, folder = run(clip, *weights(tmp_path, 4.0, 0.5), "scaled")
    assert factors["sigma_px"] == pytest.approx(plain["sigma_px"])
    assert factors["sigma_mm"] == pytest.approx(2 * plain["sigma_mm"], rel=1e-4)
    scales = [scale_of(folder / f"{part}.safetensors") for part in ("heatmap", "lifter")]
    assert scales == pytest.approx([4 * factors["sigma_px"], 0.5 * factors["sigma_mm"]])

"""Calibration: honest factors, which multiply those that the weights already have."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from Datasets.geometry.alignment import root_relative
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import INFANT
from Engine.errors import DataError
from Engine.weights import load_weights, save_weights
from PoseEstimation.codecs.rays import CLIP_FRAMES
from PoseEstimation.inference.weights import load_lifter
from PoseEstimation.io.detection_cache import save_detections
from PoseEstimation.metrics.errors import joint_errors
from PoseEstimation.metrics.uncertainty import coverage
from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
from PoseEstimation.stage_settings import CalibrationSettings
from PoseEstimation.structures import Clip
from PoseEstimation.training.calibrate import calibrate, generated_clips, lift_clip, parts_of

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
    save_weights(
        lifter,
        state,
        {**known, "codec": {"sigma_scale": [lifter_scale] * len(CLIP_FRAMES), "size_sigma": 0.1}},
    )
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
    size = first["size_sigma"]
    assert again == pytest.approx({"sigma_px": 1, "sigma_mm": 1, "size_sigma": size}, rel=5e-3)
    for part, name in zip(parts, ("sigma_px", "sigma_mm"), strict=True):
        assert np.mean(scale_of(part)) == pytest.approx(first[name])
        assert scale_of(twice / part.name) == pytest.approx(scale_of(part), rel=5e-3)


def test_factors_multiply_those_of_the_weights(clip, run, tmp_path):
    plain, _ = run(clip, *weights(tmp_path), "plain")
    factors, folder = run(clip, *weights(tmp_path, 4.0, 0.5), "scaled")
    assert factors["sigma_px"] == pytest.approx(plain["sigma_px"])
    assert factors["sigma_mm"] == pytest.approx(2 * plain["sigma_mm"], rel=1e-4)
    scales = [np.mean(scale_of(folder / f"{part}.safetensors")) for part in ("heatmap", "lifter")]
    assert scales == pytest.approx([4 * factors["sigma_px"], 0.5 * factors["sigma_mm"]])


def test_error_bars_of_every_length_of_clips_hold(tmp_path, make_poses):
    """A lifter that learnt nothing errs more in single frames or in clips: each has its factor."""
    _, joints_mm = make_poses(40, seed=5)
    bank = tmp_path / "movements.npz"
    waved = np.repeat(joints_mm.reshape(2, 20, 25, 3), 2, axis=1) - joints_mm.mean((0, 1))
    np.savez(bank, joints_mm=waved.astype(np.float32), fps=np.float32(30))
    settings = CalibrationSettings(lifter=weights(tmp_path)[1], movements=(bank,))
    calibrate(settings, tmp_path)
    lifting = load_lifter(tmp_path / "lifter.safetensors")
    assert len(set(scale_of(tmp_path / "lifter.safetensors"))) > 3
    clips = list(generated_clips((bank,), INFANT))
    for frames in CLIP_FRAMES[:3]:
        parts = [part for clip in clips for part in parts_of(clip, frames)]
        pairs = [(part, lift_clip(lifting, part)) for part in parts]
        errors = [
            joint_errors(j, root_relative(p.joints_mm, INFANT.root_index)) for p, (j, _) in pairs
        ]
        held = coverage(np.concatenate(errors), np.concatenate([s for _, (_, s) in pairs]), 3)
        assert held == pytest.approx(90, abs=0.5)


def test_parts_of_a_clip_are_its_start_middle_and_end(clip):
    ones = parts_of(clip, 1)
    assert [len(part.scores) for part in ones] == [1, 1, 1]
    assert np.array_equal(ones[2].joints_mm, clip.joints_mm[-1:])
    assert [len(part.scores) for part in parts_of(clip, 300)] == [FRAMES]


def test_nothing_to_calibrate_is_refused(tmp_path):
    heatmap, lifter = weights(tmp_path)
    with pytest.raises(DataError, match="heatmap or lifter"):
        calibrate(CalibrationSettings(), tmp_path)
    with pytest.raises(DataError, match="detections"):
        calibrate(CalibrationSettings(heatmap=heatmap, movements=(tmp_path / "x.npz",)), tmp_path)
    with pytest.raises(DataError, match="movements"):
        calibrate(CalibrationSettings(lifter=lifter), tmp_path)

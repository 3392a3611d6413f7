"""Headers of weights: what they say of a network has the limits of settings."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch

from Datasets.geometry.camera import intrinsics_from_fov
from Datasets.skeletons import INFANT
from Engine.errors import DataError
from Engine.weights import save_weights
from PoseEstimation.inference.weight_sets import index_entry
from PoseEstimation.inference.weights import load_keypoint_network, load_lifter
from PoseEstimation.models.clip_lifter import (
    RENAMED,
    TYPICAL_SHAPE,
    ClipLifter,
    ClipLifterConfig,
)
from PoseEstimation.structures import Keypoints, Track

NETWORKS = {
    "PoseResNet": (load_keypoint_network, {"num_joints": -3}, {}),
    "MartinezLifter": (load_lifter, {"width": 10**9}, {}),
    "ClipLifter": (load_lifter, {"num_joints": 2, "root_index": -1, "bones": [], "twins": []}, {}),
}


@pytest.mark.parametrize("model", NETWORKS)
def test_a_header_beyond_the_limits_names_the_file(tmp_path, model):
    load, config, codec = NETWORKS[model]
    path = tmp_path / "some.safetensors"
    header = {"model": model, "config": config, "codec": codec, "skeleton": "infant"}
    save_weights(path, {"a": torch.zeros(1)}, header)
    with pytest.raises(
        DataError, match=r"some\.safetensors does not fit its description"
    ) as caught:
        load(path)
    assert isinstance(caught.value.__cause__, DataError)
    assert "must lie from" in str(caught.value.__cause__)


def test_an_index_from_windows_is_read(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "index.yaml").write_bytes(b"\xef\xbb\xbfmine:\r\n  licence: free\r\n")
    assert index_entry(tmp_path / "mine") == {"licence": "free"}
    (tmp_path / "index.yaml").write_text("- 1")
    with pytest.raises(DataError, match="is no index of weight sets"):
        index_entry(tmp_path / "mine")


def lifter_weights(folder, earlier: str | None):
    """A lifter of this version, or of one before with the ``first`` or the ``later`` names."""
    torch.manual_seed(0)
    config = ClipLifterConfig(
        num_joints=len(INFANT),
        root_index=INFANT.root_index,
        bones=INFANT.bone_indices,
        twins=tuple(range(len(INFANT.bones))),
        width=16,
    )
    state = ClipLifter(config).state_dict()
    codec = {"min_score": 0.05, "sigma_scale": 2.0}
    if earlier is None:
        codec = {"min_score": 0.05, "sigma_scale": [2.0] * 5, "size_sigma": 0.1}
    else:
        state = {
            k: v for k, v in state.items() if "bone_sigma" not in k and "length_sigma" not in k
        }
        state["body.bias"] = state["body.bias"].clone()
        state["body.bias"][:-1] += TYPICAL_SHAPE
    if earlier == "first":
        first = {new: old for old, new in RENAMED.items()}
        for name in list(state):
            layer, dot, part = name.partition(".")
            state[first.get(layer + dot, layer + dot) + part] = state.pop(name)
        assert any(name.startswith("told.") for name in state)
    path = folder / f"{earlier}.safetensors"
    known = {"model": "ClipLifter", "config": asdict(config), "skeleton": "infant"}
    save_weights(path, state, {**known, "codec": codec})
    return path


def test_lifters_of_earlier_versions_give_what_they_gave(tmp_path):
    """The network's joints in the unit of all joints, not fitted; one factor on sigma."""
    keypoints_px = np.random.default_rng(0).uniform(100, 400, (6, len(INFANT), 2))
    found = Keypoints.exact(keypoints_px)
    track = Track(found, intrinsics_from_fov((640, 480), 57), np.arange(6) / 30)
    now = load_lifter(lifter_weights(tmp_path, None))
    before = [load_lifter(lifter_weights(tmp_path, name)) for name in ("first", "later")]
    (joints_mm, sigma_mm), again = (lifter(track) for lifter in before)
    assert joints_mm == pytest.approx(again[0], abs=1e-3)
    assert sigma_mm == pytest.approx(again[1], rel=1e-5)
    codec = before[0]._codec
    assert codec.sigma_scale == (2.0,) * 5 and now._codec.trunk_unit and not codec.trunk_unit
    clip = found[np.arange(6)[None, None]]
    features, view = codec.encode_input(clip.keypoints_px, clip.scores, track.intrinsics)
    away = features[..., :2] - features[..., [INFANT.root_index], :2]
    assert np.sqrt((away**2).sum(-1).mean()) == pytest.approx(1, abs=1e-5)
    expected, _ = before[0]._predicted(features, view.radius)
    vectors = np.exp(expected.log_lengths)[:, None] * expected.vectors
    raw = codec.decode((before[0]._tree.reaches @ vectors)[None, None], view)[0, 0]
    assert joints_mm == pytest.approx(raw, abs=1e-6)
    assert not np.allclose(now(track)[0], joints_mm, atol=1.0)

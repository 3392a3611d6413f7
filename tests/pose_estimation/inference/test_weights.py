"""Headers of weights: what they say of a network has the limits of settings."""

from __future__ import annotations

import pytest
import torch

from Engine.errors import DataError
from Engine.weights import save_weights
from PoseEstimation.inference.weight_sets import index_entry
from PoseEstimation.inference.weights import load_keypoint_network, load_lifter

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

"""Weights files: what comes back, and one line for every way a file can be wrong."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import torch

from Engine.errors import DataError
from Engine.weights import load_weights, save_weights

STATE = {"a.weight": torch.linspace(-2, 2, 12).reshape(3, 4).t(), "a.count": torch.tensor(70000)}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "net.safetensors"
    return path, save_weights(path, STATE, {"model": "Net", "config": {"depth": 18}})


def test_round_trip_is_fp16_and_keeps_integers_and_metadata(saved):
    path, digest = saved
    state, metadata = load_weights(path, digest)
    assert metadata == {"model": "Net", "config": {"depth": 18}}
    assert state["a.weight"].dtype == torch.float32
    assert torch.equal(state["a.weight"], STATE["a.weight"].half().float())
    assert state["a.count"] == 70000


def test_same_weights_give_the_same_bytes(saved, tmp_path):
    metadata = {"model": "Net", "config": {"depth": 18}}
    assert save_weights(tmp_path / "again.safetensors", STATE, metadata) == saved[1]


def test_a_weight_beyond_fp16_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"big.*fp16"):
        save_weights(tmp_path / "x.safetensors", {"big": torch.tensor([1e6])}, {})
    assert list(tmp_path.iterdir()) == []


def _refused(path, match, sha256=None):
    with pytest.raises(DataError, match=match) as caught:
        load_weights(path, sha256)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message


def test_wrong_files_are_refused_in_one_line(saved, tmp_path):
    path, _ = saved
    _refused(tmp_path / "absent.safetensors", "no such")
    _refused(path, "sha256", "0" * 64)
    content = path.read_bytes()
    for length in (len(content) - 1, 100, 20):
        path.write_bytes(content[:length])
        _refused(path, "truncated")
    path.write_bytes(b"")
    _refused(path, "not a safetensors")
    path.write_text("hello, this is text")
    _refused(path, "not a safetensors")


def test_pickles_and_zips_are_refused_unopened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (print, ("executed",))

    import pickle

    path = tmp_path / "w.safetensors"
    path.write_bytes(pickle.dumps(Bomb()))
    _refused(path, "pickle")
    torch.save(STATE, path)
    _refused(path, "pickle or zip")
    np.savez(tmp_path / "w.npz", a=np.ones(3))
    _refused(tmp_path / "w.npz", "pickle or zip")


def test_a_huge_header_is_not_allocated(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 60) + b"{" + b" " * 100)
    _refused(path, "not a safetensors")


def test_damaged_header_is_refused(saved):
    path, _ = saved
    content = bytearray(path.read_bytes())
    content[12] = ord("}")
    path.write_bytes(bytes(content))
    _refused(path, "damaged")

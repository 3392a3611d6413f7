"""Networks by name: rebuilt from a header, imported only when wanted, refused in one line."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import torch

from Engine.errors import DataError
from Engine.registry import Network, Networks
from Engine.settings import Settings, limited
from Engine.weights import save_weights


@dataclasses.dataclass(frozen=True)
class ToyConfig(Settings):
    width: int = limited(4, 1, 8)


class Toy(torch.nn.Linear):
    def __init__(self, config: ToyConfig) -> None:
        super().__init__(2, config.width)
        self.config = config


TOYS = Networks(Network("toy", f"{__name__}:Toy", f"{__name__}:ToyConfig"))


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


def write(path, **changes):
    toy = Toy(ToyConfig(width=3))
    header = {"model": "Toy", "config": dataclasses.asdict(toy.config), **changes}
    save_weights(path, toy.state_dict(), header)
    return toy


def test_a_network_comes_back_from_its_file(tmp_path):
    toy = write(tmp_path / "a.safetensors", skeleton="infant")
    back, metadata = TOYS.load(tmp_path / "a.safetensors")
    assert isinstance(back, Toy) and back.config == toy.config and not back.training
    assert torch.equal(back.weight, toy.weight.half().float())
    assert metadata["skeleton"] == "infant"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "Other"}, r"a\.safetensors holds Other, not Toy"),
        ({"model": None}, r"a\.safetensors holds None, not Toy"),
        ({"config": {"width": 99}}, r"a\.safetensors does not fit its description"),
        ({"config": {"depth": 3}}, r"a\.safetensors does not fit its description"),
        ({"config": {"width": 2}}, r"a\.safetensors does not fit its description"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(tmp_path, changes, message):
    write(tmp_path / "a.safetensors", **changes)
    with pytest.raises(DataError, match=message):
        TOYS.load(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("names", "message"), [("weight", "it lacks bias"), ("weight bias tone", "it also has tone")]
)
def test_weights_of_another_version_say_so(tmp_path, names, message):
    layers = {name: torch.zeros(3, 2) for name in names.split()}
    header = {"model": "Toy", "config": {"width": 3}}
    save_weights(tmp_path / "a.safetensors", layers, header)
    with pytest.raises(DataError, match=rf"is of another version of Toy: {message}; train it"):
        TOYS.load(tmp_path / "a.safetensors")


def test_an_unknown_name_lists_the_known():
    with pytest.raises(DataError, match="'Tow' is unknown; known are Toy"):
        TOYS.build("Tow", {})


def test_rows_import_nothing_until_a_network_is_wanted():
    code = (
        "import sys; from PoseEstimation.models import HEATMAP_NETWORKS, LIFTERS; "
        "assert 'torch' not in sys.modules; "
        "assert {LIFTERS[name].__name__ for name in LIFTERS.rows} == set(LIFTERS.rows); "
        "assert HEATMAP_NETWORKS['PoseResNet'].__name__ == 'PoseResNet'"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr

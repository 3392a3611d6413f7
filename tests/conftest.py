"""What several tests need: repeatable chance, one thread per worker, a tiny weight set."""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from jaxtyping import config as jaxtyping_config
from jaxtyping import install_import_hook

# set before torch and NumPy are imported: several workers with all cores each slow one another down
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# a shell ignores SIGINT in its background jobs, and what it starts inherits that
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("repeatable")

sys.path.insert(0, str(Path(__file__).parent))

# arrays that these take and return are checked against the shapes and dtypes of their annotations
SHAPED = [
    "Datasets.geometry",
    "Engine.backends",
    "PoseEstimation.codecs",
    "PoseEstimation.inference.lifting",
    "PoseEstimation.losses",
    "PoseEstimation.metrics",
    "PoseEstimation.models",
    "PoseEstimation.structures",
]
install_import_hook(SHAPED, "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")


def seed_all() -> None:
    """Set the generators that libraries share, once they are loaded."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup() -> None:
    """Every fixture draws the same numbers, whichever test asks for it first."""
    seed_all()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    """Every test draws the same numbers, whichever tests ran before it."""
    seed_all()


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets arrays of a wrong shape through to the refusal of the function itself."""
    monkeypatch.setattr(jaxtyping_config, "jaxtyping_disable", True)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``SavedModels`` folder with the set ``tiny``: its detector always finds a box."""
    from tiny_weights import write_tiny_weights

    models = tmp_path_factory.mktemp("models")
    write_tiny_weights(models)
    return models


@pytest.fixture(scope="session")
def config(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``config.yaml`` that points at the tiny weight set."""
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(
        f"weights: tiny\npaths: {{saved_models: {tiny_weights}}}\n"
        "predict: {precision: float32, device: cpu}\n"
    )
    return path

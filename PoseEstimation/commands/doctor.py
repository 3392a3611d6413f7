"""``infantpose doctor``: does everything that a prediction needs really work here?"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from Engine.errors import DataError
from PoseEstimation.config import Config, config_files, load_config

LIBRARIES = (
    *("torch", "torchvision", "numpy", "scipy", "pillow", "av", "lightning"),
    *("faster-coco-eval", "safetensors", "matplotlib", "anny", "warp-lang"),
)
OPTIONAL = ("anny", "warp-lang")


def run(args: argparse.Namespace) -> int:
    """Run every check, one line each; 1 when one fails."""
    load = cache(lambda: load_config(args.config, args.overrides))
    checks: dict[str, Callable[[], str]] = {
        "python": lambda: f"{platform.python_version()} on {platform.platform()}",
        "infantpose": lambda: version("infantpose"),
        **{name: partial(_library, name) for name in LIBRARIES},
        "cpu": _cpu,
        "cuda": _cuda,
        "torchvision.ops.nms": _nms,
        "video": _video,
        "config": lambda: _config(load(), args.config),
        "weights": lambda: _weights(load()),
    }
    failed = [name for name, check in checks.items() if not _report(name, check)]
    print(f"{len(failed)} problems: {', '.join(failed)}" if failed else "everything works")
    return 1 if failed else 0


def _report(name: str, check: Callable[[], str]) -> bool:
    """Print the outcome of one check and whether it passed."""
    try:
        print(f"{name:<20} {check()}")
    except Exception as error:
        reason = str(error) if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
        print(f"{name:<20} PROBLEM: {' '.join(reason.split())}")
        return False
    return True


def _library(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        if name in OPTIONAL:
            return "not installed (only needed to generate infants: pip install .[synthetic])"
        raise DataError("not installed; run make demo") from None


def _cpu() -> str:
    import torch

    from Engine.devices import computes_in_bf16

    fast = computes_in_bf16("auto", torch.device("cpu"))
    return (
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, bf16 {'yes' if fast else 'no'}"
    )


def _cuda() -> str:
    import torch

    if not torch.cuda.is_available():
        return "none (not needed)"
    return ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))


def _nms() -> str:
    """Call a compiled operator: a torch and torchvision that do not fit fail here."""
    import torch
    from torchvision.ops import nms

    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]])
    kept = nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist()
    if kept != [0, 2]:
        raise DataError(f"kept boxes {kept}, expected [0, 2]; reinstall torch and torchvision")
    return "works"


def _video() -> str:
    """Write a short H.264 video and read it back."""
    import av
    from PIL import Image

    from Datasets.readers.video import iter_frames
    from PoseEstimation.visualise.video import VideoWriter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test.mp4"
        with VideoWriter(path) as writer:
            for i in range(3):
                writer.write(Image.new("RGB", (64, 48), (80 * i, 0, 0)), i / 10)
        times = [round(frame.time_s, 3) for frame in iter_frames(path)]
    if times != [0.0, 0.1, 0.2]:
        raise DataError(f"frame times {times} came back from a test video; reinstall av")
    hevc = "reads HEVC" if "hevc" in av.codecs_available else "cannot read HEVC"
    return f"PyAV writes and reads H.264, {hevc}; HEIC photos are refused"


def _config(loaded: Config, path: Path | None) -> str:
    """Name the files that count; to be loaded is the check."""
    return ", over it ".join(map(str, config_files(path))) or "none found, defaults are used"


def _weights(config: Config) -> str:
    """Load the default weight set, its checksums compared, and run it once."""
    from PIL import Image

    from Engine.devices import choose_device
    from PoseEstimation.inference.predictor import Predictor
    from PoseEstimation.inference.weight_sets import find_weights, is_indexed

    folder = find_weights(config.paths.saved_models, config.weights)
    predictor = Predictor.from_weights(folder, settings=config.predict)
    predictor(Image.new("RGB", (320, 240)))
    checked = "sha256 as in index.yaml" if is_indexed(folder) else "NOT listed in index.yaml"
    return f"{folder}: {checked}, one frame ran on {choose_device(config.predict.device)}"

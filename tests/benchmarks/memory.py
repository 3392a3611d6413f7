"""Peak memory of ``infantpose predict`` on a short and on a long video: a script, not a test.

    python tests/benchmarks/memory.py [--short 1000 --long 10000] [--weights NAME | --stand-ins]

writes two videos, predicts on each in a process of its own, and prints both peaks and their ratio.
By default the networks are small ones with random weights, which find an infant in every frame: the
memory that frames take does not depend on what the networks have learnt. With ``--stand-ins``
nothing is computed, but everything else is as it is: some minutes instead of an hour.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

ROOT = Path(__file__).parents[2]
SIZE, FPS = (160, 120), 30.0
PATHS = ((160, 50), (120, 70))


STAND_INS = """
import sys
from pathlib import Path
sys.path[:0] = ["tests/robustness", "."]
from fake_run import FakePredictor, request
from PoseEstimation.inference.predict import predict
overlay = {"overlay": None} if "--no-overlay" in sys.argv else {}
predict(FakePredictor(), request([Path(sys.argv[1])], Path(sys.argv[3]), **overlay))
"""


def write_video(path: Path, frames: int) -> None:
    """A bright blob that wanders over noise."""
    from PoseEstimation.visualise.video import VideoWriter

    noise = np.random.default_rng(0).integers(0, 60, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    with VideoWriter(path) as writer:
        for i in range(frames):
            picture = noise.copy()
            x, y = (
                int(s * (0.4 + 0.1 * np.sin(i / w))) for s, w in zip(SIZE, (50, 70), strict=True)
            )
            picture[y : y + 30, x : x + 40] = 230
            writer.write(Image.fromarray(picture), i / FPS)


def peak_mb(video: Path, output: Path, options: list[str]) -> float:
    """Predict in a process of its own; return its peak resident memory."""
    command = [sys.executable, "-m", "PoseEstimation", "predict"]
    if options[0] == "--stand-ins":
        command, options = [sys.executable, "-c", STAND_INS], options[1:]
    command += [str(video), "--output", str(output), *options]
    program = (
        "import resource, subprocess, sys\n"
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n"
        "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    code, kilobytes = map(int, run.stdout.split())
    if code:
        raise SystemExit(f"predict failed with {code}")
    frames = json.loads((output / "poses.json").read_text())["frames"]
    found = sum(bool(frame["infants"]) for frame in frames)
    print(f"{len(frames)} frames, {found} with an infant: {kilobytes / 1024:.0f} MB")
    return kilobytes / 1024


def small_weights(folder: Path) -> list[str]:
    """Options that choose small networks with random weights."""
    sys.path.insert(0, str(ROOT / "tests"))
    from tiny_weights import SET_NAME, write_tiny_weights

    write_tiny_weights(folder)
    fast = {"flip_test": False, "batch_size": 16}
    settings = {"weights": SET_NAME, "paths": {"saved_models": str(folder)}, "predict": fast}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(settings))
    return ["--config", str(config)]


def main() -> None:
    """Print the peaks and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", type=int, default=1000)
    parser.add_argument("--long", type=int, default=10_000)
    parser.add_argument("--weights", help="a shipped set instead of small random networks")
    parser.add_argument("--stand-ins", action="store_true", help="no networks at all")
    parser.add_argument("--overlay", action="store_true", help="draw, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, peaks = Path(name), []
        if options.stand_ins:
            chosen = ["--stand-ins"]
        else:
            chosen = ["--weights", options.weights] if options.weights else small_weights(folder)
        chosen += [] if options.overlay else ["--no-overlay"]
        for frames in (options.short, options.long):
            video = folder / f"{frames}.mp4"
            write_video(video, frames)
            start = time.perf_counter()
            peaks.append(peak_mb(video, folder / f"out-{frames}", chosen))
            print(f"  {time.perf_counter() - start:.0f} s")
        print(f"ratio {peaks[1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()

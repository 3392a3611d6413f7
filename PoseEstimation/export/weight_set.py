"""Collect trained networks into a weight set: ``python -m PoseEstimation.export.weight_set``.

Copies ``detector.safetensors``, ``heatmap.safetensors`` and ``lifter.safetensors`` of three runs
into ``SavedModels/NAME`` with the settings they were trained with, and enters their sha256 in
``SavedModels/index.yaml``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import yaml

from Engine.errors import DataError
from Engine.files import replacing, replacing_text
from Engine.process import exit_code
from Engine.provenance import file_sha256
from Engine.reading import require_file

PARTS = {"detector": "detector", "heatmap": "heatmap", "lifter": "clip_lifting"}
"""Network and the recipe that trains it."""

MAX_MB = 45


def collect(
    runs: dict[str, Path],
    folder: Path,
    data: str,
    licence: str,
    calibrated: Path | None = None,
    rescoring: Path | None = None,
) -> None:
    """Make or replace the weight set ``folder`` from the runs of its three networks.

    Args:
        runs: folder of the run of each network in ``PARTS``.
        folder: such as ``SavedModels/infant-synthetic``; its name is the set's.
        data: what the networks were trained on, one line.
        licence: terms of the weights, one line.
        calibrated: folder whose networks, where it has them, stand for those of the runs.
        rescoring: run of the re-scoring recipe, whose detector replaces that of the detector's run.

    Raises:
        DataError: a run without weights, or weights over the size limit of a file.
    """
    settings, digests = {}, {}
    newest = {**runs, "detector": rescoring or runs["detector"]}
    for part, recipe in PARTS.items():
        name = f"{part}.safetensors"
        honest = calibrated is not None and (calibrated / name).is_file()
        source = require_file((calibrated if honest else newest[part]) / name, "trained weights")
        megabytes = source.stat().st_size / 1e6
        if megabytes > MAX_MB:
            raise DataError(f"{source}: {megabytes:.0f} MB, over {MAX_MB}; train a smaller network")
        with replacing(folder / source.name) as temporary:
            shutil.copyfile(source, temporary)
        digests[source.name] = file_sha256(folder / source.name)
        settings[recipe] = yaml.safe_load((runs[part] / "settings.yaml").read_text())
    if rescoring is not None:
        settings["rescoring"] = yaml.safe_load((rescoring / "settings.yaml").read_text())
    with replacing_text(folder / "config.yaml") as file:
        file.write("# Settings that these networks were trained with.\n")
        yaml.safe_dump(_without_folders(settings), file, sort_keys=False)
    _enter(folder, {"sha256": digests, "data": data, "licence": licence})


def _without_folders(value):
    """The settings without the parents of the folders of whoever trained."""
    if isinstance(value, dict):
        return {key: _without_folders(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_folders(item) for item in value]
    return Path(value).name if isinstance(value, str) and "/" in value else value


def _enter(folder: Path, entry: dict) -> None:
    path = folder.parent / "index.yaml"
    index = (yaml.safe_load(path.read_text()) if path.is_file() else None) or {}
    with replacing_text(path) as file:
        yaml.safe_dump({**index, folder.name: entry}, file, sort_keys=True)


def _own_terms(folder: Path) -> str:
    """Terms of a set that nobody has bound.

    Raises:
        DataError: its name says that somebody has.
    """
    if folder.name.endswith("-research"):
        raise DataError(f"weights: {folder.name} is for research; give its terms as --licence")
    return "Apache-2.0"


def main(arguments: list[str] | None = None) -> int:
    """Collect a weight set; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for part in PARTS:
        parser.add_argument(f"--{part}", type=Path, required=True, metavar="RUN")
    parser.add_argument(
        "--rescoring", type=Path, metavar="RUN", help="the detector with box re-scoring"
    )
    parser.add_argument(
        "--calibrated", type=Path, metavar="DIR", help="networks with honest sigmas"
    )
    parser.add_argument("--output", type=Path, required=True, help="SavedModels/NAME")
    parser.add_argument("--data", required=True, help="what it was trained on, one line")
    parser.add_argument("--licence", help="default: Apache-2.0; a -research set must say its own")
    options = parser.parse_args(arguments)
    return exit_code("infantpose", lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    licence = options.licence or _own_terms(options.output)
    runs = {part: getattr(options, part) for part in PARTS}
    more = options.calibrated, options.rescoring
    collect(runs, options.output, options.data, licence, *more)
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())

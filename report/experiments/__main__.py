"""``python -m report.experiments NAME``: the chains that the report compares.

What they take of the chains ``best``, ``ellershaw`` and ``real`` lies beside their own folder.
``looks`` and ``movement`` train nothing: they measure generated infants, with a network that knows
photos and beside tracks of real ones. ``lifter`` measures lifters over infants, those that it
trains or one that is there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from Engine.files import require_writable
from Engine.process import exit_code
from PoseEstimation.chains.chain import placed_stages, run_chain
from PoseEstimation.config import load_config
from report.experiments import lifter, looks, movement
from report.experiments.data_sources import data_sources
from report.experiments.parts import parts
from report.experiments.photo_sources import photo_sources
from report.experiments.same_data import same_data

EXPERIMENTS = {row.__name__: row for row in (data_sources, same_data, photo_sources, parts)}
"""Name and the function of (folder, config) that lists its stages."""
MEASURES = {"lifter": lifter.main, "looks": looks.main, "movement": movement.main}


def main(arguments: list[str] | None = None) -> int:
    """Run an experiment; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] and given[0] in MEASURES:
        return exit_code("report.experiments", lambda: MEASURES[given[0]](given[1:]))
    parser = argparse.ArgumentParser("python -m report.experiments", description=__doc__)
    parser.add_argument("name", choices=[*EXPERIMENTS, *MEASURES])
    parser.add_argument("--output", type=Path, help="default: runs/chain/NAME")
    parser.add_argument("--config", type=Path, help="default: config.yaml")
    options = parser.parse_args(given)
    return exit_code("report.experiments", lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    folder = require_writable(options.output or Path("runs/chain") / options.name)
    run_chain(placed_stages(EXPERIMENTS[options.name](folder, config), config), folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

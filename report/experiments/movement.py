"""``python -m report.experiments movement``: generated infants beside the real ones, in numbers.

Real: 2D tracks of MINI-RGBD (``keypoints_px_NN`` and ``joints`` of an npz), one infant a sequence.
Ours: bodies, movements and cameras of the profile ``mini_rgbd``, without pictures, in whole pixels
like the real ones. A row holds when the real median lies between our 10th and 90th percentile, and
when these are at least as far apart as the real ones.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.geometry.camera import project
from Datasets.skeletons import MINI_RGBD_25
from Datasets.synthetic.profiles.mini_rgbd import SequencePlan, pose_sequence
from Datasets.synthetic.workers import collect
from Engine.errors import DataError
from Engine.files import require_writable, write_json, write_text
from Engine.provenance import code_identity, file_sha256
from Engine.reading import require_file
from PoseEstimation.evaluation.report import Table
from report.experiments.movement_statistics import JOINTS, STATISTICS, Track, statistics

SCHEMA = "infantpose-movement/1"
INFANTS, FRAMES, FPS, SEED = 40, 1000, 30.0, 71
REAL_FPS = 30.0
"""Assumed: the data set does not say."""

OURS = {"head": "nose", "hand": "fingers", "foot": "ankle"}
"""Part of the name of a joint of a track, and of that of ``MINI_RGBD_25`` it is measured at."""


def main(arguments: Sequence[str]) -> int:
    """Measure, write ``movement.json`` and ``movement.md``, print the table."""
    parser = argparse.ArgumentParser("python -m report.experiments movement", description=__doc__)
    parser.add_argument("--tracks", type=Path, help="default: under $INFANTPOSE_REAL_DATA")
    parser.add_argument("--output", type=Path, default=Path("runs/movement"))
    parser.add_argument("--infants", type=int, default=INFANTS)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(arguments)
    tracks, folder = tracks_file(options.tracks), require_writable(options.output)
    jobs = [(options.seed, number, options.frames) for number in range(1, options.infants + 1)]
    record = {
        "schema": SCHEMA,
        "command": f"python -m report.experiments movement --infants {options.infants} "
        f"--frames {options.frames} --seed {options.seed}",
        **code_identity(),
        "tracks_sha256": file_sha256(tracks),
        "frames": options.frames,
        "real": [statistics(track) for track in read_tracks(tracks)],
        "generated": [statistics(track) for track in collect(made_track, jobs, options.workers)],
    }
    table = movement_table(record).markdown(1)
    write_json(folder / "movement.json", record)
    write_text(folder / "movement.md", table)
    print(table, folder / "movement.json", sep="\n")
    return 0


def tracks_file(given: Path | None) -> Path:
    """The file of real tracks that is given, or that of $INFANTPOSE_REAL_DATA.

    Raises:
        DataError: there is none.
    """
    root = os.environ.get("INFANTPOSE_REAL_DATA")
    if given is None and not root:
        raise DataError("tracks: give --tracks FILE.npz or set INFANTPOSE_REAL_DATA")
    return require_file(given or Path(root or "") / "mini_rgbd_tracks" / "tracks.npz", "tracks")


def read_tracks(path: Path) -> list[Track]:
    """Read the tracks of all sequences of a file.

    Raises:
        DataError: not such a file, or without one of ``JOINTS``.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            names = [str(name) for name in file["joints"]]
            order = [names.index(joint) for joint in JOINTS]
            keys = sorted(key for key in file.files if key.startswith("keypoints_px_"))
            return [Track(file[key][:, order].astype(np.float64), REAL_FPS) for key in keys]
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise DataError(f"tracks: {path} cannot be read ({error}); see read_tracks") from error


def made_track(seed: int, number: int, frames: int) -> Track:
    """The track of one generated infant."""
    from Datasets.synthetic.people.body import mini_rgbd_joints

    plan = SequencePlan("mini_rgbd", seed, f"{number:02d}", frames, FPS)
    shape, movement, camera = pose_sequence(plan)
    joints = camera.to_camera(mini_rgbd_joints(shape, movement.turn, movement.place))
    names = [our_joint(name) for name in JOINTS]
    pixels = project(joints[:, MINI_RGBD_25.indices(names)], camera.intrinsics)
    return Track(np.round(pixels), FPS)


def our_joint(name: str) -> str:
    """The joint of ``MINI_RGBD_25`` at which a joint of ``JOINTS`` is measured."""
    side, _, part = name.rpartition("_")
    return f"{side}_{OURS.get(part, part)}" if side else OURS.get(part, part)


def movement_table(record: Mapping[str, Any]) -> Table:
    """Real and generated infants side by side."""
    real, ours = (
        {name: np.array([row[name] for row in record[part]]) for name in STATISTICS}
        for part in ("real", "generated")
    )
    rows = tuple(_row(name, real[name], ours[name]) for name in STATISTICS)
    counts = f"{len(record['real'])} real, {len(record['generated'])} generated infants"
    header = (
        *("", "real, median [min-max]", "ours, median [p10-p90]"),
        *("real median inside", "spread, ours over real"),
    )
    return Table(f"Bodies and movement: {counts}", header, rows)


def _row(name: str, real: np.ndarray, ours: np.ndarray) -> tuple[str, ...]:
    low, middle, high = np.percentile(ours, [10, 50, 90])
    inside = low <= np.median(real) <= high
    spread = (high - low) / max(float(np.ptp(np.percentile(real, [10, 90]))), 1e-9)
    return (
        name,
        f"{_text(np.median(real))} [{_text(real.min())}-{_text(real.max())}]",
        f"{_text(middle)} [{_text(low)}-{_text(high)}]",
        "yes" if inside else "**no**",
        f"{spread:.1f}" if spread >= 1 else f"**{spread:.1f}**",
    )


def _text(value: float) -> str:
    """Three digits that matter."""
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2f}"

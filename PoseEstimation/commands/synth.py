"""``infantpose synth``: generate infants with exact labels in an official layout."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from Datasets.splits import parse_sequences
from Datasets.structures import DataError


def run(args: argparse.Namespace) -> int:
    """Generate and say how fast."""
    if args.profile == "poses":
        return _write_pose_bank(args)
    sequences = sequence_names(args.sequences)
    _require_free(args.output, sequences)
    seconds = generate_with_progress(
        args.profile, args.output, sequences, args.frames, args.seed, args.workers, args.fps
    )
    frames = len(sequences) * args.frames
    print(
        f"{frames} frames in {len(sequences)} sequences, {seconds:.0f} s "
        f"({frames / seconds:.1f} frames/s): {args.output}"
    )
    return 0


def _require_free(output: Path, sequences: tuple[str, ...]) -> None:
    """Refuse to mix new frames with those of an earlier run.

    Raises:
        DataError: a sequence's folder exists.
    """
    for name in sequences:
        if (output / name).exists():
            raise DataError(f"synth: {output / name} exists; delete it or choose another --output")


def _write_pose_bank(args: argparse.Namespace) -> int:
    """Write poses without pictures for the lifter, of as many infants as ``--sequences``."""
    from Datasets.synthetic.pose_bank import write_pose_bank

    path, seed = args.output / "poses.npz", 0 if args.seed is None else args.seed
    infants = len(sequence_names(args.sequences))
    with _progress() as progress:
        task = progress.add_task("", total=infants)
        write_pose_bank(
            path, infants, seed, args.workers, lambda done, _: progress.update(task, completed=done)
        )
    print(f"poses of {infants} infants: {path}")
    return 0


def _progress() -> Progress:
    columns = (TextColumn("generate"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=not console.is_terminal)


def sequence_names(text: str) -> tuple[str, ...]:
    """Turn a plain number into that many names from 01, and ranges into the names they list.

    >>> sequence_names("3"), sequence_names("11-12")
    (('01', '02', '03'), ('11', '12'))
    """
    return parse_sequences(f"1-{text}" if text.isdecimal() and int(text) > 0 else text)


def generate_with_progress(
    profile: str,
    output: Path,
    sequences: tuple[str, ...],
    frames: int,
    seed: int | None,
    workers: int,
    fps: float,
) -> float:
    """Generate under a progress bar and return the seconds it took."""
    from Datasets.synthetic.profiles.mini_rgbd import generate

    start = time.perf_counter()
    with _progress() as progress:
        task = progress.add_task("", total=frames * len(sequences))
        generate(
            profile,
            output,
            sequences,
            frames,
            seed,
            workers,
            fps,
            lambda done, total: progress.update(task, completed=done, total=total),
        )
    return time.perf_counter() - start

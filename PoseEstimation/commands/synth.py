"""``infantpose synth``: generate people with exact labels in the official layout of a data set."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from Datasets.selection import parse_sequences
from Engine.errors import DataError
from Engine.files import require_writable
from Engine.progress import Advance, advancing
from Engine.reading import require_file


def run(args: argparse.Namespace) -> int:
    """Generate and say how fast.

    Raises:
        DataError: an unknown profile, or an output that holds data already.
    """
    makers = {
        "mini_rgbd": _infants,
        "varied": _infants,
        "movements": _movement_bank,
        "postures": _posture_bank,
        "mpii": _mpii,
        "coco": _coco,
        "mpi_inf_3dhp": _mpi_inf_3dhp,
        "slp": _slp,
        "lsp": _lsp,
        "syrip": _syrip,
        "scenes": _scenes,
    }
    if args.profile not in makers:
        known = ", ".join(makers)
        raise DataError(f"profile '{args.profile}' is unknown: choose one of {known}")
    require_writable(args.output)
    if args.smpl_poses is not None:
        require_file(args.smpl_poses, "smpl-poses")
    start = time.perf_counter()
    with advancing("generate") as advance:
        count, made = makers[args.profile](args, advance)
    seconds = time.perf_counter() - start
    print(f"{count} {made}, {seconds:.0f} s ({count / seconds:.1f} per second): {args.output}")
    return 0


def _infants(args: argparse.Namespace, advance: Advance) -> tuple[int, str]:
    """Lying infants in the MINI-RGBD layout; new sequences may join earlier ones of a folder."""
    sequences, frames = sequence_names(args.sequences or "12"), args.frames or 1000
    for name in sequences:
        _require_free(args.output / name)
    from Datasets.synthetic.profiles.mini_rgbd import generate

    generate(
        args.profile, args.output, sequences, frames, args.seed, args.workers, args.fps, advance
    )
    return len(sequences) * frames, f"frames in {len(sequences)} sequences"


def _movement_bank(args: argparse.Namespace, advance: Advance) -> tuple[int, str]:
    """Movements without pictures for the lifter of videos."""
    infants = len(sequence_names(args.sequences or "100"))
    output = args.output / "movements.npz"
    _require_free(output)
    from Datasets.synthetic.profiles.movement_bank import write_movement_bank

    write_movement_bank(output, infants, args.seed or 0, args.workers, advance)
    return infants, "infants' movements"


def _posture_bank(args: argparse.Namespace, advance: Advance) -> tuple[int, str]:
    """Postures without pictures for the lifter of photos."""
    infants = len(sequence_names(args.sequences or "100"))
    output = args.output / "postures.npz"
    _require_free(output)
    from Datasets.synthetic.profiles.movement_bank import write_posture_bank

    write_posture_bank(output, infants, args.seed or 0, args.workers, advance, args.smpl_poses)
    return infants, "infants' postures"


def _mpii(args: argparse.Namespace, advance: Advance) -> tuple[int, str]:
    """Clothed people in everyday places."""
    from Datasets.synthetic.profiles.mpii import generate_mpii

    return _pictures(args, advance, generate_mpii, "images")


def _coco(args: argparse.Namespace, advance: Advance) -> tuple[int, str]:
    """Infants, children and adults together."""
    from Datasets.synthetic.profiles.coco import generate_coco

    return _pictures(args, advance, generate_coco, "annotations")


def _syrip(args: argparse.Namespace, advance: Advance) -> tuple[int, str]:
    """Infants in any posture and place."""
    from Datasets.synthetic.profiles.coco import generate_coco, syrip_of

    generate = partial(generate_coco, style=syrip_of(args.postures))
    return _pictures(args, advance, generate, "annotations", default=451)


def _scenes(args: argparse.Namespace, advance: Advance) -> tuple[int, str]:
    """Infants, carers, dolls and empty beds."""
    from Datasets.synthetic.profiles.coco import generate_coco
    from Datasets.synthetic.profiles.scenes import STYLE

    generate = partial(generate_coco, style=STYLE)
    return _pictures(args, advance, generate, "annotations")


def _lsp(args: argparse.Namespace, advance: Advance) -> tuple[int, str]:
    """People in sport."""
    from Datasets.synthetic.profiles.lsp import generate_lsp

    return _pictures(args, advance, generate_lsp, "images")


def _mpi_inf_3dhp(args: argparse.Namespace, advance: Advance) -> tuple[int, str]:
    """One adult seen by several calibrated cameras."""
    _require_free(args.output / "S1")
    subjects, frames = len(sequence_names(args.sequences or "8")), args.frames or 100
    from Datasets.synthetic.profiles.mpi_inf_3dhp import generate_mpi_inf_3dhp

    generate_mpi_inf_3dhp(
        args.output,
        subjects,
        frames,
        args.seed,
        size=args.size,
        cameras=args.cameras,
        workers=args.workers,
        progress=advance,
    )
    return subjects, f"subjects, {frames} frames per sequence"


def _slp(args: argparse.Namespace, advance: Advance) -> tuple[int, str]:
    """Adults and infants in bed, under no, a thin and a thick cover."""
    _require_free(args.output / "danaLab")
    subjects, frames = len(sequence_names(args.sequences or "10")), args.frames or 45
    from Datasets.synthetic.profiles.slp import generate_slp

    generate_slp(args.output, subjects, frames, args.seed, args.workers, progress=advance)
    return subjects * frames, f"poses of {subjects} subjects"


def _pictures(
    args: argparse.Namespace,
    advance: Advance,
    generate: Callable[..., None],
    folder: str,
    default: int = 1000,
) -> tuple[int, str]:
    """Run a generator of single pictures, unless its folder exists."""
    _require_free(args.output / folder)
    images = args.frames or default
    generate(args.output, images, args.seed, args.workers, advance)
    return images, "pictures"


def _require_free(path: Path) -> None:
    """Refuse to replace, or to mix new frames with, what an earlier run made.

    Raises:
        DataError: the path exists.
    """
    if path.exists():
        raise DataError(f"synth: {path} exists; delete it or choose another --output")


def sequence_names(text: str) -> tuple[str, ...]:
    """Turn a plain number into that many names from 01, and ranges into the names they list.

    Raises:
        DataError: it is 0, or neither a number nor ranges.

    >>> sequence_names("3"), sequence_names("11-12")
    (('01', '02', '03'), ('11', '12'))
    """
    if not text.isdecimal():
        return parse_sequences(text)
    if int(text) == 0:
        raise DataError("sequences: 0 makes none; give a number above 0, or names such as 11-12")
    return parse_sequences(f"1-{text}")


def generate_infants(
    profile: str,
    output: Path,
    sequences: tuple[str, ...],
    frames: int,
    seed: int | None,
    workers: int,
    fps: float,
) -> float:
    """Generate infants under a progress bar and return the seconds it took."""
    from Datasets.synthetic.profiles.mini_rgbd import generate

    start = time.perf_counter()
    with advancing("generate") as advance:
        generate(profile, output, sequences, frames, seed, workers, fps, advance)
    return time.perf_counter() - start

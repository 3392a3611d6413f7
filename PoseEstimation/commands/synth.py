"""``infantpose synth``: generate people with exact labels in the official layout of a data set."""

from __future__ import annotations

import argparse
import time

from Datasets.profiles import BANK_FILES, generate, profile_named, require_free
from Datasets.selection import parse_sequences, parse_shares
from Engine.errors import DataError
from Engine.files import require_writable
from Engine.progress import advancing
from Engine.reading import require_file


def run(args: argparse.Namespace) -> int:
    """Generate and say how fast.

    Raises:
        DataError: an unknown profile, or an output that holds data already.
    """
    profile = profile_named(args.profile)
    for name in BANK_FILES:
        if (path := getattr(args, name)) is not None:
            require_file(path, name.replace("_", "-"))
    require_writable(args.output)
    names: tuple[str, ...] = ()
    frames = args.frames or profile.frames
    if profile.single:
        count = args.frames or profile.count
    else:
        names = sequence_names(args.sequences or str(profile.count))
        count = len(names)
    require_free(profile, args.output, names)
    options = {name: getattr(args, name) for name in (*profile.options, "postures")}
    if "sources" in options:
        options["sources"] = parse_shares(options["sources"])
    start = time.perf_counter()
    with advancing("generate") as advance:
        asked = names if profile.named else count
        generate(profile, args.output, asked, frames, args.seed, args.workers, advance, **options)
    seconds = time.perf_counter() - start
    made = profile.made.format(count=count, frames=frames, total=count * frames)
    speed = int(made.split()[0]) / seconds
    print(f"{made}, {seconds:.0f} s ({speed:.1f} per second): {args.output}")
    return 0


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

"""What can be generated, a row each: ``infantpose synth``, ``demo`` and chains read these rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from Engine.errors import DataError
from Engine.progress import Advance


@dataclass(frozen=True)
class Profile:
    """A row: data that are generated in the official layout of a data set.

    Attributes:
        name: on the command line.
        generator: "module:function" of (what, where to write, how many, frames of each where there
            are ``frames``, seed) and, by name, ``workers``, ``progress`` and its ``options``.
        what: first argument of the generator, or the "module:name" of it; of a function, what it
            makes of the option ``postures``. Empty: the generator takes none.
        made: what is counted, with ``{count}``, ``{frames}`` and ``{total}``.
        place: file or folder in the output that must not exist yet, and is written to if a file.
        count: how many where nothing is asked for.
        frames: of each of them; 0 where they are single pictures or have no pictures.
        seed: where the generator has none of its own.
        options: further options that the generator takes.
        benchmark: to measure on; nothing to train from is made by it.
    """

    name: str
    generator: str
    what: str
    made: str
    place: str
    count: int
    frames: int = 0
    seed: int | None = None
    options: tuple[str, ...] = ()
    benchmark: bool = False

    @property
    def named(self) -> bool:
        """The generator takes the names of sequences, each a folder, not their number."""
        return not self.place

    @property
    def single(self) -> bool:
        """Single pictures are made: ``--frames`` says how many in all."""
        return self.made == PICTURES


PICTURES = "{count} pictures"
BANK_FILES = ("smpl_poses", "cmu_angles", "weak_poses")
BANK_OPTIONS = ("sources", *BANK_FILES)
_HERE = "Datasets.synthetic.profiles"


def _infants(name: str, count: int = 12, frames: int = 1000, benchmark: bool = False) -> Profile:
    made, generator = "{total} frames in {count} sequences", f"{_HERE}.mini_rgbd:generate"
    options = ("fps", "labels_only")
    return Profile(name, generator, name, made, "", count, frames, None, options, benchmark)


def _bank(name: str, function: str) -> Profile:
    made, generator = f"{{count}} infants' {name}", f"{_HERE}.movement_bank:{function}"
    return Profile(name, generator, "", made, f"{name}.npz", 100, seed=0, options=BANK_OPTIONS)


def _pictures(name: str, what: str, place: str, count: int = 1000) -> Profile:
    generator = f"{_HERE}.generation:generate_pictures"
    return Profile(name, generator, f"{_HERE}.{what}", PICTURES, place, count)


PROFILES = (
    _infants("mini_rgbd"),
    _infants("varied"),
    _infants("synthinfant2", 40, 250, benchmark=True),
    _bank("movements", "write_movement_bank"),
    _bank("postures", "write_posture_bank"),
    _pictures("mpii", "mpii:MPII", "images"),
    _pictures("coco", "coco:COCO", "annotations"),
    Profile(
        "mpi_inf_3dhp",
        f"{_HERE}.mpi_inf_3dhp:generate_mpi_inf_3dhp",
        "",
        "{count} subjects, {frames} frames per sequence",
        "S1",
        8,
        100,
        options=("size", "cameras"),
    ),
    Profile(
        "slp",
        f"{_HERE}.slp:generate_slp",
        "",
        "{total} poses of {count} subjects",
        "danaLab",
        10,
        45,
    ),
    _pictures("lsp", "lsp:LSP", "images"),
    _pictures("syrip", "coco:syrip_of", "annotations", 451),
    _pictures("scenes", "scenes:STYLE", "annotations"),
)


def profile_named(name: str) -> Profile:
    """The row of a profile.

    Raises:
        DataError: there is none.
    """
    rows = {row.name: row for row in PROFILES}
    if name not in rows:
        raise DataError(f"profile '{name}' is unknown: choose one of {', '.join(rows)}")
    return rows[name]


def require_free(profile: Profile, output: Path, names: tuple[str, ...] = ()) -> None:
    """Refuse to replace, or to mix new frames with, what an earlier run made.

    Raises:
        DataError: the place of the data, or the folder of a sequence, exists.
    """
    for path in [output / name for name in names] if profile.named else [output / profile.place]:
        if path.exists():
            raise DataError(f"synth: {path} exists; delete it or choose another --output")


def generate(
    profile: Profile,
    output: Path,
    count: int | tuple[str, ...],
    frames: int = 0,
    seed: int | None = None,
    workers: int = 1,
    progress: Advance | None = None,
    **options: Any,
) -> None:
    """Run the generator of a profile.

    Args:
        profile: a row of ``PROFILES``.
        output: folder to write to; made when missing.
        count: how many, or the names of the sequences of a ``named`` profile.
        frames: of each; 0 takes the profile's.
        seed: default is the profile's own.
        workers: processes; any number gives the same bytes.
        progress: called with (number done, number in all).
        options: those that the profile does not take are left out.

    Raises:
        DataError: nothing to make, or an option that cannot be used.
    """
    before = _before(profile.what, options)
    place = output / profile.place if profile.place.endswith(".npz") else output
    each = (frames or profile.frames,) if profile.frames else ()
    taken = {name: options[name] for name in profile.options if name in options}
    resolve_name(profile.generator)(
        *before, place, count, *each, profile.seed if seed is None else seed,
        workers=workers, progress=progress, **taken,
    )  # fmt: skip


def _before(what: str, options: Mapping[str, Any]) -> tuple[Any, ...]:
    """The generator's first argument, where it takes one."""
    found = resolve_name(what) if ":" in what else what
    if callable(found):
        found = found(tuple(options.get("postures", ())))
    return (found,) if what else ()

"""The data sets by name, a row each, and how recipes name the part that they learn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from Engine.errors import DataError
from Engine.settings import Settings, limited


@dataclass(frozen=True)
class DataSet:
    """A row: all that is needed to open and check a data set by its name.

    Attributes:
        name: on the command line, in recipes and under ``paths`` of config.yaml.
        reader: "module:function" of (folder, split, skeleton or None for the data set's own) to a
            ``Dataset``; the split is ``train``, ``validation``, ``test``, ``all`` or a word of the
            data set's own, such as a list of sequences.
        verifier: "module:function" of a folder to its ``Verification``.
        cached: the reader also takes a folder for caches and a function that is told its progress.
    """

    name: str
    reader: str
    verifier: str
    cached: bool = False

    @property
    def root(self) -> Path:
        """Its folder where config.yaml names no other."""
        return Path("data") / self.name


def _row(name: str, verifier: str = "", cached: bool = False) -> DataSet:
    """A data set whose modules and functions are named after it."""
    layout = verifier or name
    reader = f"Datasets.readers.{name}:open_{name}"
    return DataSet(name, reader, f"Datasets.verify.{layout}:verify_{layout}", cached)


DATASETS = (
    _row("mini_rgbd"),
    _row("mpii"),
    _row("mpi_inf_3dhp", cached=True),
    _row("coco"),
    _row("slp"),
    _row("lsp"),
    _row("syrip", verifier="coco"),
)
"""SyRIP has the layout of COCO."""

CACHE = Path("data/cache")
"""Where caches lie for whom nobody says otherwise."""


def dataset_named(name: str, what: str = "data set:") -> DataSet:
    """The row of a data set.

    Raises:
        DataError: there is none; the message begins with ``what``.
    """
    rows = {row.name: row for row in DATASETS}
    if name not in rows:
        raise DataError(f"{what} '{name}' is unknown; choose one of {', '.join(rows)}")
    return rows[name]


@dataclass(frozen=True)
class DataSource(Settings):
    """A part of a data set.

    Attributes:
        dataset: a name that ``infantpose verify`` knows, such as ``mini_rgbd`` or ``mpii``.
        split: ``train``, ``validation``, ``test``, ``all`` or the data set's own words.
        root: its folder; None takes ``paths.DATASET`` of config.yaml.
        share: of the samples that are drawn, where data sets are mixed by ratio; None: by size.
        shifted: its joints are defined otherwise than a network's own: a shift is learnt.
        labels: file of a network's labels in place of its own; see ``self_label``.
        cache: folder where large label files are kept in a form that opens at once; None takes
            ``paths.cache`` of config.yaml.
    """

    dataset: str
    split: str = "all"
    root: Path | None = None
    share: float | None = limited(None, 0.0, 1e9)
    shifted: bool = False
    labels: Path | None = None
    cache: Path | None = None

    @property
    def folder(self) -> Path:
        """``root``, once config.yaml is read.

        Raises:
            DataError: there is none.
        """
        if self.root is None:
            raise DataError(
                f"data: {self.dataset} has no folder; set its root or paths in config.yaml"
            )
        return self.root

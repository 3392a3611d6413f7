"""Which part of which data set: how recipes name the data that they learn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from Engine.errors import DataError
from Engine.settings import Settings, limited

DATASETS = ("mini_rgbd", "mpii", "mpi_inf_3dhp", "coco", "slp", "lsp", "syrip")

CACHE = Path("data/cache")
"""Where caches lie for whom nobody says otherwise."""


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

"""Which part of which data set: how recipes name the data that they learn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataSource:
    """A part of a data set.

    Attributes:
        dataset: a name that ``infantpose verify`` knows, such as ``mini_rgbd`` or ``mpii``; or
            ``generated``: never the same infant twice, rendered while training.
        split: ``train``, ``validation``, ``test``, ``all`` or the data set's own words; the profile
            of what is generated.
        root: its folder; None takes ``paths.DATASET`` of config.yaml.
        share: of the samples that are drawn, where data sets are mixed by ratio; None: by size.
        shifted: its joints are defined otherwise than a network's own: a shift is learnt.
        labels: file of a network's labels in place of its own; see ``self_label``.
    """

    dataset: str
    split: str = "all"
    root: Path | None = None
    share: float | None = None
    shifted: bool = False
    labels: Path | None = None

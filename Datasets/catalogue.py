"""Every data set by name: how it is opened and how a folder is checked against its layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from Datasets.readers.mini_rgbd import read_mini_rgbd
from Datasets.splits import MINI_RGBD_SPLIT, parse_sequences
from Datasets.structures import DataError, Dataset
from Datasets.verify.base import Verification
from Datasets.verify.mini_rgbd import verify_mini_rgbd


@dataclass(frozen=True)
class Entry:
    """One data set.

    Attributes:
        read: folder and split (``train``, ``validation``, ``test``, ``all`` or what the data set
            itself names, such as a list of sequences) to samples.
        verify: folder to findings.
    """

    read: Callable[[Path, str], Dataset]
    verify: Callable[[Path], Verification]


def _mini_rgbd(root: Path, split: str) -> Dataset:
    if split == "all":
        return read_mini_rgbd(root)
    named = parse_sequences(split) if split[:1].isdigit() else MINI_RGBD_SPLIT.part(split)
    return read_mini_rgbd(root, named)


CATALOGUE = {
    "mini_rgbd": Entry(_mini_rgbd, verify_mini_rgbd),
}


def open_dataset(name: str, root: Path | str, split: str | None = None) -> Dataset:
    """Read a data set.

    Args:
        name: a key of ``CATALOGUE``.
        root: its folder.
        split: None and ``all`` take everything that is labelled.

    Raises:
        DataError: an unknown data set or split, or data that cannot be read.
    """
    return _entry(name).read(Path(root), split or "all")


def verify_dataset(name: str, root: Path | str) -> Verification:
    """Compare a folder with the official layout and report every fault in one pass.

    Raises:
        DataError: an unknown data set, or the folder does not exist or holds nothing of it.
    """
    return _entry(name).verify(Path(root))


def _entry(name: str) -> Entry:
    if name not in CATALOGUE:
        known = ", ".join(CATALOGUE)
        raise DataError(f"data set: '{name}' is unknown; choose one of {known}")
    return CATALOGUE[name]

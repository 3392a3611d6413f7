"""Every data set by name: how it is opened and how a folder is checked against its layout."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from Datasets.readers.coco import open_coco
from Datasets.readers.lsp import open_lsp
from Datasets.readers.mini_rgbd import read_mini_rgbd
from Datasets.readers.mpi_inf_3dhp import open_mpi_inf_3dhp
from Datasets.readers.mpii import open_mpii
from Datasets.readers.self_labels import SelfLabels
from Datasets.readers.slp import open_slp
from Datasets.readers.syrip import open_syrip
from Datasets.selection import MINI_RGBD_SPLIT, parse_sequences
from Datasets.skeletons import MINI_RGBD_25, Skeleton
from Datasets.sources import CACHE, DataSource
from Datasets.structures import Dataset
from Datasets.verify.base import Verification
from Datasets.verify.coco import verify_coco
from Datasets.verify.lsp import verify_lsp
from Datasets.verify.mini_rgbd import verify_mini_rgbd
from Datasets.verify.mpi_inf_3dhp import verify_mpi_inf_3dhp
from Datasets.verify.mpii import verify_mpii
from Datasets.verify.slp import verify_slp
from Engine.errors import DataError
from Engine.progress import advancing


@dataclass(frozen=True)
class Entry:
    """One data set.

    Attributes:
        read: (folder, split, skeleton or None for the data set's own, folder for caches) to
            samples; the split is ``train``, ``validation``, ``test``, ``all`` or a word of the data
            set's own, such as a list of sequences.
        verify: folder to findings.
    """

    read: Callable[[Path, str, Skeleton | None, Path], Dataset]
    verify: Callable[[Path], Verification]


def _mini_rgbd(root: Path, split: str, skeleton: Skeleton | None, cache: Path) -> Dataset:
    named = None if split == "all" else _sequences(split)
    return read_mini_rgbd(root, named, skeleton or MINI_RGBD_25)


def _sequences(split: str) -> tuple[str, ...]:
    return parse_sequences(split) if split[:1].isdigit() else MINI_RGBD_SPLIT.part(split)


def _mpi_inf_3dhp(root: Path, split: str, skeleton: Skeleton | None, cache: Path) -> Dataset:
    with advancing("convert labels") as advance:
        return open_mpi_inf_3dhp(root, split, skeleton, cache, advance)


def _uncached(open_: Callable[[Path, str, Skeleton | None], Dataset]):
    """Adapt a reader that needs no cache."""
    return lambda root, split, skeleton, cache: open_(root, split, skeleton)


CATALOGUE = {
    "mini_rgbd": Entry(_mini_rgbd, verify_mini_rgbd),
    "mpii": Entry(_uncached(open_mpii), verify_mpii),
    "mpi_inf_3dhp": Entry(_mpi_inf_3dhp, verify_mpi_inf_3dhp),
    "coco": Entry(_uncached(open_coco), verify_coco),
    "slp": Entry(_uncached(open_slp), verify_slp),
    "lsp": Entry(_uncached(open_lsp), verify_lsp),
    "syrip": Entry(_uncached(open_syrip), verify_coco),
}
"""SyRIP has the layout of COCO."""


def open_dataset(
    name: str,
    root: Path | str,
    split: str | None = None,
    skeleton: Skeleton | None = None,
    cache: Path = CACHE,
) -> Dataset:
    """Read a data set; its notes are printed on stderr.

    Args:
        name: a key of ``CATALOGUE``.
        root: its folder.
        split: None and ``all`` take everything that is labelled.
        skeleton: convention of the samples, default the data set's own.
        cache: folder where large label files are kept in a form that opens at once.

    Raises:
        DataError: an unknown data set or split, or data that cannot be read.
    """
    dataset = _entry(name).read(Path(root), split or "all", skeleton, cache)
    for note in dataset.notes:
        print(f"infantpose: note: {name}: {note}", file=sys.stderr)
    return dataset


def open_sources(sources: Sequence[DataSource], skeleton: Skeleton) -> list[Dataset]:
    """Read the data of a recipe in the recipe's joints.

    Raises:
        DataError: a source without a folder, or as ``open_dataset``.
    """
    folders = [source.folder for source in sources]  # before any is read, which may take minutes
    return [_open_source(*each, skeleton) for each in zip(sources, folders, strict=True)]


def _open_source(source: DataSource, folder: Path, skeleton: Skeleton) -> Dataset:
    dataset = open_dataset(source.dataset, folder, source.split, skeleton, source.cache or CACHE)
    if source.labels is None:
        return dataset
    return SelfLabels.load(source.labels, skeleton).given_to(dataset)


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

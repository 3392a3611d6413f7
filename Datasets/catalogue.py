"""Data sets by name: opened, or a folder checked against the official layout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name

from Datasets.readers.self_labels import SelfLabels
from Datasets.skeletons import Skeleton
from Datasets.sources import CACHE, DataSource, dataset_named
from Datasets.structures import Dataset
from Datasets.verify.base import Verification
from Engine.progress import advancing


def open_dataset(
    name: str,
    root: Path | str,
    split: str | None = None,
    skeleton: Skeleton | None = None,
    cache: Path = CACHE,
) -> Dataset:
    """Read a data set; its notes are printed on stderr.

    Args:
        name: a row of ``Datasets.sources.DATASETS``.
        root: its folder.
        split: None and ``all`` take everything that is labelled.
        skeleton: convention of the samples, default the data set's own.
        cache: folder where large label files are kept in a form that opens at once.

    Raises:
        DataError: an unknown data set or split, or data that cannot be read.
    """
    row = dataset_named(name)
    read, where = resolve_name(row.reader), (Path(root), split or "all", skeleton)
    if row.cached:
        with advancing("convert labels") as advance:
            dataset = read(*where, cache, advance)
    else:
        dataset = read(*where)
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
    return resolve_name(dataset_named(name).verifier)(Path(root))

"""MPI-INF-3DHP (Mehta et al., 2017): adults in a studio of 14 cameras, and six test sequences.

The reader lies in several files, each of which describes its part of the layout:

    mpi_inf_3dhp_train.py         training set: samples made on demand
    mpi_inf_3dhp_index.py         its labels as memory-mapped arrays, converted once
    mpi_inf_3dhp_calibration.py   its cameras
    mpi_inf_3dhp_test.py          test set

This file knows the splits; ``layouts/mpi_inf_3dhp.py`` the official tables and camera sets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from Datasets.layouts.mpi_inf_3dhp import (
    FRAMES,
    TEST_FRAMES,
    benchmark_sequences,
    training_sequences,
)
from Datasets.readers.mpi_inf_3dhp_test import read_mpi_inf_3dhp_test
from Datasets.readers.mpi_inf_3dhp_train import read_mpi_inf_3dhp_train
from Datasets.skeletons import MPI_INF_17, MPI_INF_28, Skeleton
from Datasets.sources import CACHE
from Datasets.structures import Dataset
from Engine.errors import DataError
from Engine.reading import require_folder

SPLITS = {"train": "S1-6", "validation": "S7-8", "test": "TS1-6"}
"""The split in use: subjects 7 and 8 are held out of the training set."""


def open_mpi_inf_3dhp(
    root: Path | str,
    split: str = "all",
    skeleton: Skeleton | None = None,
    cache: Path = CACHE,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Open a part of the data set: ``annot3`` labels, cameras ``vnect``, valid test frames.

    Args:
        root: the folder that holds ``S1`` ... and, or only, ``TS1`` ... or
            ``mpi_inf_3dhp_test_set``.
        split: ``train`` (S1-S6), ``validation`` (S7-S8) or ``test`` (TS1-TS6), of which those
            sequences are taken that are there; ``all``, the training sequences there are, or the
            test sequences where there are no others, since the two differ in their joints; or
            named subjects and sequences such as ``S1-2,S8``, ``S1/Seq2`` or ``TS1``.
        skeleton: convention of the samples, default the part's own (28 or 17 joints).
        cache: folder for the converted labels.
        progress: called with (sequences read, sequences in all) while labels are converted.

    Raises:
        DataError: an unknown split, nothing of it in the folder, or data that cannot be read.
    """
    root = require_folder(root, "MPI-INF-3DHP")
    train, test = training_sequences(root), benchmark_sequences(root)
    if split in (*SPLITS, "all"):
        wanted = _expanded(SPLITS[split]) if split in SPLITS else train or test
        names = tuple(name for name in (*train, *test) if name in wanted)
        if not names:
            words = SPLITS.get(split, "S1/Seq1 ... S8/Seq2, TS1 ... TS6")
            raise DataError(
                f"MPI-INF-3DHP: {root} holds nothing of '{split}' ({words}); check the path"
            )
    else:
        names = wanted = _named(root, split)
    notes: tuple[str, ...] = ()
    if len(names) < len(wanted):
        notes = (f"{split}: {len(names)} of its {len(wanted)} official sequences are here",)
    elif split == "all" and names == train and test:
        notes = ("all: the training sequences; name 'test' for the test sequences, also here",)
    if names[0] in TEST_FRAMES:
        dataset = read_mpi_inf_3dhp_test(root, names, skeleton=skeleton or MPI_INF_17)
    else:
        dataset = read_mpi_inf_3dhp_train(
            root, names, cache=cache, progress=progress, skeleton=skeleton or MPI_INF_28
        )
    return replace(dataset, notes=(*notes, *dataset.notes))


def _named(root: Path, split: str) -> tuple[str, ...]:
    """Sequences that the user names; a subject stands for those of its sequences that are there."""
    present = training_sequences(root)
    subjects = {name.partition("/")[0] for name in present}
    names: dict[str, None] = {}
    for item in split.split(","):
        for name in _expanded(item):
            # Of a subject that is there at all, the sequences that are there will do.
            if "/" in item or name in present or name.partition("/")[0] not in subjects:
                names[name] = None
    if len({name in TEST_FRAMES for name in names}) > 1:
        raise DataError(f"split: '{split}' mixes training and test sequences; name one kind")
    return tuple(names)


def _expanded(item: str) -> tuple[str, ...]:
    """Official sequences that a word such as ``S1-2``, ``S1/Seq2`` or ``TS1-3`` stands for."""
    match = re.fullmatch(r"\s*(T?S)([0-9])(?:-(?:\1)?([0-9])|(/Seq[12]))?\s*", item)
    kind, first, last, sequence = match.groups() if match else ("", "1", "0", "")
    subjects = [f"{kind}{n}" for n in range(int(first), int(last or first) + 1)]
    names = tuple(
        name
        for name in (*FRAMES, *TEST_FRAMES)
        for subject in subjects
        if name == subject or (name.startswith(f"{subject}/") and name.endswith(sequence or ""))
    )
    if not names:
        raise DataError(
            f"split: '{item.strip()}' is unknown; write train, validation, test, all, or sequences "
            "such as S1-2,S8 or S1/Seq2 or TS1"
        )
    return names

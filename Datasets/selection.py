"""Choosing samples: which sequences train, validate and test; data sets joined and thinned."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from typing import TypeVar

from Datasets.structures import Dataset, OnDemand, PoseSample
from Engine.errors import DataError
from Engine.settings import COUNT

Item = TypeVar("Item")


@dataclass(frozen=True)
class Split:
    """Sequence names of the three parts."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def part(self, name: str) -> tuple[str, ...]:
        """Sequences of ``train``, ``validation``, ``test`` or ``all``.

        Raises:
            DataError: another name.
        """
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        parts["all"] = (*self.train, *self.validation, *self.test)
        if name not in parts:
            raise DataError(f"split: '{name}' is unknown; choose one of {', '.join(parts)}")
        return parts[name]


def parse_sequences(text: str, digits: int = 2) -> tuple[str, ...]:
    """Expand a list of numbers and ranges to sequence names.

    Args:
        text: comma-separated numbers and ranges.
        digits: width of the names; a number written with more digits keeps its width.

    Raises:
        DataError: the text is something else, or a range runs backwards or is endless.

    >>> parse_sequences("1-3,11")
    ('01', '02', '03', '11')
    """
    names: list[str] = []
    for item in text.split(","):
        match = re.fullmatch(r"\s*([0-9]+)\s*(?:-\s*([0-9]+)\s*)?", item)
        first, last = (match[1], match[2] or match[1]) if match else ("1", "0")
        if int(last) < int(first):
            raise DataError(f"sequences: '{item.strip()}' is no number or range; write 1-8,11")
        if int(last) - int(first) >= COUNT.high:
            raise DataError(f"sequences: '{item.strip()}' names more than {COUNT.high}; write less")
        width = max(digits, len(first))
        names.extend(f"{number:0{width}d}" for number in range(int(first), int(last) + 1))
    return tuple(dict.fromkeys(names))


MINI_RGBD_SPLIT = Split(
    train=parse_sequences("1-8"), validation=parse_sequences("9-10"), test=parse_sequences("11-12")
)
"""Split of the published protocol (Ellershaw): in the code 11-12 are the test sequences."""


def joined(datasets: Sequence[Dataset]) -> Dataset:
    """Concatenate data sets of one skeleton.

    Raises:
        DataError: there is none, or the skeletons differ.
    """
    skeletons = {dataset.skeleton for dataset in datasets}
    if len(skeletons) != 1:
        names = ", ".join(sorted(s.name for s in skeletons)) or "none"
        raise DataError(f"data: expected data sets of one skeleton, got {names}; read them alike")
    notes = tuple(note for dataset in datasets for note in dataset.notes)
    name = "+".join(dict.fromkeys(dataset.name for dataset in datasets))
    parts = tuple(dataset.samples for dataset in datasets)
    ends = tuple(accumulate(map(len, parts)))
    samples = OnDemand(partial(_of_parts, parts, ends), range(ends[-1]))
    without_joints = tuple(s for dataset in datasets for s in dataset.without_joints)
    return Dataset(name, datasets[0].root, datasets[0].skeleton, samples, notes, without_joints)


def _of_parts(
    parts: Sequence[Sequence[PoseSample]], ends: Sequence[int], position: int
) -> PoseSample:
    part = bisect_right(ends, position)
    return parts[part][position - (ends[part - 1] if part else 0)]


def thinned(dataset: Dataset, step: int) -> Dataset:
    """Keep every n-th sample."""
    return replace(dataset, samples=dataset.samples[:: max(step, 1)])


def spread(items: Sequence[Item], count: int) -> Sequence[Item]:
    """At most ``count`` of them, evenly spread."""
    return items[:: max(-(-len(items) // count), 1)]


def limited(dataset: Dataset, count: int) -> Dataset:
    """Keep at most ``count`` samples, evenly spread."""
    return replace(dataset, samples=spread(dataset.samples, count))


def sequences_of(split: str) -> tuple[str, ...] | None:
    """Sequences of a part of ``MINI_RGBD_SPLIT``, or of a list such as 11-12; None means all.

    Raises:
        DataError: the text is neither.
    """
    if split == "all":
        return None
    return parse_sequences(split) if split[:1].isdigit() else MINI_RGBD_SPLIT.part(split)


def parse_shares(texts: Sequence[str]) -> dict[str, float]:
    """Names and shares out of texts such as ``habits=0.8``.

    Raises:
        DataError: a text is none.

    >>> parse_shares(("habits=0.8", "random=0.2"))
    {'habits': 0.8, 'random': 0.2}
    """
    try:
        return {name.strip(): float(share) for name, share in (t.split("=") for t in texts)}
    except ValueError:
        raise DataError(f"sources: {', '.join(texts)}; write habits=0.8,random=0.2") from None

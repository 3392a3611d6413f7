"""Which sample comes next: a function of (seed, position) alone, so that resume is exact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from typing import Any, NamedTuple

import numpy as np
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import Sampler

from Engine.errors import DataError


class Draw(NamedTuple):
    """Which sample, and for which time: the key that a sampler hands to a data set."""

    round: int
    item: int


class SeededSampler(Sampler[Draw]):
    """An endless shuffled stream, cut into epochs, that can be entered anywhere.

    Position p of the stream is place p mod n of shuffle p div n, whose order depends only on the
    seed and the shuffle's number: every sample is seen once before any is seen twice, however long
    an epoch is, and a resumed run sees what the uninterrupted one would have seen.
    """

    def __init__(self, n: int, seed: int, samples_per_epoch: int | None = None) -> None:
        """Start at epoch 0.

        Args:
            n: number of samples in the data set.
            seed: of the order.
            samples_per_epoch: length of an epoch, default n.

        Raises:
            DataError: the data set is empty.
        """
        if n < 1:
            raise DataError("data: no sample to train on; check root and sequences")
        self.n, self.seed = n, seed
        self.samples_per_epoch = samples_per_epoch or n
        self.set_position(0)

    def set_position(self, epoch: int, start: int = 0) -> None:
        """Let the next pass be ``epoch`` from sample ``start`` on; the pass after it follows on."""
        self.epoch, self.start = epoch, start

    def __len__(self) -> int:
        return self.samples_per_epoch

    def __iter__(self) -> Iterator[Draw]:
        first = self.epoch * self.samples_per_epoch + self.start
        last = (self.epoch + 1) * self.samples_per_epoch
        self.set_position(self.epoch + 1)
        shuffle, order = -1, np.empty(0, dtype=np.int64)
        for position in range(first, last):
            if position // self.n != shuffle:
                shuffle = position // self.n
                order = np.random.default_rng([self.seed, shuffle]).permutation(self.n)
            yield Draw(shuffle, int(order[position % self.n]))


class SizedDataset(TorchDataset, Sized):
    """A data set that knows how many items it has."""


class Mixture(SizedDataset):
    """Several data sets, drawn from by ratio; an item is a function of (seed, round, item)."""

    def __init__(
        self, parts: Sequence[SizedDataset], shares: Sequence[float | None], seed: int
    ) -> None:
        """Bind the parts.

        Args:
            parts: each takes ``Draw`` keys.
            shares: how often each is drawn from, in any unit; None stands for its size.
            seed: of the choice.

        Raises:
            DataError: a share is negative, or all are 0.
        """
        pairs = zip(parts, shares, strict=True)
        ratio = [len(part) if share is None else share for part, share in pairs]
        total = float(sum(ratio))
        if total <= 0 or min(ratio) < 0:
            raise DataError(f"data: the shares {ratio} are no ratio; give positive numbers")
        self.parts, self.seed = tuple(parts), seed
        self.shares = [share / total for share in ratio]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def __getitem__(self, key: Draw) -> Any:
        rng = np.random.default_rng([self.seed, key.round, key.item])
        part = self.parts[int(rng.choice(len(self.parts), p=self.shares))]
        position = key.round * len(self) + key.item
        return part[Draw(position, int(rng.integers(len(part))))]

"""Mixtures keep their ratio; the order is a function of the seed."""

import numpy as np
import pytest
import torch

from Engine.errors import DataError
from Engine.sampling import Draw, Mixture


class Numbers(torch.utils.data.Dataset):
    def __init__(self, value, length):
        self.value, self.length = value, length

    def __len__(self):
        return self.length

    def __getitem__(self, key):
        assert 0 <= key.item < self.length
        return self.value, key


def test_a_mixture_keeps_its_ratio_and_order():
    mixture = Mixture([Numbers("a", 10), Numbers("b", 1000)], [3, 1], seed=1)
    drawn = [mixture[Draw(r, i)] for r in range(4) for i in range(500)]
    share = np.mean([value == "a" for value, _ in drawn])
    assert share == pytest.approx(0.75, abs=0.03)
    assert drawn == [mixture[Draw(r, i)] for r in range(4) for i in range(500)]
    assert len({key for _, key in drawn}) == len(drawn)
    by_size = Mixture([Numbers("a", 10), Numbers("b", 30)], [None, None], seed=1)
    assert by_size.shares == [0.25, 0.75]
    with pytest.raises(DataError, match="no ratio"):
        Mixture([Numbers("a", 1)], [0], seed=0)

"""Batches: what an item is a function of, in which order, and how a run is resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from Datasets.geometry.boxes import box_from_points
from Datasets.loaders import CropDataset, joined, make_loader
from Datasets.readers.mini_rgbd import read_mini_rgbd
from Datasets.skeletons import INFANT
from Engine.errors import DataError
from Engine.sampling import Draw, SeededSampler


@pytest.fixture(scope="module")
def crops(shared_root: Path) -> CropDataset:
    return crop_dataset(shared_root, train=True)


def crop_dataset(root: Path, train: bool, seed: int = 3) -> CropDataset:
    dataset = read_mini_rgbd(root, skeleton=INFANT)
    boxes = np.stack([box_from_points(s.keypoints_px[:17], 10) for s in dataset.samples])
    return CropDataset(dataset, boxes, 64, train, seed)


def same(a: dict, b: dict) -> bool:
    return all(torch.equal(torch.nan_to_num(a[k]), torch.nan_to_num(b[k])) for k in a)


def test_item_shapes_types_and_missing_joints(crops: CropDataset) -> None:
    item = crops[0]
    assert item["image"].shape == (3, 64, 64) and item["image"].dtype == torch.uint8
    assert item["keypoints_px"].shape == (25, 2) and item["keypoints_px"].dtype == torch.float32
    assert item["joints_mm"].shape == (25, 3) and item["crop_intrinsics"].shape == (3, 3)
    missing = item["visibility"] == 0
    assert missing[INFANT.index("left_eye")]
    assert (item["keypoints_px"][missing] == 0).all()
    assert torch.isnan(item["joints_mm"][INFANT.index("left_eye")]).all()


def test_item_depends_on_seed_round_and_index_only(shared_root: Path, crops: CropDataset) -> None:
    first = crops[Draw(2, 1)]
    crops[Draw(0, 0)]
    assert same(first, crops[Draw(2, 1)])
    assert not same(first, crops[Draw(3, 1)])
    assert not same(first, crop_dataset(shared_root, train=True, seed=4)[Draw(2, 1)])


def test_evaluation_items_do_not_vary(shared_root: Path) -> None:
    one = crop_dataset(shared_root, train=False, seed=1)
    two = crop_dataset(shared_root, train=False, seed=2)
    assert same(one[2], two[Draw(7, 2)])


def test_boxes_are_checked(shared_root: Path) -> None:
    dataset = read_mini_rgbd(shared_root)
    with pytest.raises(DataError, match="4 for 5 samples"):
        CropDataset(dataset, np.ones((4, 4)), 64, True)
    boxes = np.tile([10.0, 10, 50, 50], (5, 1))
    for bad in ([10, 10, 10, 50], [np.nan, 0, 5, 5]):
        boxes[3] = bad
        with pytest.raises(DataError, match="syn_00000"):
            CropDataset(dataset, boxes, 64, True)


def test_every_sample_once_before_any_twice() -> None:
    sampler = SeededSampler(7, seed=5, samples_per_epoch=4)
    stream = [draw for _ in range(7) for draw in sampler]
    assert len(stream) == 28
    for shuffle in range(4):
        part = stream[7 * shuffle : 7 * shuffle + 7]
        assert sorted(draw.item for draw in part) == list(range(7))
        assert {draw.round for draw in part} == {shuffle}
    orders = {tuple(d.item for d in stream[7 * s : 7 * s + 7]) for s in range(4)}
    assert len(orders) > 1
    assert [d.item for d in SeededSampler(7, seed=6)] != [d.item for d in SeededSampler(7, seed=5)]


@pytest.mark.parametrize("cut", [0, 1, 3, 4, 5, 11])
def test_a_resumed_stream_goes_on_where_it_was_cut(cut: int) -> None:
    whole = SeededSampler(7, seed=5, samples_per_epoch=4)
    expected = [draw for _ in range(5) for draw in whole]
    resumed = SeededSampler(7, seed=5, samples_per_epoch=4)
    resumed.set_position(*divmod(cut, 4))
    rest = []
    while len(rest) < len(expected) - cut:
        rest += list(resumed)
    assert rest == expected[cut:]


def test_loader_batches_equal_their_items(crops: CropDataset) -> None:
    loader = make_loader(crops, batch_size=2, num_workers=0, train=True, seed=9)
    assert len(loader) == 2
    batches = list(loader)
    draws = list(SeededSampler(5, 9, 4))
    assert [int(i) for batch in batches for i in batch["index"]] == [draw.item for draw in draws]
    assert torch.equal(batches[1]["image"][0], crops[draws[2]]["image"])


def test_workers_change_nothing(crops: CropDataset) -> None:
    alone = list(make_loader(crops, 2, num_workers=0, train=True, seed=1))
    helped = list(make_loader(crops, 2, num_workers=1, train=True, seed=1))
    assert all(same(a, b) for a, b in zip(alone, helped, strict=True))


def test_evaluation_loader_keeps_order_and_the_last_batch(shared_root: Path) -> None:
    loader = make_loader(crop_dataset(shared_root, train=False), 2, 0, train=False)
    assert [batch["index"].tolist() for batch in loader] == [[0, 1], [2, 3], [4]]


def test_a_batch_larger_than_the_set_is_filled(crops: CropDataset) -> None:
    (batch,) = make_loader(crops, batch_size=8, num_workers=0, train=True)
    assert len(batch["index"]) == 8 and set(batch["index"].tolist()) == set(range(5))


def test_joining(shared_root: Path) -> None:
    one, two = (read_mini_rgbd(shared_root, [name]) for name in ("01", "02"))
    both = joined([one, two])
    assert tuple(both.samples) == (*one.samples, *two.samples) and both.name == "mini_rgbd"
    assert (
        tuple(both.samples[1::2]) == tuple(both.samples)[1::2]
        and both.samples[-1] is two.samples[-1]
    )
    with pytest.raises(IndexError):
        both.samples[len(both)]
    with pytest.raises(DataError, match="one skeleton"):
        joined([one, read_mini_rgbd(shared_root, skeleton=INFANT)])
    with pytest.raises(DataError, match="none"):
        joined([])
    with pytest.raises(DataError, match="no sample"):
        SeededSampler(0, 0)

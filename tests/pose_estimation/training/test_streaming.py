"""Training data that is made on the way: reproducible, never repeated, mixed by ratio."""

import numpy as np
import pytest
import torch

from Datasets.geometry.camera import project
from Datasets.skeletons import INFANT, MPII_16
from Datasets.sources import GENERATED, DataSource
from Engine.errors import DataError
from Engine.sampling import Draw, Mixture
from PoseEstimation.settings import HeatmapSettings
from PoseEstimation.training.heatmap import make_loaders
from PoseEstimation.training.streaming import GeneratedCrops


def test_a_key_gives_one_infant_and_another_key_another():
    crops = GeneratedCrops("mini_rgbd", seed=3, size=64)
    first, again, other = crops[Draw(0, 5)], crops[Draw(0, 5)], crops[Draw(1, 5)]
    assert all(torch.equal(first[k].nan_to_num(), again[k].nan_to_num()) for k in first)
    assert not torch.equal(first["image"], other["image"])
    assert not np.allclose(first["joints_mm"], other["joints_mm"])


def test_labels_are_where_the_crop_shows_them():
    item = GeneratedCrops("varied", seed=4, size=64, skeleton=MPII_16)[Draw(0, 0)]
    seen = item["visibility"].numpy() > 0
    assert seen.sum() >= 10 and len(seen) == 16
    projected = project(item["joints_mm"].numpy(), item["crop_intrinsics"].numpy())
    assert projected[seen] == pytest.approx(item["keypoints_px"].numpy()[seen], abs=0.05)


def test_an_unknown_profile_is_named():
    with pytest.raises(DataError, match="'train'; choose a profile"):
        GeneratedCrops("train", 0, 64)


class Numbers(torch.utils.data.Dataset):
    def __init__(self, value, length):
        self.value, self.length = value, length

    def __len__(self):
        return self.length

    def __getitem__(self, key):
        assert 0 <= key.index < self.length
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


def test_a_recipe_mixes_a_folder_with_what_is_generated(root, tmp_path):
    sources = (
        DataSource("mini_rgbd", "1", root, share=1),
        DataSource(GENERATED, "mini_rgbd", share=1),
    )
    settings = HeatmapSettings(
        train=sources,
        validation=DataSource("mini_rgbd", "2", root),
        input_size=64,
        batch_size=4,
        num_workers=0,
    )
    train, _ = make_loaders(settings, tmp_path)
    batch = next(iter(train))
    assert batch["image"].shape == (4, 3, 64, 64)
    assert batch["keypoints_px"].shape == (4, len(INFANT), 2)

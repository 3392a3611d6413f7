"""Samples in batches, in an order that is a function of (seed, position) alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader

from Datasets.readers.frames import FrameSource
from Datasets.readers.images import load_mask
from Datasets.selection import joined, limited, thinned
from Datasets.structures import Dataset
from Datasets.transforms.geometric import CroppedSample
from Datasets.transforms.presets import CROP_MARGIN, TrainTransforms, eval_sample, train_sample
from Engine.errors import DataError
from Engine.sampling import Draw, SeededSampler, SizedDataset

__all__ = ["CropDataset", "as_tensors", "joined", "limited", "make_loader", "thinned"]


class CropDataset(SizedDataset):
    """Crops of a data set's people with their labels in crop pixels.

    An item is a dict of tensors: ``image`` uint8 (3, size, size); ``keypoints_px`` (joint, 2), 0
    where ``visibility`` (joint,) is 0; ``joints_mm`` (joint, 3), NaN where unlabelled;
    ``crop_intrinsics`` (3, 3), NaN when unknown; ``crop_matrix`` (3, 3), image to crop; ``index``;
    ``source``, the number of the data set among several.

    In training an item is a function of (seed, round, index) and nothing else.
    """

    def __init__(
        self,
        dataset: Dataset,
        boxes: Float[np.ndarray, "n 4"],
        size: int,
        train: bool,
        seed: int = 0,
        transforms: TrainTransforms | None = None,
        margin: float = CROP_MARGIN,
        source: int = 0,
    ) -> None:
        """Bind the samples to their boxes.

        Args:
            dataset: n samples.
            boxes: one box per sample, image pixels.
            size: side of the crops in pixels.
            train: vary the samples.
            seed: of the variations.
            transforms: how far to vary them.
            margin: side of the crop over the longer side of the box.
            source: number of the data set among several.

        Raises:
            DataError: another number of boxes than of samples, or a box without area or not finite.
        """
        boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        if len(boxes) != len(dataset):
            raise DataError(f"boxes: {len(boxes)} for {len(dataset)} samples; give one per sample")
        usable = (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & np.isfinite(boxes).all(axis=1)
        bad = np.flatnonzero(~usable)
        if bad.size:
            path = dataset.samples[bad[0]].image_path
            raise DataError(
                f"boxes: {path} has the empty box {boxes[bad[0]].tolist()}; leave it out"
            )
        self.dataset, self.boxes, self.size = dataset, boxes, size
        self.train, self.seed, self.margin, self.source = train, seed, margin, source
        self.transforms = transforms or TrainTransforms()
        self.frames = FrameSource()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: int | Draw) -> dict[str, Tensor]:
        draw = key if isinstance(key, Draw) else Draw(0, int(key))
        sample, box = self.dataset.samples[draw.item], self.boxes[draw.item]
        image = self.frames.load(sample)
        if self.train:
            generator = np.random.default_rng([self.seed, draw.round, draw.item])
            # The mask for the share of samples that change their background.
            wanted = generator.random() < self.transforms.background_share
            mask = load_mask(sample.mask_path) if wanted and sample.mask_path else None
            cropped = train_sample(
                sample, image, mask, box, self.size, generator, self.transforms, self.margin
            )
        else:
            cropped = eval_sample(sample, image, box, self.size, self.margin)
        return as_tensors(cropped, draw.item, self.source)


def as_tensors(cropped: CroppedSample, index: int, source: int = 0) -> dict[str, Tensor]:
    """Make the item of ``CropDataset``."""
    joints = len(cropped.keypoints_px)
    seen = cropped.visibility > 0
    keypoints = np.where(seen[:, None], cropped.keypoints_px, 0)
    joints_mm = np.full((joints, 3), np.nan) if cropped.joints_mm is None else cropped.joints_mm
    camera = np.full((3, 3), np.nan) if cropped.intrinsics is None else cropped.intrinsics
    return {
        "image": torch.from_numpy(cropped.image.transpose(2, 0, 1).copy()),
        "keypoints_px": torch.from_numpy(keypoints.astype(np.float32)),
        "visibility": torch.from_numpy(cropped.visibility.copy()),
        "joints_mm": torch.from_numpy(joints_mm.astype(np.float32)),
        "crop_intrinsics": torch.from_numpy(camera.astype(np.float32)),
        "crop_matrix": torch.from_numpy(cropped.crop.matrix.astype(np.float32)),
        "index": torch.tensor(index),
        "source": torch.tensor(source),
    }


def make_loader(
    dataset: SizedDataset,
    batch_size: int,
    num_workers: int,
    train: bool,
    seed: int = 0,
    samples_per_epoch: int | None = None,
    collate: Callable[[list[Any]], Any] | None = None,
    fork: bool = True,
) -> DataLoader:
    """Batches of a data set: shuffled whole batches in training, all samples in order otherwise.

    Args:
        dataset: takes a ``Draw`` as key in training and an int otherwise.
        batch_size: samples per batch.
        num_workers: processes that read; 0 reads in this one.
        train: shuffle with a ``SeededSampler``, which is the loader's ``sampler``.
        seed: of the order.
        samples_per_epoch: length of a training epoch, default the whole set; cut to whole batches,
            the rest of the set comes first in the next epoch.
        collate: joins items to a batch, default PyTorch's.
        fork: whether workers may be copies of this process; renderers need fresh ones.
    """
    sampler = None
    if train:
        batches = max((samples_per_epoch or len(dataset)) // batch_size, 1)
        sampler = SeededSampler(len(dataset), seed, batches * batch_size)
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        collate_fn=collate,
        multiprocessing_context="spawn" if num_workers and not fork else None,
        pin_memory=torch.cuda.is_available(),
        persistent_workers=num_workers > 0,
    )

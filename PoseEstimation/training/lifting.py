"""The published 3D recipe: 2D joints in raw pixels to 3D joints relative to the root."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from Datasets.catalogue import open_sources
from Datasets.loaders import make_loader, thinned
from Datasets.skeletons import SKELETONS
from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.module import AveragedModule
from Engine.sampling import Draw, SizedDataset
from Engine.trainer import FitSummary
from Engine.weights import load_initial
from PoseEstimation.codecs.pixels import UNIT_MM, PixelCodec
from PoseEstimation.losses.lifting import lifting_distance, lifting_mse
from PoseEstimation.models.martinez import MartinezConfig, MartinezLifter
from PoseEstimation.settings import LiftingSettings
from PoseEstimation.structures import Clip
from PoseEstimation.training.clips import joined_clips, load_detections, true_clip
from PoseEstimation.training.weights import configured, train_and_write


class LiftingModule(AveragedModule):
    """One training step and one validation step of the lifter."""

    def __init__(self, settings: LiftingSettings) -> None:
        torch.manual_seed(settings.trainer.seed)
        network = make_lifter(settings)
        load_initial(network, settings.initial_weights)
        super().__init__(network, settings.optimiser, settings.trainer)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Mean squared error of a batch of poses, all joints."""
        return lifting_mse(self.network(batch["features"]), batch["target"], batch["mask"])

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Mean squared error, and the mean distance in millimetres."""
        joints, target, mask = self.average(batch["features"]), batch["target"], batch["mask"]
        values = {
            "validation_loss": lifting_mse(joints, target, mask),
            "validation_mm": UNIT_MM * lifting_distance(joints, target, mask),
        }
        self.log_dict(values, batch_size=len(joints))


def train_lifting(settings: LiftingSettings, output: Path, resume: bool = False) -> FitSummary:
    """Train the lifter and write ``output/lifter.safetensors``.

    Args:
        settings: the whole recipe.
        output: folder of the run.
        resume: go on with the run that ``output`` holds.

    Raises:
        DataError: no data, or damaged data.
    """
    module, codec = LiftingModule(settings), PixelCodec(SKELETONS[settings.skeleton])
    return train_and_write(
        "lifter", module, codec, make_loaders(settings), settings, output, resume
    )


def make_lifter(settings: LiftingSettings) -> MartinezLifter:
    """Build the network of a recipe."""
    skeleton = SKELETONS[settings.skeleton]
    joints, root = len(skeleton), skeleton.root_index
    return MartinezLifter(
        configured(MartinezConfig, settings.network, num_joints=joints, root_index=root)
    )


def make_loaders(settings: LiftingSettings) -> tuple[DataLoader, DataLoader]:
    """Training and validation batches.

    Raises:
        DataError: a folder or file is not given or holds no data.
    """
    codec = PixelCodec(SKELETONS[settings.skeleton])
    train = _poses(_clip(settings.train, settings.detections, settings), codec)
    one = () if settings.validation is None else (settings.validation,)
    validation = _poses(_clip(one, settings.validation_detections, settings), codec)
    size = min(settings.batch_size, len(train))
    workers, seed = settings.num_workers, settings.trainer.seed
    return (
        make_loader(train, size, workers, train=True, seed=seed),
        make_loader(validation, 1024, 0, train=False),
    )


def _clip(
    sources: tuple[DataSource, ...], observed: tuple[Path, ...], settings: LiftingSettings
) -> Clip:
    """Every pose of some data sets, with true 2D joints, and of cached detections."""
    skeleton = SKELETONS[settings.skeleton]
    datasets = open_sources(sources, skeleton) if sources else ()
    parts = [true_clip(thinned(dataset, settings.frame_step)) for dataset in datasets]
    parts += [clip for path in observed for clip in load_detections(path, skeleton)]
    if not parts:
        raise DataError("lifting: train and validation must be given; name data sets")
    return joined_clips(parts)


def _poses(clip: Clip, codec: PixelCodec) -> ArrayDataset:
    """Poses with their targets, and which joints of them are labelled."""
    target = codec.encode_target(clip.joints_mm)
    mask = np.isfinite(target).all(-1)
    return ArrayDataset(
        features=codec.encode_input(clip.keypoints_px, clip.scores),
        target=np.where(mask[..., None], target, 0),
        mask=mask,
    )


class ArrayDataset(SizedDataset):
    """Rows of arrays as tensors of 32-bit floats; takes the keys of a ``SeededSampler``."""

    def __init__(self, **arrays: np.ndarray) -> None:
        self.arrays = {k: torch.from_numpy(np.float32(array)) for k, array in arrays.items()}

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def __getitem__(self, key: Draw | int) -> dict[str, Tensor]:
        row = key.item if isinstance(key, Draw) else key
        return {name: values[row] for name, values in self.arrays.items()}

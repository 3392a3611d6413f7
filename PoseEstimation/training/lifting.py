"""The published 3D recipe: 2D joints in raw pixels to 3D joints relative to the root."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from Datasets.catalogue import open_sources
from Datasets.loaders import make_loader, thinned
from Datasets.skeletons import SKELETONS
from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.module import AveragedModule
from Engine.sampling import Draw
from Engine.trainer import FitSummary, fit
from Engine.weights import load_initial
from PoseEstimation.codecs.pixels import UNIT_MM, PixelCodec
from PoseEstimation.losses.lifting import lifting_distance, lifting_mse
from PoseEstimation.models.martinez import MartinezConfig, MartinezLifter
from PoseEstimation.settings import LiftingSettings
from PoseEstimation.training.clips import Clip, joined_clips, load_observed, true_clip
from PoseEstimation.training.weights import write_best


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
    module = LiftingModule(settings)
    loaders = make_loaders(settings)
    summary = fit(module, *loaders, settings.trainer, output, resume, recipe=settings)
    codec = PixelCodec(SKELETONS[settings.skeleton])
    write_best(output, "lifter", module.network, codec, settings.skeleton)
    return summary


def make_lifter(settings: LiftingSettings) -> MartinezLifter:
    """Build the network of a recipe."""
    skeleton = SKELETONS[settings.skeleton]
    config = MartinezConfig(
        **vars(settings.network),
        num_joints=len(skeleton),
        root_index=skeleton.root_index,
    )
    return MartinezLifter(config)


def make_loaders(settings: LiftingSettings) -> tuple[DataLoader, DataLoader]:
    """Training and validation batches.

    Raises:
        DataError: a folder or file is not given or holds no data.
    """
    codec = PixelCodec(SKELETONS[settings.skeleton])
    train = _clip(settings.train, settings.detections, settings)
    one = () if settings.validation is None else (settings.validation,)
    validation = _clip(one, settings.validation_detections, settings)
    seed, workers = settings.trainer.seed, settings.num_workers
    poses = _Poses(train, codec)
    size = min(settings.batch_size, len(poses))
    return (
        make_loader(poses, size, workers, train=True, seed=seed),
        make_loader(_Poses(validation, codec), 1024, 0, train=False),
    )


def _clip(
    sources: tuple[DataSource, ...], observed: tuple[Path, ...], settings: LiftingSettings
) -> Clip:
    """Every pose of some data sets, with true 2D joints, and of what a network saw."""
    skeleton = SKELETONS[settings.skeleton]
    datasets = open_sources(sources, skeleton) if sources else ()
    parts = [true_clip(thinned(dataset, settings.frame_step)) for dataset in datasets]
    parts += [m.observed for path in observed for m in load_observed(path, skeleton)]
    if not parts:
        raise DataError("lifting: train and validation must be given; name data sets")
    return joined_clips(parts)


class _Poses(TorchDataset):
    """Poses as tensors; takes the keys of a ``SeededSampler``."""

    def __init__(self, clip: Clip, codec: PixelCodec) -> None:
        target = codec.encode_target(clip.joints_mm)
        mask = np.isfinite(target).all(-1)
        arrays = (
            codec.encode_input(clip.keypoints_px, clip.scores),
            np.where(mask[..., None], target, 0),
            mask.astype(np.float32),
        )
        self.tensors = TensorDataset(*(torch.from_numpy(np.float32(a)) for a in arrays))

    def __len__(self) -> int:
        return len(self.tensors)

    def __getitem__(self, key: Draw | int) -> dict[str, Tensor]:
        values = self.tensors[key.index if isinstance(key, Draw) else key]
        return dict(zip(("features", "target", "mask"), values, strict=True))

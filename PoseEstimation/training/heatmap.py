"""The 2D recipe: crops of people to one heatmap per joint."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from Datasets.catalogue import open_sources
from Datasets.loaders import CropDataset, joined, limited, make_loader, thinned
from Datasets.skeletons import SKELETONS
from Datasets.structures import DataError
from FasterRCNN.module import AveragedModule
from FasterRCNN.targets import boxes_of
from FasterRCNN.trainer import FitSummary, fit
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.losses.heatmap import heatmap_cross_entropy, heatmap_mse
from PoseEstimation.models.pose_resnet import PoseResNet, PoseResNetConfig
from PoseEstimation.settings import HeatmapSettings
from PoseEstimation.training.weights import load_initial, write_best


class HeatmapModule(AveragedModule):
    """One training step and one validation step of the heatmap network."""

    def __init__(self, settings: HeatmapSettings) -> None:
        torch.manual_seed(settings.trainer.seed)
        network = make_network(settings)
        load_initial(network, settings.initial_weights)
        super().__init__(network, settings.optimiser, settings.trainer)
        self.codec = make_codec(settings)
        self.loss = heatmap_mse if settings.loss == "mse" else heatmap_cross_entropy

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Loss of a batch of crops."""
        targets, weights = self.codec.encode(batch["keypoints_px"], batch["visibility"])
        return self.loss(self.network(as_input(batch["image"])), targets, weights)

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Loss, mean error in crop pixels and share of joints within 1/32 of the crop's side."""
        targets, weights = self.codec.encode(batch["keypoints_px"], batch["visibility"])
        maps = self.average(as_input(batch["image"]))
        decoded, _, _ = self.codec.decode(maps)
        error = (decoded - batch["keypoints_px"]).norm(dim=-1)
        near = (error < self.codec.input_size / 32).float()
        count = weights.sum().clamp_min(1)
        self.log_dict(
            {
                "validation_loss": self.loss(maps, targets, weights),
                "validation_error_px": (error * weights).sum() / count,
                "validation_near": 100 * (near * weights).sum() / count,
            },
            batch_size=len(maps),
        )


def train_heatmap(settings: HeatmapSettings, output: Path, resume: bool = False) -> FitSummary:
    """Train the heatmap network and write ``output/heatmap.safetensors``.

    Args:
        settings: the whole recipe.
        output: folder of the run.
        resume: go on with the run that ``output`` holds.

    Raises:
        DataError: no data, or damaged data.
    """
    module = HeatmapModule(settings)
    train_loader, validation_loader = make_loaders(settings, output)
    summary = fit(
        module, train_loader, validation_loader, settings.trainer, output, resume, recipe=settings
    )
    write_best(output, "heatmap", module.network, module.codec, settings.skeleton)
    return summary


def make_network(settings: HeatmapSettings) -> PoseResNet:
    """Build the network of a recipe."""
    config = PoseResNetConfig(
        depth=settings.depth,
        num_joints=len(SKELETONS[settings.skeleton]),
        head_batch_norm=settings.head_batch_norm,
        head_channels=settings.head_channels,
        normalise=settings.normalise,
    )
    return PoseResNet(config)


def make_codec(settings: HeatmapSettings) -> HeatmapCodec:
    """Build the codec of a recipe."""
    kind = "gaussian" if settings.loss == "mse" else "softmax"
    size = settings.input_size // PoseResNet.output_stride
    return HeatmapCodec(settings.input_size, size, settings.sigma, kind)


def make_loaders(settings: HeatmapSettings, output: Path) -> tuple[DataLoader, DataLoader]:
    """Training and validation crops around the people's boxes.

    Raises:
        DataError: a folder is not given or holds no data.
    """
    if not settings.train or settings.validation is None:
        raise DataError("heatmap: train and validation must be given; name data sets")
    skeleton = SKELETONS[settings.skeleton]
    train = thinned(joined(open_sources(settings.train, skeleton)), settings.frame_step)
    validation = joined(open_sources([settings.validation], skeleton))
    validation = limited(validation, settings.validation_limit)
    seed, size = settings.trainer.seed, settings.input_size
    loaders = []
    for data, training in ((train, True), (validation, False)):
        boxes = boxes_of(data, output / f"outlines_{'train' if training else 'validation'}.npz")
        crops = CropDataset(data, boxes, size, train=training and settings.augment, seed=seed)
        workers = settings.num_workers
        loaders.append(make_loader(crops, settings.batch_size, workers, train=training, seed=seed))
    return loaders[0], loaders[1]


def as_input(images: Tensor) -> Tensor:
    """Bytes (batch, 3, height, width) to floats in 0 to 1, channels last in memory."""
    return (images.float() / 255).contiguous(memory_format=torch.channels_last)

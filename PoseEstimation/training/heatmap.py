"""The 2D recipe: crops of people to a heatmap per joint, and its depth where labels have it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from Datasets.catalogue import open_sources
from Datasets.loaders import CropDataset, joined, limited, make_loader, thinned
from Datasets.outlines import boxes_of, image_boxes
from Datasets.skeletons import SKELETONS
from Datasets.structures import Dataset
from Datasets.transforms.presets import TrainTransforms
from Engine.errors import DataError
from Engine.images import as_input
from Engine.module import AveragedModule
from Engine.registry import config_of
from Engine.sampling import Mixture, SizedDataset
from Engine.trainer import FitSummary
from Engine.weights import load_initial
from PoseEstimation.codecs.depth import DepthCodec, read_maps
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.losses import gaussian_nll
from PoseEstimation.losses.heatmap import depth_distance, heatmap_cross_entropy, heatmap_mse
from PoseEstimation.models import HEATMAP_NETWORKS
from PoseEstimation.settings import HeatmapSettings
from PoseEstimation.structures import Maps
from PoseEstimation.training.shifts import JointShifts
from PoseEstimation.training.weights import configured, train_and_write


class HeatmapModule(AveragedModule):
    """One training step and one validation step of the heatmap network."""

    network: nn.Module

    def __init__(self, settings: HeatmapSettings) -> None:
        if settings.keep_first and settings.initial_weights is None:
            raise DataError("heatmap: keep_first needs initial_weights; random layers see nothing")
        torch.manual_seed(settings.trainer.seed)
        network = make_network(settings)
        load_initial(network, settings.initial_weights)
        super().__init__(network, settings.optimiser, settings.trainer)
        self.keep_first = settings.keep_first
        if self.keep_first:
            network.get_submodule("first").requires_grad_(False)
        self.train()
        self.codec = make_codec(settings)
        self.loss = heatmap_mse if settings.loss == "mse" else heatmap_cross_entropy
        self.depth_codec = DepthCodec(SKELETONS[settings.skeleton].root_index, settings.input_size)
        self.shifts = JointShifts(SKELETONS[settings.skeleton], [s.shifted for s in settings.train])
        self.depth_weight, self.sigma_weight = settings.depth_weight, settings.sigma_weight

    def train(self, mode: bool = True) -> HeatmapModule:
        """Switch the network; layers that are kept go on with the statistics that they have."""
        super().train(mode)
        if self.keep_first:
            self.network.get_submodule("first").eval()
        return self

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Loss of a batch of crops."""
        keypoints = self.shifts(batch["keypoints_px"], batch["visibility"], batch["source"])
        targets, weights = self.codec.encode(keypoints, batch["visibility"])
        maps = self.network(as_input(batch["image"]))
        loss = self.loss(maps.heatmaps, targets, weights)
        if not self.depth_weight:
            return loss
        depth, sigma = self._depth_and_sigma(maps, batch, keypoints.detach(), weights)
        return loss + self.depth_weight * depth + self.sigma_weight * sigma

    def _depth_and_sigma(
        self, maps: Maps, batch: dict[str, Tensor], keypoints: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Losses of the depths and of the error bars, both read where the heatmaps point."""
        density = self.codec.density(maps.heatmaps.detach())
        depth, known = self.depth_codec.encode(
            batch["joints_mm"], batch["crop_intrinsics"], weights
        )
        assert maps.depth is not None and maps.log_sigma is not None  # see ``make_network``
        read = read_maps(maps.depth, density)
        with torch.no_grad():
            decoded, _, _ = self.codec.decode(maps.heatmaps)
            off = (decoded - keypoints) / self.codec.stride
        log_sigma = read_maps(maps.log_sigma, density)
        nll = gaussian_nll(log_sigma, off.square().sum(-1), weights, axes=2)
        return depth_distance(read, depth, known), nll

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Loss, mean error in crop pixels and share of joints within 1/32 of the crop's side."""
        targets, weights = self.codec.encode(batch["keypoints_px"], batch["visibility"])
        maps = self.average(as_input(batch["image"]))
        decoded, _, _ = self.codec.decode(maps.heatmaps)
        error = (decoded - batch["keypoints_px"]).norm(dim=-1)
        near = (error < self.codec.input_size / 32).float()
        count = weights.sum().clamp_min(1)
        values = {
            "validation_loss": self.loss(maps.heatmaps, targets, weights),
            "validation_error_px": (error * weights).sum() / count,
            "validation_near": 100 * (near * weights).sum() / count,
        }
        if self.depth_weight:
            depth, sigma = self._depth_and_sigma(maps, batch, batch["keypoints_px"], weights)
            values |= {"validation_depth": depth, "validation_sigma_nll": sigma}
        self.log_dict(values, batch_size=len(weights))


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
    loaders = make_loaders(settings, output)
    return train_and_write("heatmap", module, module.codec, loaders, settings, output, resume)


def make_network(settings: HeatmapSettings) -> nn.Module:
    """Build the network of a recipe."""
    kind = HEATMAP_NETWORKS.of_kind(settings.network.kind)
    joints, maps = len(SKELETONS[settings.skeleton]), 3 if settings.depth_weight else 1
    config = configured(config_of(kind), settings.network, num_joints=joints, maps_per_joint=maps)
    return kind(config)


def make_codec(settings: HeatmapSettings) -> HeatmapCodec:
    """Build the codec of a recipe."""
    kind = "gaussian" if settings.loss == "mse" else "softmax"
    stride = HEATMAP_NETWORKS.of_kind(settings.network.kind).output_stride
    size = settings.input_size // stride
    return configured(HeatmapCodec, settings, heatmap_size=size, kind=kind)


def make_loaders(settings: HeatmapSettings, output: Path) -> tuple[DataLoader, DataLoader]:
    """Training and validation crops around the people's boxes.

    Raises:
        DataError: a folder is not given or holds no data.
    """
    if not settings.train or settings.validation is None:
        raise DataError("heatmap: train and validation must be given; name data sets")
    held_out = open_sources([settings.validation], SKELETONS[settings.skeleton])
    validation = limited(joined(held_out), settings.validation_limit)
    crops = _crops(validation, settings, output / "outlines_validation.npz", train=False)
    size, workers, seed = settings.batch_size, settings.num_workers, settings.trainer.seed
    train = make_loader(_training_crops(settings, output), size, workers, train=True, seed=seed)
    return train, make_loader(crops, size, workers, train=False)


def _training_crops(settings: HeatmapSettings, output: Path) -> SizedDataset:
    """All data sets as one, or mixed by ratio where a share is given."""
    skeleton, seed = SKELETONS[settings.skeleton], settings.trainer.seed
    if all(s.share is None and not s.shifted for s in settings.train):
        data = thinned(joined(open_sources(settings.train, skeleton)), settings.frame_step)
        return _crops(data, settings, output / "outlines_train.npz", train=True)
    parts = []
    for i, source in enumerate(settings.train):
        data = thinned(open_sources([source], skeleton)[0], settings.frame_step)
        cache = output / f"outlines_train_{i}.npz"
        parts.append(_crops(data, settings, cache, train=True, source=i))
    return Mixture(parts, [source.share for source in settings.train], seed)


def _crops(
    data: Dataset, settings: HeatmapSettings, cache: Path, train: bool, source: int = 0
) -> CropDataset:
    """Crops around the people's boxes, varied in training."""
    boxes = image_boxes(data) if settings.whole_image else boxes_of(data, cache)
    vary, seed = train and settings.augment, settings.trainer.seed
    size, margin = settings.input_size, settings.crop_margin
    strength = configured(TrainTransforms, settings)
    return CropDataset(data, boxes, size, vary, seed, strength, margin, source)

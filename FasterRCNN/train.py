"""The detector recipe: images of people in, ``detector.safetensors`` out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from Datasets.catalogue import open_sources
from Datasets.loaders import joined, make_loader
from Datasets.scenes import scene_outlines, scenes_of
from Datasets.selection import spread
from Datasets.skeletons import INFANT
from Datasets.sources import DataSource
from Engine.backends import TorchBackend
from Engine.errors import DataError
from Engine.module import AveragedModule
from Engine.sampling import Mixture
from Engine.trainer import FitSummary, best_state, fit
from Engine.weights import load_initial
from FasterRCNN.detector import InfantDetector, save_detector
from FasterRCNN.evaluate import agreement, top_iou
from FasterRCNN.images import (
    DetectorImages,
    EvaluationImages,
    collate_training,
    evaluation_loader,
)
from FasterRCNN.model import DifferentSizes, build_detector, load_body
from FasterRCNN.settings import DetectorSettings

TURNED_SHARE = 0.45
"""Share of batches turned by one to three quarters: phones are held in any orientation."""

WEIGHTS = "detector.safetensors"

KNOWN = ("mobilenet_v2_fpn", "resnet18_fpn")
"""Backbones that begin with those of heatmap networks."""


def train_detector(settings: DetectorSettings, output: Path, resume: bool = False) -> FitSummary:
    """Train Faster R-CNN on images of infants, of adults, of both and of neither.

    Args:
        settings: data, network and training.
        output: folder for ``detector.safetensors`` and the files of ``fit``.
        resume: go on from the newest checkpoint in ``output``.

    Raises:
        DataError: data are missing or damaged, or ``output`` holds a run and ``resume`` is False.
    """
    if not settings.train or settings.validation is None:
        raise DataError("detector: train and validation must be given")
    seed, size, workers = settings.trainer.seed, settings.batch_size, settings.num_workers
    images = _training_images(settings, output)
    train_loader = make_loader(images, size, workers, True, seed, collate=collate_training)
    held_out = scenes_of(joined(open_sources([settings.validation], INFANT)))
    kept = EvaluationImages(spread(held_out, settings.validation_limit))
    torch.manual_seed(seed)
    module = DetectorModule(settings)
    loaders = train_loader, evaluation_loader(kept)
    summary = fit(module, *loaders, settings.trainer, output, resume, settings)
    module.network.load_state_dict(best_state(output, "average."))
    save_detector(output / WEIGHTS, module.network, settings)
    return summary


def _training_images(settings: DetectorSettings, output: Path) -> DetectorImages | Mixture:
    """All data sets as one, or mixed by ratio where a share is given."""

    def images(sources: Sequence[DataSource], cache: str) -> DetectorImages:
        scenes = scenes_of(joined(open_sources(sources, INFANT)))[:: settings.frame_step]
        outlines = scene_outlines(scenes, output / cache)
        size, seed = settings.min_size, settings.trainer.seed
        return DetectorImages(scenes, outlines, size, seed, settings.transforms)

    if all(source.share is None for source in settings.train):
        return images(settings.train, "outlines.npz")
    parts = [images([source], f"outlines_{i}.npz") for i, source in enumerate(settings.train)]
    return Mixture(parts, [source.share for source in settings.train], settings.trainer.seed)


class DetectorModule(AveragedModule):
    """Faster R-CNN's four losses in training, 1 - mean ``agreement`` in validation."""

    def __init__(self, settings: DetectorSettings) -> None:
        """Build the network, with random weights where the settings name none."""
        network = build_detector(settings)
        if settings.initial_weights is None and settings.backbone in KNOWN:
            if settings.initial_backbone is None:
                raise DataError(
                    f"detector.initial_backbone: {settings.backbone} needs heatmap weights"
                )
            load_body(network.backbone.body, settings.initial_backbone)
        load_initial(network, settings.initial_weights)
        super().__init__(network, settings.optimiser, settings.trainer)
        self.detector_settings = settings
        self.overlaps: list[float] = []
        self.agreements: list[float] = []

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        """Sum the losses of a batch of canvases."""
        images, targets = batch["image"], batch["targets"]
        if torch.rand(()) < TURNED_SHARE:
            for _ in range(int(torch.randint(1, 4, ()))):
                images, targets = quarter_turn(images, targets)
        losses = self.network(list(images.float() / 255), targets)
        for name, value in losses.items():
            self.log(name, value.detach())
        extra = self.detector_settings.box_weight - 1
        return sum(losses.values()) + extra * losses["loss_box_reg"]

    def validation_step(self, batch: tuple[list, list, list], batch_idx: int) -> None:
        """Compare the detections of the averaged weights with the people of each image."""
        images, infants, adults = batch
        bf16 = "bf16" in str(self.trainer.precision)
        network = TorchBackend(DifferentSizes(self.average), self.device, bf16=bf16)
        found = InfantDetector(network, self.detector_settings).detect(images)
        self.agreements.extend(map(agreement, found, infants, adults))
        pairs = [(d, boxes) for d, boxes in zip(found, infants, strict=True) if len(boxes)]
        self.overlaps.extend(top_iou([d for d, _ in pairs], [boxes for _, boxes in pairs]))

    def on_validation_epoch_end(self) -> None:
        """Log the agreement, 1 minus it as the loss, and the mean IoU of infants."""
        mean = float(np.mean(self.agreements))
        self.log("validation_loss", 1 - mean)
        self.log("validation_agreement", 100 * mean)
        if self.overlaps:
            self.log("validation_mean_iou", 100 * float(np.mean(self.overlaps)))
        self.overlaps, self.agreements = [], []


def quarter_turn(
    images: Float[Tensor, "batch 3 height width"], targets: Sequence[dict[str, Tensor]]
) -> tuple[Float[Tensor, "batch 3 width height"], list[dict[str, Tensor]]]:
    """Turn images and the ``boxes`` (n, 4) of each anticlockwise: y becomes width - 1 - x."""
    width, turned = images.shape[-1], []
    for target in targets:
        x1, y1, x2, y2 = target["boxes"].unbind(1)
        boxes = torch.stack([y1, width - 1 - x2, y2, width - 1 - x1], dim=1)
        turned.append({**target, "boxes": boxes})
    return torch.rot90(images, 1, dims=(2, 3)), turned

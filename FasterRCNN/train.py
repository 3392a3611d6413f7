"""The detector recipe: random weights in, ``detector.safetensors`` out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from Datasets.catalogue import open_sources
from Datasets.geometry.boxes import iou
from Datasets.loaders import joined, limited, make_loader, thinned
from Datasets.skeletons import INFANT
from Datasets.structures import DataError, Dataset
from FasterRCNN.detector import Detections, InfantDetector, save_detector
from FasterRCNN.images import DetectorImages, EvaluationImages, collate_pairs
from FasterRCNN.model import build_detector, load_backbone
from FasterRCNN.module import AveragedModule
from FasterRCNN.settings import DetectorSettings
from FasterRCNN.targets import boxes_of, outlines_of
from FasterRCNN.trainer import FitSummary, best_state, fit

BOX_LOSS_WEIGHT = 2.0
"""Of the second stage's box regression: one infant is easy to find and hard to fit."""

PORTRAIT_SHARE = 0.3
"""Share of batches turned by a quarter, so that upright telephone videos look familiar."""

WEIGHTS = "detector.safetensors"


def train_detector(settings: DetectorSettings, output: Path, resume: bool = False) -> FitSummary:
    """Train Faster R-CNN on images of one infant each.

    Args:
        settings: data, network and training.
        output: folder for ``detector.safetensors`` and the files of ``fit``.
        resume: go on from the newest checkpoint in ``output``.

    Raises:
        DataError: data are missing or damaged, or ``output`` holds a run and ``resume`` is False.
    """
    if not settings.train or settings.validation is None:
        raise DataError("detector: train and validation must be given")
    train = thinned(joined(open_sources(settings.train, INFANT)), settings.frame_step)
    validation = joined(open_sources([settings.validation], INFANT))
    for data in (train, validation):
        _require_one_each(data)
    validation = limited(validation, settings.validation_limit)
    outlines, _ = outlines_of(train, output / "outlines.npz")
    seed = settings.trainer.seed
    images = DetectorImages(train, outlines, settings.min_size, seed)
    held_out = EvaluationImages(validation, boxes_of(validation))
    train_loader = make_loader(images, settings.batch_size, settings.num_workers, True, seed)
    validation_loader = make_loader(held_out, 8, 0, train=False, collate=collate_pairs)
    torch.manual_seed(seed)
    module = DetectorModule(settings)
    summary = fit(
        module, train_loader, validation_loader, settings.trainer, output, resume, settings
    )
    module.network.load_state_dict(best_state(output, "average."))
    save_detector(output / WEIGHTS, module.network, settings)
    return summary


class DetectorModule(AveragedModule):
    """Faster R-CNN's four losses in training, 1 - mean IoU in validation."""

    def __init__(self, settings: DetectorSettings) -> None:
        """Build the network with random weights."""
        network = build_detector(settings)
        if settings.backbone == "resnet18_fpn":
            if settings.initial_backbone is None:
                raise DataError("detector.initial_backbone: resnet18_fpn needs heatmap weights")
            load_backbone(network, settings.initial_backbone)
        super().__init__(network, settings.optimiser, settings.trainer)
        self.detector = InfantDetector(self.average, settings)
        self.overlaps: list[float] = []

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Sum the losses of a batch of canvases."""
        images, boxes = batch["image"], batch["box"]
        if torch.rand(()) < PORTRAIT_SHARE:
            images, boxes = quarter_turn(images, boxes)
        targets = [_target(box) for box in boxes]
        losses = self.network(list(images.float() / 255), targets)
        for name, value in losses.items():
            self.log(name, value.detach())
        return sum(losses.values()) + (BOX_LOSS_WEIGHT - 1) * losses["loss_box_reg"]

    def validation_step(self, batch: tuple[list, np.ndarray], batch_idx: int) -> None:
        """Collect the IoU of each image's best box."""
        self.overlaps.extend(top_iou(self.detector.detect(batch[0]), batch[1]))

    def on_validation_epoch_end(self) -> None:
        """Log the mean IoU in percent, and what is missing to 1 as the loss."""
        mean = float(np.mean(self.overlaps))
        self.overlaps = []
        self.log("validation_mean_iou", 100 * mean)
        self.log("validation_loss", 1 - mean)


def top_iou(
    detections: Sequence[Detections], targets: Float[np.ndarray, "n 4"]
) -> Float[np.ndarray, "n"]:
    """IoU of each frame's best box with its target; 0 where nothing was found, as published."""
    best = [
        iou(d.boxes_xyxy[:1], target[None])[0, 0] if len(d) else 0.0
        for d, target in zip(detections, targets, strict=True)
    ]
    return np.array(best)


def quarter_turn(
    images: Tensor, boxes: Float[Tensor, "batch 4"]
) -> tuple[Tensor, Float[Tensor, "batch 4"]]:
    """Turn images (batch, 3, height, width) and boxes anticlockwise: y becomes width - 1 - x."""
    width = images.shape[-1]
    x1, y1, x2, y2 = boxes.unbind(1)
    turned = torch.stack([y1, width - 1 - x2, y2, width - 1 - x1], dim=1)
    return torch.rot90(images, 1, dims=(2, 3)), turned


def _require_one_each(dataset: Dataset) -> None:
    """Refuse images with several people: each sample teaches one box.

    Raises:
        DataError: two samples share an image.
    """
    seen: set[tuple[Path, int | None]] = set()
    for sample in dataset.samples:
        key = (sample.image_path, sample.video_frame)
        if key in seen:
            raise DataError(
                f"detector: {sample.image_path} shows several people, but the recipe learns one "
                "box per image; leave this data set out"
            )
        seen.add(key)


def _target(box: Float[Tensor, "4"]) -> dict[str, Tensor]:
    """Torchvision's target of one image: one box, or none where it is NaN."""
    boxes = box[None][~box.isnan().any().reshape(1)]
    return {"boxes": boxes, "labels": torch.ones(len(boxes), dtype=torch.int64, device=box.device)}

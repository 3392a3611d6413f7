"""The re-scoring recipe: a detector in, the same with a re-scoring network out."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from Datasets.catalogue import open_sources
from Datasets.loaders import joined, make_loader
from Datasets.scenes import INFANT_LABEL, scenes_of
from Datasets.selection import spread
from Datasets.skeletons import INFANT
from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.module import AveragedModule
from Engine.sampling import Mixture
from Engine.trainer import FitSummary, best_state, fit
from FasterRCNN.detector import InfantDetector, save_rescoring
from FasterRCNN.rescoring import RescoringNetwork
from FasterRCNN.rescoring_data import (
    LabelledBoxes,
    TrainingCrops,
    ValidationCrops,
    collate_crops,
    labelled_boxes,
)
from FasterRCNN.settings import RescoringSettings

WEIGHTS = "detector.safetensors"


def train_rescoring(settings: RescoringSettings, output: Path, resume: bool = False) -> FitSummary:
    """Train the re-scoring network of a detector, and write both as one.

    Args:
        settings: data and training.
        output: folder for ``detector.safetensors`` and the files of ``fit``.
        resume: go on from the newest checkpoint in ``output``.

    Raises:
        DataError: data are missing or damaged, or ``output`` holds a run and ``resume`` is False.
    """
    if not settings.train or settings.validation is None:
        raise DataError("rescoring: train and validation must be given")
    if settings.detector is None or settings.initial_backbone is None:
        raise DataError("rescoring: detector and initial_backbone must be given")
    loaders = _loaders(settings, settings.detector, settings.validation, output)
    torch.manual_seed(settings.trainer.seed)
    module = RescoringModule(settings, settings.initial_backbone)
    summary = fit(module, *loaders, settings.trainer, output, resume, settings)
    module.network.load_state_dict(best_state(output, "average."))
    save_rescoring(output / WEIGHTS, settings.detector, module.network)
    return summary


def _loaders(
    settings: RescoringSettings, detector_weights: Path, validation: DataSource, output: Path
) -> tuple[DataLoader, DataLoader]:
    """Crops in training, mixed by the sources' shares, and in validation."""
    detector = InfantDetector.from_weights(detector_weights)
    seed, workers = settings.trainer.seed, settings.num_workers

    def boxes(source: DataSource, limit: int | None, name: str) -> list[LabelledBoxes]:
        scenes = scenes_of(joined(open_sources([source], INFANT)))
        chosen = scenes if limit is None else spread(scenes, limit)
        cache = output / f"boxes_{name}.npz"
        return labelled_boxes(chosen, detector, settings.images_scored, cache)

    parts = [
        TrainingCrops(boxes(source, None, str(i)), settings.per_image, seed)
        for i, source in enumerate(settings.train)
    ]
    train = Mixture(parts, [source.share for source in settings.train], seed)
    kept = ValidationCrops(boxes(validation, settings.validation_limit, "kept"))
    size = settings.batch_size
    return (
        make_loader(train, size, workers, True, seed, collate=collate_crops),
        make_loader(kept, size * settings.per_image, 0, train=False, collate=collate_crops),
    )


class RescoringModule(AveragedModule):
    """Cross-entropy over ``CLASSES``; validation uses the average of the weights."""

    def __init__(self, settings: RescoringSettings, backbone: Path) -> None:
        """Build the network on the body of a heatmap network, whose first layers are frozen."""
        network = RescoringNetwork()
        network.begin_with(backbone)
        super().__init__(network, settings.optimiser, settings.trainer)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Loss of a batch of uint8 crops."""
        images, labels = batch
        return cross_entropy(self.network(images.float() / 255), labels)

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Loss, and percent of the crops that are rightly classified as an infant or none."""
        images, labels = batch
        logits = self.average(images.float() / 255)
        right = (logits.argmax(-1) == INFANT_LABEL) == (labels == INFANT_LABEL)
        values = {
            "validation_loss": cross_entropy(logits, labels),
            "validation_right": 100 * right.float().mean(),
        }
        self.log_dict(values, batch_size=len(labels))

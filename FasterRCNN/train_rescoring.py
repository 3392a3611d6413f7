"""The close-up recipe: a detector in, the same with a judge of its boxes out."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from Datasets.catalogue import open_sources
from Datasets.loaders import joined, make_loader
from Datasets.scenes import INFANT_LABEL, scenes_of
from Datasets.skeletons import INFANT
from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.module import AveragedModule
from Engine.sampling import Mixture, spread
from Engine.trainer import FitSummary, best_state, fit
from FasterRCNN.detector import InfantDetector, save_close_up
from FasterRCNN.rescoring import CloseUpNetwork
from FasterRCNN.rescoring_data import CloseUps, Judged, StillCloseUps, judged, together
from FasterRCNN.settings import RescoringSettings

WEIGHTS = "detector.safetensors"


def train_rescoring(settings: RescoringSettings, output: Path, resume: bool = False) -> FitSummary:
    """Train the judge of a detector's boxes, and write both as one.

    Args:
        settings: data and training.
        output: folder for ``detector.safetensors`` and the files of ``fit``.
        resume: go on from the newest checkpoint in ``output``.

    Raises:
        DataError: data are missing or damaged, or ``output`` holds a run and ``resume`` is False.
    """
    if not settings.train or settings.validation is None:
        raise DataError("close_up: train and validation must be given")
    if settings.detector is None or settings.initial_backbone is None:
        raise DataError("close_up: detector and initial_backbone must be given")
    train_loader, validation_loader = _loaders(settings, output)
    torch.manual_seed(settings.trainer.seed)
    module = CloseUpModule(settings)
    summary = fit(
        module, train_loader, validation_loader, settings.trainer, output, resume, settings
    )
    module.network.load_state_dict(best_state(output, "average."))
    save_close_up(output / WEIGHTS, settings.detector, module.network)
    return summary


def _loaders(settings: RescoringSettings, output: Path):
    """Close-ups in training, mixed by the sources' shares, and in validation."""
    detector = InfantDetector.from_weights(settings.detector)
    seed, workers = settings.trainer.seed, settings.num_workers

    def boxes(source: DataSource, limit: int | None, name: str) -> list[Judged]:
        scenes = scenes_of(joined(open_sources([source], INFANT)))
        if limit is not None:
            scenes = spread(scenes, limit)
        return judged(scenes, detector, settings.images_scored, output / f"boxes_{name}.npz")

    parts = [
        CloseUps(boxes(source, None, str(i)), settings.per_image, seed)
        for i, source in enumerate(settings.train)
    ]
    train = Mixture(parts, [source.share for source in settings.train], seed)
    kept = StillCloseUps(boxes(settings.validation, settings.validation_limit, "kept"))
    size = settings.batch_size
    return (
        make_loader(train, size, workers, True, seed, collate=together),
        make_loader(kept, size * settings.per_image, 0, train=False, collate=together),
    )


class CloseUpModule(AveragedModule):
    """Cross-entropy over ``CLASSES``, on the network as it is and, to validate, on its average."""

    def __init__(self, settings: RescoringSettings) -> None:
        """Build the network on the body of a heatmap network, whose first layers stay."""
        network = CloseUpNetwork()
        network.begin_with(settings.initial_backbone)
        super().__init__(network, settings.optimiser, settings.trainer)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Loss of a batch of close-ups."""
        images, labels = batch
        return cross_entropy(self.network(images), labels)

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Loss, and how many are told to be an infant or none."""
        images, labels = batch
        logits = self.average(images)
        right = (logits.argmax(-1) == INFANT_LABEL) == (labels == INFANT_LABEL)
        values = {
            "validation_loss": cross_entropy(logits, labels),
            "validation_right": 100 * right.float().mean(),
        }
        self.log_dict(values, batch_size=len(labels))

"""Boxes with scores and classes inside the detector: tensors on the CPU, in 64-bit floats."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torchvision.ops import batched_nms, nms

from Datasets.scenes import INFANT_LABEL

MIN_SCORE = 0.5
"""Lowest score of an adult, and of an infant unless the weights or the user give another."""

MERGE_IOU = 0.4
"""Boxes of one class that overlap by more are one person."""

SAME_PERSON_IOU = 0.7
"""Boxes of different classes that overlap by more are one person."""


@dataclass(frozen=True)
class Candidates:
    """Boxes of one image, best first.

    Attributes:
        boxes_xyxy: (n, 4) image pixels.
        scores: (n,) in 0..1.
        labels: (n,) positions in ``CLASSES``.
    """

    boxes_xyxy: Float[Tensor, "n 4"]
    scores: Float[Tensor, "n"]
    labels: Int[Tensor, "n"]

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, index: Tensor | slice) -> Candidates:
        return Candidates(self.boxes_xyxy[index], self.scores[index], self.labels[index])

    def of(self, label: int) -> Candidates:
        """Those of one class."""
        return self[self.labels == label]

    def scaled(self, source: tuple[int, int], target: tuple[int, int]) -> Candidates:
        """The same in another size, (width, height), of the image; boxes are cut at its edges."""
        whole = torch.tensor([*target, *target], dtype=torch.float64)
        factor = whole / torch.tensor([*source, *source])
        # edges are aligned, and a pixel's centre is at its integer coordinate
        boxes = (self.boxes_xyxy + 0.5) * factor - 0.5
        return replace(self, boxes_xyxy=torch.minimum(boxes.clamp_min(0), whole - 1))

    def suppressed(self, infant_score: float, adult_score: float = MIN_SCORE) -> Candidates:
        """Those with at least the score of their class, each person once, best first."""
        lowest = torch.full_like(self.scores, adult_score)
        lowest[self.labels == INFANT_LABEL] = infant_score
        kept = self[self.scores >= lowest]
        kept = kept[batched_nms(kept.boxes_xyxy, kept.scores, kept.labels, MERGE_IOU)]
        # boxes of one class overlap less by now: this is between the classes
        return kept[nms(kept.boxes_xyxy, kept.scores, SAME_PERSON_IOU)]

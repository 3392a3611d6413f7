"""Detect infants in an image, and adults, so that these are not reported as infants.

The rule: an image's infants are the boxes with a score of at least ``min_score`` for the class
infant, of which overlapping ones (IoU above ``MERGE_IOU``) count once, at most ``max_infants`` of
them, best first. Adults likewise, from ``MIN_SCORE`` on and without a limit. Where an infant's and
an adult's box nearly coincide (IoU above ``SAME_PERSON_IOU``), the higher score decides. No box
means an empty result, never the whole image. A box's score is the network's or, where the weights
hold a re-scoring network, the geometric mean of the two.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn
from torchvision.ops import nms

from Datasets.scenes import ADULT_LABEL, CLASSES, INFANT_LABEL
from Engine.backends import Backend, TorchBackend
from Engine.errors import DataError
from Engine.registry import as_tuples
from Engine.weights import load_weights, save_weights
from FasterRCNN.candidates import MERGE_IOU, MIN_SCORE, Candidates
from FasterRCNN.images import network_input
from FasterRCNN.model import DifferentSizes, build_detector
from FasterRCNN.refinement import refined_box, window
from FasterRCNN.rescoring import RescoringNetwork, class_probabilities
from FasterRCNN.settings import DetectorSettings

MAX_INFANTS = 4

SUSPECTED_IOU = 0.9
"""Suspected boxes that overlap by more are one."""

RESCORED = 0.1
"""Lowest score of a box that is scored again."""

RESCORING_PREFIX = "close_up."
"""Of the re-scoring network's tensors in the detector's file."""

_STORED = ("backbone", "widths", "min_size", "max_size", "box_head", "proposals")
"""Settings that a network's weights depend on."""

_LACKED: dict[str, Any] = {
    "widths": DetectorSettings.widths,
    "proposals": DetectorSettings.proposals,
}
"""Those of them that older weights lack."""


@dataclass(frozen=True)
class Detections:
    """Infants of one frame, best first; and adults, where the detector has that class.

    Attributes:
        boxes_xyxy: (n, 4) infants, image pixels.
        scores: (n,) in 0..1.
        adults_xyxy: (m, 4) adults, image pixels; None from a detector of infants only.
        adult_scores: (m,) in 0..1, or None.
        suspected_xyxy: (k, 4) every box of the network, of any class and score, image pixels; those
            above are among them. None: unknown.
    """

    boxes_xyxy: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, "n"]
    adults_xyxy: Float[np.ndarray, "m 4"] | None = None
    adult_scores: Float[np.ndarray, "m"] | None = None
    suspected_xyxy: Float[np.ndarray, "k 4"] | None = None

    def __len__(self) -> int:
        return len(self.scores)


class InfantDetector:
    """Callable from an RGB image to its ``Detections``."""

    def __init__(
        self,
        network: Backend,
        settings: DetectorSettings,
        min_score: float = MIN_SCORE,
        max_infants: int = MAX_INFANTS,
        refine: bool = False,
        classes: Sequence[str] = CLASSES,
        rescoring: Backend | None = None,
    ) -> None:
        """Put the networks together.

        Args:
            network: runs ``DifferentSizes``.
            settings: gives the input size.
            min_score: lowest score of an infant.
            max_infants: most infants of a frame.
            refine: run the network again on a window about each infant.
            classes: of the network: ``CLASSES`` or its first two.
            rescoring: runs a ``RescoringNetwork``, or None.
        """
        self.network, self.settings = network, settings
        self.min_score, self.max_infants = min_score, max_infants
        self.refine, self.rescoring = refine, rescoring
        self.classes = tuple(classes)

    @classmethod
    def from_weights(
        cls,
        path: Path,
        device: str | torch.device = "cpu",
        min_score: float | None = None,
        max_infants: int = MAX_INFANTS,
        sha256: str | None = None,
    ) -> InfantDetector:
        """Read a detector written by ``save_detector`` or ``save_rescoring``.

        Args:
            path: the weights.
            device: to compute on.
            min_score: lowest score of an infant; None: the operating point in the weights.
            max_infants: most infants of a frame.
            sha256: of the file, or None.

        Raises:
            DataError: the file is missing, damaged, a pickle or no detector; or its sha256 differs.
        """
        state, metadata = load_weights(path, sha256)
        try:
            config = _LACKED | as_tuples(metadata["config"])
            settings = DetectorSettings(**{key: config[key] for key in _STORED})
            classes, chosen = tuple(metadata["classes"]), metadata.get("min_score", MIN_SCORE)
            if len(classes) < 2 or classes != CLASSES[: len(classes)]:
                raise ValueError(f"its classes are {', '.join(classes)}")
            rescoring = _split_rescoring(state)
            network = build_detector(settings, len(classes))
            network.load_state_dict(state)
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                f"{path}: no detector weights ({reason}); give detector.safetensors"
            ) from error
        return cls(
            TorchBackend(DifferentSizes(network), device),
            settings,
            float(chosen) if min_score is None else min_score,
            max_infants,
            True,
            classes,
            rescoring and TorchBackend(rescoring, device),
        )

    def __call__(self, image: Image.Image) -> Detections:
        """Detect the people of one RGB image."""
        return self.detect([image])[0]

    def detect(
        self, images: Sequence[Image.Image], min_score: float | None = None
    ) -> list[Detections]:
        """Detect the people of several RGB images, of any sizes.

        Args:
            images: share the passes through the networks.
            min_score: lowest score of an infant; None: the detector's own.
        """
        lowest = self.min_score if min_score is None else min_score
        everything = self.candidates(images)
        scored = everything
        if self.rescoring is not None:
            scored = _rescored(self.rescoring, images, everything)
        people = [one.suppressed(lowest) for one in scored]
        infants = [one.of(INFANT_LABEL)[: self.max_infants] for one in people]
        if self.refine:
            infants = self._refined(images, infants)
        return list(map(self._detections, infants, people, everything))

    def candidates(self, images: Sequence[Image.Image]) -> list[Candidates]:
        """All boxes of one pass of the network, from its lowest score on."""
        sizes = (self.settings.min_size, self.settings.max_size)
        inputs = [network_input(image, *sizes) for image in images]
        found = self.network(*(scaled[None] for scaled in inputs))
        counts = found["counts"].astype(int).tolist()
        joined = Candidates(
            torch.from_numpy(found["boxes"]).double(),
            torch.from_numpy(found["scores"]).double(),
            torch.from_numpy(found["labels"]).long(),
        )
        rows = torch.arange(len(joined)).split(counts)
        return [
            joined[own].scaled(scaled.shape[:0:-1], image.size)
            for own, scaled, image in zip(rows, inputs, images, strict=True)
        ]

    def _refined(
        self, images: Sequence[Image.Image], infants: Sequence[Candidates]
    ) -> list[Candidates]:
        """Infants with the boxes that are found in a window about each, see ``refined_box``."""
        windows = [
            (image, box, window(box, image.size))
            for image, one in zip(images, infants, strict=True)
            for box in one.boxes_xyxy
        ]
        if not windows:
            return list(infants)
        second = self.candidates([image.crop(bounds) for image, _, bounds in windows])
        lowest = min(self.min_score, MIN_SCORE)
        boxes = []
        for (_, box, bounds), one in zip(windows, second, strict=True):
            inside = one.suppressed(lowest).of(INFANT_LABEL)[: self.max_infants]
            boxes.append(refined_box(box, inside.boxes_xyxy, bounds[:2]))
        parts = torch.stack(boxes).split([len(one) for one in infants])
        moved = [dataclasses.replace(o, boxes_xyxy=p) for o, p in zip(infants, parts, strict=True)]
        return [one[nms(one.boxes_xyxy, one.scores, MERGE_IOU)] for one in moved]

    def _detections(
        self, infants: Candidates, people: Candidates, everything: Candidates
    ) -> Detections:
        adults = people.of(ADULT_LABEL)
        has_adults = len(self.classes) > ADULT_LABEL
        boxes = [one.boxes_xyxy for one in (infants, adults, everything)]
        return Detections(
            infants.boxes_xyxy.numpy(),
            infants.scores.numpy(),
            adults.boxes_xyxy.numpy() if has_adults else None,
            adults.scores.numpy() if has_adults else None,
            _distinct(torch.cat(boxes)).numpy(),
        )


def _rescored(
    network: Backend, images: Sequence[Image.Image], found: Sequence[Candidates]
) -> list[Candidates]:
    """Candidates whose score is the geometric mean of both networks' probabilities."""
    found = [one.suppressed(RESCORED, RESCORED) for one in found]
    crops = [
        (image, box) for image, one in zip(images, found, strict=True) for box in one.boxes_xyxy
    ]
    probabilities = class_probabilities(network, crops).split([len(one) for one in found])
    return [
        dataclasses.replace(one, scores=(one.scores * p[range(len(one)), one.labels]).sqrt())
        for one, p in zip(found, probabilities, strict=True)
    ]


def _distinct(boxes: Float[Tensor, "n 4"]) -> Float[Tensor, "k 4"]:
    """Boxes without those that nearly coincide with an earlier one."""
    earlier_first = torch.arange(len(boxes), 0, -1, dtype=torch.float64)
    return boxes[nms(boxes, earlier_first, SUSPECTED_IOU).sort().values]


def _split_rescoring(state: dict[str, Tensor]) -> RescoringNetwork | None:
    """Take the re-scoring network, if there is one, out of a detector's weights."""
    names = [name for name in state if name.startswith(RESCORING_PREFIX)]
    if not names:
        return None
    network = RescoringNetwork()
    network.load_state_dict({n.removeprefix(RESCORING_PREFIX): state.pop(n) for n in names})
    return network


def save_rescoring(path: Path, detector: Path, network: nn.Module) -> str:
    """Write a detector again with a re-scoring network; return the sha256."""
    state, metadata = load_weights(detector)
    state = {name: value for name, value in state.items() if not name.startswith(RESCORING_PREFIX)}
    ours = {RESCORING_PREFIX + name: value for name, value in network.state_dict().items()}
    return save_weights(path, state | ours, metadata)


def save_detector(path: Path, network: nn.Module, settings: DetectorSettings) -> str:
    """Write fp16 weights with what ``from_weights`` needs; return the sha256."""
    stored = dataclasses.asdict(settings)
    config = {key: stored[key] for key in _STORED}
    metadata = {"model": "FasterRCNN", "config": config, "classes": list(CLASSES)}
    return save_weights(path, network.state_dict(), metadata)

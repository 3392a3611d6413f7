"""Find infants in a frame.

The rule: a frame's infants are the boxes that score at least ``min_score``, of which overlapping
ones (IoU above ``MERGE_IOU``) count once, at most ``max_infants`` of them, best first. No such box
means no infant: an empty answer, never the whole image.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torchvision.models.detection import FasterRCNN
from torchvision.ops import nms

from Datasets.geometry.boxes import clip_box, iou
from Datasets.structures import DataError
from FasterRCNN.images import network_input, transform_boxes
from FasterRCNN.model import build_detector
from FasterRCNN.settings import DetectorSettings
from FasterRCNN.weights import load_weights, save_weights

MIN_SCORE = 0.5
MERGE_IOU = 0.4
SAME_IOU = 0.5
MAX_INFANTS = 4

_STORED = ("backbone", "min_size", "max_size", "box_head")
"""Settings that a network's weights depend on."""


@dataclass(frozen=True)
class Detections:
    """Infants of one frame, best first.

    Attributes:
        boxes_xyxy: (n, 4) image pixels.
        scores: (n,) in 0..1.
    """

    boxes_xyxy: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, "n"]

    def __len__(self) -> int:
        return len(self.scores)


class InfantDetector:
    """Callable from an RGB image to its ``Detections``."""

    def __init__(
        self,
        network: FasterRCNN,
        settings: DetectorSettings,
        min_score: float = MIN_SCORE,
        max_infants: int = MAX_INFANTS,
        second_look: bool = False,
    ) -> None:
        """Wrap a network.

        Args:
            network: from ``build_detector(settings)``; put into evaluation mode here at each call.
            settings: gives the input size.
            min_score: lowest score of an infant.
            max_infants: most infants of a frame.
            second_look: fit each box again in a close-up of it, where its edges are clearer.
        """
        self.network, self.settings = network, settings
        self.min_score, self.max_infants = min_score, max_infants
        self.second_look = second_look

    @classmethod
    def from_weights(
        cls,
        path: Path,
        device: str | torch.device = "cpu",
        min_score: float = MIN_SCORE,
        max_infants: int = MAX_INFANTS,
        sha256: str | None = None,
    ) -> InfantDetector:
        """Read a detector written by ``save_detector``.

        Raises:
            DataError: the file is missing, damaged, a pickle or no detector; or its sha256 differs.
        """
        state, metadata = load_weights(path, sha256)
        try:
            settings = DetectorSettings(**{k: metadata["config"][k] for k in _STORED})
            network = build_detector(settings)
            network.load_state_dict(state)
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                f"{path}: no detector weights ({reason}); give detector.safetensors"
            ) from error
        network.to(device, memory_format=torch.channels_last).eval()
        return cls(network, settings, min_score, max_infants, second_look=True)

    def __call__(self, image: Image.Image) -> Detections:
        """Detect the infants of one RGB image."""
        return self.detect([image])[0]

    def detect(self, images: Sequence[Image.Image]) -> list[Detections]:
        """Detect the infants of several RGB images, of any sizes."""
        found = self._look(images)
        return self._look_closer(images, found) if self.second_look else found

    def _look_closer(
        self, images: Sequence[Image.Image], found: Sequence[Detections]
    ) -> list[Detections]:
        """Replace each box by the one found in a close-up of it, where that is the same infant."""
        windows = [
            (image, box, _window(box, image.size))
            for image, detections in zip(images, found, strict=True)
            for box in detections.boxes_xyxy
        ]
        if not windows:
            return list(found)
        closer = iter(self._look([image.crop(window) for image, _, window in windows]))
        closer = [_same(box, next(closer), window) for _, box, window in windows]
        ends = np.cumsum([len(detections) for detections in found])
        parts = np.split(np.stack(closer), ends[:-1])
        return [Detections(p, f.scores) for p, f in zip(parts, found, strict=True)]

    @torch.inference_mode()
    def _look(self, images: Sequence[Image.Image]) -> list[Detections]:
        """Detect in one pass of the network."""
        sizes = (self.settings.min_size, self.settings.max_size)
        inputs = [network_input(image, *sizes) for image in images]
        device = next(self.network.parameters()).device
        self.network.eval()
        outputs = self.network([picture.to(device).float() / 255 for picture, _ in inputs])
        return [
            self._select(output, matrix, image.size)
            for output, (_, matrix), image in zip(outputs, inputs, images, strict=True)
        ]

    def _select(
        self, output: dict[str, torch.Tensor], matrix: np.ndarray, size: tuple[int, int]
    ) -> Detections:
        boxes, scores = output["boxes"].float().cpu(), output["scores"].float().cpu()
        sure = scores >= self.min_score
        boxes, scores = boxes[sure], scores[sure]
        kept = nms(boxes, scores, MERGE_IOU)[: self.max_infants]
        in_image = transform_boxes(matrix, boxes[kept].numpy())
        in_image = np.array([clip_box(box, size) for box in in_image]).reshape(-1, 4)
        return Detections(in_image, scores[kept].numpy().astype(np.float64))


def _window(box: Float[np.ndarray, "4"], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Whole pixels around a box with half its longer side beside it, inside the image."""
    margin = 0.25 * float(max(box[2:] - box[:2]))
    x1, y1, x2, y2 = clip_box(box + margin * np.array([-1, -1, 1, 1]), size)
    return int(x1), int(y1), int(np.ceil(x2)) + 1, int(np.ceil(y2)) + 1


def _same(
    box: Float[np.ndarray, "4"], closer: Detections, window: tuple[int, int, int, int]
) -> Float[np.ndarray, "4"]:
    """The close-up's box that fits best, in image pixels, or the first one where none fits."""
    if len(closer) == 0:
        return box
    moved = closer.boxes_xyxy + np.array([*window[:2], *window[:2]])
    overlap = iou(moved, box[None])[:, 0]
    return moved[overlap.argmax()] if overlap.max() > SAME_IOU else box


def save_detector(path: Path, network: FasterRCNN, settings: DetectorSettings) -> str:
    """Write fp16 weights with what ``from_weights`` needs; return the sha256."""
    stored = dataclasses.asdict(settings)
    config = {key: stored[key] for key in _STORED}
    metadata = {"model": "FasterRCNN", "config": config, "classes": ["background", "infant"]}
    return save_weights(path, network.state_dict(), metadata)

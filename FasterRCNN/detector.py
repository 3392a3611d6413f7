"""Find infants in a frame, and adults, who are not to be taken for infants.

The rule: a frame's infants are the boxes that score at least ``min_score`` as an infant, of which
overlapping ones (IoU above ``MERGE_IOU``) count once, at most ``max_infants`` of them, best first.
Adults likewise, from ``MIN_SCORE`` on and without a limit. An infant's and an adult's box that are
almost the same (IoU above ``SAME_PERSON_IOU``) are one person, who is what the higher score says.
No box means nobody: an empty answer, never the whole image. Where the weights have a judge, scores
are his, too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from torchvision.models.detection import FasterRCNN
from torchvision.ops import batched_nms, nms

from Datasets.geometry.boxes import clip_box, iou
from Datasets.scenes import ADULT_LABEL, CLASSES, INFANT_LABEL
from Engine.errors import DataError
from Engine.weights import load_weights, save_weights
from FasterRCNN.images import network_input, transform_boxes
from FasterRCNN.model import build_detector
from FasterRCNN.rescoring import CloseUpNetwork, who
from FasterRCNN.settings import DetectorSettings

MIN_SCORE = 0.5
"""Lowest score of an adult, and of an infant unless the weights or the user say another."""

MERGE_IOU = 0.4
SAME_PERSON_IOU = 0.7
SAME_IOU = 0.5
MAX_INFANTS = 4

SUSPECTED_IOU = 0.9
"""Suspected boxes that overlap by more are one."""

UNSURE = 0.1
"""Lowest score of a box that is shown to the judge."""

CLOSE_UP = "close_up."
"""What the names of the judge's weights begin with, in the detector's file."""

_STORED = ("backbone", "min_size", "max_size", "box_head", "proposals")
"""Settings that a network's weights depend on; older weights do not tell ``proposals``."""


@dataclass(frozen=True)
class People:
    """Whoever was found in a frame, best first.

    Attributes:
        boxes_xyxy: (n, 4) image pixels.
        scores: (n,) in 0..1.
        labels: (n,) positions in ``CLASSES``.
    """

    boxes_xyxy: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, "n"]
    labels: Int[np.ndarray, "n"]


@dataclass(frozen=True)
class Detections:
    """Infants of one frame, best first; and adults, where the detector knows them.

    Attributes:
        boxes_xyxy: (n, 4) infants, image pixels.
        scores: (n,) in 0..1.
        adults_xyxy: (m, 4) adults, image pixels; None from a detector that knows infants only.
        adult_scores: (m,) in 0..1, or None.
        suspected_xyxy: (k, 4) everybody whom the detector so much as suspects, of any class, image
            pixels; those above are among them. None: unknown.
    """

    boxes_xyxy: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, "n"]
    adults_xyxy: Float[np.ndarray, "m 4"] | None = None
    adult_scores: Float[np.ndarray, "m"] | None = None
    suspected_xyxy: Float[np.ndarray, "k 4"] | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def once(self) -> Detections:
        """Those with infants that overlap by more than ``MERGE_IOU`` counted once."""
        boxes, scores = torch.from_numpy(self.boxes_xyxy), torch.from_numpy(self.scores)
        kept = nms(boxes, scores, MERGE_IOU).numpy()
        return dataclasses.replace(self, boxes_xyxy=self.boxes_xyxy[kept], scores=self.scores[kept])


class InfantDetector:
    """Callable from an RGB image to its ``Detections``."""

    def __init__(
        self,
        network: FasterRCNN,
        settings: DetectorSettings,
        min_score: float = MIN_SCORE,
        max_infants: int = MAX_INFANTS,
        second_look: bool = False,
        classes: Sequence[str] = CLASSES,
        close_up: CloseUpNetwork | None = None,
    ) -> None:
        """Wrap a network.

        Args:
            network: from ``build_detector(settings)``; put into evaluation mode here at each call.
            settings: gives the input size.
            min_score: lowest score of an infant.
            max_infants: most infants of a frame.
            second_look: fit each infant's box again in a close-up of it, where its edges are
                clearer.
            classes: what the network tells apart: ``CLASSES`` or its first two.
            close_up: judge of the boxes, or None.
        """
        self.network, self.settings = network, settings
        self.min_score, self.max_infants = min_score, max_infants
        self.second_look = second_look
        self.classes = tuple(classes)
        self.close_up = close_up

    @classmethod
    def from_weights(
        cls,
        path: Path,
        device: str | torch.device = "cpu",
        min_score: float | None = None,
        max_infants: int = MAX_INFANTS,
        sha256: str | None = None,
    ) -> InfantDetector:
        """Read a detector written by ``save_detector``.

        Args:
            path: the weights.
            device: to compute on.
            min_score: lowest score of an infant; None: what the weights say is sure enough.
            max_infants: most infants of a frame.
            sha256: of the file, or None.

        Raises:
            DataError: the file is missing, damaged, a pickle or no detector; or its sha256 differs.
        """
        state, metadata = load_weights(path, sha256)
        try:
            told = {"proposals": DetectorSettings.proposals, **metadata["config"]}
            settings = DetectorSettings(**{key: told[key] for key in _STORED})
            classes, sure = tuple(metadata["classes"]), metadata.get("min_score", MIN_SCORE)
            if len(classes) < 2 or classes != CLASSES[: len(classes)]:
                raise ValueError(f"it tells {', '.join(classes)} apart")
            network = build_detector(settings, len(classes))
            close_up = _taken_apart(state)
            network.load_state_dict(state)
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                f"{path}: no detector weights ({reason}); give detector.safetensors"
            ) from error
        network.to(device, memory_format=torch.channels_last).eval()
        least = float(sure) if min_score is None else min_score
        if close_up is not None:
            close_up.to(device, memory_format=torch.channels_last).eval()
        return cls(network, settings, least, max_infants, True, classes, close_up)

    def __call__(self, image: Image.Image) -> Detections:
        """Detect the people of one RGB image."""
        return self.detect([image])[0]

    def detect(
        self, images: Sequence[Image.Image], min_score: float | None = None
    ) -> list[Detections]:
        """Detect the people of several RGB images, of any sizes.

        Args:
            images: to look at.
            min_score: lowest score of an infant; None: the detector's own.
        """
        least = self.min_score if min_score is None else min_score
        anybody = self._anybody(images)
        found = (
            self._judged(images, anybody, least)
            if self.close_up
            else [self._chosen(_sure(people, least)) for people in anybody]
        )
        found = self._look_closer(images, found) if self.second_look else found
        return [_with_suspected(f, a) for f, a in zip(found, anybody, strict=True)]

    def _judged(
        self, images: Sequence[Image.Image], anybody: Sequence[People], least: float
    ) -> list[Detections]:
        """Let the judge say how sure each box is, of unsure ones, too."""
        everybody = [_sure(people, UNSURE, UNSURE) for people in anybody]
        places = [
            (image, box)
            for image, people in zip(images, everybody, strict=True)
            for box in people.boxes_xyxy
        ]
        chances = who(self.close_up, places)
        parts = np.split(chances, np.cumsum([len(p.scores) for p in everybody])[:-1])
        return [
            self._chosen(_sure(_agreed(people, chance), least))
            for people, chance in zip(everybody, parts, strict=True)
        ]

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
        crops = [image.crop(window) for image, _, window in windows]
        least = min(self.min_score, MIN_SCORE)
        closer = (self._chosen(people) for people in self.people(crops, least))
        closer = [_same(box, next(closer), window) for _, box, window in windows]
        ends = np.cumsum([len(detections) for detections in found])
        parts = np.split(np.stack(closer), ends[:-1])
        moved = [dataclasses.replace(f, boxes_xyxy=p) for f, p in zip(found, parts, strict=True)]
        return [detections.once() for detections in moved]

    def people(
        self, images: Sequence[Image.Image], infant_score: float, adult_score: float = MIN_SCORE
    ) -> list[People]:
        """Find people of both classes, from their scores on, in one pass of the network."""
        return [_sure(people, infant_score, adult_score) for people in self._anybody(images)]

    @torch.inference_mode()
    def _anybody(self, images: Sequence[Image.Image]) -> list[People]:
        """All that one pass of the network answers, from its lowest score on."""
        sizes = (self.settings.min_size, self.settings.max_size)
        inputs = [network_input(image, *sizes) for image in images]
        device = next(self.network.parameters()).device
        self.network.eval()
        outputs = self.network([picture.to(device).float() / 255 for picture, _ in inputs])
        return [
            _in_image(output, matrix, image.size)
            for output, (_, matrix), image in zip(outputs, inputs, images, strict=True)
        ]

    def _chosen(self, people: People) -> Detections:
        boxes, scores, labels = people.boxes_xyxy, people.scores, people.labels
        infants = np.flatnonzero(labels == INFANT_LABEL)[: self.max_infants]
        found = Detections(boxes[infants], scores[infants])
        if len(self.classes) <= ADULT_LABEL:
            return found
        adults = labels == ADULT_LABEL
        return dataclasses.replace(found, adults_xyxy=boxes[adults], adult_scores=scores[adults])


def _in_image(output: dict[str, torch.Tensor], matrix: np.ndarray, size: tuple[int, int]) -> People:
    """Boxes of the network in pixels of the image."""
    boxes, scores, labels = (output[key].cpu() for key in ("boxes", "scores", "labels"))
    in_image = clip_box(transform_boxes(matrix, boxes.double().numpy()), size)
    return People(in_image, scores.double().numpy(), labels.numpy())


def _with_suspected(found: Detections, anybody: People) -> Detections:
    """Add whoever is suspected: those found, and others who are not all but the same box."""
    parts = [found.boxes_xyxy, found.adults_xyxy, anybody.boxes_xyxy]
    boxes = np.concatenate([part for part in parts if part is not None])
    # in this order: those found stay, then those of higher scores
    order = torch.arange(len(boxes), 0, -1, dtype=torch.float64)
    kept = nms(torch.from_numpy(boxes), order, SUSPECTED_IOU).sort().values
    return dataclasses.replace(found, suspected_xyxy=boxes[kept.numpy()])


def _agreed(people: People, chances: Float[np.ndarray, "n label"]) -> People:
    """As sure as detector and judge are in the geometric mean."""
    judged = chances[np.arange(len(people.labels)), people.labels]
    return dataclasses.replace(people, scores=np.sqrt(people.scores * judged))


def _sure(people: People, infant_score: float, adult_score: float = MIN_SCORE) -> People:
    """Those who are sure enough, each once, best first."""
    least = np.where(people.labels == INFANT_LABEL, infant_score, adult_score)
    kept = torch.from_numpy(np.flatnonzero(people.scores >= least))
    boxes, scores = torch.from_numpy(people.boxes_xyxy), torch.from_numpy(people.scores)
    labels = torch.from_numpy(people.labels)
    kept = kept[batched_nms(boxes[kept], scores[kept], labels[kept], MERGE_IOU)]
    # boxes of one class overlap less by now: this is between the classes
    kept = kept[nms(boxes[kept], scores[kept], SAME_PERSON_IOU)].numpy()
    return People(people.boxes_xyxy[kept], people.scores[kept], people.labels[kept])


def _taken_apart(state: dict[str, torch.Tensor]) -> CloseUpNetwork | None:
    """Take the judge, if there is one, out of a detector's weights."""
    names = [name for name in state if name.startswith(CLOSE_UP)]
    if not names:
        return None
    network = CloseUpNetwork()
    network.load_state_dict({name.removeprefix(CLOSE_UP): state.pop(name) for name in names})
    return network


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


def save_close_up(path: Path, detector: Path, network: CloseUpNetwork) -> str:
    """Write a detector again with a judge of its boxes; return the sha256."""
    state, metadata = load_weights(detector)
    state = {name: value for name, value in state.items() if not name.startswith(CLOSE_UP)}
    ours = {CLOSE_UP + name: value for name, value in network.state_dict().items()}
    return save_weights(path, state | ours, metadata)


def save_detector(path: Path, network: FasterRCNN, settings: DetectorSettings) -> str:
    """Write fp16 weights with what ``from_weights`` needs; return the sha256."""
    stored = dataclasses.asdict(settings)
    config = {key: stored[key] for key in _STORED}
    metadata = {"model": "FasterRCNN", "config": config, "classes": list(CLASSES)}
    return save_weights(path, network.state_dict(), metadata)

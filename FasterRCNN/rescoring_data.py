"""Close-ups to learn from: true boxes, and those that a detector takes for somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image, ImageDraw
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from Datasets.geometry.boxes import iou
from Datasets.readers.frames import load_sample_image
from Datasets.scenes import ADULT_LABEL, INFANT_LABEL, Scene
from Datasets.structures import Crop, PoseSample
from Datasets.transforms.geometric import crop_picture
from Datasets.transforms.occlusion import train_occlusion
from Datasets.transforms.photometric import train_photometric
from Datasets.transforms.presets import TrainTransforms, train_crop
from Datasets.transforms.textures import random_texture
from Engine.errors import DataError
from Engine.files import write_npz
from Engine.sampling import Draw, spread
from FasterRCNN.detector import InfantDetector
from FasterRCNN.rescoring import MARGIN, SIDE, as_tensor, close_up

LEAST_SCORE = 0.05
"""Of the boxes that are learnt from: mistakes have to be many."""

SAME_PERSON, NOBODY = 0.4, 0.1
"""IoU with somebody from which a box shows them, and below which it shows nobody."""

ALONE_SHARE = 0.5
"""Of close-ups with something else around the box: adults are not those who are outdoors."""

BATCH = 8
TRANSFORMS = TrainTransforms(
    jitter=0.03,
    scale=(0.85, 1.2),
    shift=0.05,
    degrees=20.0,
    any_angle_share=0.5,
    occlusion_share=0.15,
    photometric_share=0.4,
)


@dataclass(frozen=True)
class Judged:
    """Boxes of one image and who is in them.

    Attributes:
        image: a sample that says where the image is.
        boxes_xyxy: (n, 4) image pixels.
        labels: (n,) positions in ``CLASSES``.
        true: (n,) whether a box is somebody's own, rather than a detector's.
    """

    image: PoseSample
    boxes_xyxy: Float[np.ndarray, "n 4"]
    labels: Int[np.ndarray, "n"]
    true: Int[np.ndarray, "n"]


def judged(
    scenes: Sequence[Scene], detector: InfantDetector, looked_at: int, cache: Path
) -> list[Judged]:
    """Boxes of images, those with none left out.

    A box of the detector shows whoever it overlaps most, nobody where that is hardly anything; what
    lies between is left out: the judge is asked who it is, not how well the box fits.

    Args:
        scenes: images.
        detector: whose boxes are to be judged.
        looked_at: at most so many images, evenly spread, are shown to it.
        cache: an npz file for its boxes, kept between sessions of a run.
    """
    shown = spread(scenes, looked_at)
    found = _found(shown, detector, cache)
    theirs = {id(scene): boxes for scene, boxes in zip(shown, found, strict=True)}
    every = [_judged(scene, theirs.get(id(scene), np.zeros((0, 4)))) for scene in scenes]
    return [one for one in every if len(one.labels)]


def _judged(scene: Scene, found: Float[np.ndarray, "k 4"]) -> Judged:
    own = [scene.boxes(label) for label in (INFANT_LABEL, ADULT_LABEL)]
    labels = np.repeat([INFANT_LABEL, ADULT_LABEL], [len(boxes) for boxes in own])
    people = np.concatenate(own)
    overlap = iou(found, people) if len(people) else np.zeros((len(found), 1))
    best, most = overlap.argmax(axis=1), overlap.max(axis=1)
    guessed = np.where(most >= SAME_PERSON, np.append(labels, 0)[best], 0)
    clear = (most >= SAME_PERSON) | (most < NOBODY)
    return Judged(
        scene.image,
        np.concatenate([people, found[clear]]),
        np.concatenate([labels, guessed[clear]]),
        np.repeat([1, 0], [len(people), clear.sum()]),
    )


def _found(
    scenes: Sequence[Scene], detector: InfantDetector, cache: Path
) -> list[Float[np.ndarray, "k 4"]]:
    if not cache.is_file():
        found = []
        for start in range(0, len(scenes), BATCH):
            images = [load_sample_image(scene.image) for scene in scenes[start : start + BATCH]]
            seen = detector.people(images, LEAST_SCORE, LEAST_SCORE)
            found += [people.boxes_xyxy for people in seen]
        counts = np.array([len(boxes) for boxes in found])
        write_npz(cache, boxes=np.concatenate([np.zeros((0, 4)), *found]), counts=counts)
    with np.load(cache, allow_pickle=False) as file:
        return np.split(file["boxes"], np.cumsum(file["counts"])[:-1])


class CloseUps(TorchDataset):
    """Some varied close-ups of an image; an item is a function of (seed, round, index).

    An item is ``images`` uint8 (k, 3, side, side) and ``labels`` (k,). Half of the close-ups are of
    true boxes, where an image has both kinds.
    """

    def __init__(self, images: Sequence[Judged], per_image: int, seed: int) -> None:
        """Bind images to their boxes.

        Args:
            images: see ``judged``.
            per_image: k.
            seed: of the variations.

        Raises:
            DataError: there are none.
        """
        if not images:
            raise DataError("close-ups: no image has a box; give more data")
        self.images, self.per_image, self.seed = images, per_image, seed

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: Draw) -> tuple[Tensor, Tensor]:
        generator = np.random.default_rng([self.seed, key.round, key.index])
        one = self.images[key.index]
        chance = 1 / np.bincount(one.true, minlength=2).clip(1)[one.true]
        chosen = generator.choice(len(chance), self.per_image, p=chance / chance.sum())
        picture = load_sample_image(one.image)
        crops = [self._crop(picture, one.boxes_xyxy[i], generator) for i in chosen]
        return torch.stack(crops), torch.from_numpy(one.labels[chosen])

    def _crop(
        self, picture: Image.Image, box: Float[np.ndarray, "4"], generator: np.random.Generator
    ) -> Tensor:
        crop = train_crop(box, SIDE, generator, TRANSFORMS, MARGIN)
        cut = crop_picture(picture, crop)
        if generator.random() < ALONE_SHARE:
            cut = alone(cut, crop, box, generator)
        if generator.random() < TRANSFORMS.occlusion_share:
            cut = train_occlusion(cut, generator)
        if generator.random() < TRANSFORMS.photometric_share:
            cut = train_photometric(cut, generator)
        return as_tensor(cut)


def alone(
    cut: np.ndarray, crop: Crop, box: Float[np.ndarray, "4"], generator: np.random.Generator
) -> np.ndarray:
    """Put a texture around a box of a close-up: uint8 (side, side, 3)."""
    corners = crop.to_crop(box[[[0, 1], [2, 1], [2, 3], [0, 3]]])
    inside = Image.new("L", crop.size)
    ImageDraw.Draw(inside).polygon([tuple(corner) for corner in corners], fill=1)
    texture = random_texture(crop.size, generator)
    return np.where(np.asarray(inside)[..., None] > 0, cut, texture)


class StillCloseUps(TorchDataset):
    """Every box of images, upright: ``images`` uint8 (1, 3, side, side) and ``labels`` (1,)."""

    def __init__(self, images: Sequence[Judged]) -> None:
        self.places = [(one, i) for one in images for i in range(len(one.labels))]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        one, i = self.places[index]
        cut = close_up(load_sample_image(one.image), one.boxes_xyxy[i])
        return cut[None], torch.tensor([one.labels[i]])


def together(items: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """One batch of the close-ups of several items."""
    images, labels = zip(*items, strict=True)
    return torch.cat(images), torch.cat(labels)

"""Training data of box re-scoring: crops of true boxes and of a detector's boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from PIL import Image, ImageDraw
from torch import Tensor

from Datasets.geometry.boxes import iou
from Datasets.readers.frames import load_sample_image
from Datasets.scenes import ADULT_LABEL, INFANT_LABEL, Scene
from Datasets.selection import spread
from Datasets.structures import Crop, PoseSample
from Datasets.transforms.geometric import crop_picture
from Datasets.transforms.occlusion import train_occlusion
from Datasets.transforms.photometric import train_photometric
from Datasets.transforms.presets import TrainTransforms, train_crop
from Datasets.transforms.textures import random_texture
from Engine.errors import DataError
from Engine.files import write_npz
from Engine.sampling import Draw, SizedDataset
from FasterRCNN.detector import InfantDetector
from FasterRCNN.images import channels_first
from FasterRCNN.rescoring import MARGIN, SIDE, rescoring_crop

LEAST_SCORE = 0.05
"""Of the detector's boxes that are learnt from: there have to be many false positives."""

PERSON_IOU, BACKGROUND_IOU = 0.4, 0.1
"""IoU from which a box has a person's label, and below which it is background."""

TEXTURE_SHARE = 0.5
"""Of crops with a texture around the box, so that the class does not follow from surroundings."""

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
class LabelledBoxes:
    """Boxes of one image with their classes.

    Attributes:
        image: a sample that says where the image is.
        boxes_xyxy: (n, 4) image pixels.
        labels: (n,) positions in ``CLASSES``.
        annotated: (n,) whether a box is annotated, rather than a detector's.
    """

    image: PoseSample
    boxes_xyxy: Float[np.ndarray, "n 4"]
    labels: Int[np.ndarray, "n"]
    annotated: Bool[np.ndarray, "n"]


def labelled_boxes(
    scenes: Sequence[Scene], detector: InfantDetector, images_scored: int, cache: Path
) -> list[LabelledBoxes]:
    """Annotated and detected boxes of images; images without any are left out.

    A detected box has the label of the person whom it overlaps most, or is background where it
    overlaps nobody; boxes in between are left out, since the class of a box is learnt, not its fit.

    Args:
        scenes: images.
        detector: gives the boxes.
        images_scored: it runs on at most so many images, evenly spread.
        cache: an npz file for its boxes, kept between sessions of a run.
    """
    scored = spread(scenes, images_scored)
    found = dict(zip(map(id, scored), _detected(scored, detector, cache), strict=True))
    every = [_labelled(scene, found.get(id(scene), np.zeros((0, 4)))) for scene in scenes]
    return [one for one in every if len(one.labels)]


def _labelled(scene: Scene, found: Float[np.ndarray, "k 4"]) -> LabelledBoxes:
    own = [scene.boxes(label) for label in (INFANT_LABEL, ADULT_LABEL)]
    labels = np.repeat([INFANT_LABEL, ADULT_LABEL], [len(boxes) for boxes in own])
    people = np.concatenate(own)
    overlap = iou(found, people) if len(people) else np.zeros((len(found), 1))
    best, most = overlap.argmax(axis=1), overlap.max(axis=1)
    assigned = np.where(most >= PERSON_IOU, np.append(labels, 0)[best], 0)
    clear = (most >= PERSON_IOU) | (most < BACKGROUND_IOU)
    return LabelledBoxes(
        scene.image,
        np.concatenate([people, found[clear]]),
        np.concatenate([labels, assigned[clear]]),
        np.repeat([True, False], [len(people), clear.sum()]),
    )


def _detected(
    scenes: Sequence[Scene], detector: InfantDetector, cache: Path
) -> list[Float[np.ndarray, "k 4"]]:
    if not cache.is_file():
        found = [
            candidates.suppressed(LEAST_SCORE, LEAST_SCORE).boxes_xyxy.numpy()
            for start in range(0, len(scenes), BATCH)
            for candidates in detector.candidates(
                [load_sample_image(scene.image) for scene in scenes[start : start + BATCH]]
            )
        ]
        counts = np.array([len(boxes) for boxes in found])
        write_npz(cache, boxes=np.concatenate([np.zeros((0, 4)), *found]), counts=counts)
    with np.load(cache, allow_pickle=False) as file:
        return np.split(file["boxes"], np.cumsum(file["counts"])[:-1])


class TrainingCrops(SizedDataset):
    """Some varied crops of an image; an item is a function of (seed, round, index).

    An item is ``images`` uint8 (k, 3, side, side) and ``labels`` (k,). Half of the crops are of
    annotated boxes, where an image has both kinds.
    """

    def __init__(self, images: Sequence[LabelledBoxes], per_image: int, seed: int) -> None:
        """Bind images to their boxes.

        Args:
            images: see ``labelled_boxes``.
            per_image: k.
            seed: of the variations.

        Raises:
            DataError: there are none.
        """
        if not images:
            raise DataError("rescoring: no image has a box; give more data")
        self.images, self.per_image, self.seed = images, per_image, seed

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: Draw) -> tuple[Tensor, Tensor]:
        generator = np.random.default_rng([self.seed, key.round, key.item])
        one = self.images[key.item]
        kinds = one.annotated.astype(int)
        weights = 1 / np.bincount(kinds, minlength=2).clip(1)[kinds]
        chosen = generator.choice(len(weights), self.per_image, p=weights / weights.sum())
        picture = load_sample_image(one.image)
        crops = [_varied_crop(picture, one.boxes_xyxy[i], generator) for i in chosen]
        return torch.from_numpy(np.stack(crops)), torch.from_numpy(one.labels[chosen])


def _varied_crop(
    picture: Image.Image, box: Float[np.ndarray, "4"], generator: np.random.Generator
) -> np.ndarray:
    crop = train_crop(box, SIDE, generator, TRANSFORMS, MARGIN)
    cut = crop_picture(picture, crop)
    if generator.random() < TEXTURE_SHARE:
        cut = with_texture_around(cut, crop, box, generator)
    if generator.random() < TRANSFORMS.occlusion_share:
        cut = train_occlusion(cut, generator)
    if generator.random() < TRANSFORMS.photometric_share:
        cut = train_photometric(cut, generator)
    return channels_first(cut)


def with_texture_around(
    cut: np.ndarray, crop: Crop, box: Float[np.ndarray, "4"], generator: np.random.Generator
) -> np.ndarray:
    """Replace what lies around the box of a crop by a texture: uint8 (side, side, 3)."""
    corners = crop.to_crop(box[[[0, 1], [2, 1], [2, 3], [0, 3]]])
    inside = Image.new("L", crop.size)
    ImageDraw.Draw(inside).polygon([tuple(corner) for corner in corners], fill=1)
    texture = random_texture(crop.size, generator)
    return np.where(np.asarray(inside)[..., None] > 0, cut, texture)


class ValidationCrops(SizedDataset):
    """Each box of images, upright: ``images`` uint8 (1, 3, side, side) and ``labels`` (1,)."""

    def __init__(self, images: Sequence[LabelledBoxes]) -> None:
        self.boxes = [(one, i) for one in images for i in range(len(one.labels))]

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        one, i = self.boxes[index]
        cut = rescoring_crop(load_sample_image(one.image), one.boxes_xyxy[i])
        return torch.from_numpy(cut[None]), torch.tensor([one.labels[i]])


def collate_crops(items: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """One batch of the crops of several items."""
    images, labels = zip(*items, strict=True)
    return torch.cat(images), torch.cat(labels)

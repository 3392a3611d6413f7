"""The detector's images: resized for evaluation, strongly varied for training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from Datasets.loaders import make_loader
from Datasets.outlines import padding_of
from Datasets.readers.frames import load_sample_image
from Datasets.readers.images import load_mask
from Datasets.scenes import ADULT_LABEL, INFANT_LABEL, Scene
from Datasets.transforms.settings import WholeImageTransforms
from Datasets.transforms.whole_images import OutlinedPeople, train_whole_image
from Engine.sampling import Draw, SizedDataset

Boxes = Float[np.ndarray, "k 4"]
BATCH = 8


class DetectorImages(SizedDataset):
    """Training canvases with their boxes; an item is a function of (seed, round, index).

    An item is ``image`` uint8 (3, height, width), ``boxes`` (n, 4) in canvas pixels and ``labels``
    (n,), positions in ``CLASSES``.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        outlines: Sequence[Float[np.ndarray, "n 64 2"]],
        height: int,
        seed: int,
        transforms: WholeImageTransforms | None = None,
    ) -> None:
        """Bind images to the outlines of their people.

        Args:
            scenes: images.
            outlines: see ``scene_outlines``.
            height: of the 4:3 canvas, pixels.
            seed: of the variations.
            transforms: how strongly to vary.
        """
        self.scenes, self.outlines, self.seed = scenes, outlines, seed
        self.size = (round(height * 4 / 3), height)
        self.transforms = transforms or WholeImageTransforms()

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, key: Draw) -> dict[str, Tensor]:
        generator = np.random.default_rng([self.seed, key.round, key.item])
        scene = self.scenes[key.item]
        people = outlined(scene, self.outlines[key.item])
        how = people, self.size, generator, self.transforms
        canvas, boxes, labelled = train_whole_image(load_sample_image(scene.image), *how)
        return {
            "image": torch.from_numpy(channels_first(canvas)),
            "boxes": torch.from_numpy(boxes[labelled].astype(np.float32)),
            "labels": torch.from_numpy(scene.labels[labelled]),
        }


class EvaluationImages(SizedDataset):
    """Whole images as PIL with the boxes of infants and of adults in image pixels, (k, 4) each."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        """Find the boxes of images.

        Raises:
            DataError: see ``Scene.boxes``.
        """
        self.scenes = scenes
        self.infants = [scene.boxes(INFANT_LABEL) for scene in scenes]
        self.adults = [scene.boxes(ADULT_LABEL) for scene in scenes]

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> tuple[Image.Image, Boxes, Boxes]:
        image = load_sample_image(self.scenes[index].image)
        return image, self.infants[index], self.adults[index]


def evaluation_loader(images: EvaluationImages) -> DataLoader:
    """Batches of three lists: images, boxes of infants, boxes of adults."""
    return make_loader(images, BATCH, 0, train=False, collate=_lists)


def _lists(items: Sequence[tuple]) -> tuple[list, ...]:
    return tuple(map(list, zip(*items, strict=True)))


def outlined(scene: Scene, outlines: Float[np.ndarray, "n 64 2"]) -> OutlinedPeople:
    """The people of an image with their outlines in pixels."""
    padding = np.array([padding_of(person) for person in scene.people])
    mask = scene.people[0].mask_path if len(scene.people) == 1 else None
    read = None if mask is None else partial(load_mask, mask)
    return OutlinedPeople(outlines, padding, scene.main, read)


def network_input(
    image: Image.Image, min_size: int, max_size: int
) -> UInt8[np.ndarray, "3 height width"]:
    """Scale an RGB image to the detector's size.

    Args:
        image: any size.
        min_size: pixels of the shorter side afterwards.
        max_size: limit of the longer side.
    """
    factor = min(min_size / min(image.size), max_size / max(image.size))
    width, height = (max(round(side * factor), 1) for side in image.size)
    scaled = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return channels_first(np.asarray(scaled))


def channels_first(
    picture: UInt8[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "3 height width"]:
    """Put the colours first, as networks take them."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1))


def collate_training(items: Sequence[dict[str, Tensor]]) -> dict[str, Any]:
    """Batch of ``DetectorImages``: ``image`` (batch, 3, height, width), ``targets`` per image."""
    names = ("boxes", "labels")
    return {
        "image": torch.stack([item["image"] for item in items]),
        "targets": [{name: item[name] for name in names} for item in items],
    }

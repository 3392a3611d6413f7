"""Images as the detector sees them: resized for evaluation, strongly varied for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from Datasets.geometry.affine import (
    horizontal_flip,
    resize_matrix,
    rotation,
    scaling,
    transform_points,
    translation,
    warp_image,
)
from Datasets.geometry.boxes import area, box_from_points, clip_box
from Datasets.outlines import padding_of
from Datasets.readers.frames import load_sample_image
from Datasets.readers.images import load_mask
from Datasets.scenes import ADULT_LABEL, INFANT_LABEL, Scene
from Datasets.transforms.occlusion import train_background, train_occlusion
from Datasets.transforms.photometric import train_photometric
from Datasets.transforms.textures import random_texture
from Engine.sampling import Draw
from FasterRCNN.settings import DetectorTransforms

REFERENCE_HEIGHT = 480
"""Height in pixels of the images that the padding of 5 pixels was meant for."""

LEAST_INSIDE, LEAST_SIDE = 0.5, 8.0
"""Somebody counts whose box lies on the canvas by this share and has sides of so many pixels."""


class DetectorImages(TorchDataset):
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
        transforms: DetectorTransforms | None = None,
    ) -> None:
        """Bind images to the outlines of their people.

        Args:
            scenes: images.
            outlines: see ``scene_outlines``.
            height: of the 4:3 canvas, pixels.
            seed: of the variations.
            transforms: how far to vary.
        """
        self.scenes, self.outlines, self.seed = scenes, outlines, seed
        self.size = (round(height * 4 / 3), height)
        self.transforms = transforms or DetectorTransforms()

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, key: Draw) -> dict[str, Tensor]:
        generator = np.random.default_rng([self.seed, key.round, key.index])
        scene, outlines = self.scenes[key.index], self.outlines[key.index]
        picture = load_sample_image(scene.image)
        main = None if scene.main is None else outlines[scene.main]
        matrix = self._placement(picture.size, main, generator)
        boxes, seen = self._boxes(matrix, scene, outlines)
        fill = tuple(int(v) for v in generator.integers(0, 256, 3))
        canvas = np.asarray(warp_image(picture, matrix, self.size, fill))
        mask_path = scene.people[0].mask_path if len(scene.people) == 1 else None
        if mask_path and generator.random() < self.transforms.background_share:
            mask = warp_image(load_mask(mask_path), matrix, self.size)
            alpha = np.asarray(mask, dtype=np.float32) / 255
            canvas = train_background(canvas, alpha, generator)
        if generator.random() < self.transforms.empty_share:
            canvas, seen = _without_people(canvas, boxes, generator), np.zeros_like(seen)
        elif generator.random() < self.transforms.occlusion_share:
            canvas = train_occlusion(canvas, generator)
        if generator.random() < self.transforms.photometric_share:
            canvas = train_photometric(canvas, generator)
        return {
            "image": _to_tensor(canvas),
            "boxes": torch.from_numpy(boxes[seen].astype(np.float32)),
            "labels": torch.from_numpy(scene.labels[seen]),
        }

    def _boxes(
        self, matrix: np.ndarray, scene: Scene, outlines: Float[np.ndarray, "n 64 2"]
    ) -> tuple[Float[np.ndarray, "n 4"], Bool[np.ndarray, "n"]]:
        """Where everybody is on the canvas, and who is there enough to be looked for."""
        points = transform_points(matrix, outlines)
        whole = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
        inside = area(clip_box(whole, self.size)) >= LEAST_INSIDE * area(whole)
        padding = np.array([padding_of(person) for person in scene.people]).reshape(-1, 1)
        padding = padding * self.size[1] / REFERENCE_HEIGHT
        boxes = clip_box(whole + padding * np.array([-1, -1, 1, 1]), self.size)
        large = (boxes[:, 2:] - boxes[:, :2] >= LEAST_SIDE).all(axis=1)
        return boxes, inside & large

    def _placement(
        self, source: tuple[int, int], main: np.ndarray | None, generator: np.random.Generator
    ) -> Float[np.ndarray, "3 3"]:
        """Draw where the image lies on the canvas; gentler as long as the main person is cut off.

        Args:
            source: (width, height) of the image.
            main: (64, 2) outline of the person who has to be seen, or None.
            generator: source of randomness.
        """
        settings = self.transforms
        scales = self._scales(source, main)
        gentleness = 1.0
        while True:
            any_angle = generator.random() < settings.any_angle_share
            degrees = generator.uniform(-1, 1) * (180.0 if any_angle else settings.degrees)
            scale = np.exp(gentleness * generator.uniform(*np.log(scales)))
            shift = gentleness * generator.uniform(-settings.shift, settings.shift, 2)
            matrix = self._matrix(source, degrees, scale, shift)
            if generator.random() < 0.5:
                matrix = horizontal_flip(self.size[0]) @ matrix
            if main is None:
                return matrix
            whole = box_from_points(transform_points(matrix, main))
            if area(clip_box(whole, self.size)) >= settings.least_visible * area(whole):
                return matrix
            if gentleness < 0.1:
                return self._matrix(source, 0.0, 1.0, np.zeros(2))
            gentleness *= 0.7

    def _scales(self, source: tuple[int, int], main: np.ndarray | None) -> tuple[float, float]:
        """Range of the factor on the whole image, as far out as the main person bears it."""
        smallest, largest = self.transforms.scale
        if main is None:
            return smallest, largest
        length = float(np.ptp(main, axis=0).max()) * self._fit(source)
        bearable = self.transforms.least_length / max(length, 1.0)
        return max(smallest, min(bearable, 1.0)), largest

    def _fit(self, source: tuple[int, int]) -> float:
        """Canvas over image pixels where the whole image just fits."""
        return min(self.size[0] / source[0], self.size[1] / source[1])

    def _matrix(
        self, source: tuple[int, int], degrees: float, scale: float, shift: np.ndarray
    ) -> Float[np.ndarray, "3 3"]:
        width, height = self.size
        to_origin = translation(-(source[0] - 1) / 2, -(source[1] - 1) / 2)
        back = translation((width - 1) / 2 + shift[0] * width, (height - 1) / 2 + shift[1] * height)
        return back @ rotation(degrees) @ scaling(self._fit(source) * scale) @ to_origin


class EvaluationImages(TorchDataset):
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

    def __getitem__(self, index: int) -> tuple[Image.Image, np.ndarray, np.ndarray]:
        image = load_sample_image(self.scenes[index].image)
        return image, self.infants[index], self.adults[index]


def network_input(
    image: Image.Image, min_size: int, max_size: int
) -> tuple[UInt8[Tensor, "3 height width"], Float[np.ndarray, "3 3"]]:
    """Scale an RGB image to the detector's size.

    Args:
        image: any size.
        min_size: pixels of the shorter side afterwards.
        max_size: limit of the longer side.

    Returns:
        The scaled image, and the matrix from its pixels back to the image's.
    """
    factor = min(min_size / min(image.size), max_size / max(image.size))
    size = tuple(max(round(side * factor), 1) for side in image.size)
    scaled = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return _to_tensor(np.asarray(scaled)), resize_matrix(size, image.size)


def transform_boxes(matrix: Float[np.ndarray, "3 3"], boxes: np.ndarray) -> np.ndarray:
    """Take (n, 4) boxes through a matrix that scales and shifts only."""
    corners = np.asarray(boxes, dtype=np.float64).reshape(-1, 2, 2)
    return transform_points(matrix, corners).reshape(-1, 4)


def collate_training(items: Sequence[dict[str, Tensor]]) -> dict[str, Any]:
    """Batch of ``DetectorImages``: ``image`` (batch, 3, height, width), ``targets`` per image."""
    names = ("boxes", "labels")
    return {
        "image": torch.stack([item["image"] for item in items]),
        "targets": [{name: item[name] for name in names} for item in items],
    }


def collate_evaluation(items: Sequence[tuple]) -> tuple[list, list, list]:
    """Batch of ``EvaluationImages``: lists of images, of infants' and of adults' boxes."""
    images, infants, adults = zip(*items, strict=True)
    return list(images), list(infants), list(adults)


def _without_people(
    canvas: np.ndarray, boxes: Float[np.ndarray, "n 4"], generator: np.random.Generator
) -> UInt8[np.ndarray, "height width 3"]:
    """Cover everybody with a texture, or the whole scene."""
    if generator.random() < 0.5:
        covered = canvas.copy()
        for x1, y1, x2, y2 in boxes.astype(int):
            size = (x2 - x1 + 1, y2 - y1 + 1)
            covered[y1 : y2 + 1, x1 : x2 + 1] = random_texture(size, generator)
        return covered
    return random_texture((canvas.shape[1], canvas.shape[0]), generator)


def _to_tensor(picture: UInt8[np.ndarray, "height width 3"]) -> UInt8[Tensor, "3 height width"]:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))

"""Top-down pose estimation: a box around each infant, a square crop of it, joints in the crop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from Datasets.skeletons import Skeleton
from Datasets.structures import Crop
from Datasets.transforms.geometric import crop_picture
from Datasets.transforms.presets import eval_crop
from Engine.backends import Arrays, Backend
from Engine.errors import DataError
from FasterRCNN.detector import Detections, InfantDetector
from PoseEstimation.codecs.depth import DepthCodec, read_maps
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.structures import Found, Keypoints, joined


@runtime_checkable
class PeopleFinder(Protocol):
    """Finds the infants of images and their 2D joints."""

    skeleton: Skeleton

    def __call__(
        self,
        images: Sequence[Image.Image],
        boxes: Sequence[Float[np.ndarray, "n 4"]] | None = None,
        still: bool = False,
    ) -> list[Found]:
        """Find people.

        Args:
            images: upright RGB, of any sizes.
            boxes: of each image's infants, pixels, where they are known; None detects them.
            still: photos, which may take longer than the frames of a video.
        """
        ...


@dataclass(frozen=True)
class KeypointNetwork:
    """A 2D network ready to run.

    Attributes:
        backend: uint8 crops to ``heatmaps`` and, from some, ``depth`` and ``log_sigma``, each
            (batch, joint, rows, columns).
        codec: of the heatmaps.
        skeleton: convention of the joint axis.
    """

    backend: Backend
    codec: HeatmapCodec
    skeleton: Skeleton


class TopDown:
    """The ``PeopleFinder`` that detects boxes first.

    Args:
        detector: finds boxes; None where boxes are always given.
        network: finds joints in crops.
        settings: batch size, flip test and turn test.
    """

    def __init__(
        self, detector: InfantDetector | None, network: KeypointNetwork, settings: PredictSettings
    ) -> None:
        self.skeleton = network.skeleton
        self._detector, self._network, self._settings = detector, network, settings

    def __call__(
        self,
        images: Sequence[Image.Image],
        boxes: Sequence[Float[np.ndarray, "n 4"]] | None = None,
        still: bool = False,
    ) -> list[Found]:
        """See ``PeopleFinder``.

        Raises:
            DataError: no boxes are given and there is no detector.
        """
        if boxes is not None:
            detections = [Detections(b, np.ones(len(b))) for b in boxes]
        elif self._detector is not None:
            detections = self._detector.detect(images)
        else:
            raise DataError("detector: these weights have none; give boxes")
        pairs = list(zip(images, detections, strict=True))
        keypoints = self._keypoints([(im, b) for im, d in pairs for b in d.boxes_xyxy], still)
        ends = np.cumsum([0, *map(len, detections)])
        rows = [slice(a, b) for a, b in pairwise(ends)]
        return [
            Found(
                np.asarray(d.boxes_xyxy, dtype=np.float64),
                np.asarray(d.scores, dtype=np.float64),
                keypoints[own],
                d.adults_xyxy,
                d.adult_scores,
                d.suspected_xyxy,
            )
            for d, own in zip(detections, rows, strict=True)
        ]

    def _keypoints(
        self, places: Sequence[tuple[Image.Image, Float[np.ndarray, "4"]]], still: bool
    ) -> Keypoints:
        """Joints of people, in image pixels.

        Args:
            places: images, each with one box.
            still: see ``PeopleFinder``.
        """
        codec, size = self._network.codec, max(1, self._settings.batch_size)
        crops = [(im, eval_crop(box, codec.input_size, codec.crop_margin)) for im, box in places]
        if not crops:
            return Keypoints.exact(np.zeros((0, len(self.skeleton), 2)))
        turned = still and self._settings.turn_test
        starts = range(0, len(crops), size)
        found = joined([self._in_crops(crops[i : i + size], turned) for i in starts])
        scale = np.array([[crop.scale] for _, crop in crops])
        back = zip(crops, found.keypoints_px, strict=True)
        return Keypoints(
            np.stack([crop.to_image(points) for (_, crop), points in back]),
            found.scores,
            found.sigma_px / scale,
            found.depth_px / scale,
        )

    def _in_crops(self, crops: Sequence[tuple[Image.Image, Crop]], turned: bool) -> Keypoints:
        """Joints of one batch, in crop pixels."""
        pictures = np.stack([crop_picture(image, crop) for image, crop in crops])
        images = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
        maps = self._turned_maps(images) if turned else self._maps(images)
        decoded = decode_maps(maps, self._network.codec, self.skeleton.root_index)
        return Keypoints(*(value.numpy().astype(np.float64) for value in decoded))

    def _turned_maps(self, images: UInt8[np.ndarray, "batch 3 side side"]) -> Arrays:
        """Maps of one batch, of all turns or of the best."""
        turns = quarter_turns(self._maps, images)
        if self._settings.turns == "average":
            return {name: sum(maps[name] for maps in turns) / 4 for name in turns[0]}
        codec = self._network.codec
        scores = [codec.decode(torch.from_numpy(maps["heatmaps"]))[1].mean(-1) for maps in turns]
        best, rows = np.argmax(scores, axis=0), np.arange(len(images))
        return {name: np.stack([maps[name] for maps in turns])[best, rows] for name in turns[0]}

    def _maps(self, images: UInt8[np.ndarray, "batch 3 side side"]) -> Arrays:
        """Maps of one batch."""
        backend = self._network.backend
        if not self._settings.flip_test:
            return backend(images)
        return flip_averaged(backend, images, self.skeleton.flip_indices)


def flip_averaged(
    backend: Callable[[np.ndarray], Arrays],
    images: UInt8[np.ndarray, "batch 3 height width"],
    flip_indices: Sequence[int],
) -> Arrays:
    """Average maps with those of the mirrored images, mirrored back.

    Args:
        backend: images to maps (batch, joint, rows, columns), aligned with the images' edges.
        images: RGB.
        flip_indices: joint ``i`` of the mirrored pose is joint ``flip_indices[i]``.
    """
    both = backend(np.concatenate([images, images[..., ::-1]]))
    halves = {name: np.split(maps, 2) for name, maps in both.items()}
    return {
        name: (direct + mirrored[..., ::-1][:, list(flip_indices)]) / 2
        for name, (direct, mirrored) in halves.items()
    }


def quarter_turns(
    backend: Callable[[np.ndarray], Arrays], images: UInt8[np.ndarray, "batch 3 side side"]
) -> list[Arrays]:
    """Maps of images as they are and turned by one, two and three quarters, turned back."""
    turns = []
    for quarters in range(4):
        turned = backend(np.ascontiguousarray(np.rot90(images, quarters, (-2, -1))))
        back = {name: np.rot90(maps, -quarters, (-2, -1)) for name, maps in turned.items()}
        turns.append({name: np.ascontiguousarray(maps) for name, maps in back.items()})
    return turns


def decode_maps(
    maps: Arrays, codec: HeatmapCodec, root_index: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Joints, scores, sigma and depth (NaN from heatmaps alone) in crop pixels."""
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in maps.items()}
    heatmaps = tensors["heatmaps"]
    points, scores, sigma = codec.decode(heatmaps)
    if "depth" not in tensors:
        return points, scores, codec.sigma_scale * sigma, torch.full_like(scores, torch.nan)
    density = codec.density(heatmaps)
    sigma = read_maps(tensors["log_sigma"], density).clamp(-7, 7).exp() * codec.stride
    depth = DepthCodec(root_index, codec.input_size).decode(tensors["depth"], density)
    return points, scores, codec.sigma_scale * sigma, depth

"""From crops to 2D joints: the network, its codecs, the flip test and the way back to the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from Datasets.skeletons import Skeleton
from Datasets.structures import Crop
from Datasets.transforms.geometric import crop_picture
from Datasets.transforms.presets import eval_crop
from Engine.devices import computes_in_bf16
from PoseEstimation.codecs.depth import DepthCodec, read_maps
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.inference.flip_test import flip_averaged, turn_averaged
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.structures import Keypoints, Maps, joined


@dataclass(frozen=True)
class HeatmapStage:
    """The 2D network with its codec and joints."""

    network: nn.Module
    codec: HeatmapCodec
    skeleton: Skeleton


class KeypointFinder:
    """Finds the joints inside boxes.

    Attributes:
        skeleton: convention of the joints.
    """

    def __init__(
        self, stage: HeatmapStage, device: torch.device, settings: PredictSettings
    ) -> None:
        self.skeleton = stage.skeleton
        self._codec, self._settings, self._device = stage.codec, settings, device
        self._network = stage.network.to(device, memory_format=torch.channels_last).eval()
        self._bf16 = computes_in_bf16(settings.precision, device.type)

    def __call__(
        self, places: Sequence[tuple[Image.Image, Float[np.ndarray, "4"]]], still: bool = False
    ) -> Keypoints:
        """Find the joints of people.

        Args:
            places: upright RGB images, each with one box in its pixels.
            still: photos, which may take longer than the frames of a video.
        """
        codec = self._codec
        crops = [(im, eval_crop(box, codec.input_size, codec.crop_margin)) for im, box in places]
        size = max(1, self._settings.batch_size)
        if not crops:
            return Keypoints.exact(np.zeros((0, len(self.skeleton), 2)))
        turned = still and self._settings.turn_test
        starts = range(0, len(crops), size)
        found = joined([self._decode(crops[i : i + size], turned) for i in starts])
        scale = np.array([[crop.scale] for _, crop in crops])
        back = zip(crops, found.keypoints_px, strict=True)
        return Keypoints(
            np.stack([crop.to_image(points) for (_, crop), points in back]),
            found.scores,
            found.sigma_px / scale,
            found.depth_px / scale,
        )

    def _decode(self, crops: Sequence[tuple[Image.Image, Crop]], turned: bool) -> Keypoints:
        """Joints of one batch, everything in crop pixels."""
        pictures = np.stack([crop_picture(image, crop) for image, crop in crops])
        images = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(self._device)
        images = images.float().div(255).contiguous(memory_format=torch.channels_last)
        cast = torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16)
        with torch.inference_mode():
            with cast:
                maps = turn_averaged(self._look, images) if turned else self._look(images)
            decoded = decode_maps(maps.map(Tensor.float), self._codec, self.skeleton.root_index)
        return Keypoints(*(value.cpu().numpy().astype(np.float64) for value in decoded))

    def _look(self, images: Tensor) -> Maps:
        """Maps of one batch."""
        if not self._settings.flip_test:
            return self._network(images).map(Tensor.float)
        return flip_averaged(self._network, images, self.skeleton.flip_indices)


def decode_maps(
    maps: Maps, codec: HeatmapCodec, root_index: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Joints, scores, sigma and depth (NaN from heatmaps alone) in crop pixels."""
    points, scores, sigma = codec.decode(maps.heatmaps)
    density = codec.density(maps.heatmaps)
    depth = torch.full_like(scores, torch.nan)
    if maps.log_sigma is not None:
        sigma = read_maps(maps.log_sigma, density).clamp(-7, 7).exp() * codec.stride
    if maps.depth is not None:
        depth = DepthCodec(root_index, codec.input_size).decode(maps.depth, density)
    return points, scores, codec.sigma_scale * sigma, depth

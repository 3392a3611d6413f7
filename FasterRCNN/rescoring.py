"""Box re-scoring: a second network classifies a crop about each box.

A detector gives high scores to its false positives, and features that fit boxes distinguish people
poorly. A classifier with features of its own, trained on these false positives, rejects most of
them: "decoupled classification refinement", Cheng et al., Revisiting RCNN, ECCV 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn
from torchvision.models import resnet18
from torchvision.models.resnet import BasicBlock
from torchvision.ops import FrozenBatchNorm2d
from torchvision.transforms.v2.functional import normalize

from Datasets.scenes import CLASSES
from Datasets.transforms.geometric import crop_picture
from Datasets.transforms.presets import eval_crop
from Engine.backends import Backend
from Engine.images import IMAGE_MEAN, IMAGE_STD
from FasterRCNN.images import channels_first
from FasterRCNN.model import group_norm, load_body

SIDE = 160
"""Of a crop, pixels."""

MARGIN = 1.25
"""Side of a crop over the longer side of its box."""

CHANNELS, WIDTH, CELLS = 256, 128, 5
BATCH = 32


class RescoringNetwork(nn.Module):
    """ResNet-18 with a narrow last stage, and two layers over a grid of cells.

    The cells keep positions: the person to classify is in the middle. The last stage starts from
    random weights: a heatmap network's own is four times as large and specialised on joints.
    """

    def __init__(self) -> None:
        super().__init__()
        whole = resnet18(weights=None, norm_layer=FrozenBatchNorm2d)
        del whole.layer4, whole.avgpool, whole.fc
        self.body = whole
        shortcut = nn.Sequential(
            nn.Conv2d(CHANNELS, CHANNELS, 1, stride=2, bias=False), group_norm(CHANNELS)
        )
        self.head = nn.Sequential(
            BasicBlock(CHANNELS, CHANNELS, 2, shortcut, norm_layer=group_norm),
            BasicBlock(CHANNELS, CHANNELS, norm_layer=group_norm),
            nn.AdaptiveAvgPool2d(CELLS),
            nn.Flatten(),
            nn.Linear(CHANNELS * CELLS**2, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, len(CLASSES)),
        )

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch label"]:
        """Logits of ``CLASSES`` for RGB in 0 to 1."""
        values = normalize(images, IMAGE_MEAN, IMAGE_STD)
        values = values.contiguous(memory_format=torch.channels_last)
        body = self.body
        values = body.maxpool(body.relu(body.bn1(body.conv1(values))))
        return self.head(body.layer3(body.layer2(body.layer1(values)))).float()

    def begin_with(self, path: Path) -> None:
        """Load the body of a trained heatmap network and freeze its first layers.

        Raises:
            DataError: the weights hold no ResNet-18.
        """
        load_body(self.body, path)
        for part in (self.body.conv1, self.body.layer1):
            part.requires_grad_(False)


def class_probabilities(
    network: Backend, boxes: Sequence[tuple[Image.Image, Float[Tensor, "4"]]]
) -> Float[Tensor, "n label"]:
    """Probabilities of ``CLASSES`` for boxes, in 64-bit floats.

    Args:
        network: runs a ``RescoringNetwork``.
        boxes: RGB images, each with one box in its pixels.
    """
    parts = [torch.zeros((0, len(CLASSES)), dtype=torch.float64)]
    for start in range(0, len(boxes), BATCH):
        crops = [rescoring_crop(image, b.numpy()) for image, b in boxes[start : start + BATCH]]
        logits = torch.from_numpy(network(np.stack(crops))["output"])
        parts.append(logits.softmax(-1).double())
    return torch.cat(parts)


def rescoring_crop(
    image: Image.Image, box: Float[np.ndarray, "4"]
) -> UInt8[np.ndarray, "3 side side"]:
    """The network's input for a box in pixels of an RGB image."""
    return channels_first(crop_picture(image, eval_crop(box, SIDE, MARGIN)))

"""Who it is: close-ups of boxes, judged by a small network of its own.

A detector is sure of its mistakes, and fitting boxes leaves its features little for telling people
apart. A classifier that learns from these mistakes with features of its own refuses most of them:
"decoupled classification refinement", Cheng et al., Revisiting RCNN, ECCV 2018.
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
from Engine.images import IMAGE_MEAN, IMAGE_STD
from FasterRCNN.model import group_norm, load_resnet

SIDE = 160
"""Of a close-up, pixels."""

MARGIN = 1.25
"""Side of a close-up over the longer side of its box."""

CHANNELS, WIDTH, CELLS = 256, 128, 5
BATCH = 32


class CloseUpNetwork(nn.Module):
    """ResNet-18 with a narrow last stage, and two layers over a grid of cells.

    The cells keep the place: the person that is asked for is in the middle. The last stage begins
    anew: a heatmap network's own has four times the weights, and knows joints.
    """

    def __init__(self) -> None:
        super().__init__()
        whole = resnet18(weights=None, norm_layer=FrozenBatchNorm2d)
        del whole.layer4, whole.avgpool, whole.fc
        self.body = whole
        self.head = nn.Sequential(
            BasicBlock(CHANNELS, CHANNELS, 2, _halving(), norm_layer=group_norm),
            BasicBlock(CHANNELS, CHANNELS, norm_layer=group_norm),
            nn.AdaptiveAvgPool2d(CELLS),
            nn.Flatten(),
            nn.Linear(CHANNELS * CELLS**2, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, len(CLASSES)),
        )

    def forward(
        self, images: UInt8[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch label"]:
        """Logits of ``CLASSES``."""
        values = normalize(images.float().div(255), IMAGE_MEAN, IMAGE_STD)
        values = values.contiguous(memory_format=torch.channels_last)
        body = self.body
        values = body.maxpool(body.relu(body.bn1(body.conv1(values))))
        return self.head(body.layer3(body.layer2(body.layer1(values)))).float()

    def begin_with(self, path: Path) -> None:
        """Take the body of a trained heatmap network; what has the largest maps stays as it is.

        Raises:
            DataError: the weights hold no ResNet-18.
        """
        load_resnet(self.body, path)
        for part in (self.body.conv1, self.body.layer1):
            part.requires_grad_(False)


def _halving() -> nn.Sequential:
    """The short way around a block of half the size."""
    narrow = nn.Conv2d(CHANNELS, CHANNELS, 1, stride=2, bias=False)
    return nn.Sequential(narrow, group_norm(CHANNELS))


@torch.inference_mode()
def who(
    network: CloseUpNetwork, places: Sequence[tuple[Image.Image, Float[np.ndarray, "4"]]]
) -> Float[np.ndarray, "n label"]:
    """Probability of each of ``CLASSES`` for people.

    Args:
        network: in evaluation mode.
        places: RGB images, each with one box in its pixels.
    """
    found = [np.zeros((0, len(CLASSES)))]
    device = next(network.parameters()).device
    for start in range(0, len(places), BATCH):
        crops = [close_up(image, box) for image, box in places[start : start + BATCH]]
        logits = network(torch.stack(crops).to(device))
        found.append(logits.softmax(-1).double().cpu().numpy())
    return np.concatenate(found)


def close_up(image: Image.Image, box: Float[np.ndarray, "4"]) -> UInt8[Tensor, "3 side side"]:
    """What the network is shown of an RGB image about a box in its pixels."""
    return as_tensor(crop_picture(image, eval_crop(box, SIDE, MARGIN)))


def as_tensor(picture: UInt8[np.ndarray, "side side 3"]) -> UInt8[Tensor, "3 side side"]:
    """Put the colours first."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))

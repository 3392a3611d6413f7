"""MobileNetFPN: MobileNetV2, a feature pyramid back to a quarter of the crop, maps per joint.

The network of MoveNet (Google, 2021) with heads for our own maps: MobileNetV2 and CenterNet's light
pyramid (Zhou et al., 2019). Weights trained on adults can be its start (``infantpose import
movenet``).
"""

from __future__ import annotations

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from Engine.mobilenet_v2 import MobileNetV2, convolution
from PoseEstimation.models.configs import MobileNetFPNConfig, MobileNetFPNSettings
from PoseEstimation.structures import Maps

TAPS = (9, 5, 2)
"""Blocks whose output joins the pyramid: strides 16, 8 and 4."""

DEEPEST = 1280
PYRAMID = (64, 32, 24, 24)
"""Channels that reach each level, deepest first, and those of the result."""

HIDDEN = 96
"""Channels within a head."""


class MobileNetFPN(nn.Module):
    """Crop in, maps of each joint out, a quarter of the crop's side; sides are multiples of 32."""

    output_stride = 4

    def __init__(self, config: MobileNetFPNConfig) -> None:
        super().__init__()
        self.config = config
        self.features = Features(config)
        names = ("heatmaps", "depth", "log_sigma")[: config.maps_per_joint]
        self.heads = nn.ModuleDict({name: Head(config.num_joints) for name in names})

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Maps:
        """Compute maps of a quarter of the height and width from RGB crops in 0 to 1."""
        features = self.features(images)
        return Maps(**{name: layers(features) for name, layers in self.heads.items()})

    @property
    def first(self) -> nn.ModuleList:
        """The layers to a quarter of the crop's side, which see details."""
        return self.features.first


class Features(MobileNetV2):
    """RGB in 0 to 1 to 24 maps of a quarter of the side."""

    def __init__(self, config: MobileNetFPNSettings) -> None:
        super().__init__(config.widths)
        reached = self.channels
        self.deepest = nn.Sequential(convolution(reached[-1], DEEPEST, 1), nn.ReLU6())
        given = (DEEPEST, *(reached[tap] for tap in TAPS))
        self.lateral = nn.ModuleList(
            convolution(a, b, 1) for a, b in zip(given, (PYRAMID[0], *PYRAMID[:3]), strict=True)
        )
        self.smooth = nn.ModuleList(separable(a, b) for a, b in pairwise(PYRAMID))

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "..."]:
        """Down the MobileNet and up the pyramid."""
        levels = self.levels(images)
        x = self.lateral[0](self.deepest(levels[-1]))
        for tap, lateral, smooth in zip(TAPS, self.lateral[1:], self.smooth, strict=True):
            x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = smooth(x + lateral(levels[tap]))
        return x


class Head(nn.Module):
    """Features to maps; the last layer begins near zero."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.hidden = separable(PYRAMID[-1], HIDDEN)
        self.last = nn.Conv2d(HIDDEN, outputs, 1)
        weight, bias = self.last.parameters()
        nn.init.normal_(weight, std=0.001)
        nn.init.zeros_(bias)

    def forward(self, features: Float[Tensor, "batch channel height width"]) -> Tensor:
        """See the class."""
        return self.last(self.hidden(features))


def separable(channels: int, width: int) -> nn.Sequential:
    """3x3 per channel, then across channels."""
    across = convolution(channels, width, 1)
    return nn.Sequential(
        convolution(channels, channels, 3, groups=channels, bias=False), across, nn.ReLU()
    )

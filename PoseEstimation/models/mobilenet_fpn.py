"""MobileNetFPN: MobileNetV2, a feature pyramid back to a quarter of the crop, maps per joint.

The network of MoveNet (Google, 2021) with heads for our own maps: MobileNetV2 (Sandler et al., CVPR
2018) without batch normalisation, which is folded into the published weights, and CenterNet's
light pyramid (Zhou et al., 2019). Weights trained on adults can be its start (``infantpose import
movenet``).
"""

from __future__ import annotations

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from PoseEstimation.models.configs import MobileNetFPNConfig, MobileNetFPNSettings
from PoseEstimation.structures import Maps

EXPANSION = 6
STAGES = ((1, 1), (2, 2), (3, 2), (4, 2), (3, 1), (3, 2), (1, 1))
"""Blocks of each stage of MobileNetV2, and the stride of the first of them."""

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
        """The stem and the blocks to a quarter of the crop's side, which see details."""
        return nn.ModuleList([self.features.stem, self.features.blocks[: TAPS[-1] + 1]])


class Features(nn.Module):
    """RGB in 0 to 1 to 24 maps of a quarter of the side."""

    def __init__(self, config: MobileNetFPNSettings) -> None:
        super().__init__()
        stem, *widths = config.widths
        self.stem = nn.Sequential(convolution(3, stem, 3, 2), nn.ReLU6())
        self.blocks = nn.ModuleList()
        channels, reached = stem, []
        for width, (count, stride) in zip(widths, STAGES, strict=True):
            for i in range(count):
                expansion = EXPANSION if len(self.blocks) else 1
                self.blocks.append(Block(channels, width, stride if i == 0 else 1, expansion))
                reached.append(channels := width)
        self.deepest = nn.Sequential(convolution(channels, DEEPEST, 1), nn.ReLU6())
        given = (DEEPEST, *(reached[tap] for tap in TAPS))
        self.lateral = nn.ModuleList(
            convolution(a, b, 1) for a, b in zip(given, (PYRAMID[0], *PYRAMID[:3]), strict=True)
        )
        self.smooth = nn.ModuleList(separable(a, b) for a, b in pairwise(PYRAMID))

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "..."]:
        """Down the MobileNet and up the pyramid."""
        x = self.stem(2 * images - 1)
        levels = []
        for block in self.blocks:
            x = block(x)
            levels.append(x)
        x = self.lateral[0](self.deepest(x))
        for tap, lateral, smooth in zip(TAPS, self.lateral[1:], self.smooth, strict=True):
            x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = smooth(x + lateral(levels[tap]))
        return x


class Block(nn.Module):
    """Inverted residual: wider, 3x3 per channel, narrower; added to its input where it can be."""

    def __init__(self, channels: int, width: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = expansion * channels
        widen = [convolution(channels, inner, 1), nn.ReLU6()] if expansion > 1 else []
        self.layers = nn.Sequential(
            *widen,
            convolution(inner, inner, 3, stride, groups=inner),
            nn.ReLU6(),
            convolution(inner, width, 1),
        )
        self.residual = stride == 1 and channels == width

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Tensor:
        """See the class."""
        return x + self.layers(x) if self.residual else self.layers(x)


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


def convolution(
    channels: int, width: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = True
) -> nn.Module:
    """A convolution padded as TensorFlow's SAME: stride 2 pads below and to the right only.

    The weights keep the variance of what passes (He et al., 2015), as nothing else here does.
    """
    layer = nn.Conv2d(
        channels, width, kernel, stride, kernel // 2 if stride == 1 else 0, 1, groups, bias
    )
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer if stride == 1 else nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), layer)

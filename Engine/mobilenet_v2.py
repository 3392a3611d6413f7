"""MobileNetV2 (Sandler et al., CVPR 2018), the body of the detector and of the 2D network.

As in MoveNet (Google, 2021), whose weights can be its start: without batch normalisation, which is
folded into them, and padded as TensorFlow pads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

STAGES = ((1, 1), (2, 2), (3, 2), (4, 2), (3, 1), (3, 2), (1, 1))
"""Blocks of each stage, and the stride of the first of them."""

EXPANSION = 6

LAST = (2, 5, 12, 16)
"""The last blocks at strides 4, 8, 16 and 32."""


class MobileNetV2(nn.Module):
    """RGB in 0 to 1 to the output of every block.

    Args:
        widths: channels of the stem and of the seven stages.

    Attributes:
        channels: of each block's output.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        channels, *stages = widths
        self.stem = nn.Sequential(convolution(3, channels, 3, 2), nn.ReLU6())
        self.blocks = nn.ModuleList()
        self.channels: list[int] = []
        for width, (count, stride) in zip(stages, STAGES, strict=True):
            for i in range(count):
                expansion = EXPANSION if len(self.blocks) else 1
                self.blocks.append(Block(channels, width, stride if i == 0 else 1, expansion))
                self.channels.append(channels := width)

    def levels(self, images: Float[Tensor, "batch 3 height width"]) -> list[Tensor]:
        """Outputs of all blocks, shallowest first."""
        x, levels = self.stem(2 * images - 1), []
        for block in self.blocks:
            x = block(x)
            levels.append(x)
        return levels

    def in_sequence(self) -> nn.Sequential:
        """The same layers from -1 to 1 on: ``stem`` and the blocks by their numbers."""
        layers = {"stem": self.stem} | {str(i): block for i, block in enumerate(self.blocks)}
        return nn.Sequential(OrderedDict(layers))

    @property
    def first(self) -> nn.ModuleList:
        """The stem and the blocks to a quarter of the image's side, which see details."""
        return nn.ModuleList([self.stem, self.blocks[: LAST[0] + 1]])


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

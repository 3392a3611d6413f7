"""PoseResNet: a ResNet, three transposed convolutions, maps per joint (Xiao et al., ECCV 2018)."""

from __future__ import annotations

import torch
import torchvision
from jaxtyping import Float
from torch import Tensor, nn

from Engine.images import IMAGE_MEAN, IMAGE_STD
from PoseEstimation.models.configs import PoseResNetConfig
from PoseEstimation.structures import Maps


class PoseResNet(nn.Module):
    """Crop in, maps of each joint out, a quarter of the crop's side."""

    output_stride = 4
    mean: Tensor
    std: Tensor

    def __init__(self, config: PoseResNetConfig) -> None:
        super().__init__()
        self.config = config
        resnet = getattr(torchvision.models, f"resnet{config.depth}")(weights=None)
        self.stem = nn.Sequential(resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool)
        self.stages = nn.Sequential(resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4)
        self.head = self._make_head(resnet.fc.in_features)
        self.register_buffer("mean", torch.tensor(IMAGE_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGE_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Maps:
        """Compute maps of a quarter of the height and width from RGB crops in 0 to 1."""
        if self.config.normalise:
            images = (images - self.mean) / self.std
        maps = self.head(self.stages(self.stem(images)))
        return Maps(*maps.chunk(self.config.maps_per_joint, dim=1))

    @property
    def first(self) -> nn.ModuleList:
        """The stem and the first stage, which see details."""
        return nn.ModuleList([self.stem, self.stages[0]])

    def _make_head(self, channels: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        width, norm = self.config.head_channels, self.config.head_batch_norm
        for _ in range(3):
            layers.append(nn.ConvTranspose2d(channels, width, 4, 2, 1, bias=not norm))
            layers += [nn.BatchNorm2d(width)] if norm else []
            layers.append(nn.ReLU(inplace=True))
            channels = width
        last = nn.Conv2d(channels, self.config.num_joints * self.config.maps_per_joint, 1)
        weight, bias = last.parameters()
        nn.init.normal_(weight, std=0.001)
        nn.init.zeros_(bias)
        return nn.Sequential(*layers, last)

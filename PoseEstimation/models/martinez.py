"""The lifter: a residual perceptron from 2D joints to 3D joints (Martinez et al., ICCV 2017)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from PoseEstimation.models.configs import MartinezConfig


class MartinezLifter(nn.Module):
    """2D joints in, 3D joints relative to the root out."""

    def __init__(self, config: MartinezConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = _layer(config.num_joints * 2, config.width, config.dropout)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                _layer(config.width, config.width, config.dropout),
                _layer(config.width, config.width, config.dropout),
            )
            for _ in range(config.blocks)
        )
        self.position = nn.Linear(config.width, config.num_joints * 3)

    def forward(self, features: Float[Tensor, "batch joint 2"]) -> Float[Tensor, "batch joint 3"]:
        """Lift 2D joints; positions are in the codec's unit, the root at exactly (0, 0, 0)."""
        # A body's size shows in proportions of a percent, which half precision rounds away.
        with torch.autocast(features.device.type, enabled=False):
            hidden = self.stem(features.float().flatten(1))
        for block in self.blocks:
            hidden = hidden + block(hidden)
        with torch.autocast(features.device.type, enabled=False):
            joints = self.position(hidden.float()).view(-1, self.config.num_joints, 3)
        root = torch.arange(self.config.num_joints, device=joints.device) == self.config.root_index
        return joints.masked_fill(root[:, None], 0.0)


def _layer(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    """Linear, batch norm, ReLU, dropout, with Kaiming's weights."""
    linear = nn.Linear(inputs, outputs)
    nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
    nn.init.zeros_(linear.bias)
    return nn.Sequential(
        linear, nn.BatchNorm1d(outputs), nn.ReLU(inplace=True), nn.Dropout(dropout)
    )

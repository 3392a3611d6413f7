"""MoveNet as published (Google, 2021): four heads and the decoding of one person, to compare with.

The parts that our own networks take over are in ``mobilenet_fpn.py``.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from Datasets.skeletons import COCO_17, Skeleton
from PoseEstimation.models.configs import MobileNetFPNConfig, MobileNetFPNSettings
from PoseEstimation.models.mobilenet_fpn import Features, Head, MobileNetFPN

JOINTS = len(COCO_17)

HEADS = {"center": 1, "heatmaps": JOINTS, "regress": 2 * JOINTS, "offset": 2 * JOINTS}
"""Maps of each head: where the person is; where each joint is; from the person's centre to each
joint; from a cell to the joint in it. Pairs are (y, x), in cells."""

PEAK = 1.5
"""Width of the heatmaps' maxima, in cells."""

NEARNESS = 1.8
"""Cells that are added to the distance from the expected joint before the score is divided."""


class MoveNet(nn.Module):
    """Square crops in 0 to 1 to the maps of four heads, a quarter of the crop's side.

    Args:
        config: widths.
        map_side: cells of a row of the maps; the decoding prefers persons in the middle of them.
    """

    centre_weight: Tensor

    def __init__(self, config: MobileNetFPNSettings, map_side: int = 64) -> None:
        super().__init__()
        self.config = config
        self.features = Features(config)
        self.heads = nn.ModuleDict({name: Head(count) for name, count in HEADS.items()})
        self.register_buffer("centre_weight", torch.ones(map_side, map_side))

    def forward(self, images: Float[Tensor, "batch 3 side side"]) -> dict[str, Tensor]:
        """Raw maps by the head's name."""
        features = self.features(images)
        return {name: layers(features) for name, layers in self.heads.items()}

    def keypoints(
        self, images: Float[Tensor, "batch 3 side side"]
    ) -> tuple[Float[Tensor, "batch joint 2"], Float[Tensor, "batch joint"]]:
        """The published decoding of one person.

        Returns:
            Joints as (x, y), shares of the side from its edge; scores 0 to 1.
        """
        maps = self(images)
        side, batch = len(self.centre_weight), torch.arange(len(images))
        centre = (maps["center"][:, 0].sigmoid() * self.centre_weight).flatten(1).argmax(-1)
        row, column = centre // side, centre % side
        expected = maps["regress"][batch, :, row, column].unflatten(-1, (JOINTS, 2))
        expected = expected + torch.stack([row, column], -1)[:, None]
        grid = torch.arange(side, dtype=expected.dtype)
        square = (grid - expected[..., None]) ** 2  # (batch, joint, yx, cell)
        distance = (square[..., 0, :, None] + square[..., 1, None, :]).sqrt()
        scores = maps["heatmaps"].sigmoid()
        cell = (scores / (distance + NEARNESS)).flatten(2).argmax(-1)
        place = torch.stack([cell // side, cell % side], -1)
        offset = maps["offset"].unflatten(1, (JOINTS, 2)).flatten(3)
        there = cell[:, :, None, None].expand(-1, -1, 2, 1)
        place = place + offset.gather(-1, there)[..., 0]
        return place.flip(-1) / side, scores.flatten(2).gather(-1, cell[..., None])[..., 0]


NEIGHBOURS = {
    "pelvis": ("left_hip", "right_hip"),
    "thorax": ("left_shoulder", "right_shoulder"),
    "upper_neck": ("left_shoulder", "right_shoulder", "nose"),
    "head_top": ("left_eye", "right_eye", "left_ear", "right_ear"),
    "left_fingers": ("left_wrist",),
    "right_fingers": ("right_wrist",),
    "left_toes": ("left_ankle",),
    "right_toes": ("right_ankle",),
}
"""Joints of ``infant`` that COCO lacks, and those whose maps theirs begin as the mean of."""


LIKES = {"heatmaps": "heatmaps", "depth": "regress", "log_sigma": "heatmaps"}
"""The head of MoveNet whose hidden layer each head of ours begins with."""


def start_of(movenet: MoveNet, skeleton: Skeleton, maps_per_joint: Literal[1, 3]) -> MobileNetFPN:
    """A network of ours that begins with what MoveNet knows.

    Heatmaps begin as MoveNet's, of joints that it lacks as the mean of its neighbours'; depth and
    the log of the deviation, which it does not know, begin at zero.

    Raises:
        KeyError: a joint is neither of COCO nor in ``NEIGHBOURS``.
    """
    network = MobileNetFPN(
        MobileNetFPNConfig(
            widths=movenet.config.widths, num_joints=len(skeleton), maps_per_joint=maps_per_joint
        )
    )
    joints = [COCO_17.indices(NEIGHBOURS.get(joint, (joint,))) for joint in skeleton.joints]
    known, state = movenet.state_dict(), network.state_dict()
    for key, own in state.items():
        part, name, layer = key.split(".", 2)
        if part == "features":
            state[key] = known[key]
        elif layer.startswith("hidden"):
            state[key] = known[f"heads.{LIKES[name]}.{layer}"]
        elif name == "heatmaps":
            state[key] = torch.stack([known[key][rows].mean(0) for rows in joints])
        else:
            state[key] = torch.zeros_like(own)
    network.load_state_dict(state)
    return network.eval()

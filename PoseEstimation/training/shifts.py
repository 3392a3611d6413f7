"""Data sets define joints differently: offsets along the bones, learnt per source.

One data set labels the hip at the crease of the thigh, the next at the head of the femur. A network
trained on both predicts their mean. Here each source learns the offset of its joints from the
network's own, as shares of the bones that meet there, so that offsets turn, scale and mirror with
the body. They serve training alone and are not kept with the weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from Datasets.skeletons import Skeleton

LARGEST = 0.3
"""Of a shift along one bone, as a share of the bone."""


class JointShifts(nn.Module):
    """Takes the labels of each source to the network's own joints."""

    meets: Tensor
    shifted: Tensor

    def __init__(self, skeleton: Skeleton, shifted: Sequence[bool]) -> None:
        """Begin without a shift.

        Args:
            skeleton: convention of the joint axis.
            shifted: for each source whether its joints may move; the others define the joints.
        """
        super().__init__()
        joints = len(skeleton)
        ends = skeleton.bone_indices
        pairs = [*ends, *((b, a) for a, b in ends)]
        pairs += [(a, b) for a, b in _twins(skeleton)]
        meets = torch.zeros(joints, joints)
        meets[tuple(torch.tensor(pairs).T)] = 1
        flip = list(skeleton.flip_indices)
        self.register_buffer("meets", torch.maximum(meets, meets[flip][:, flip]))
        self.register_buffer("shifted", torch.tensor([float(s) for s in shifted]))
        self.flip = flip
        self.shares = nn.Parameter(torch.zeros(len(shifted), joints, joints))

    def weights(self) -> Float[Tensor, "source joint neighbour"]:
        """Offset of each joint as shares of the way to its neighbours; left and right alike."""
        alike = (self.shares + self.shares[:, self.flip][:, :, self.flip]) / 2
        return LARGEST * torch.tanh(alike) * self.meets * self.shifted[:, None, None]

    def forward(
        self,
        keypoints_px: Float[Tensor, "batch joint 2"],
        visibility: Num[Tensor, "batch joint"],
        source: Int[Tensor, "batch"],
    ) -> Float[Tensor, "batch joint 2"]:
        """Move labels along the bones both of whose ends are labelled.

        Args:
            keypoints_px: any pixels.
            visibility: 0 where unlabelled.
            source: number of each sample's source.
        """
        labelled = (visibility > 0).float()
        weights = self.weights()[source] * labelled[:, None, :] * labelled[:, :, None]
        return keypoints_px + weights @ keypoints_px - weights.sum(-1, keepdim=True) * keypoints_px


def _twins(skeleton: Skeleton) -> list[tuple[int, int]]:
    """Left and right hips and shoulders, between which offsets are possible without a bone."""
    named = [("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")]
    pairs = [skeleton.indices(pair) for pair in named if set(pair) <= set(skeleton.joints)]
    return [(a, b) for a, b in pairs] + [(b, a) for a, b in pairs]

"""How networks take images: RGB in 0 to 1, normalised as ImageNet's."""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

IMAGE_MEAN, IMAGE_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of RGB in 0 to 1 over ImageNet."""


def as_input(
    images: UInt8[Tensor, "batch 3 height width"],
) -> Float[Tensor, "batch 3 height width"]:
    """Bytes to floats in 0 to 1, channels last in memory."""
    return images.float().div(255).contiguous(memory_format=torch.channels_last)

"""Flip test and turn test: mirrored or turned, it is the same infant: answers are averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


def flip_averaged(
    network: nn.Module,
    images: Float[Tensor, "batch 3 height width"],
    flip_indices: Sequence[int],
) -> Float[Tensor, "batch map joint rows columns"]:
    """Average the network's maps with those of the mirrored images, mirrored back.

    Args:
        network: images to maps per joint whose edges are aligned with the image's.
        images: (batch, 3, height, width).
        flip_indices: joint ``i`` of the mirrored pose is joint ``flip_indices[i]``.

    Returns:
        Raw maps, as the network's, in 32-bit floats.
    """
    both = network(torch.cat([images, images.flip(-1)])).float()
    direct, mirrored = both.chunk(2)
    return (direct + mirrored.flip(-1)[:, :, list(flip_indices)]) / 2


def turn_averaged(
    look: Callable[[Tensor], Tensor], images: Float[Tensor, "batch 3 side side"]
) -> Float[Tensor, "batch map joint rows columns"]:
    """Average maps of images with those of the images turned by quarters, turned back.

    Args:
        look: square images to maps, as of ``flip_averaged``.
        images: (batch, 3, side, side).
    """
    total = look(images)
    for quarters in (1, 2, 3):
        turned = images.rot90(quarters, (-2, -1)).contiguous(memory_format=torch.channels_last)
        total = total + look(turned).rot90(-quarters, (-2, -1))
    return total / 4

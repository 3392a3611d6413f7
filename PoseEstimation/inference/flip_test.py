"""Flip test and turn test: mirrored or turned, it is the same infant: answers are averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from PoseEstimation.structures import Maps


def flip_averaged(
    network: nn.Module,
    images: Float[Tensor, "batch 3 height width"],
    flip_indices: Sequence[int],
) -> Maps:
    """Average the network's maps with those of the mirrored images, mirrored back.

    Args:
        network: images to maps whose edges are aligned with the image's.
        images: (batch, 3, height, width).
        flip_indices: joint ``i`` of the mirrored pose is joint ``flip_indices[i]``.

    Returns:
        Raw maps, as the network's, in 32-bit floats.
    """

    def average(both: Tensor) -> Tensor:
        direct, mirrored = both.float().chunk(2)
        return (direct + mirrored.flip(-1)[:, list(flip_indices)]) / 2

    return network(torch.cat([images, images.flip(-1)])).map(average)


def turn_averaged(
    look: Callable[[Tensor], Maps], images: Float[Tensor, "batch 3 side side"]
) -> Maps:
    """Average maps of images with those of the images turned by quarters, turned back.

    Args:
        look: square images to maps, as of ``flip_averaged``.
        images: (batch, 3, side, side).
    """
    total = look(images)
    for quarters in (1, 2, 3):
        turned = images.rot90(quarters, (-2, -1)).contiguous(memory_format=torch.channels_last)
        add = lambda so_far, maps, k=quarters: so_far + maps.rot90(-k, (-2, -1))  # noqa: E731
        total = total.map(add, look(turned))
    return total.map(lambda maps: maps / 4)

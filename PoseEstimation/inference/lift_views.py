"""Lift a pose as seen turned and mirrored, and average: neither should change the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

TURNS = 4


def lift_views(
    lifter: nn.Module, features: Float[Tensor, "batch joint 3"], flip_indices: Sequence[int]
) -> tuple[Float[Tensor, "batch joint 3"], Float[Tensor, "batch joint"]]:
    """Average a lifter over quarter turns about the viewing axis and mirror images.

    Args:
        lifter: rays in, positions and log sigma out (``MartinezLifter``).
        features: (x, y, usable) of ``RootRelativeCodec``.
        flip_indices: the skeleton's mirror permutation.

    Returns:
        Positions in the codec's view and unit, and the mean log sigma.
    """
    flip = torch.as_tensor(flip_indices, device=features.device)
    views = [(turn, mirrored) for turn in range(TURNS) for mirrored in (False, True)]
    batch = torch.cat([_seen(features, turn, mirrored, flip) for turn, mirrored in views])
    joints, log_sigma = (part.split(len(features)) for part in lifter(batch))
    positions = [_unseen(p, *view, flip) for p, view in zip(joints, views, strict=True)]
    sigmas = [s[:, flip] if view[1] else s for s, view in zip(log_sigma, views, strict=True)]
    return torch.stack(positions).mean(0), torch.stack(sigmas).mean(0)


def _seen(values: Tensor, turn: int, mirrored: bool, flip: Tensor) -> Tensor:
    """Turn (x, y, ...) about the viewing axis, then mirror x and swap left and right."""
    values = _turned(values, turn)
    return values[:, flip] * _mirror(values) if mirrored else values


def _unseen(values: Tensor, turn: int, mirrored: bool, flip: Tensor) -> Tensor:
    """The way back of ``_seen``."""
    values = values[:, flip] * _mirror(values) if mirrored else values
    return _turned(values, -turn)


def _turned(values: Tensor, turn: int) -> Tensor:
    angle = 2 * math.pi * turn / TURNS
    c, s = math.cos(angle), math.sin(angle)
    x, y = values[..., 0], values[..., 1]
    return torch.stack([c * x - s * y, s * x + c * y, values[..., 2]], dim=-1)


def _mirror(values: Tensor) -> Tensor:
    return values.new_tensor([-1.0, 1.0, 1.0])

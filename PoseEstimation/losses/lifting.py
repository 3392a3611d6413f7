"""Losses of the lifter; ``mask`` is 1 where a joint has a 3D label and counts, else 0."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def lifting_mse(
    predicted: Float[Tensor, "batch joint 3"],
    target: Float[Tensor, "batch joint 3"],
    mask: Float[Tensor, "batch joint"],
) -> Float[Tensor, ""]:
    """Mean squared error per coordinate of the counted joints (as published by Martinez)."""
    return _masked_mean(_difference(predicted, target, mask).square().mean(-1), mask)


def lifting_distance(
    predicted: Float[Tensor, "batch joint 3"],
    target: Float[Tensor, "batch joint 3"],
    mask: Float[Tensor, "batch joint"],
) -> Float[Tensor, ""]:
    """Mean Euclidean distance of the counted joints: the error measure itself (MPJPE, AJPE)."""
    square = _difference(predicted, target, mask).square().sum(-1)
    return _masked_mean((square + 1e-8).sqrt(), mask)


def gaussian_nll(
    log_sigma: Float[Tensor, "batch joint"],
    predicted: Float[Tensor, "batch joint 3"],
    target: Float[Tensor, "batch joint 3"],
    mask: Float[Tensor, "batch joint"],
) -> Float[Tensor, ""]:
    """Negative log-likelihood of the errors under one standard deviation per joint.

    The positions are taken as given (no gradient): sigma learns to describe the errors and cannot
    excuse them.
    """
    square = _difference(predicted.detach(), target, mask).square().sum(-1)
    log_sigma = log_sigma.float().clamp(-7, 7)
    return _masked_mean(3 * log_sigma + 0.5 * square * torch.exp(-2 * log_sigma), mask)


def _difference(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Difference of counted joints; zero elsewhere, even where the target is NaN."""
    counted = mask[..., None] > 0
    return torch.where(counted, predicted.float() - torch.where(counted, target, 0.0), 0.0)


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp_min(1)

"""Losses of the heatmap network; ``weights`` say which joints of which sample count."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def heatmap_mse(
    maps: Float[Tensor, "batch joint height width"],
    targets: Float[Tensor, "batch joint height width"],
    weights: Float[Tensor, "batch joint"],
) -> Float[Tensor, ""]:
    """Mean squared error over the cells of the counted joints' maps (as published by Ellershaw)."""
    per_joint = (maps.float() - targets).square().mean((-2, -1))
    return (per_joint * weights).sum() / weights.sum().clamp_min(1)


def depth_distance(
    predicted: Float[Tensor, "batch joint"],
    target: Float[Tensor, "batch joint"],
    weights: Float[Tensor, "batch joint"],
) -> Float[Tensor, ""]:
    """Mean absolute difference of the counted joints' depths, in the targets' unit."""
    return ((predicted - target).abs() * weights).sum() / weights.sum().clamp_min(1)


def planar_nll(
    log_sigma: Float[Tensor, "batch joint"],
    square_error: Float[Tensor, "batch joint"],
    weights: Float[Tensor, "batch joint"],
) -> Float[Tensor, ""]:
    """Negative log-likelihood of 2D errors under one standard deviation per joint and axis.

    Args:
        log_sigma: of the standard deviation per axis.
        square_error: squared distances; no gradient flows into them.
        weights: 1 for joints that count.
    """
    log_sigma = log_sigma.float().clamp(-7, 7)
    loss = 2 * log_sigma + 0.5 * square_error.detach() * torch.exp(-2 * log_sigma)
    return (loss * weights).sum() / weights.sum().clamp_min(1)


def heatmap_cross_entropy(
    maps: Float[Tensor, "batch joint height width"],
    targets: Float[Tensor, "batch joint height width"],
    weights: Float[Tensor, "batch joint"],
) -> Float[Tensor, ""]:
    """Cross-entropy between target densities and the softmax over each map, in nats per joint.

    The targets' own entropy is subtracted, so that a perfect map has loss 0 and a relative gain
    means the same at any target width; no gradient flows through it.
    """
    log_density = maps.float().flatten(2).log_softmax(-1)
    targets = targets.flatten(2)
    entropy = torch.xlogy(targets.detach(), targets.detach())
    per_joint = (entropy - targets * log_density).sum(-1)
    return (per_joint * weights).sum() / weights.sum().clamp_min(1)

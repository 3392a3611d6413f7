"""Losses of the heatmap network; ``weights`` are 1 for the joints that count, else 0."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from PoseEstimation.losses import masked_mean


def heatmap_mse(
    maps: Float[Tensor, "batch joint height width"],
    targets: Float[Tensor, "batch joint height width"],
    weights: Float[Tensor, "batch joint"],
) -> Float[Tensor, ""]:
    """Mean squared error over the cells of the counted joints' maps (as published by Ellershaw)."""
    return masked_mean((maps.float() - targets).square().mean((-2, -1)), weights)


def depth_distance(
    predicted: Float[Tensor, "batch joint"],
    target: Float[Tensor, "batch joint"],
    weights: Float[Tensor, "batch joint"],
) -> Float[Tensor, ""]:
    """Mean absolute difference of the counted joints' depths, in the targets' unit."""
    return masked_mean((predicted - target).abs(), weights)


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
    return masked_mean((entropy - targets * log_density).sum(-1), weights)

"""Training losses: plain functions of tensors; masked values have no influence and no gradient."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def masked_mean(
    values: Float[Tensor, "*batch joint"], weights: Float[Tensor, "*batch joint"]
) -> Float[Tensor, ""]:
    """Mean of the values that count: weight 1; those with weight 0 do not."""
    return (values * weights).sum() / weights.sum().clamp_min(1)


def gaussian_nll(
    log_sigma: Float[Tensor, "*batch joint"],
    square_error: Float[Tensor, "*batch joint"],
    weights: Float[Tensor, "*batch joint"],
    axes: int,
) -> Float[Tensor, ""]:
    """Negative log-likelihood of errors under one standard deviation per joint and axis.

    No gradient flows into the errors: sigma learns to describe them and cannot excuse them.

    Args:
        log_sigma: log of the standard deviation per axis.
        square_error: squared distances.
        weights: 1 for joints that count, else 0.
        axes: dimensions of the space, 2 or 3.
    """
    log_sigma = log_sigma.float().clamp(-7, 7)
    loss = axes * log_sigma + 0.5 * square_error.detach() * torch.exp(-2 * log_sigma)
    return masked_mean(loss, weights)

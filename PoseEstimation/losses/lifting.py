"""Losses of the lifter; ``mask`` is 1 where a joint has a 3D label and counts, else 0."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def lifting_mse(
    predicted: Float[Tensor, "*batch joint 3"],
    target: Float[Tensor, "*batch joint 3"],
    mask: Float[Tensor, "*batch joint"],
) -> Float[Tensor, ""]:
    """Mean squared error per coordinate of the counted joints (as published by Martinez)."""
    return _masked_mean(_difference(predicted, target, mask).square().mean(-1), mask)


def lifting_distance(
    predicted: Float[Tensor, "*batch joint 3"],
    target: Float[Tensor, "*batch joint 3"],
    mask: Float[Tensor, "*batch joint"],
) -> Float[Tensor, ""]:
    """Mean Euclidean distance of the counted joints: the error measure itself (MPJPE, AJPE)."""
    square = _difference(predicted, target, mask).square().sum(-1)
    return _masked_mean((square + 1e-8).sqrt(), mask)


def placed(
    target: Float[Tensor, "*batch joint 3"],
    predicted: Float[Tensor, "*batch joint 3"],
    mask: Float[Tensor, "*batch joint"],
) -> Float[Tensor, "*batch joint 3"]:
    """Labels that are known but for their place, moved to the mean place of the prediction.

    Their size stays: labels that were scaled to the prediction would let it shrink to a point. No
    gradient goes through the move.
    """
    counted = mask[..., None] > 0
    off = torch.where(counted, predicted.detach().float() - torch.where(counted, target, 0.0), 0.0)
    return target + off.sum(-2, keepdim=True) / counted.sum(-2, keepdim=True).clamp_min(1)


def velocity_distance(
    predicted: Float[Tensor, "*batch frame joint 3"],
    target: Float[Tensor, "*batch frame joint 3"],
    mask: Float[Tensor, "*batch frame joint"],
) -> Float[Tensor, ""]:
    """Mean distance of frame-to-frame differences of joints that count in both frames."""
    both = mask[..., 1:, :] * mask[..., :-1, :]
    if both.numel() == 0:
        return predicted.sum() * 0
    change = predicted[..., 1:, :, :] - predicted[..., :-1, :, :]
    return lifting_distance(change, target[..., 1:, :, :] - target[..., :-1, :, :], both)


def body_distance(
    log_lengths: Float[Tensor, "clip run_or_1 frame_or_1 bone"],
    target: Float[Tensor, "clip run frame joint 3"],
    mask: Float[Tensor, "clip run frame joint"],
    bones: Sequence[tuple[int, int]],
) -> Float[Tensor, ""]:
    """Mean absolute difference of the logs of bone lengths, those of the clip's mean body.

    The root, which ``mask`` leaves out because its place is known, counts as known here.
    """
    first, second = torch.as_tensor(bones, device=target.device).T
    root = torch.arange(mask.shape[-1], device=mask.device) == bones[0][0]
    known = (mask > 0) | root
    both = (known[..., first] & known[..., second]).float()
    pose = torch.where(known[..., None], target.float(), 0.0)
    length = (pose[..., second, :] - pose[..., first, :]).norm(dim=-1)
    count = both.sum((1, 2), keepdim=True)
    mean = (length * both).sum((1, 2), keepdim=True) / count.clamp_min(1)
    counted = (mean > 1e-3).float()
    difference = (log_lengths.float() - mean.clamp_min(1e-3).log()).abs()
    return (difference * counted).sum() / counted.expand_as(difference).sum().clamp_min(1)


def gaussian_nll(
    log_sigma: Float[Tensor, "*batch joint"],
    predicted: Float[Tensor, "*batch joint 3"],
    target: Float[Tensor, "*batch joint 3"],
    mask: Float[Tensor, "*batch joint"],
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

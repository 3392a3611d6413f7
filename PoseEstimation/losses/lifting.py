"""Losses of the lifters; ``mask`` is 1 where a joint has a 3D label and counts, else 0."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from PoseEstimation.losses import gaussian_nll, masked_mean
from PoseEstimation.structures import Lifted


def square_error(
    predicted: Float[Tensor, "*batch joint 3"],
    target: Float[Tensor, "*batch joint 3"],
    mask: Float[Tensor, "*batch joint"],
) -> Float[Tensor, "*batch joint"]:
    """Squared distance of each counted joint; 0 elsewhere, even where the target is NaN."""
    return _difference(predicted, target, mask).square().sum(-1)


def lifting_mse(
    predicted: Float[Tensor, "*batch joint 3"],
    target: Float[Tensor, "*batch joint 3"],
    mask: Float[Tensor, "*batch joint"],
) -> Float[Tensor, ""]:
    """Mean squared error per coordinate of the counted joints (as published by Martinez)."""
    return masked_mean(_difference(predicted, target, mask).square().mean(-1), mask)


def lifting_distance(
    predicted: Float[Tensor, "*batch joint 3"],
    target: Float[Tensor, "*batch joint 3"],
    mask: Float[Tensor, "*batch joint"],
) -> Float[Tensor, ""]:
    """Mean Euclidean distance of the counted joints: the error measure itself (MPJPE, AJPE)."""
    return masked_mean((square_error(predicted, target, mask) + 1e-8).sqrt(), mask)


def moved_to(
    predicted: Float[Tensor, "*batch joint 3"],
    target: Float[Tensor, "*batch joint 3"],
    mask: Float[Tensor, "*batch joint"],
) -> Float[Tensor, "*batch joint 3"]:
    """Translate each target pose, whose position is unknown, to the centroid of the prediction.

    Its size stays: a target that was scaled to the prediction would let it shrink to a point. No
    gradient goes through the translation.
    """
    offset = _difference(predicted.detach(), target, mask)
    count = (mask[..., None] > 0).sum(-2, keepdim=True).clamp_min(1)
    return target + offset.sum(-2, keepdim=True) / count


def velocity_distance(
    predicted: Float[Tensor, "*batch frame joint 3"],
    target: Float[Tensor, "*batch frame joint 3"],
    mask: Float[Tensor, "*batch frame joint"],
) -> Float[Tensor, ""]:
    """Mean distance of frame-to-frame differences of joints that count in both frames."""
    both = mask[..., 1:, :] * mask[..., :-1, :]
    if both.numel() == 0:
        return predicted.sum() * 0
    return lifting_distance(predicted.diff(dim=-3), target.diff(dim=-3), both)


def bone_length_distance(
    log_lengths: Float[Tensor, "clip run_or_1 frame_or_1 bone"],
    target: Float[Tensor, "clip run frame joint 3"],
    mask: Float[Tensor, "clip run frame joint"],
    bones: Sequence[tuple[int, int]],
) -> Float[Tensor, ""]:
    """Mean absolute difference of the logs of bone lengths, against their means over each clip.

    The root, which ``mask`` leaves out because its position is 0 by definition, counts here.
    """
    vectors, known = bone_vectors(target, mask, bones)
    mean, labelled = _mean_lengths(vectors, known)
    return masked_mean((log_lengths.float() - mean.log()).abs(), labelled.expand_as(log_lengths))


def bone_direction_distance(
    lifted: Lifted,
    target: Float[Tensor, "clip run frame joint 3"],
    mask: Float[Tensor, "clip run frame joint"],
    bones: Sequence[tuple[int, int]],
) -> Float[Tensor, ""]:
    """Mean distance of bone vectors over their lengths; it does not depend on the size."""
    error, known = _direction_error(lifted, target, mask, bones)
    return masked_mean((error.square().sum(-1) + 1e-8).sqrt(), known)


def bone_nll(
    lifted: Lifted,
    target: Float[Tensor, "clip run frame joint 3"],
    mask: Float[Tensor, "clip run frame joint"],
    bones: Sequence[tuple[int, int]],
    predicted: Float[Tensor, "clip"] | None = None,
) -> Float[Tensor, ""]:
    """Negative log-likelihood of bone vectors over their lengths, and of the logs of the lengths.

    No gradient flows into the errors, see ``gaussian_nll``.

    Args:
        lifted: output of the network.
        target: root-relative joints.
        mask: 1 where a joint counts.
        bones: pairs of joints.
        predicted: 1 for clips whose lengths the network predicted itself, 0 where they were given;
            default 1.
    """
    error, known = _direction_error(lifted, target, mask, bones)
    square = error.square()
    across = gaussian_nll(lifted.log_bone_sigma[..., 0], square[..., :2].sum(-1), known, 2)
    along = gaussian_nll(lifted.log_bone_sigma[..., 1], square[..., 2], known, 1)
    mean, labelled = _mean_lengths(*bone_vectors(target, mask, bones))
    if predicted is not None:
        labelled = labelled * predicted.view(-1, 1, 1, 1)
    square = (lifted.log_lengths.float() - mean.log()).square()
    lengths = gaussian_nll(lifted.log_length_sigma, square, labelled.expand_as(square), 1)
    return across + along + lengths


def _direction_error(
    lifted: Lifted, target: Tensor, mask: Tensor, bones: Sequence[tuple[int, int]]
) -> tuple[Tensor, Tensor]:
    """Error of bone vectors over their lengths (clip, run, frame, bone, 3), and which are known."""
    vectors, known = bone_vectors(target, mask, bones)
    mean, _ = _mean_lengths(vectors, known)
    predicted, _ = bone_vectors(lifted.joints, torch.ones_like(mask), bones)
    unit = predicted / lifted.log_lengths.float().exp()[..., None]
    return torch.where(known[..., None] > 0, unit - vectors / mean[..., None], 0.0), known


def bone_vectors(
    joints: Float[Tensor, "clip run frame joint 3"],
    mask: Float[Tensor, "clip run frame joint"],
    bones: Sequence[tuple[int, int]],
) -> tuple[Float[Tensor, "clip run frame bone 3"], Float[Tensor, "clip run frame bone"]]:
    """Vectors along the bones, and 1 where both ends count; the root, at (0, 0, 0), does."""
    first, second = torch.as_tensor(bones, device=joints.device).T
    root = torch.arange(mask.shape[-1], device=mask.device) == bones[0][0]
    known = (mask > 0) | root
    pose = torch.where(known[..., None], joints.float(), 0.0)
    return pose[..., second, :] - pose[..., first, :], (
        known[..., first] & known[..., second]
    ).float()


def _mean_lengths(vectors: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Mean lengths of the bones over a clip (clip, 1, 1, bone), and 1 where there is one."""
    count = known.sum((1, 2), keepdim=True)
    mean = (vectors.norm(dim=-1) * known).sum((1, 2), keepdim=True) / count.clamp_min(1)
    return mean.clamp_min(1e-3), (mean > 1e-3).float()


def _difference(predicted: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Difference of counted joints; zero elsewhere, even where the target is NaN."""
    counted = mask[..., None] > 0
    return torch.where(counted, predicted.float() - torch.where(counted, target, 0.0), 0.0)

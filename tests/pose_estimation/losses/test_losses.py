import math

import pytest
import torch

from PoseEstimation.losses import gaussian_nll
from PoseEstimation.losses.heatmap import heatmap_cross_entropy, heatmap_mse
from PoseEstimation.losses.lifting import (
    bone_length_distance,
    lifting_distance,
    lifting_mse,
    moved_to,
    square_error,
    velocity_distance,
)


@pytest.fixture
def maps():
    generator = torch.Generator().manual_seed(0)
    raw = torch.randn(2, 3, 8, 8, generator=generator)
    targets = torch.rand(2, 3, 8, 8, generator=generator)
    return raw.requires_grad_(), targets / targets.sum((-2, -1), keepdim=True)


@pytest.mark.parametrize("loss", [heatmap_mse, heatmap_cross_entropy])
def test_masked_maps_have_no_influence_and_no_gradient(maps, loss):
    raw, targets = maps
    weights = torch.tensor([[1.0, 0, 1], [0, 0, 1]])
    value = loss(raw, targets, weights)
    value.backward()
    assert (raw.grad[weights == 0] == 0).all() and (raw.grad[weights == 1] != 0).any()
    changed = torch.where(weights[..., None, None] > 0, raw.detach(), 99.0)
    assert loss(changed, targets, weights) == pytest.approx(value.item())
    assert loss(raw, targets, torch.zeros(2, 3)) == 0


def test_cross_entropy_is_zero_only_for_the_target_itself(maps):
    raw, targets = maps
    weights = torch.ones(2, 3)
    assert heatmap_cross_entropy(targets.log(), targets, weights) == pytest.approx(0, abs=1e-5)
    assert heatmap_cross_entropy(raw, targets, weights) > 0.01
    hot = torch.zeros(1, 1, 2, 2)
    hot[..., 0, 0] = 1
    even = heatmap_cross_entropy(torch.zeros(1, 1, 2, 2), hot, torch.ones(1, 1))
    assert even == pytest.approx(math.log(4))


def test_mse_is_as_published():
    predicted, target = torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)
    target[0, 0, 0, 0] = 2
    target[0, 1] = 7
    assert heatmap_mse(predicted, target, torch.tensor([[1.0, 0]])) == 1.0


def test_distance_and_mse_by_hand():
    predicted, target = torch.zeros(1, 2, 3), torch.tensor([[[3.0, 4, 0], [0, 0, 12]]])
    both, first = torch.ones(1, 2), torch.tensor([[1.0, 0]])
    assert lifting_distance(predicted, target, both) == pytest.approx(8.5)
    assert lifting_distance(predicted, target, first) == pytest.approx(5)
    assert lifting_mse(predicted, target, first) == pytest.approx(25 / 3)


@pytest.mark.parametrize("loss", [lifting_distance, lifting_mse])
def test_nan_targets_under_the_mask_leave_gradients_finite(loss):
    predicted = torch.zeros(1, 2, 3, requires_grad=True)
    target = torch.tensor([[[1.0, 2, 3], [math.nan] * 3]])
    mask = torch.tensor([[1.0, 0]])
    log_sigma = torch.zeros(1, 2, requires_grad=True)
    square = square_error(predicted, target, mask)
    value = loss(predicted, target, mask) + gaussian_nll(log_sigma, square, mask, axes=3)
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(predicted.grad).all()
    assert (predicted.grad[0, 1] == 0).all() and log_sigma.grad[0, 1] == 0


def test_a_perfect_prediction_has_a_finite_gradient():
    predicted = torch.ones(1, 1, 3, requires_grad=True)
    lifting_distance(predicted, torch.ones(1, 1, 3), torch.ones(1, 1)).backward()
    assert (predicted.grad == 0).all()


@pytest.mark.parametrize("axes", [2, 3])
def test_the_nll_teaches_the_true_spread_and_leaves_the_positions_alone(axes):
    generator = torch.Generator().manual_seed(0)
    predicted = (0.3 * torch.randn(20000, 1, axes, generator=generator)).requires_grad_()
    square, mask = predicted.square().sum(-1), torch.ones(20000, 1)
    losses = {
        sigma: gaussian_nll(torch.full((20000, 1), math.log(sigma)), square, mask, axes)
        for sigma in (0.2, 0.3, 0.4)
    }
    assert min(losses, key=losses.get) == 0.3
    log_sigma = torch.full((20000, 1), math.log(0.3), requires_grad=True)
    gaussian_nll(log_sigma, square, mask, axes).backward()
    assert predicted.grad is None and abs(log_sigma.grad.sum()) < 0.05


def test_the_nll_is_that_of_a_normal_distribution_but_for_a_constant():
    error, log_sigma = torch.tensor([[[0.5, -1.0]]]), torch.tensor([[0.4]])
    normal = torch.distributions.Normal(0.0, log_sigma.exp())
    expected = -(normal.log_prob(error).sum() + math.log(2 * math.pi))
    found = gaussian_nll(log_sigma, error.square().sum(-1), torch.ones(1, 1), axes=2)
    assert found == pytest.approx(float(expected))


def test_velocities_count_where_both_frames_are_labelled():
    target = torch.zeros(1, 3, 2, 3)
    predicted = torch.zeros(1, 3, 2, 3)
    predicted[0, 1, 0] = torch.tensor([3.0, 4.0, 0.0])  # out and back: 5 and 5
    predicted[0, 2, 1] = 99.0
    mask = torch.ones(1, 3, 2)
    mask[0, 2, 1] = 0
    assert velocity_distance(predicted, target, mask) == pytest.approx(10 / 3, abs=1e-3)
    assert velocity_distance(predicted[:, :1], target[:, :1], mask[:, :1]) == 0


def test_bone_lengths_are_compared_with_the_mean_over_the_clip():
    target = torch.zeros(1, 1, 2, 3, 3)
    target[0, 0, :, 1, 0] = torch.tensor([2.0, 4.0])  # mean 3
    target[0, 0, :, 2] = torch.nan
    mask = torch.tensor([0.0, 1.0, 0.0]).expand(1, 1, 2, 3)
    lengths = torch.tensor([6.0, 50.0]).log().view(1, 1, 1, 2)
    found = bone_length_distance(lengths, target, mask, [(0, 1), (1, 2)])
    assert found == pytest.approx(math.log(2))


def test_weak_labels_are_moved_and_nothing_else():
    generator = torch.Generator().manual_seed(3)
    truth = torch.randn(4, 9, 3, generator=generator)
    mask = torch.ones(4, 9)
    mask[:, 7:] = 0
    weak = truth + torch.tensor([5.0, -2, 1])
    weak[:, 7:] = torch.nan
    moved = moved_to(truth, weak, mask)
    assert lifting_distance(truth, moved, mask) == pytest.approx(0, abs=1e-3)
    asked = (0.1 * truth).requires_grad_()
    moved = moved_to(asked, weak, mask)
    assert not moved.requires_grad
    torch.testing.assert_close(moved[:, :7].std(1), truth[:, :7].std(1))
    lifting_distance(asked, moved, mask).backward()
    assert (asked.grad * truth)[:, :7].sum() < 0

"""Shifts between conventions: none at first, equivariant, and found where there is one."""

import pytest
import torch

from Datasets.skeletons import INFANT
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.losses.heatmap import heatmap_cross_entropy
from PoseEstimation.training.shifts import LARGEST, JointShifts

HIP, KNEE = INFANT.indices(["left_hip", "left_knee"])
HIPS, KNEES = (INFANT.indices([f"left_{j}", f"right_{j}"]) for j in ("hip", "knee"))


def drawn(shifted=(False, True), seed=0):
    torch.manual_seed(seed)
    shifts = JointShifts(INFANT, shifted)
    torch.nn.init.normal_(shifts.shares)
    return shifts


def people(count=4):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, len(INFANT), 2, generator=generator) * 200


def test_nothing_moves_before_training_and_a_source_that_defines_joints_never_does():
    keypoints, seen = people(), torch.ones(4, len(INFANT))
    ones = torch.ones(4, dtype=torch.long)
    assert torch.equal(JointShifts(INFANT, (False, True))(keypoints, seen, ones), keypoints)
    shifts = drawn()
    assert torch.equal(shifts(keypoints, seen, 0 * ones), keypoints)
    assert not torch.allclose(shifts(keypoints, seen, ones), keypoints)


def test_shifts_turn_and_mirror_with_the_body():
    shifts, keypoints, seen = drawn(), people(), torch.ones(4, len(INFANT))
    ones, flip = torch.ones(4, dtype=torch.long), list(INFANT.flip_indices)
    moved = shifts(keypoints, seen, ones)
    angle = torch.tensor(0.7)
    turn = torch.tensor([[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]])
    turned = shifts(1.5 * keypoints @ turn.T + 9, seen, ones)
    assert torch.allclose(turned, 1.5 * moved @ turn.T + 9, atol=1e-3)
    mirrored = shifts((keypoints * torch.tensor([-1.0, 1]))[:, flip], seen, ones)
    assert torch.allclose(mirrored, (moved * torch.tensor([-1.0, 1]))[:, flip], atol=1e-3)


def test_unlabelled_joints_neither_move_nor_pull():
    shifts, keypoints, seen = drawn(), people(), torch.ones(4, len(INFANT))
    seen[:, KNEE] = 0
    other = keypoints.clone()
    other[:, KNEE] = 1e4
    ones = torch.ones(4, dtype=torch.long)
    first, second = shifts(keypoints, seen, ones), shifts(other, seen, ones)
    kept = torch.arange(len(INFANT)) != KNEE
    assert torch.equal(first[:, kept], second[:, kept])
    assert torch.equal(second[:, KNEE], other[:, KNEE])


def test_a_difference_of_definition_is_found():
    shifts, seen = JointShifts(INFANT, (True,)), torch.ones(64, len(INFANT))
    truth, source = people(64), torch.zeros(64, dtype=torch.long)
    labels = truth.clone()
    labels[:, HIPS] += 0.2 * (truth[:, KNEES] - truth[:, HIPS])
    optimiser = torch.optim.Adam(shifts.parameters(), lr=0.02)
    before = (labels - truth).norm(dim=-1)[:, HIPS].mean()
    for _ in range(400):
        optimiser.zero_grad()
        (shifts(labels, seen, source) - truth).square().mean().backward()
        optimiser.step()
    after = (shifts(labels, seen, source) - truth).norm(dim=-1)
    assert after[:, HIPS].mean() < 0.2 * before
    assert shifts.weights().detach().abs().max() <= LARGEST


def test_a_skeleton_without_hips_has_bones_all_the_same():
    from Datasets.skeletons import MPII_16

    shifts = JointShifts(MPII_16, (True,))
    assert shifts.weights().shape == (1, 16, 16) and shifts.meets.sum() > 2 * len(MPII_16.bones)
    assert shifts.weights().detach().sum() == pytest.approx(0)


def test_a_heatmap_pulls_a_shift_towards_its_peak():
    shifts, keypoints, seen = JointShifts(INFANT, (True,)), people(), torch.ones(4, len(INFANT))
    codec = HeatmapCodec(256, 64, 2.0, "softmax")
    peaks, _ = codec.encode(keypoints + torch.tensor([6.0, 0.0]), seen)
    targets, weights = codec.encode(shifts(keypoints, seen, torch.zeros(4).long()), seen)
    heatmap_cross_entropy((peaks + 1e-6).log(), targets, weights).backward()
    step = shifts.shares.grad
    assert step.isfinite().all() and step.abs().max() > 0
    with torch.no_grad():
        shifts.shares -= 0.5 * step / step.abs().max()
    moved = shifts(keypoints, seen, torch.zeros(4).long())[weights > 0]
    assert (moved - keypoints[weights > 0])[:, 0].mean() > 0.5

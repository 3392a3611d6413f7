"""Averaging over views keeps an equivariant lifter as it is and makes any lifter equivariant."""

import torch

from Datasets.skeletons import INFANT
from PoseEstimation.inference.lift_views import lift_views
from PoseEstimation.models.martinez import MartinezConfig, MartinezLifter

FLIP = list(INFANT.flip_indices)


def poses(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(count, len(INFANT), 3, generator=generator)
    features[..., 2] = 1
    return features


def test_an_equivariant_lifter_is_left_as_it_is():
    def flat(features):
        depth = features[..., :1] ** 2 + features[..., 1:2] ** 2
        return torch.cat([features[..., :2] * 2, depth], -1), features[..., 2] * 0.5

    joints, log_sigma = lift_views(flat, poses(3), FLIP)
    expected = flat(poses(3))
    assert torch.allclose(joints, expected[0], atol=1e-5)
    assert torch.allclose(log_sigma, expected[1])


def test_any_lifter_becomes_symmetric_under_mirroring_and_quarter_turns():
    lifter = MartinezLifter(MartinezConfig(width=32, blocks=1)).eval()
    features, mirror = poses(4), torch.tensor([-1.0, 1.0, 1.0])
    joints, log_sigma = lift_views(lifter, features, FLIP)
    mirrored, mirrored_sigma = lift_views(lifter, features[:, FLIP] * mirror, FLIP)
    assert torch.allclose(mirrored, joints[:, FLIP] * mirror, atol=1e-5)
    assert torch.allclose(mirrored_sigma, log_sigma[:, FLIP], atol=1e-5)
    quarter = torch.stack([-features[..., 1], features[..., 0], features[..., 2]], -1)
    turned, _ = lift_views(lifter, quarter, FLIP)
    expected = torch.stack([-joints[..., 1], joints[..., 0], joints[..., 2]], -1)
    assert torch.allclose(turned, expected, atol=1e-5)

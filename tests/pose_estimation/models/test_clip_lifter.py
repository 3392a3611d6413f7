"""The clip lifter: geometry that holds for any weights, and what may not depend on what."""

from __future__ import annotations

import pytest
import torch

from Datasets.skeletons import INFANT, MPII_16, SKELETONS
from PoseEstimation.models.clip_lifter import TYPICAL_SHAPE, ClipLifter, ClipLifterConfig, on_ray

TWINS = tuple(range(len(INFANT.bones)))


def make(**changes) -> ClipLifter:
    torch.manual_seed(0)
    config = ClipLifterConfig(
        num_joints=len(INFANT),
        root_index=INFANT.root_index,
        bones=INFANT.bone_indices,
        **{"width": 32, "twins": TWINS, **changes},
    )
    network = ClipLifter(config).eval()
    for parameter in network.parameters():  # beyond the mild start
        parameter.data += 0.02 * torch.randn_like(parameter)
    return network


def clip(frames: int = 12, runs: int = 2, count: int = 3):
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(count, runs, frames, 25, 6, generator=generator)
    return features, torch.tensor([0.1, 0.15, 0.2])[:count]


@pytest.mark.parametrize("skeleton", [INFANT, MPII_16])
def test_the_root_is_zero_and_parents_come_first(skeleton):
    seen = {skeleton.root_index}
    for parent, child in skeleton.bone_indices:
        assert parent in seen, skeleton.joints[parent]
        seen.add(child)
    assert len(seen) == len(skeleton)
    assert skeleton is SKELETONS[skeleton.name]


def test_points_on_rays_are_at_the_distance_asked_for():
    generator = torch.Generator().manual_seed(0)
    ray, depth = (torch.randn(200, n, generator=generator) for n in (2, 1))
    radius = 0.3 * torch.rand(200, 1, generator=generator)
    point = torch.cat([ray * (1 + radius * depth), depth], -1)
    parent = point + 0.5 * torch.randn(200, 3, generator=generator)
    length = (point - parent).norm(dim=-1, keepdim=True)
    middle, reach = on_ray(ray, radius, parent, length)
    off = torch.minimum((middle + reach - depth).abs(), (middle - reach - depth).abs())
    assert off.max() < 2e-3
    _, short = on_ray(ray, radius, parent, 0.01 * length)
    assert (short < 0.02 + 0.02 * length).all()


def test_joints_lie_on_their_corrected_rays_and_bones_have_one_length():
    network, (features, radius) = make(), clip()
    for layer in (network.ray_offset, network.depth_offset, network.trust):
        layer.weight.data.zero_()
        layer.bias.data.zero_()
    features[..., :2] *= 0.05  # joints near one another: every bone is longer than it looks
    joints, _, log_lengths, *_ = network(features, radius)
    assert (joints[..., INFANT.root_index, :] == 0).all()
    first, second = torch.tensor(INFANT.bone_indices).T
    lengths = (joints[..., second, :] - joints[..., first, :]).norm(dim=-1)
    assert (lengths <= log_lengths.exp() * 1.01).all()
    assert log_lengths.shape == (3, 1, 1, 24)


def test_frames_of_a_clip_share_one_body_and_other_clips_do_not_matter():
    network, (features, radius) = make(), clip()
    every = network(features, radius)
    alone = network(features[:1], radius[:1])
    assert torch.allclose(every.joints[:1], alone.joints, atol=1e-4)
    assert torch.allclose(every.log_sigma[:1], alone.log_sigma, atol=1e-5)
    swapped = network(features.flip(1), radius)
    assert torch.allclose(swapped.joints.flip(1), every.joints, atol=1e-4)


def test_without_context_and_convolutions_frames_stand_alone():
    network, (features, radius) = make(context=False, dilations=()), clip()
    before = network(features, radius).joints
    features[:, :, 5:] += 1.0
    after = network(features, radius).joints
    assert torch.equal(before[:, :, :5], after[:, :, :5])
    assert not torch.allclose(before[:, :, 5:], after[:, :, 5:])


@pytest.mark.parametrize("causal", [True, False])
def test_a_causal_network_does_not_look_ahead(causal):
    network, (features, radius) = make(causal=causal), clip(runs=1)
    before = network(features, radius).joints
    features[:, :, 8:] += 1.0
    after = network(features, radius).joints
    same = torch.allclose(before[:, :, :8], after[:, :, :8], atol=1e-5)
    assert same == causal


def test_gradients_reach_every_parameter_and_are_finite():
    network, (features, radius) = make(), clip()
    joints, *others = network(features, radius)
    (joints.square().mean() + sum(other.mean() for other in others)).backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())
    unused = [n for n, p in network.named_parameters() if not p.grad.abs().sum()]
    assert unused == []


def test_a_bone_is_as_long_as_its_mirror_image_was_seen_where_the_network_trusts_it():
    left, right = (INFANT.bones.index((f"{s}_hip", f"{s}_knee")) for s in ("left", "right"))
    network = make(twins=tuple(left if i == right else i for i in TWINS))
    (features, radius), unseen = clip(), INFANT.bones.index(("left_knee", "left_ankle"))
    for layer in (network.body, network.trust):
        layer.weight.data.zero_()
        layer.bias.data.zero_()
    network.trust.bias.data.fill_(1.0)
    features = 0.4 * features  # as long as bones are
    features[..., 2] = 1.0
    features[..., INFANT.index("left_knee"), 2] = 0.0  # missing in every frame
    lengths = network(features, radius).log_lengths[:, 0, 0]
    hip, knee = INFANT.index("right_hip"), INFANT.index("right_knee")
    greatest = (features[..., knee, :2] - features[..., hip, :2]).norm(dim=-1).amax((1, 2)).log()
    seen = lengths[:, left] - lengths[:, unseen] + TYPICAL_SHAPE
    assert torch.equal(lengths[:, left], lengths[:, right])
    assert (seen < greatest + 1e-4).all()
    assert (seen > greatest - 0.2).all()  # the 16th power mean of 24 frames

import pytest
import torch

from PoseEstimation.models.martinez import MartinezConfig, MartinezLifter
from PoseEstimation.models.pose_resnet import PoseResNet, PoseResNetConfig


@pytest.mark.parametrize("depth", [18, 50])
def test_maps_are_a_quarter_of_the_crop(depth):
    network = PoseResNet(PoseResNetConfig(depth=depth, num_joints=7, head_channels=32)).eval()
    with torch.no_grad():
        maps = network(torch.rand(2, 3, 64, 96))
    assert maps.shape == (2, 1, 7, 64 // network.output_stride, 96 // network.output_stride)


def test_the_shipped_shape_fits_in_31_megabytes():
    network = PoseResNet(PoseResNetConfig())
    values = sum(v.numel() for v in network.state_dict().values())
    assert network.num_parameters < values and 2 * values <= 31e6


def test_the_published_variant_has_no_norm_in_its_head_and_takes_plain_images():
    network = PoseResNet(PoseResNetConfig(head_batch_norm=False, normalise=False, head_channels=8))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.head.modules())
    network.eval()
    images = torch.rand(1, 3, 32, 32)
    direct = network.head(network.stages(network.stem(images)))[:, None]
    assert torch.equal(network(images), direct)


def test_normalising_is_part_of_the_network():
    plain, normalised = (
        PoseResNet(PoseResNetConfig(normalise=n, head_channels=8)).eval() for n in (False, True)
    )
    normalised.load_state_dict(plain.state_dict())
    images = torch.rand(1, 3, 32, 32)
    expected = plain((images - normalised.mean) / normalised.std)
    assert torch.allclose(normalised(images), expected)


def test_gradients_reach_every_parameter_and_are_finite():
    network = PoseResNet(PoseResNetConfig(head_channels=8))
    network(torch.rand(2, 3, 64, 64)).square().sum().backward()
    lifter = MartinezLifter(MartinezConfig(width=16))
    lifter(torch.randn(4, 16, 2)).square().sum().backward()
    for module in (network, lifter):
        assert all(torch.isfinite(p.grad).all() for p in module.parameters())


def test_the_lifter_puts_the_root_at_exactly_zero():
    config = MartinezConfig(width=32, root_index=5)
    joints = MartinezLifter(config)(torch.randn(4, 16, 2))
    assert joints.shape == (4, 16, 3)
    assert (joints[:, 5] == 0).all() and (joints[:, 4] != 0).all()

import pytest
import torch

from Engine.errors import DataError
from Engine.widths import LIGHTNING, THUNDER
from PoseEstimation.models.martinez import MartinezConfig, MartinezLifter
from PoseEstimation.models.mobilenet_fpn import MobileNetFPN, MobileNetFPNConfig
from PoseEstimation.models.pose_resnet import PoseResNet, PoseResNetConfig


@pytest.mark.parametrize("depth", [18, 50])
def test_maps_are_a_quarter_of_the_crop(depth):
    network = PoseResNet(PoseResNetConfig(depth=depth, num_joints=7, head_channels=32)).eval()
    with torch.no_grad():
        maps = network(torch.rand(2, 3, 64, 96))
    assert maps.heatmaps.shape == (2, 7, 64 // network.output_stride, 96 // network.output_stride)
    assert maps.depth is None and maps.log_sigma is None


def test_the_shipped_shape_fits_in_31_megabytes():
    network = PoseResNet(PoseResNetConfig())
    values = sum(v.numel() for v in network.state_dict().values())
    assert 2 * values <= 31e6


def test_the_published_variant_has_no_norm_in_its_head_and_takes_plain_images():
    network = PoseResNet(PoseResNetConfig(head_batch_norm=False, normalise=False, head_channels=8))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.head.modules())
    network.eval()
    images = torch.rand(1, 3, 32, 32)
    direct = network.head(network.stages(network.stem(images)))
    assert torch.equal(network(images).heatmaps, direct)


def test_normalising_is_part_of_the_network():
    plain, normalised = (
        PoseResNet(PoseResNetConfig(normalise=n, head_channels=8)).eval() for n in (False, True)
    )
    normalised.load_state_dict(plain.state_dict())
    images = torch.rand(1, 3, 32, 32)
    expected = plain((images - normalised.mean) / normalised.std).heatmaps
    assert torch.allclose(normalised(images).heatmaps, expected)


def test_the_three_kinds_of_maps_are_thirds_of_the_last_layer():
    network = PoseResNet(PoseResNetConfig(num_joints=5, maps_per_joint=3, head_channels=8)).eval()
    images = torch.rand(2, 3, 32, 32)
    maps = network(images)
    last = network.head(network.stages(network.stem((images - network.mean) / network.std)))
    assert torch.equal(torch.cat([maps.heatmaps, maps.depth, maps.log_sigma], 1), last)


TINY = (6, 4, 5, 6, 7, 8, 9, 10)


def test_a_mobilenet_with_a_pyramid_gives_the_same_maps():
    network = MobileNetFPN(MobileNetFPNConfig(widths=TINY, num_joints=7)).eval()
    with torch.no_grad():
        maps = network(torch.rand(2, 3, 64, 96))
    assert maps.heatmaps.shape == (2, 7, 16, 24) and maps.depth is None
    assert torch.isfinite(maps.heatmaps).all() and maps.heatmaps.std() > 1e-4


@pytest.mark.parametrize(("widths", "millions"), [(THUNDER, 6.23), (LIGHTNING, 2.32)])
def test_the_published_sizes(widths, millions):
    network = MobileNetFPN(MobileNetFPNConfig(widths=widths, maps_per_joint=3))
    count = sum(p.numel() for p in network.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.01)


def test_eight_widths_are_needed():
    with pytest.raises(DataError, match=r"network\.widths: 2 numbers"):
        MobileNetFPNConfig(widths=(8, 8))


@pytest.mark.parametrize(
    "make",
    [
        lambda: PoseResNet(PoseResNetConfig(num_joints=3, maps_per_joint=3, head_channels=8)),
        lambda: MobileNetFPN(MobileNetFPNConfig(widths=TINY, num_joints=3, maps_per_joint=3)),
        lambda: MartinezLifter(MartinezConfig(width=16, dropout=0.0)),
    ],
    ids=["PoseResNet", "MobileNetFPN", "MartinezLifter"],
)
def test_every_parameter_has_an_influence_on_the_output(make):
    """A gradient that is finite may still be zero: each tensor of weights must have another."""
    torch.manual_seed(0)
    network = make()
    maps = not isinstance(network, MartinezLifter)
    output = network(torch.rand(4, 3, 64, 64) if maps else torch.randn(16, 16, 2))
    values = [output.heatmaps, output.depth, output.log_sigma] if maps else [output]
    sum((v * torch.randn_like(v)).sum() for v in values).backward()
    for name, parameter in network.named_parameters():
        if maps or not name.endswith(".0.bias"):  # batch norm removes a bias before it
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().max() > 1e-6, name


def test_the_lifter_puts_the_root_at_exactly_zero():
    config = MartinezConfig(width=32, root_index=5)
    joints = MartinezLifter(config)(torch.randn(4, 16, 2))
    assert joints.shape == (4, 16, 3)
    assert (joints[:, 5] == 0).all() and (joints[:, 4] != 0).all()

"""Torchvision's Faster R-CNN of few classes, for small computers.

No ImageNet weights are loaded: ``mobilenet_v2_fpn`` and ``resnet18_fpn`` begin with the layers of a
heatmap network and keep the first of them and the statistics of norms; in the others every layer
learns from random weights, and groups of channels are normalised instead of batches. With small
batches of strongly varied images the running statistics of batch normalisation fit no single image:
after 150 steps, the best boxes had an IoU of 0.64 with group and of 0.45 with batch normalisation.
Unlike torchvision's, the mobile pyramids start at a stride of 16 (or 8) pixels, not 32: boxes have
to fit limbs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_large, resnet18, resnet50
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import (
    FastRCNNConvFCHead,
    FastRCNNPredictor,
    TwoMLPHead,
)
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import FrozenBatchNorm2d, MultiScaleRoIAlign

from Datasets.scenes import CLASSES
from Engine.errors import DataError
from Engine.mobilenet_v2 import LAST, MobileNetV2
from Engine.weights import load_weights
from FasterRCNN.settings import DetectorSettings

ANCHOR_SIZES = (32, 64, 128, 192, 288)
ASPECT_RATIOS = (0.5, 1.0, 2.0)
ROI_SIDE = 7
GROUPS = 8

_NAMES = {
    "PoseResNet": {"stem.0.": "conv1.", "stem.1.": "bn1."}
    | {f"stages.{stage}.": f"layer{stage + 1}." for stage in range(4)},
    "MobileNetFPN": {"features.stem.": "stem.", "features.blocks.": ""},
}
"""Names of the layers of heatmap networks, and of their like in a detector's body."""

_MOBILE_LEVELS = {"6": 40, "12": 112, "16": 960}
"""Last layer of MobileNetV3 at stride 8, 16 and 32 and its channels."""


def build_detector(settings: DetectorSettings, classes: int = len(CLASSES)) -> FasterRCNN:
    """Make a detector with random weights.

    It takes (3, height, width) floats in 0..1; see ``DetectorSettings`` for the sizes. The second
    stage learns from 64 boxes an image.

    Args:
        settings: the network.
        classes: number of its classes, the first of ``CLASSES``; background included.
    """
    backbone, heavy = _backbone(settings)
    channels, levels = backbone.out_channels, len(backbone.body.return_layers)
    anchors = AnchorGenerator((ANCHOR_SIZES,) * (levels + 1), (ASPECT_RATIOS,) * (levels + 1))
    names = [str(level) for level in range(levels)]
    box_head = (
        FastRCNNConvFCHead(
            (channels, ROI_SIDE, ROI_SIDE), [channels] * 4, [settings.box_head], group_norm
        )
        if heavy
        else TwoMLPHead(channels * ROI_SIDE**2, settings.box_head)
    )
    per_place = anchors.num_anchors_per_location()[0]
    return FasterRCNN(
        _with_float32_outputs(backbone),
        min_size=settings.min_size,
        max_size=settings.max_size,
        **_normalisation(settings.backbone),
        rpn_anchor_generator=anchors,
        rpn_head=_with_float32_outputs(RPNHead(channels, per_place, 2 if heavy else 1)),
        rpn_pre_nms_top_n_train=3 * settings.proposals,
        rpn_post_nms_top_n_train=settings.proposals,
        rpn_pre_nms_top_n_test=settings.proposals,
        rpn_post_nms_top_n_test=3 * settings.proposals // 10,
        rpn_batch_size_per_image=128,
        box_roi_pool=MultiScaleRoIAlign(names, output_size=ROI_SIDE, sampling_ratio=2),
        box_head=box_head,
        box_predictor=_with_float32_outputs(FastRCNNPredictor(settings.box_head, classes)),
        box_batch_size_per_image=64,
        box_positive_fraction=0.5,
        box_score_thresh=0.05,
        box_nms_thresh=0.5,
        box_detections_per_img=20,
    )


class DifferentSizes(nn.Module):
    """A detector for ``TorchBackend``: images of different sizes in, their boxes end to end out."""

    def __init__(self, network: FasterRCNN) -> None:
        super().__init__()
        self.network = network

    def forward(self, *images: Float[Tensor, "1 3 height width"]) -> dict[str, Tensor]:
        """Boxes (n, 4) in pixels of their image, ``scores`` and ``labels`` (n,) of all images.

        ``counts`` (image,) says how many boxes each image has.
        """
        found = self.network([image[0] for image in images])
        joined = {key: torch.cat([one[key] for one in found]) for key in found[0]}
        return {**joined, "counts": torch.tensor([len(one["scores"]) for one in found])}


def _backbone(settings: DetectorSettings) -> tuple[BackboneWithFPN, bool]:
    """Return the backbone with its feature pyramid, and whether version 2's heads go with it."""
    name = settings.backbone
    if name == "mobilenet_v2_fpn":
        mobile = MobileNetV2(settings.widths)
        mobile.first.requires_grad_(False)
        layers = {str(last): mobile.channels[last] for last in LAST[1:]}
        return _pyramid(mobile.in_sequence(), layers, 128), False
    if name == "resnet18_fpn":
        body = resnet18(weights=None, norm_layer=FrozenBatchNorm2d)
        for part in (body.conv1, body.bn1, body.layer1):
            part.requires_grad_(False)
        return _pyramid(body, {"layer2": 128, "layer3": 256, "layer4": 512}, 128), False
    if name == "resnet50_fpn_v2":
        body = resnet50(weights=None, norm_layer=group_norm)
        layers = {"layer1": 256, "layer2": 512, "layer3": 1024, "layer4": 2048}
        return _pyramid(body, layers, 256), True
    body = mobilenet_v3_large(weights=None, norm_layer=group_norm).features
    skipped = 1 if name == "mobilenet_v3_large_320_fpn" else 0
    return _pyramid(body, dict(list(_MOBILE_LEVELS.items())[skipped:]), 128), False


def load_body(body: nn.Module, path: Path) -> None:
    """Begin with the layers of a heatmap network that was trained on people.

    Args:
        body: torchvision's ResNet-18 or ``MobileNetV2.in_sequence``, or the first stages of one.
        path: weights of the heatmap network.

    Raises:
        DataError: the weights are of another network.
    """
    state, metadata = load_weights(path)
    names = _NAMES.get(str(metadata.get("model")), {})
    own = {name.split(".")[0] for name in body.state_dict()}
    renamed = {
        new + name.removeprefix(old): value
        for name, value in state.items()
        for old, new in names.items()
        if name.startswith(old) and not name.endswith("num_batches_tracked")
        if (new + name.removeprefix(old)).split(".")[0] in own
    }
    try:
        body.load_state_dict(renamed)
    except RuntimeError:
        raise DataError(
            f"{path}: not the weights of a heatmap network of this kind and size; train one"
        ) from None


def _normalisation(backbone: str) -> dict[str, list[float]]:
    """From 0 to 1 to what the backbone takes; empty: ImageNet's mean and deviation."""
    middle = [0.5, 0.5, 0.5]
    return dict(image_mean=middle, image_std=middle) if backbone == "mobilenet_v2_fpn" else {}


def _pyramid(body: nn.Module, layers: dict[str, int], channels: int) -> BackboneWithFPN:
    names = {layer: str(level) for level, layer in enumerate(layers)}
    return BackboneWithFPN(body, names, list(layers.values()), channels, norm_layer=group_norm)


def _with_float32_outputs(part: nn.Module) -> nn.Module:
    """Convert a part's outputs to float32 under mixed precision.

    Torchvision computes anchors, proposals and even the true boxes in the type of these outputs,
    and bf16 rounds coordinates above 128 to whole pixels, above 256 to two.
    """
    part.register_forward_hook(lambda _part, _inputs, output: _widened(output))
    return part


def _widened(value: Any) -> Any:
    """Tensors of dicts, lists and tuples in 32-bit floats."""
    if isinstance(value, Tensor):
        return value.float()
    if isinstance(value, dict):
        return type(value)((key, _widened(item)) for key, item in value.items())
    return type(value)(_widened(item) for item in value)


def group_norm(channels: int) -> nn.GroupNorm:
    """Normalisation of groups of channels, independent of the other images of a batch."""
    return nn.GroupNorm(GROUPS, channels)

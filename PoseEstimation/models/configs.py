"""What describes each network, free of torch: what a recipe chooses, and what its data decide.

``NAMESettings`` is the section ``network`` of a recipe in config.yaml, its ``kind`` the name of the
network; ``NAMEConfig`` adds what follows from the recipe's joints, and travels in the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Literal

from Engine.errors import DataError
from Engine.settings import Settings, limited
from Engine.widths import THUNDER
from PoseEstimation.models import HEATMAP_NETWORKS, LIFTERS


@dataclass(frozen=True)
class NetworkSettings(Settings):
    """What a recipe may choose of a network.

    Attributes:
        kind: name of the network.
    """

    kind: str = ""

    @classmethod
    def of_kind(cls, kind: str, key: str = "network") -> type[NetworkSettings]:
        """The settings of a kind that may stand in place of this class.

        Raises:
            DataError: there is none.
        """
        table = {**HEATMAP_NETWORKS.table, **LIFTERS.table}
        kinds = {name: resolve_name(row.settings) for name, row in table.items()}
        fitting = {name: found for name, found in kinds.items() if issubclass(found, cls)}
        if kind not in fitting:
            raise DataError(f"{key}.kind is '{kind}', must be one of {', '.join(fitting)}")
        return fitting[kind]


@dataclass(frozen=True)
class HeatmapNetworkSettings(NetworkSettings):
    """Of a network from crops to maps of each joint."""


@dataclass(frozen=True)
class PoseResNetSettings(HeatmapNetworkSettings):
    """A ResNet and three transposed convolutions.

    Attributes:
        kind: ``pose_resnet``.
        depth: of the ResNet.
        head_batch_norm: False as in Ellershaw's network, which has none in its head.
        head_channels: width of the transposed convolutions; 256 as published, 128 trains faster.
        normalise: subtract ImageNet's mean and divide by its deviation; False as in Ellershaw's.
    """

    kind: Literal["pose_resnet"] = "pose_resnet"
    depth: Literal[18, 34, 50, 101, 152] = 18
    head_batch_norm: bool = True
    head_channels: int = limited(256, 1, 8192)
    normalise: bool = True


@dataclass(frozen=True, kw_only=True)
class PoseResNetConfig(PoseResNetSettings):
    """Shape of the network.

    Attributes:
        num_joints: joints that have maps.
        maps_per_joint: 1: heatmap; 3: heatmap, depth, log of the 2D error's deviation.
    """

    num_joints: int = limited(25, 1, 1000)
    maps_per_joint: Literal[1, 3] = 1


@dataclass(frozen=True)
class MobileNetFPNSettings(HeatmapNetworkSettings):
    """MobileNetV2 and a feature pyramid, as MoveNet's.

    Attributes:
        kind: ``mobilenet_fpn``.
        widths: channels of the stem and the seven stages, ``THUNDER`` or ``LIGHTNING`` in MoveNet.
    """

    kind: Literal["mobilenet_fpn"] = "mobilenet_fpn"
    widths: tuple[int, ...] = limited(THUNDER, 1, 4096)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.widths) != len(THUNDER):
            raise DataError(f"network.widths: {len(self.widths)} numbers, {len(THUNDER)} needed")


@dataclass(frozen=True, kw_only=True)
class MobileNetFPNConfig(MobileNetFPNSettings):
    """Shape of the network.

    Attributes:
        num_joints: joints that have maps.
        maps_per_joint: 1: heatmap; 3: heatmap, depth, log of the 2D error's deviation.
    """

    num_joints: int = limited(25, 1, 1000)
    maps_per_joint: Literal[1, 3] = 1


@dataclass(frozen=True)
class MartinezSettings(NetworkSettings):
    """A residual perceptron from the 2D joints of one frame to 3D joints.

    Attributes:
        kind: ``martinez``.
        width: of the hidden layers.
        blocks: residual blocks.
        dropout: share of hidden values dropped in training.
    """

    kind: Literal["martinez"] = "martinez"
    width: int = limited(1024, 1, 65_536)
    blocks: int = limited(2, 0, 100)
    dropout: float = limited(0.5, 0.0, 0.99)


@dataclass(frozen=True, kw_only=True)
class MartinezConfig(MartinezSettings):
    """Shape of the network.

    Attributes:
        num_joints: joints in and out.
        root_index: joint that the output is relative to.
    """

    num_joints: int = limited(16, 1, 1000)
    root_index: int = limited(6, 0, 999)


@dataclass(frozen=True)
class ClipLifterSettings(NetworkSettings):
    """Clips of 2D joints to 3D joints.

    Attributes:
        kind: ``clip_lifter``.
        width: of the hidden layers.
        frame_blocks: residual blocks that see one frame, before and again after the others.
        dilations: of the convolutions over time, three frames each; none sees single frames only.
        causal: use earlier frames only, in the convolutions and in the clip's mean.
        context: whether the clip's mean is known; without, every frame stands alone.
        rigid: place joints at their bones' lengths; without, depths are regressed directly.
        dropout: share of hidden values dropped in training.
    """

    kind: Literal["clip_lifter"] = "clip_lifter"
    width: int = limited(256, 1, 65_536)
    frame_blocks: int = limited(2, 0, 100)
    dilations: tuple[int, ...] = limited((1, 3, 9), 1, 1000)
    causal: bool = False
    context: bool = True
    rigid: bool = True
    dropout: float = limited(0.0, 0.0, 0.99)


@dataclass(frozen=True, kw_only=True)
class ClipLifterConfig(ClipLifterSettings):
    """Shape of the network.

    Attributes:
        num_joints: joints in and out.
        root_index: joint that the output is relative to, and the first parent.
        bones: (parent, child) of every joint but the root, parents before their children.
        twins: for each bone the first bone of its length: itself, or its mirror image.
        in_features: values per input joint, of which the first two are x and y.
    """

    num_joints: int = limited(..., 1, 1000)
    root_index: int = limited(..., 0, 999)
    bones: tuple[tuple[int, int], ...] = limited(..., 0, 999)
    twins: tuple[int, ...] = limited(..., 0, 999)
    in_features: int = limited(6, 1, 100)

"""Networks built again from the headers of their weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from Datasets.skeletons import SKELETONS
from Engine.errors import DataError
from Engine.weights import load_weights
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.inference.lifting import ClipLifting, FrameLifting
from PoseEstimation.inference.top_down import HeatmapStage
from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
from PoseEstimation.models.martinez import MartinezConfig, MartinezLifter
from PoseEstimation.models.pose_resnet import PoseResNet, PoseResNetConfig


def load_heatmap(path: Path) -> HeatmapStage:
    """Rebuild the 2D network.

    Raises:
        DataError: the file is damaged or holds another network.
    """
    state, metadata = load_weights(path)
    with _describes(path, "PoseResNet", metadata):
        network = PoseResNet(PoseResNetConfig(**metadata["config"]))
        network.load_state_dict(state)
        codec = HeatmapCodec(**metadata["codec"])
        return HeatmapStage(network.eval(), codec, SKELETONS[metadata["skeleton"]])


def load_lifter(path: Path) -> FrameLifting | ClipLifting:
    """Rebuild the lifter.

    Raises:
        DataError: the file is damaged or holds another network.
    """
    state, metadata = load_weights(path)
    frame = metadata.get("model") == "MartinezLifter"
    with _describes(path, "MartinezLifter" if frame else "ClipLifter", metadata):
        skeleton = SKELETONS[metadata["skeleton"]]
        if frame:
            network = MartinezLifter(MartinezConfig(**metadata["config"]))
            lifting = FrameLifting(network, PixelCodec(skeleton, **metadata["codec"]))
        else:
            network = ClipLifter(ClipLifterConfig(**metadata["config"]))
            lifting = ClipLifting(network, RayCodec(skeleton, **metadata["codec"]))
        network.load_state_dict(state)
        return lifting


class _describes:
    """Turns a header that does not fit its weights into one line."""

    def __init__(self, path: Path, model: str, metadata: dict[str, Any]) -> None:
        self.path, self.model, self.found = path, model, metadata.get("model")

    def __enter__(self) -> None:
        if self.found != self.model:
            raise DataError(
                f"weights: {self.path} holds {self.found}, not {self.model}; give that file"
            )

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DataError | KeyError | TypeError | ValueError | RuntimeError):
            raise DataError(
                f"weights: {self.path} does not fit its description; restore it"
            ) from error

"""A weight set: found, checked against the index, its networks rebuilt from their headers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from Datasets.skeletons import SKELETONS
from Engine.errors import DataError
from Engine.provenance import file_sha256
from Engine.reading import require_folder
from Engine.weights import load_weights
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.inference.lifting import ClipLifting, FrameLifting
from PoseEstimation.inference.top_down import HeatmapStage
from PoseEstimation.inference.weight_sets import FILES, INDEX, index_entry
from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
from PoseEstimation.models.martinez import MartinezConfig, MartinezLifter
from PoseEstimation.models.pose_resnet import PoseResNet, PoseResNetConfig


def check_weights(folder: Path) -> dict[str, str]:
    """Compare the files of a weight set with the index beside it.

    Args:
        folder: such as ``SavedModels/infant-synthetic``; ``index.yaml`` in its parent, when it
            names this folder, gives ``sha256`` by file name.

    Returns:
        The sha256 of each file, by name.

    Raises:
        DataError: a file is missing or is not the one in the index.
    """
    require_folder(folder, "weights")
    expected = index_entry(folder).get("sha256") or {}
    digests = {}
    for name in FILES:
        path = folder / name
        if not path.is_file():
            raise DataError(f"weights: {path} does not exist; restore it or train it")
        digests[name] = file_sha256(path)
        if expected.get(name, digests[name]) != digests[name]:
            raise DataError(
                f"weights: {path} has sha256 {digests[name][:12]}..., {INDEX} says "
                f"{str(expected[name])[:12]}...; restore the file"
            )
    return digests


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

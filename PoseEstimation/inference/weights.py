"""A weight set: found, checked against the index, its networks rebuilt from their headers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from Datasets.skeletons import SKELETONS
from Engine.backends import TorchBackend
from Engine.devices import choose_device, computes_in_bf16
from Engine.errors import DataError
from Engine.provenance import file_sha256
from Engine.reading import require_folder
from Engine.weights import load_weights
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.inference.lifting import ClipLifting, FrameLifting
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import KeypointNetwork
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


def load_keypoint_network(path: Path, settings: PredictSettings | None = None) -> KeypointNetwork:
    """Rebuild the 2D network, on the device and in the precision of the settings.

    Raises:
        DataError: the file is damaged or holds another network.
    """
    state, metadata = load_weights(path)
    with _describes(path, "PoseResNet", metadata):
        network = PoseResNet(PoseResNetConfig(**metadata["config"]))
        network.load_state_dict(state)
        codec = HeatmapCodec(**metadata["codec"])
        settings = settings or PredictSettings()
        device = choose_device(settings.device)
        bf16 = computes_in_bf16(settings.precision, device)
        backend = TorchBackend(network, device, bf16=bf16)
        return KeypointNetwork(backend, codec, SKELETONS[metadata["skeleton"]])


def load_lifter(path: Path, device: torch.device | str = "cpu") -> FrameLifting | ClipLifting:
    """Rebuild the lifter.

    Raises:
        DataError: the file is damaged or holds another network.
    """
    state, metadata = load_weights(path)
    frame = metadata.get("model") == "MartinezLifter"
    with _describes(path, "MartinezLifter" if frame else "ClipLifter", metadata):
        skeleton = SKELETONS[metadata["skeleton"]]
        network: torch.nn.Module
        if frame:
            network = MartinezLifter(MartinezConfig(**metadata["config"]))
            network.load_state_dict(state)
            codec = PixelCodec(skeleton, **metadata["codec"])
            return FrameLifting(TorchBackend(network, device, ("joints",)), codec)
        network = ClipLifter(ClipLifterConfig(**metadata["config"]))
        network.load_state_dict(state)
        outputs = ("joints", "log_sigma", "log_lengths")
        backend = TorchBackend(network, device, outputs)
        return ClipLifting(backend, RayCodec(skeleton, **metadata["codec"]))


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

"""A weight set: found, checked against the index, its networks rebuilt from their headers."""

from __future__ import annotations

from pathlib import Path

import torch

from Datasets.skeletons import SKELETONS
from Engine.backends import TorchBackend
from Engine.devices import choose_device, computes_in_bf16
from Engine.errors import DataError
from Engine.provenance import file_sha256
from Engine.reading import require_folder
from Engine.registry import fits_its_header
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.inference.lifting import ClipLifting, FrameLifting
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import KeypointNetwork
from PoseEstimation.inference.weight_sets import FILES, INDEX, index_entry
from PoseEstimation.models import HEATMAP_NETWORKS, LIFTERS


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
    network, metadata = HEATMAP_NETWORKS.load(path)
    with fits_its_header(path):
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
    network, metadata = LIFTERS.load(path)
    with fits_its_header(path):
        skeleton = SKELETONS[metadata["skeleton"]]
        if metadata["model"] == "MartinezLifter":
            codec = PixelCodec(skeleton, **metadata["codec"])
            return FrameLifting(TorchBackend(network, device, ("joints",)), codec)
        backend = TorchBackend(network, device, ("joints", "log_sigma", "log_lengths"))
        return ClipLifting(backend, RayCodec(skeleton, **metadata["codec"]))

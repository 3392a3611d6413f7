"""Networks built again from the headers of their weights."""

from __future__ import annotations

from pathlib import Path

import torch

from Datasets.skeletons import SKELETONS
from Engine.backends import TorchBackend
from Engine.devices import choose_device, computes_in_bf16
from Engine.registry import as_tuples, fits_its_header
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.inference.lifting import ClipLifting, FrameLifting
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import KeypointNetwork
from PoseEstimation.models import HEATMAP_NETWORKS, LIFTERS
from PoseEstimation.structures import Lifted


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
            pixels = PixelCodec(skeleton, **metadata["codec"])
            return FrameLifting(TorchBackend(network, device, ("joints",)), pixels)
        backend = TorchBackend(network, device, Lifted._fields)
        return ClipLifting(backend, RayCodec(skeleton, **as_tuples(metadata["codec"])))

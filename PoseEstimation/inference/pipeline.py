"""The whole chain for a frame: box, crop, heatmaps, 2D joints, 3D joints.

Read ``PosePipeline.predict`` first: it is the sentence of the project.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from Datasets.geometry.affine import warp_image
from Datasets.geometry.camera import root_position
from Datasets.skeletons import Skeleton
from Datasets.structures import Crop, DataError
from Datasets.transforms.presets import eval_crop
from FasterRCNN.detector import Detections, InfantDetector
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.flip_test import flip_averaged
from PoseEstimation.inference.lift_views import lift_views
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.weights import (
    HeatmapStage,
    LiftingStage,
    check_weights,
    choose_device,
    load_heatmap,
    load_lifter,
)
from PoseEstimation.result import InfantPose


@dataclass(frozen=True)
class Keypoints:
    """2D joints of n infants.

    Attributes:
        keypoints_px: (n, joint, 2) pixels of the frame.
        scores: (n, joint) confidence, 0 to 1.
        sigma_px: (n, joint) standard deviation, pixels of the frame, per axis.
    """

    keypoints_px: Float[np.ndarray, "n joint 2"]
    scores: Float[np.ndarray, "n joint"]
    sigma_px: Float[np.ndarray, "n joint"]


class PosePipeline:
    """Detector, 2D network and lifter, ready for frames.

    Attributes:
        skeleton: convention of every per-joint array.
        model_info: name, sha256 of each file and of the settings, code version, for every output.
        settings: how frames become poses.
    """

    def __init__(
        self,
        detector: InfantDetector,
        heatmap: HeatmapStage,
        lifting: LiftingStage,
        model_info: dict[str, Any] | None = None,
        settings: PredictSettings | None = None,
    ) -> None:
        if heatmap.skeleton != lifting.codec.skeleton:
            raise DataError(
                f"weights: the 2D network predicts {heatmap.skeleton.name}, the lifter takes "
                f"{lifting.codec.skeleton.name}; use networks of one set"
            )
        self.settings = settings or PredictSettings()
        self.device = choose_device(self.settings.device)
        self.skeleton: Skeleton = heatmap.skeleton
        self.model_info = dict(model_info or {})
        self._detector = detector
        self._codec = heatmap.codec
        self._network = heatmap.network.to(self.device, memory_format=torch.channels_last).eval()
        self._lifter = lifting.network.to(self.device).eval()
        self._lifting_codec = lifting.codec
        self._bf16 = _computes_in_bf16(self.settings.precision, self.device)

    @classmethod
    def from_weights(
        cls, folder: Path, device: str = "auto", settings: PredictSettings | None = None
    ) -> PosePipeline:
        """Load a weight set, its files checked against ``index.yaml``.

        Args:
            folder: such as ``SavedModels/infant-synthetic``.
            device: auto, cpu, cuda or mps; ``settings.device`` counts when this is auto.
            settings: default ``PredictSettings()``.

        Raises:
            DataError: a file is missing, damaged or another one than the index says.
        """
        settings = settings or PredictSettings()
        chosen = choose_device(device if device != "auto" else settings.device)
        digests = check_weights(folder)
        detector = InfantDetector.from_weights(
            folder / "detector.safetensors",
            str(chosen),
            min_score=settings.min_box_score,
            max_infants=settings.max_infants,
        )
        info = {
            "name": folder.name,
            "sha256": digests,
            "config_sha256": _digest(settings),
            "code_version": _code_version(),
        }
        heatmap = load_heatmap(folder / "heatmap.safetensors")
        lifting = load_lifter(folder / "lifter.safetensors")
        return cls(detector, heatmap, lifting, info, settings)

    def __call__(
        self, image: Image.Image, intrinsics: Float[np.ndarray, "3 3"] | None = None
    ) -> tuple[InfantPose, ...]:
        """Find the infants of one frame; ``track_id`` counts from 1, best first.

        Args:
            image: upright RGB.
            intrinsics: (3, 3) pixels, or None for the assumed field of view.
        """
        camera = Camera(self.settings.fov_degrees, intrinsics=intrinsics)
        return self.predict([image], [camera.matrix(image.size)])[0]

    def predict(
        self, images: Sequence[Image.Image], intrinsics: Sequence[Float[np.ndarray, "3 3"]]
    ) -> list[tuple[InfantPose, ...]]:
        """Find the infants of several frames, which share the passes through the 2D network.

        Args:
            images: upright RGB.
            intrinsics: (3, 3) pixels, one per image.
        """
        found = self._detector.detect(images)
        crops = [
            (image, eval_crop(box, self._codec.input_size))
            for image, detections in zip(images, found, strict=True)
            for box in detections.boxes_xyxy
        ]
        keypoints = self._keypoints(crops)
        results, first = [], 0
        for detections, matrix in zip(found, intrinsics, strict=True):
            last = first + len(detections.boxes_xyxy)
            part = Keypoints(
                keypoints.keypoints_px[first:last],
                keypoints.scores[first:last],
                keypoints.sigma_px[first:last],
            )
            results.append(self._infants(detections, part, matrix))
            first = last
        return results

    def detect(self, image: Image.Image) -> Detections:
        """Find infants, best first."""
        return self._detector(image)

    def estimate_2d(self, image: Image.Image, boxes: Float[np.ndarray, "n 4"]) -> Keypoints:
        """Find the joints inside given boxes.

        Args:
            image: upright RGB.
            boxes: (n, 4) pixels.
        """
        return self._keypoints([(image, eval_crop(box, self._codec.input_size)) for box in boxes])

    def lift(
        self,
        keypoints_px: Float[np.ndarray, "n joint 2"],
        scores: Float[np.ndarray, "n joint"],
        intrinsics: Float[np.ndarray, "3 3"],
    ) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
        """Lift 2D joints to 3D.

        Args:
            keypoints_px: (n, joint, 2) pixels; NaN where missing.
            scores: (n, joint) confidence; 0 where missing.
            intrinsics: (3, 3) pixels.

        Returns:
            Root-relative joints in mm, camera axes, and their standard deviation in mm per axis.
        """
        joints = len(self.skeleton)
        if len(keypoints_px) == 0:
            return np.zeros((0, joints, 3)), np.zeros((0, joints))
        features, view = self._lifting_codec.encode_input(keypoints_px, scores, intrinsics)
        with torch.inference_mode():
            inputs = torch.as_tensor(features, dtype=torch.float32, device=self.device)
            output, log_sigma = self._lift_features(inputs)
        joints_mm = self._lifting_codec.decode(output.cpu().numpy(), view)
        return joints_mm, self._lifting_codec.decode_sigma(log_sigma.cpu().numpy())

    def _lift_features(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self._lifting_codec.input == "pixels":
            return self._lifter(features)
        return lift_views(self._lifter, features, self.skeleton.flip_indices)

    def _keypoints(self, crops: Sequence[tuple[Image.Image, Crop]]) -> Keypoints:
        """Run the 2D network over crops and bring the joints back to the frames."""
        joints, size = len(self.skeleton), max(1, self.settings.batch_size)
        if not crops:
            return Keypoints(np.zeros((0, joints, 2)), np.zeros((0, joints)), np.zeros((0, joints)))
        parts = [self._decode(crops[i : i + size]) for i in range(0, len(crops), size)]
        points, scores, sigma = (np.concatenate(values) for values in zip(*parts, strict=True))
        back = zip(crops, points, strict=True)
        return Keypoints(
            np.stack([crop.to_image(p) for (_, crop), p in back]),
            scores,
            sigma / np.array([[crop.scale] for _, crop in crops]),
        )

    def _decode(self, crops: Sequence[tuple[Image.Image, Crop]]) -> tuple[np.ndarray, ...]:
        """Joints in crop pixels, scores and sigma in crop pixels of one batch."""
        images = torch.stack([_pixels(image, crop) for image, crop in crops]).to(self.device)
        images = images.float().div(255).contiguous(memory_format=torch.channels_last)
        cast = torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16)
        with torch.inference_mode():
            with cast:
                if self.settings.flip_test:
                    maps = flip_averaged(self._network, images, self.skeleton.flip_indices)
                else:
                    maps = self._network(images)
            decoded = self._codec.decode(maps.float())
        return tuple(value.cpu().numpy().astype(np.float64) for value in decoded)

    def _infants(
        self, detections: Detections, found: Keypoints, intrinsics: Float[np.ndarray, "3 3"]
    ) -> tuple[InfantPose, ...]:
        """Lift the joints of one frame and place each infant in front of the camera."""
        joints_mm, sigma_mm = self.lift(found.keypoints_px, found.scores, intrinsics)
        infants = []
        for i, box in enumerate(detections.boxes_xyxy):
            points, scores = found.keypoints_px[i], found.scores[i]
            root = root_position(points, joints_mm[i], intrinsics, scores)
            infants.append(
                InfantPose(
                    track_id=i + 1,
                    box_xyxy=np.asarray(box, dtype=np.float64),
                    box_score=float(detections.scores[i]),
                    keypoints_px=points,
                    keypoint_scores=scores,
                    sigma_px=found.sigma_px[i],
                    joints_mm=joints_mm[i],
                    sigma_mm=sigma_mm[i],
                    root_mm=root if np.isfinite(root).all() else None,
                )
            )
        return tuple(infants)


def _pixels(image: Image.Image, crop: Crop) -> Tensor:
    """Cut a crop: uint8 (3, height, width)."""
    pixels = np.array(warp_image(image, crop.matrix, crop.size))
    return torch.from_numpy(pixels).permute(2, 0, 1)


def _computes_in_bf16(precision: str, device: torch.device) -> bool:
    """Whether the 2D network runs in bf16, which moves joints by less than 0.2 crop pixels."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def _digest(settings: PredictSettings) -> str:
    return hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode()).hexdigest()


def _code_version() -> str:
    try:
        return version("infantpose")
    except PackageNotFoundError:
        return "unknown"

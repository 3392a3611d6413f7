"""The whole chain for a frame: box, crop, heatmaps, 2D joints, 3D joints.

Read ``PosePipeline.observe`` and ``lift_poses`` first: they are the sentence of the project.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image

from Datasets.geometry.camera import root_position
from Datasets.skeletons import Skeleton
from Engine.devices import choose_device
from Engine.errors import DataError
from FasterRCNN.detector import Detections, InfantDetector
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.lifting import ClipLifting, FrameLifting
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import HeatmapStage, KeypointFinder
from PoseEstimation.inference.weight_sets import WeightSet, find_weights, notice_of_terms
from PoseEstimation.inference.weights import load_heatmap, load_lifter
from PoseEstimation.result import Adult, InfantPose, People
from PoseEstimation.structures import Keypoints


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
        lifting: FrameLifting | ClipLifting,
        model_info: dict[str, Any] | None = None,
        settings: PredictSettings | None = None,
    ) -> None:
        if heatmap.skeleton != lifting.skeleton:
            raise DataError(
                f"weights: the 2D network predicts {heatmap.skeleton.name}, the lifter takes "
                f"{lifting.skeleton.name}; use networks of one set"
            )
        self.settings = settings or PredictSettings()
        self.device = choose_device(self.settings.device)
        self.skeleton: Skeleton = heatmap.skeleton
        self.model_info = dict(model_info or {})
        self._detector = detector
        self._finder = KeypointFinder(heatmap, self.device, self.settings)
        lifting.network.to(self.device)
        self._lifting = lifting

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
        weights = WeightSet.open(folder)
        detector = InfantDetector.from_weights(
            weights.path("detector"),
            str(chosen),
            min_score=settings.min_box_score,
            max_infants=settings.max_infants,
        )
        info = {
            "name": folder.name,
            "sha256": weights.digests(),
            "config_sha256": _digest(settings),
            "code_version": _code_version(),
        }
        heatmap = load_heatmap(weights.path("keypoints"))
        lifting = load_lifter(weights.path("lifter"))
        return cls(detector, heatmap, lifting, info, settings)

    @classmethod
    def named(cls, saved_models: Path, name: str, settings: PredictSettings) -> PosePipeline:
        """Load a weight set by name or folder; says on standard error what terms it has.

        Raises:
            DataError: see ``find_weights`` and ``from_weights``.
        """
        folder = find_weights(saved_models, name)
        pipeline = cls.from_weights(folder, settings=settings)
        if notice := notice_of_terms(folder, saved_models):
            print(f"infantpose: {notice}", file=sys.stderr)
        return pipeline

    def __call__(
        self, image: Image.Image, intrinsics: Float[np.ndarray, "3 3"] | None = None
    ) -> tuple[InfantPose, ...]:
        """Find the infants of one photo; ``track_id`` counts from 1, best first.

        Args:
            image: upright RGB.
            intrinsics: (3, 3) pixels, or None for the assumed field of view.
        """
        matrix = Camera(self.settings.fov_degrees, intrinsics=intrinsics).matrix(image.size)
        (people,) = self.observe([image], still=True)
        return tuple(self.lift_poses([pose], matrix[None])[0] for pose in people.infants)

    def observe(self, images: Sequence[Image.Image], still: bool = False) -> list[People]:
        """Find the people of several frames, which share the passes through the 2D network.

        Args:
            images: upright RGB.
            still: photos, which may take longer than the frames of a video.

        Returns:
            The people of each frame; infants with 2D joints, not lifted, ``track_id`` from 1.
        """
        found = self._detector.detect(images)
        places = [
            (image, box)
            for image, detections in zip(images, found, strict=True)
            for box in detections.boxes_xyxy
        ]
        keypoints, ends = self._finder(places, still), np.cumsum([len(d) for d in found])
        return [
            People(_infants(d, keypoints[end - len(d) : end]), _adults(d), d.suspected_xyxy)
            for d, end in zip(found, ends, strict=True)
        ]

    def detect(self, image: Image.Image) -> Detections:
        """Find infants, best first."""
        return self._detector(image)

    def estimate_2d(
        self, image: Image.Image, boxes: Float[np.ndarray, "n 4"], still: bool = False
    ) -> Keypoints:
        """Find the joints inside given boxes.

        Args:
            image: upright RGB.
            boxes: (n, 4) pixels.
            still: it is a photo, which may take longer than a frame of a video.
        """
        return self._finder([(image, box) for box in boxes], still)

    def lift(
        self,
        found: Keypoints,
        intrinsics: Float[np.ndarray, "*n 3 3"],
        times_s: Float[np.ndarray, "n"] | None = None,
    ) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
        """Lift 2D joints to 3D.

        Args:
            found: n poses.
            intrinsics: (3, 3) pixels, of all poses; or (n, 3, 3), one for each.
            times_s: seconds of the frames when they show one infant, or None; see ``ClipLifting``.

        Returns:
            Root-relative joints in mm, camera axes, and their standard deviation in mm per axis.
        """
        joints = len(self.skeleton)
        if len(found) == 0:
            return np.zeros((0, joints, 3)), np.zeros((0, joints))
        return self._lifting(found, intrinsics, times_s if self.settings.temporal else None)

    def lift_poses(
        self,
        poses: Sequence[InfantPose],
        intrinsics: Float[np.ndarray, "n 3 3"],
        times_s: Float[np.ndarray, "n"] | None = None,
    ) -> list[InfantPose]:
        """Lift poses to 3D and place each in front of its camera.

        Args:
            poses: n.
            intrinsics: (n, 3, 3) pixels.
            times_s: see ``lift``.
        """
        names = ("keypoints_px", "keypoint_scores", "sigma_px", "depth_px")
        found = Keypoints(*(np.stack([getattr(pose, name) for pose in poses]) for name in names))
        lifted = zip(*self.lift(found, intrinsics, times_s), strict=True)
        return [
            _placed(pose, *in_3d, matrix)
            for pose, in_3d, matrix in zip(poses, lifted, intrinsics, strict=True)
        ]


def _infants(detections: Detections, found: Keypoints) -> tuple[InfantPose, ...]:
    """The infants of a frame with their 2D joints."""
    return tuple(
        InfantPose.in_image(
            track_id=i + 1,
            box_xyxy=np.asarray(box, dtype=np.float64),
            box_score=float(detections.scores[i]),
            keypoints_px=found.keypoints_px[i],
            keypoint_scores=found.scores[i],
            sigma_px=found.sigma_px[i],
            depth_px=found.depth_px[i],
        )
        for i, box in enumerate(detections.boxes_xyxy)
    )


def _adults(detections: Detections) -> tuple[Adult, ...] | None:
    """The adults of a frame, where the detector knows any."""
    if detections.adults_xyxy is None:
        return None
    pairs = zip(detections.adults_xyxy, detections.adult_scores, strict=True)
    return tuple(Adult(box, float(score)) for box, score in pairs)


def _placed(
    pose: InfantPose, joints_mm: np.ndarray, sigma_mm: np.ndarray, intrinsics: np.ndarray
) -> InfantPose:
    """A pose with its 3D joints, in front of the camera where it can be placed."""
    root = root_position(pose.keypoints_px, joints_mm, intrinsics, pose.keypoint_scores)
    known = np.isfinite(root).all()
    return replace(pose, joints_mm=joints_mm, sigma_mm=sigma_mm, root_mm=root if known else None)


def _digest(settings: PredictSettings) -> str:
    return hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode()).hexdigest()


def _code_version() -> str:
    try:
        return version("infantpose")
    except PackageNotFoundError:
        return "unknown"

"""The one predictor: frames in, poses out. What is evaluated is what a user runs.

Read ``Predictor.run`` first: it is the sentence of the project.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from PIL import Image

from Datasets.readers.video import Frame, iter_frames
from Datasets.skeletons import Skeleton
from Engine.devices import choose_device
from Engine.errors import DataError, required
from Engine.provenance import code_identity, content_sha256
from FasterRCNN.detector import InfantDetector
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.lifting import Lifter
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.stream import FrameBatch, find_people
from PoseEstimation.inference.top_down import PeopleFinder, TopDown
from PoseEstimation.inference.tracks import lift_stream
from PoseEstimation.inference.weight_sets import WeightSet, find_weights, notice_of_terms
from PoseEstimation.inference.weights import load_keypoint_network, load_lifter
from PoseEstimation.quality import Quality
from PoseEstimation.result import FrameResult, PoseResult
from PoseEstimation.structures import Track

Boxes = Literal["own", "true"]


class Predictor:
    """Finds infants, follows them and lifts them to 3D.

    Attributes:
        skeleton: convention of every per-joint array.
        settings: how frames become poses.
        model_info: name, sha256 of each file and of the settings, code version, for every output.

    Args:
        finder: finds people in images; None where only given joints are lifted.
        lifter: lifts their tracks; None leaves the poses in 2D.
        settings: default ``PredictSettings()``.
        model_info: see above.

    Raises:
        DataError: the networks have different joints, or there are none.
    """

    def __init__(
        self,
        finder: PeopleFinder | None,
        lifter: Lifter | None = None,
        settings: PredictSettings | None = None,
        model_info: dict[str, Any] | None = None,
    ) -> None:
        if finder is not None and lifter is not None and finder.skeleton != lifter.skeleton:
            raise DataError(
                f"weights: the 2D network predicts {finder.skeleton.name}, the lifter takes "
                f"{lifter.skeleton.name}; use networks of one set"
            )
        self.settings = settings or PredictSettings()
        known = finder or lifter
        if known is None:
            raise DataError("predictor: needs what finds people or what lifts them")
        self.skeleton: Skeleton = known.skeleton
        self.model_info = dict(model_info or {})
        self._finder, self._lifter = finder, lifter

    @classmethod
    def from_weights(cls, folder: Path, settings: PredictSettings | None = None) -> Predictor:
        """Load a weight set, its files checked against ``index.yaml``.

        Args:
            folder: such as ``SavedModels/infant-synthetic``.
            settings: default ``PredictSettings()``.

        Raises:
            DataError: a file is missing, damaged or another one than the index says.
        """
        settings = settings or PredictSettings()
        device = choose_device(settings.device)
        weights = WeightSet.open(folder)
        info = _model_info(folder, weights.digests(), settings)
        detector = InfantDetector.from_weights(
            weights.file("detector"),
            str(device),
            min_score=settings.min_box_score,
            max_infants=settings.max_infants,
        )
        network = load_keypoint_network(weights.file("keypoints"), settings)
        lifter = load_lifter(weights.file("lifter"), device)
        return cls(TopDown(detector, network, settings), lifter, settings, info)

    @classmethod
    def lifting(cls, folder: Path, settings: PredictSettings) -> Predictor:
        """Load only the lifter of a weight set, for joints that somebody else found.

        Raises:
            DataError: see ``from_weights``.
        """
        weights = WeightSet.open(folder)
        path = weights.path("lifter")
        info = _model_info(folder, {path.name: weights.sha256("lifter")}, settings)
        return cls(None, load_lifter(path, choose_device(settings.device)), settings, info)

    @classmethod
    def named(cls, saved_models: Path, name: str, settings: PredictSettings) -> Predictor:
        """Load a weight set by name or folder; print its terms of use on standard error.

        Raises:
            DataError: see ``find_weights`` and ``from_weights``.
        """
        folder = find_weights(saved_models, name)
        predictor = cls.from_weights(folder, settings)
        if notice := notice_of_terms(folder, saved_models):
            print(f"infantpose: {notice}", file=sys.stderr)
        return predictor

    def run(
        self, frames: Iterable[Frame], camera: Camera | None = None, boxes: Boxes = "own"
    ) -> Iterator[FrameResult]:
        """Find, follow and lift the infants of frames.

        Args:
            frames: of one or several sources, one source after another, each in order of time.
            camera: of frames without ``intrinsics`` of their own; default the assumed field of
                view.
            boxes: detect them, or take each frame's ``boxes_xyxy``.

        Yields:
            One result per frame, in order; a frame that fails has an ``error``. A result comes
            after its window of time is complete, see ``lift_stream``.
        """
        camera = camera or Camera(self.settings.fov_degrees)
        found = self.find(frames, camera, boxes)
        return self.lift_all((r for batch in found for _, r in batch), camera)

    def find(
        self,
        frames: Iterable[Frame],
        camera: Camera,
        boxes: Boxes = "own",
        finished: Callable[[Sequence[Frame]], Sequence[FrameResult]] = lambda frames: (),
    ) -> Generator[FrameBatch, None, None]:
        """Find infants and give them the numbers of their tracks; poses are not lifted.

        Args:
            frames: see ``run``.
            camera: see ``run``.
            boxes: see ``run``.
            finished: results of a batch of frames that an earlier run found, or none.

        Yields:
            Batches of frames with their results.
        """
        finder = required(self._finder, "predictor: what finds people in images")
        return find_people(finder, frames, camera, self.settings, boxes == "true", finished)

    def lift(
        self, track: Track
    ) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
        """Lift 2D joints to 3D.

        Returns:
            Root-relative joints in mm, camera axes, and their standard deviation in mm per axis.

        Raises:
            DataError: the predictor has no lifter.
        """
        if self._lifter is None:
            raise DataError("lifter: these weights have none; poses stay in 2D")
        if len(track) == 0:
            return np.zeros((0, len(self.skeleton), 3)), np.zeros((0, len(self.skeleton)))
        times_s = track.times_s if self.settings.temporal else None
        return self._lifter(Track(track.keypoints, track.intrinsics, times_s))

    @property
    def size_sigma(self) -> float:
        """Standard deviation of the logarithm of the lifter's size of bodies; NaN without one."""
        return np.nan if self._lifter is None else self._lifter.size_sigma

    def lift_all(self, results: Iterable[FrameResult], camera: Camera) -> Iterator[FrameResult]:
        """Lift the poses of results of ``find``; see ``lift_stream``."""
        if self._lifter is None:
            return (result.in_full_size() for result in results)
        return lift_stream(self.lift, results, camera)

    def __call__(
        self, source: Path | str | Image.Image, camera: Camera | None = None
    ) -> PoseResult:
        """Predict one photo or video, in memory.

        Args:
            source: path of the file, or an upright RGB photo.
            camera: see ``run``.
        """
        camera = camera or Camera(self.settings.fov_degrees)
        if isinstance(source, Image.Image):
            frames: Iterable[Frame] = [Frame("image", 0, 0.0, source, still=True)]
        else:
            frames = iter_frames(Path(source))
        results = tuple(self.run(frames, camera))
        quality = Quality.of(results).summary()
        return PoseResult(results, self.skeleton, self.model_info, quality, camera.assumption())


def _model_info(folder: Path, digests: dict[str, str], settings: PredictSettings) -> dict[str, Any]:
    """Name and files of a weight set, and what else the result depends on."""
    return {
        "name": folder.name,
        "sha256": digests,
        "config_sha256": content_sha256(asdict(settings)),
        **code_identity(),
    }

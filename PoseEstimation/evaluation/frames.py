"""Labelled frames through the predictor: what every evaluation and every detection cache runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from rich.console import Console
from rich.progress import track

from Datasets.readers.frames import FrameSource
from Datasets.structures import Frame, PoseSample
from Engine.errors import DataError, required
from FasterRCNN.detector import Detections
from PoseEstimation.inference.predictor import Boxes, Predictor
from PoseEstimation.inference.tracks import keypoints_of
from PoseEstimation.result import FrameResult
from PoseEstimation.structures import Keypoints, Track


def labelled_frames(
    samples: Sequence[PoseSample],
    boxes: Iterable[Float[np.ndarray, "4"]],
    fps: float,
    still: bool = False,
) -> Iterator[Frame]:
    """Decode the images of samples, one frame each.

    Args:
        samples: of videos, sequence after sequence in order of time; or of photos.
        boxes: true box of each, pixels.
        fps: frames per second of the videos.
        still: the samples are photos, each a source of its own.
    """
    images = FrameSource()
    for sample, box in zip(samples, boxes, strict=True):
        photo = still or not sample.sequence
        yield Frame(
            source=str(sample.image_path) if photo else sample.sequence,
            index=sample.frame,
            time_s=sample.frame / fps,
            image=images.load(sample),
            boxes_xyxy=np.asarray(box, np.float64)[None],
            intrinsics=sample.intrinsics,
            still=still,
        )


def run_frames(
    predictor: Predictor, frames: Iterable[Frame], boxes: Boxes, count: int
) -> Iterator[FrameResult]:
    """Run the predictor with a progress bar.

    Args:
        predictor: see ``Predictor.run``.
        frames: to run.
        boxes: see ``Predictor.run``.
        count: number of frames.

    Raises:
        DataError: a frame cannot be read, or a part of the predictor fails on it.
    """
    bar = Console(stderr=True)
    found = predictor.run(frames, boxes=boxes)
    for result in track(found, "frames", count, console=bar, disable=not bar.is_terminal):
        if result.error is not None:
            raise DataError(result.error)
        yield result


@dataclass(frozen=True)
class BestInfants:
    """The best infant of each of n frames, in the predictor's joints.

    Attributes:
        keypoints: of the n infants.
        boxes_xyxy: (n, 4) crops that they are from, pixels.
        joints_mm: (n, joint, 3) root-relative, camera axes; NaN without a lifter.
        sigma_mm: (n, joint) standard deviation per axis.
        track_ids: (n,) number of the track within the sequence; 0 where nothing was detected.
        detections: every infant of each frame, before the fallback.
    """

    keypoints: Keypoints
    boxes_xyxy: Float[np.ndarray, "n 4"]
    joints_mm: Float[np.ndarray, "n joint 3"]
    sigma_mm: Float[np.ndarray, "n joint"]
    track_ids: Int[np.ndarray, "n"]
    detections: list[Detections]


def best_infants(
    predictor: Predictor,
    samples: Sequence[PoseSample],
    true_boxes: Float[np.ndarray, "n 4"],
    boxes: Boxes,
    fps: float,
    fallback: Literal["image", "true"] = "image",
) -> BestInfants:
    """Predict frames of one infant each; a frame without a detection is never dropped.

    Args:
        predictor: see ``Predictor.run``.
        samples: n frames, sequence after sequence in order of time.
        true_boxes: pixels.
        boxes: see ``Predictor.run``.
        fps: frames per second.
        fallback: what is cropped in frames without a detection, in a second run: the whole image
            or the true box.

    Raises:
        DataError: see ``run_frames``.
    """
    frames = labelled_frames(samples, true_boxes, fps)
    results = list(run_frames(predictor, frames, boxes, len(samples)))
    detections = [detections_of(result) for result in results]
    missing = [i for i, result in enumerate(results) if not result.infants]
    if missing:
        whole = np.array([(0, 0, *results[i].size) for i in missing]) - (0, 0, 1, 1)
        crops = whole if fallback == "image" else true_boxes[missing]
        frames = labelled_frames([samples[i] for i in missing], crops, fps)
        again = run_frames(predictor, frames, "true", len(missing))
        for i, result in zip(missing, again, strict=True):
            results[i] = result
    best = [result.infants[0] for result in results]
    track_ids = np.array([infant.track_id for infant in best])
    track_ids[missing] = 0
    return BestInfants(
        keypoints_of(best),
        np.stack([infant.box_xyxy for infant in best]),
        np.stack([infant.joints_mm for infant in best]),
        np.stack([infant.sigma_mm for infant in best]),
        track_ids,
        detections,
    )


def true_joints_mm(samples: Iterable[PoseSample]) -> Float[np.ndarray, "n joint 3"]:
    """The labels of n samples, millimetres, camera frame.

    Raises:
        DataError: a sample has none.
    """
    return np.stack([required(s.joints_mm, f"{s.image_path}: 3D labels") for s in samples])


def detections_of(result: FrameResult) -> Detections:
    """The boxes of a frame's infants and their scores, best first."""
    boxes = np.array([infant.box_xyxy for infant in result.infants], np.float64).reshape(-1, 4)
    return Detections(boxes, np.array([infant.box_score for infant in result.infants]))


def lift_sequences(
    predictor: Predictor, samples: Sequence[PoseSample], keypoints: Keypoints, fps: float
) -> tuple[Float[np.ndarray, "n joint 3"], Float[np.ndarray, "n joint"]]:
    """Lift known 2D joints, each sequence as one video.

    Args:
        predictor: has a lifter.
        samples: n frames, with intrinsics.
        keypoints: of the n frames, in the predictor's joints.
        fps: frames per second.

    Returns:
        Root-relative joints in mm, camera axes, and their standard deviation in mm per axis.
    """
    names = np.array([s.sequence for s in samples])
    joints_mm, sigma_mm = np.empty((*keypoints.scores.shape, 3)), np.empty(keypoints.scores.shape)
    for name in dict.fromkeys(names):
        rows = np.flatnonzero(names == name)
        shown = [samples[i] for i in rows.tolist()]
        times_s = np.array([s.frame for s in shown]) / fps
        intrinsics = np.stack([required(s.intrinsics, f"{name}: intrinsics") for s in shown])
        joints_mm[rows], sigma_mm[rows] = predictor.lift(
            Track(keypoints[rows], intrinsics, times_s)
        )
    return joints_mm, sigma_mm

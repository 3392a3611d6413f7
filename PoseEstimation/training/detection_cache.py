"""Cached detections: predictions of a 2D network on labelled frames, for lifters to learn from."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np

from Datasets.catalogue import open_sources
from Datasets.geometry.camera import rotation_to_box
from Datasets.loaders import thinned
from Datasets.outlines import boxes_of, image_boxes, true_box
from Datasets.readers.frames import load_sample_image
from Datasets.readers.syrip import read_weak_3d
from Datasets.skeletons import LSP_14, SKELETONS, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError, required
from FasterRCNN.detector import InfantDetector
from PoseEstimation.evaluation.errors_file import FPS
from PoseEstimation.evaluation.frames import best_infants
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.predictor import Boxes, Predictor
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import TopDown
from PoseEstimation.inference.weights import load_keypoint_network
from PoseEstimation.io.detection_cache import FILE, save_detections
from PoseEstimation.stage_settings import DetectionCacheSettings
from PoseEstimation.structures import Clip, Keypoints
from PoseEstimation.training.clips import true_clip


def cache_detections(settings: DetectionCacheSettings, output: Path) -> dict[str, int]:
    """Write ``output/observed.npz``; returns the number of ``frames``.

    Raises:
        DataError: data are not given, or data or weights are missing or damaged.
    """
    if settings.data is None:
        raise DataError("detection_cache: data must be given")
    if settings.heatmap is None:
        skeleton = SKELETONS[settings.skeleton]
        dataset = _labelled_part(settings, skeleton)
        clip = true_clip(dataset)
    else:
        predictor = _predictor(settings.heatmap, settings)
        skeleton = predictor.skeleton
        dataset = _labelled_part(settings, skeleton)
        clip = labelled(dataset, _predicted(dataset, predictor, settings))
    names = [_name(sample) for sample in dataset.samples]
    save_detections(output / FILE, clip, names, [s.frame for s in dataset.samples], skeleton)
    return {"frames": len(dataset)}


def _labelled_part(settings: DetectionCacheSettings, skeleton: Skeleton) -> Dataset:
    """The frames with 3D labels.

    Raises:
        DataError: there is none.
    """
    data = required(settings.data, "detection_cache: data")
    dataset = open_sources([data], skeleton)[0]
    if settings.weak:
        dataset = _weakly_labelled(dataset)
    samples = tuple(sample for sample in dataset.samples if sample.joints_mm is not None)
    if not samples:
        raise DataError(
            f"detection_cache: {dataset.root} has no 3D labels; nothing can be learnt from it"
        )
    return thinned(replace(dataset, samples=samples), settings.frame_step)


def _weakly_labelled(dataset: Dataset) -> Dataset:
    """SyRIP's photos with their weak joints, before a camera of the assumed field of view.

    The labels were made from crops, so they are turned from the axis of a camera that looks at the
    middle of the box. Their hips lie wider than where generated thighs bend, as they do in the
    labels of photos. The pelvis, which they lack, is put in the middle of the joints.
    """
    names = [sample.image_path.name for sample in dataset.samples]
    weak = read_weak_3d(dataset.root, names)
    known = np.isfinite(weak).all(axis=(1, 2))
    joints_mm = joint_map(LSP_14, dataset.skeleton).apply(weak)
    joints_mm[known, dataset.skeleton.root_index] = np.nanmean(joints_mm[known], axis=1)
    chosen = zip(itertools.compress(dataset.samples, known), joints_mm[known], strict=True)
    samples = tuple(_before_a_camera(sample, joints) for sample, joints in chosen)
    return replace(dataset, samples=samples)


def _before_a_camera(sample: PoseSample, joints_mm: np.ndarray) -> PoseSample:
    """Turn joints seen along the ray to the box's middle into the assumed camera's axes."""
    camera = Camera(PredictSettings().fov_degrees).matrix(load_sample_image(sample).size)
    turn = rotation_to_box(true_box(sample), camera)
    return replace(sample, joints_mm=joints_mm @ turn, intrinsics=camera)


def _name(sample: PoseSample) -> str:
    """The sequence; people of photos, which annotations number, have one each."""
    if sample.annotation_id is not None:
        return f"{sample.image_path.stem} {sample.annotation_id}"
    return sample.sequence or sample.image_path.stem


def _predictor(heatmap: Path, settings: DetectionCacheSettings) -> Predictor:
    """The 2D network behind the detector, where there is one; no lifter, no turn test."""
    predict = PredictSettings(flip_test=settings.flip_test, turn_test=False)
    detector = None
    if settings.detector is not None and not settings.whole_image:
        detector = InfantDetector.from_weights(settings.detector, max_infants=1)
    network = load_keypoint_network(heatmap, predict)
    return Predictor(TopDown(detector, network, predict), settings=predict)


def _predicted(
    dataset: Dataset, predictor: Predictor, settings: DetectionCacheSettings
) -> Keypoints:
    """Predictions in every frame; in its true box where the detector finds none."""
    boxes = image_boxes(dataset) if settings.whole_image else boxes_of(dataset)
    own = settings.detector is not None and not settings.whole_image
    kind: Boxes = "own" if own else "true"
    return best_infants(predictor, dataset.samples, boxes, kind, FPS, fallback="true").keypoints


def labelled(dataset: Dataset, found: Keypoints) -> Clip:
    """Put the truth beside the predictions in the frames of a data set."""
    return replace(true_clip(dataset), **vars(found))

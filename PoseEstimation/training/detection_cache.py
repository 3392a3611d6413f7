"""What a 2D network sees of labelled frames, written down for the lifters to learn from."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np

from Datasets.catalogue import open_sources
from Datasets.geometry.camera import rotation_to_box
from Datasets.loaders import thinned
from Datasets.outlines import boxes_of, image_boxes
from Datasets.readers.frames import load_sample_image
from Datasets.readers.syrip import read_weak_3d
from Datasets.skeletons import LSP_14, SKELETONS, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import Dataset, PoseSample
from Engine.devices import choose_device
from Engine.errors import DataError
from FasterRCNN.detector import InfantDetector
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import KeypointFinder
from PoseEstimation.inference.weights import load_heatmap
from PoseEstimation.io.detection_cache import FILE, save_observed
from PoseEstimation.stage_settings import DetectionCacheSettings
from PoseEstimation.structures import Clip, Keypoints, joined
from PoseEstimation.training.clips import true_clip

BATCH = 8


def observe(settings: DetectionCacheSettings, output: Path) -> dict[str, int]:
    """Write ``output/observed.npz``; returns the number of ``frames``.

    Raises:
        DataError: data are not given, or data or weights are missing or damaged.
    """
    if settings.data is None:
        raise DataError("observe: data must be given")
    if settings.heatmap is None:
        skeleton = SKELETONS[settings.skeleton]
        dataset = _labelled_part(settings, skeleton)
        clip = true_clip(dataset)
    else:
        device = choose_device("auto")
        predict = PredictSettings(flip_test=settings.flip_test)
        finder = KeypointFinder(load_heatmap(settings.heatmap), device, predict)
        skeleton = finder.skeleton
        dataset = _labelled_part(settings, skeleton)
        clip = labelled(dataset, _seen(dataset, finder, settings))
    names = [_name(sample) for sample in dataset.samples]
    save_observed(output / FILE, clip, names, [s.frame for s in dataset.samples], skeleton)
    return {"frames": len(dataset)}


def _labelled_part(settings: DetectionCacheSettings, skeleton: Skeleton) -> Dataset:
    """The frames with 3D labels.

    Raises:
        DataError: there is none.
    """
    dataset = open_sources([settings.data], skeleton)[0]
    if settings.weak:
        dataset = _weakly_labelled(dataset)
    samples = tuple(sample for sample in dataset.samples if sample.joints_mm is not None)
    if not samples:
        raise DataError(f"observe: {dataset.root} has no 3D labels; nothing can be learnt from it")
    return thinned(replace(dataset, samples=samples), settings.frame_step)


def _weakly_labelled(dataset: Dataset) -> Dataset:
    """SyRIP's photos with their weak joints, before a camera of the assumed field of view.

    Whoever made them saw a crop of each infant, so they are turned from the axis of a camera that
    looks at the box's middle. Their hips lie wider than where generated thighs bend, as they do in
    the labels of photos. The pelvis, which they lack, is put in the middle of the joints.
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
    turn = rotation_to_box(sample.box_xyxy, camera)
    return replace(sample, joints_mm=joints_mm @ turn, intrinsics=camera)


def _name(sample: PoseSample) -> str:
    """The sequence; people of photos, which annotations number, have one each."""
    if sample.annotation_id is not None:
        return f"{sample.image_path.stem} {sample.annotation_id}"
    return sample.sequence or sample.image_path.stem


def _seen(dataset: Dataset, finder: KeypointFinder, settings: DetectionCacheSettings) -> Keypoints:
    """What the 2D network finds in every frame."""
    boxes = image_boxes(dataset) if settings.whole_image else boxes_of(dataset)
    detector = None
    if settings.detector is not None and not settings.whole_image:
        detector = InfantDetector.from_weights(settings.detector)
    parts = []
    for start in range(0, len(dataset), BATCH):
        rows = range(start, min(start + BATCH, len(dataset)))
        images = [load_sample_image(dataset.samples[i]) for i in rows]
        places = [
            (image, boxes[i] if detector is None else _best_box(detector, image, boxes[i]))
            for i, image in zip(rows, images, strict=True)
        ]
        parts.append(finder(places))
    return joined(parts)


def labelled(dataset: Dataset, found: Keypoints) -> Clip:
    """Put the truth beside what was found in the frames of a data set."""
    samples = dataset.samples
    return Clip(
        found.keypoints_px,
        found.scores,
        found.sigma_px,
        found.depth_px,
        np.stack([s.joints_mm for s in samples]),
        np.stack([s.intrinsics for s in samples]),
    )


def _best_box(detector: InfantDetector, image, true_box: np.ndarray) -> np.ndarray:
    """Return the detector's first box, the true one where it finds none."""
    found = detector(image).boxes_xyxy
    return np.asarray(found[0], dtype=np.float64) if len(found) else true_box

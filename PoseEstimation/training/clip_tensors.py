"""What a clip lifter is validated on, and clips as the tensors it learns from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from Datasets.catalogue import open_sources
from Datasets.skeletons import Skeleton
from Engine.errors import DataError
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.settings import ClipLiftingSettings
from PoseEstimation.structures import Clip
from PoseEstimation.training.clip_noise import random_camera
from PoseEstimation.training.clips import (
    joined_clips,
    load_detections,
    load_movement_bank,
    true_clip,
)
from PoseEstimation.training.given_joints import draw_given_joints


def validation_items(settings: ClipLiftingSettings, skeleton: Skeleton) -> list[dict[str, Tensor]]:
    """One item per sequence or infant with its true 2D joints, one with detections, one of photos.

    Raises:
        DataError: nothing to validate on, or damaged data.
    """
    true = [*_true_sequences(settings, skeleton), *_true_movements(settings, skeleton)]
    if not true:
        raise DataError("clip_lifting: give validation (3D labels) or validation_movements")
    detected = []
    if settings.validation_detections is not None:
        found = load_detections(settings.validation_detections, skeleton)
        detected += [clip[None, None] for clip in found]
    if settings.validation_photos is not None:
        found = load_detections(settings.validation_photos, skeleton)
        detected.append(joined_clips(found)[:, None, None])
    items = [(clip, False) for clip in true] + [(clip, True) for clip in detected]
    codec = RayCodec(skeleton)
    return [{**tensors_of(clip, codec), "observed": torch.tensor(kind)} for clip, kind in items]


def _true_sequences(settings: ClipLiftingSettings, skeleton: Skeleton) -> list[Clip]:
    """The sequences of the data set to validate on, exact."""
    if settings.validation is None:
        return []
    dataset = open_sources([settings.validation], skeleton)[0]
    names = np.array([s.sequence for s in dataset.samples if s.joints_mm is not None])
    every = true_clip(dataset)
    return [every[names == name][None, None] for name in dict.fromkeys(names)]


def _true_movements(settings: ClipLiftingSettings, skeleton: Skeleton) -> list[Clip]:
    """Each infant of the banks to validate on before a camera, with a convention's joints."""
    clips = []
    for path in settings.validation_movements:
        for number, movement in enumerate(load_movement_bank(path, skeleton)):
            rng = np.random.default_rng(number)
            clip = random_camera(movement[None].astype(np.float64), settings.cameras, rng)
            clip = replace(clip, scores=clip.scores * draw_given_joints(rng, skeleton))
            clips.append(clip[None])
    return clips


def true_shape(
    clip: Clip, radius: Float[np.ndarray, "clip"], skeleton: Skeleton
) -> Float[np.ndarray, "clip bone"]:
    """Logs of the mean lengths of bones, mirror images together, in units of the radius.

    Args:
        clip: (clip, run, frame, ...).
        radius: of ``RayCodec``; its unit is that share of the mean distance of the root.
        skeleton: its bones.
    """
    first, second = np.array(skeleton.bone_indices).T
    vectors = clip.joints_mm[..., second, :] - clip.joints_mm[..., first, :]
    lengths = np.linalg.norm(vectors, axis=-1).mean((1, 2))
    root = np.linalg.norm(clip.joints_mm[..., skeleton.root_index, :], axis=-1).mean((1, 2))
    lengths = (lengths + lengths[:, list(skeleton.mirrored_bones)]) / 2
    return np.log(np.maximum(lengths, 1.0)) - np.log(radius * root)[:, None]


def tensors_of(clip: Clip, codec: RayCodec) -> dict[str, Tensor]:
    """Features, radius, target and mask of clips."""
    features, view = codec.encode_input(
        clip.keypoints_px, clip.scores, clip.intrinsics[:, 0, 0], clip.sigma_px, clip.depth_px
    )
    target = codec.encode_target(clip.joints_mm, view)
    mask = np.isfinite(target).all(-1)
    mask[..., codec.skeleton.root_index] = False
    target = np.where(mask[..., None], target, 0)
    arrays = {"features": features, "radius": view.radius, "target": target, "mask": mask}
    return {k: torch.from_numpy(np.ascontiguousarray(v, np.float32)) for k, v in arrays.items()}

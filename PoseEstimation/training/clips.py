"""Clips in memory: movements seen by random cameras, with 2D joints made as bad as a network's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation
from scipy.stats import norm

from Datasets.geometry.camera import intrinsics_from_fov, project
from Datasets.skeletons import INFANT, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import Dataset
from Engine.errors import DataError
from PoseEstimation.io.detection_cache import read_arrays, read_detections
from PoseEstimation.settings import CameraSettings, ClipNoiseSettings
from PoseEstimation.structures import FIELDS, Clip

IMAGE_SIZE = (640, 480)
SOFT = ("wrist", "fingers", "ankle", "toes", "elbow", "nose", "eye", "ear", "head_top")
"""Joints whose places heatmaps find with about twice the error of the trunk's."""

TRUNK = ("thorax", "upper_neck", "head_top", "spine", "spine1", "spine2", "neck", "head")


@dataclass(frozen=True)
class Movement:
    """One infant over time.

    Attributes:
        joints_mm: (frame, joint, 3) world axes: z towards the ceiling, the origin on the bed; NaN
            where unlabelled.
        observed: what a network saw of it from one camera, or None.
    """

    joints_mm: Float[np.ndarray, "frame joint 3"]
    observed: Clip | None = None


def stacked(clips: Sequence[Clip]) -> Clip:
    """Put clips of one shape under a new leading axis."""
    return Clip(*(np.stack([getattr(clip, name) for clip in clips]) for name in FIELDS))


def joined_clips(clips: Sequence[Clip]) -> Clip:
    """Put the rows of clips one after another."""
    return Clip(*(np.concatenate([getattr(clip, name) for clip in clips]) for name in FIELDS))


def load_movements(path: Path, skeleton: Skeleton = INFANT) -> list[Movement]:
    """Read a movement bank: npz with ``joints_mm`` (infant, frame, 25, 3), ``infant`` joints.

    Raises:
        DataError: missing or damaged file, or another shape.
    """
    joints_mm = read_arrays(path).get("joints_mm")
    if joints_mm is None or joints_mm.ndim != 4 or joints_mm.shape[2:] != (len(INFANT), 3):
        raise DataError(f"{path}: no movement bank; make one with synth --profile movements")
    convert = joint_map(INFANT, skeleton)
    return [Movement(convert.apply(infant)) for infant in joints_mm]


def load_observed(path: Path, skeleton: Skeleton = INFANT) -> list[Movement]:
    """Read what a network saw as one movement per sequence.

    Raises:
        DataError: see ``read_detections``.
    """
    clips = [sequence.clip for sequence in read_detections(path, skeleton)]
    return [Movement(_world(clip.joints_mm), clip) for clip in clips]


def movements_of(dataset: Dataset) -> list[Movement]:
    """Collect the 3D-labelled sequences of a data set; its camera is taken to look down.

    Raises:
        DataError: none has 3D labels.
    """
    by_sequence: dict[str, list] = {}
    for sample in dataset.samples:
        if sample.joints_mm is not None:
            by_sequence.setdefault(sample.sequence, []).append(sample.joints_mm)
    if not by_sequence:
        raise DataError(f"{dataset.root}: no sample has 3D labels; the lifter cannot learn from it")
    return [Movement(_world(np.stack(joints))) for joints in by_sequence.values()]


def true_clip(dataset: Dataset) -> Clip:
    """The labels of a data set's frames as exact observations, (frame, ...).

    Raises:
        DataError: none has 3D labels, or one has 3D labels and no camera.
    """
    samples = [s for s in dataset.samples if s.joints_mm is not None]
    if not samples:
        raise DataError(f"{dataset.root}: no sample has 3D labels; the lifter cannot learn from it")
    unknown = [s for s in samples if s.intrinsics is None]
    if unknown:
        raise DataError(f"{unknown[0].image_path}: 3D labels without intrinsics; give the camera")
    seen = np.stack([s.visibility for s in samples]) > 0
    keypoints_px = np.stack([s.keypoints_px for s in samples])
    zero = np.zeros(seen.shape)
    joints_mm = np.stack([s.joints_mm for s in samples])
    camera = np.stack([s.intrinsics for s in samples])
    return Clip(keypoints_px, seen.astype(float), zero, zero + np.nan, joints_mm, camera)


def _world(joints_mm: np.ndarray) -> Float[np.ndarray, "frame joint 3"]:
    """Camera frame to an upright world with its origin in the middle of the joints."""
    upright = joints_mm * [1, -1, -1]
    return (upright - np.nanmean(upright, axis=(0, 1))).astype(np.float32)


def cut(
    movement: Movement, runs: int, frames: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Choose runs of consecutive frames: row numbers (run, frame), repeated at a short end."""
    count = len(movement.joints_mm)
    starts = rng.integers(0, max(count - frames, 0) + 1, runs)
    return np.minimum(starts[:, None] + np.arange(frames), count - 1)


def rebuilt(
    joints_mm: Float[np.ndarray, "*batch joint 3"],
    ratios: Float[np.ndarray, "bone"],
    skeleton: Skeleton,
) -> Float[np.ndarray, "*batch joint 3"]:
    """Give a pose another body: every bone keeps its direction and changes its length.

    Args:
        joints_mm: the pose.
        ratios: new over old length of ``skeleton.bones``.
        skeleton: its bones form a tree that starts at the root.
    """
    moved = joints_mm.copy()
    for (first, second), ratio in zip(skeleton.bone_indices, ratios, strict=True):
        bone = joints_mm[..., second, :] - joints_mm[..., first, :]
        moved[..., second, :] = moved[..., first, :] + ratio * bone
    return moved


def bone_lengths(
    joints_mm: Float[np.ndarray, "*batch joint 3"], skeleton: Skeleton
) -> Float[np.ndarray, "bone"]:
    """Median length of each bone over all poses."""
    first, second = np.array(skeleton.bone_indices).T
    bones = joints_mm[..., second, :] - joints_mm[..., first, :]
    return np.nanmedian(np.linalg.norm(bones, axis=-1).reshape(-1, len(first)), axis=0)


def filmed(
    joints_mm: Float[np.ndarray, "run frame joint 3"],
    settings: CameraSettings,
    rng: np.random.Generator,
) -> Clip:
    """Look at runs of an infant with one random camera: exact 2D joints and their depths."""
    wide = rng.random() < settings.wide_share
    distance = rng.uniform(*(settings.wide_distance_mm if wide else settings.distance_mm))
    tilt = settings.wide_tilt_degrees if wide else settings.tilt_degrees
    fov = rng.uniform(*settings.wide_fov_degrees) if wide else settings.fov_degrees
    turn = Rotation.from_euler(
        "zxy", [rng.uniform(-180, 180), *rng.uniform(-tilt, tilt, 2)], degrees=True
    ).as_matrix()
    centre = np.nanmean(joints_mm, axis=(0, 1, 2)) + rng.normal(0, 20, 3)
    seen = (joints_mm - centre) @ turn.T * [1, -1, -1] + [0, 0, distance]
    if rng.random() < settings.moving_share:
        seen = seen + distance * _drift(rng, seen.shape[:2])[..., None, :]
    seen[..., 2] = np.maximum(seen[..., 2], 100.0)
    camera = intrinsics_from_fov(IMAGE_SIZE, fov)
    keypoints_px = project(seen, camera)
    scores = np.isfinite(keypoints_px).all(-1).astype(np.float64)
    cameras = np.broadcast_to(camera, (*seen.shape[:-2], 3, 3))
    return Clip(keypoints_px, scores, 0 * scores, np.full(scores.shape, np.nan), seen, cameras)


def _drift(rng: np.random.Generator, shape: tuple[int, int]) -> Float[np.ndarray, "run frame 3"]:
    """Where a camera in a hand is, over its distance: elsewhere in each run, and swaying."""
    runs, frames = shape
    place = rng.normal(0, 0.08, (runs, 1, 3))
    sway = rng.normal(0, 0.05, (runs, 1, 3)) * np.linspace(-1, 1, frames)[:, None]
    return np.clip(place + sway, -0.4, 0.4)


def with_depth(clip: Clip, root: int) -> Clip:
    """The clip with its true depths in pixels, as a perfect 2D network would give them."""
    pelvis = clip.joints_mm[..., root, :]
    distance = np.linalg.norm(pelvis, axis=-1)[..., None]
    relative = clip.joints_mm - pelvis[..., None, :]
    along = (relative * (pelvis / distance)[..., None, :]).sum(-1)
    focal = np.sqrt(np.linalg.det(clip.intrinsics[..., :2, :2]))[..., None]
    return replace(clip, depth_px=along / distance * focal)


def worsened(
    clip: Clip, skeleton: Skeleton, noise: ClipNoiseSettings, rng: np.random.Generator
) -> Clip:
    """Move, blur and drop joints of one clip as a heatmap network would.

    Errors last: a joint that is off stays off for a while, as neighbouring frames look alike, and a
    part of its error stays for the whole clip, as if the bones had other lengths.
    """
    shape = clip.scores.shape
    joints = np.array([any(part in name for part in SOFT) for name in skeleton.joints])
    spread = np.nanstd(clip.keypoints_px, axis=-2).mean()
    level = noise.sigma * np.exp(rng.normal(0, noise.sigma_spread, shape[-1]))
    level = level * np.where(joints, noise.soft_factor, 1.0) * rng.uniform(0.4, 1.6)
    bout = _wander(rng, shape, noise.lasting_frames) > norm.isf(noise.bout_share)
    sigma = spread * level * np.where(bout, noise.bout_factor, 1.0)
    slow, fast = noise.slow_share, np.sqrt(1 - noise.slow_share**2)
    error = slow * _wander(rng, (*shape, 2), noise.lasting_frames)
    error = error + fast * rng.normal(size=(*shape, 2))
    depth = clip.depth_px * rng.uniform(noise.depth_shrink, 1.0)
    depth = depth + _depth_errors(clip, skeleton, noise, bout, rng)
    missing = rng.random((1, 1, shape[-1])) < rng.uniform(0, noise.missing_share)
    missing = missing | (bout & (rng.random(shape) < noise.missing_share))
    return replace(
        clip,
        keypoints_px=_biased(clip, skeleton, noise.bias, rng) + error * sigma[..., None],
        scores=np.where(missing, 0.0, clip.scores),
        sigma_px=sigma * np.exp(rng.normal(0, noise.report_spread, shape)),
        depth_px=depth,
    )


def photo_noise(noise: ClipNoiseSettings, rng: np.random.Generator) -> ClipNoiseSettings:
    """What the joints of one photo suffer: see ``photo_factor``."""
    factor = noise.photo_factor ** rng.random()
    sigma, depth_sigma = factor * noise.sigma, np.sqrt(factor) * noise.depth_sigma
    return replace(noise, sigma=sigma, depth_sigma=depth_sigma)


def roughened(clip: Clip, noise: ClipNoiseSettings, rng: np.random.Generator) -> Clip:
    """See people a network has learnt from as badly as it sees others.

    Unlike ``worsened`` it needs no 3D joints: every joint is off by itself.
    """
    spread = np.nanstd(clip.keypoints_px, axis=-2).mean()
    level = noise.sigma * np.exp(rng.normal(0, noise.sigma_spread, clip.scores.shape))
    bout = np.where(rng.random(clip.scores.shape) < noise.bout_share, noise.bout_factor, 1.0)
    sigma = spread * level * bout
    depth_sigma = 2 * spread * noise.depth_sigma * rng.uniform(0.3, 1.7)
    missing = rng.random(clip.scores.shape) < rng.uniform(0, noise.missing_share)
    return replace(
        clip,
        keypoints_px=clip.keypoints_px + rng.normal(size=(*sigma.shape, 2)) * sigma[..., None],
        scores=np.where(missing, 0.0, clip.scores),
        sigma_px=np.hypot(clip.sigma_px, sigma),
        depth_px=clip.depth_px + rng.normal(0, depth_sigma, clip.scores.shape),
    )


def _depth_errors(
    clip: Clip,
    skeleton: Skeleton,
    noise: ClipNoiseSettings,
    bout: np.ndarray,
    rng: np.random.Generator,
) -> Float[np.ndarray, "*batch joint"]:
    """How far depths are off, pixels: each bone a little, and with it all that hangs on it."""
    distance = np.linalg.norm(clip.joints_mm[..., skeleton.root_index, :], axis=-1)
    focal = np.sqrt(np.linalg.det(clip.intrinsics[..., :2, :2]))
    length = bone_lengths(clip.joints_mm, skeleton) * np.nanmean(focal / distance)
    first, second = np.array(skeleton.bone_indices).T
    slow, fast = noise.slow_share, np.sqrt(1 - noise.slow_share**2)
    shape = (*clip.scores.shape[:-1], len(length))
    own = slow * _wander(rng, shape, noise.lasting_frames) + fast * rng.normal(size=shape)
    own *= noise.depth_sigma * rng.uniform(0.3, 1.7) * length * np.where(bout[..., second], 2, 1)
    error = np.zeros(clip.scores.shape)
    for i, (parent, child) in enumerate(zip(first, second, strict=True)):
        error[..., child] = error[..., parent] + own[..., i]
    return error


def _biased(
    clip: Clip, skeleton: Skeleton, bias: float, rng: np.random.Generator
) -> Float[np.ndarray, "*batch joint 2"]:
    """The 2D joints of the same pose with other proportions."""
    ends = [skeleton.joints[second] for _, second in skeleton.bone_indices]
    factor = [1.7 if any(p in e for p in SOFT) else 0.5 if e in TRUNK else 1.0 for e in ends]
    ratios = np.exp(rng.normal(0, bias * np.array(factor) * rng.uniform(0.3, 1.5)))
    moved = project(rebuilt(clip.joints_mm, ratios, skeleton), clip.intrinsics[0, 0])
    return np.where(np.isfinite(moved), moved, clip.keypoints_px)


def _wander(rng: np.random.Generator, shape: tuple[int, ...], frames: float) -> np.ndarray:
    """Noise of deviation 1 that changes slowly along the second axis."""
    return _smooth(rng.normal(size=shape), frames) * np.sqrt(2 * np.sqrt(np.pi) * frames)


def _smooth(values: np.ndarray, frames: float) -> np.ndarray:
    return gaussian_filter1d(np.asarray(values, dtype=np.float64), frames, axis=1, mode="wrap")

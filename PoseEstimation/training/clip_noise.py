"""Variation of 3D sequences for training: bone lengths, cameras, and the noise of 2D networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation
from scipy.stats import norm

from Datasets.geometry.camera import intrinsics_from_fov, project
from Datasets.skeletons import Skeleton
from PoseEstimation.settings import CameraSettings, ClipNoiseSettings
from PoseEstimation.structures import Clip

IMAGE_SIZE = (640, 480)
NEAREST_MM = 250.0
"""Least depth of a joint."""

SOFT = ("wrist", "fingers", "ankle", "toes", "elbow", "nose", "eye", "ear", "head_top")
"""Joints that heatmaps locate with about twice the error of the trunk's."""

TRUNK = ("thorax", "upper_neck", "head_top", "spine", "spine1", "spine2", "neck", "head")


def bone_lengths(
    joints_mm: Float[np.ndarray, "*batch joint 3"], skeleton: Skeleton
) -> Float[np.ndarray, "bone"]:
    """Median length of each bone over all poses."""
    first, second = np.array(skeleton.bone_indices).T
    bones = joints_mm[..., second, :] - joints_mm[..., first, :]
    return np.nanmedian(np.linalg.norm(bones, axis=-1).reshape(-1, len(first)), axis=0)


def resize_bones(
    joints_mm: Float[np.ndarray, "*batch joint 3"],
    ratios: Float[np.ndarray, "bone"],
    skeleton: Skeleton,
) -> Float[np.ndarray, "*batch joint 3"]:
    """Change the length of every bone and keep its direction.

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


def random_camera(
    joints_mm: Float[np.ndarray, "run frame joint 3"],
    settings: CameraSettings,
    rng: np.random.Generator,
) -> Clip:
    """Project runs of an infant, in world axes, with one random camera: exact 2D joints.

    Joints outside the picture are missing.
    """
    wide = rng.random() < settings.wide_share
    distance = rng.uniform(*(settings.wide_distance_mm if wide else settings.distance_mm))
    tilt = settings.wide_tilt_degrees if wide else settings.tilt_degrees
    fov = rng.uniform(*settings.wide_fov_degrees) if wide else settings.fov_degrees
    turn = Rotation.from_euler(
        "zxy", [rng.uniform(-180, 180), *rng.uniform(-tilt, tilt, 2)], degrees=True
    ).as_matrix()
    centre = np.nanmean(joints_mm, axis=(0, 1, 2)) + rng.normal(0, 20, 3)
    camera_mm = (joints_mm - centre) @ turn.T * [1, -1, -1] + [0, 0, distance]
    if rng.random() < settings.moving_share:
        camera_mm = camera_mm + distance * _hand_motion(rng, camera_mm.shape[:2])[..., None, :]
    camera_mm[..., 2] += max(0.0, NEAREST_MM - np.nanmin(camera_mm[..., 2]))
    matrix = intrinsics_from_fov(IMAGE_SIZE, fov)
    keypoints_px = project(camera_mm, matrix)
    inside = (keypoints_px > -0.5) & (keypoints_px < np.array(IMAGE_SIZE) - 0.5)
    scores = np.where(inside.all(-1), 1.0, 0.0)
    intrinsics = np.broadcast_to(matrix, (*camera_mm.shape[:-2], 3, 3))
    unknown = np.full(scores.shape, np.nan)
    return Clip(keypoints_px, scores, 0 * scores, unknown, camera_mm, intrinsics)


def _hand_motion(
    rng: np.random.Generator, shape: tuple[int, int]
) -> Float[np.ndarray, "run frame 3"]:
    """Position of a hand-held camera over its distance: elsewhere in each run, and swaying."""
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
    return replace(clip, depth_px=along / distance * _focal_px(clip)[..., None])


def add_detection_noise(
    clip: Clip, skeleton: Skeleton, noise: ClipNoiseSettings, rng: np.random.Generator
) -> Clip:
    """Add the errors of a heatmap network to the exact joints of one clip.

    Errors are correlated in time, as neighbouring frames look alike; a part of them stays for the
    whole clip, as if the bones had other lengths.
    """
    shape = clip.scores.shape
    soft = np.array([any(part in name for part in SOFT) for name in skeleton.joints])
    spread = np.nanstd(clip.keypoints_px, axis=-2).mean()
    level = noise.sigma * np.exp(rng.normal(0, noise.sigma_spread, shape[-1]))
    level = level * np.where(soft, noise.soft_factor, 1.0) * rng.uniform(0.4, 1.6)
    bout = _slow_noise(rng, shape, noise.lasting_frames) > norm.isf(noise.bout_share)
    sigma = spread * level * np.where(bout, noise.bout_factor, 1.0)
    error = _correlated_noise(rng, (*shape, 2), noise)
    depth = clip.depth_px * rng.uniform(noise.depth_shrink, 1.0)
    depth = depth + _depth_errors(clip, skeleton, noise, bout, rng)
    missing = rng.random((1, 1, shape[-1])) < rng.uniform(0, noise.missing_share)
    missing = missing | (bout & (rng.random(shape) < noise.missing_share))
    return replace(
        clip,
        keypoints_px=_with_bone_bias(clip, skeleton, noise.bias, rng) + error * sigma[..., None],
        scores=np.where(missing, 0.0, clip.scores),
        sigma_px=sigma * np.exp(rng.normal(0, noise.report_spread, shape)),
        depth_px=depth,
    )


def add_independent_noise(clip: Clip, noise: ClipNoiseSettings, rng: np.random.Generator) -> Clip:
    """Add errors to detections in images that the 2D network was trained on.

    It makes fewer errors there than elsewhere. The errors of joints are independent, so that,
    unlike for ``add_detection_noise``, no complete 3D pose is needed.
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


def photo_noise(noise: ClipNoiseSettings, rng: np.random.Generator) -> ClipNoiseSettings:
    """Draw the noise of one photo: see ``photo_factor``."""
    factor = noise.photo_factor ** rng.random()
    sigma, depth_sigma = factor * noise.sigma, np.sqrt(factor) * noise.depth_sigma
    return replace(noise, sigma=sigma, depth_sigma=depth_sigma)


def _depth_errors(
    clip: Clip,
    skeleton: Skeleton,
    noise: ClipNoiseSettings,
    bout: np.ndarray,
    rng: np.random.Generator,
) -> Float[np.ndarray, "*batch joint"]:
    """Errors of depths in pixels: the sum of those of the bones from the root to the joint."""
    distance = np.linalg.norm(clip.joints_mm[..., skeleton.root_index, :], axis=-1)
    length = bone_lengths(clip.joints_mm, skeleton) * np.nanmean(_focal_px(clip) / distance)
    second = np.array(skeleton.bone_indices)[:, 1]
    own = _correlated_noise(rng, (*clip.scores.shape[:-1], len(length)), noise)
    own *= noise.depth_sigma * rng.uniform(0.3, 1.7) * length * np.where(bout[..., second], 2, 1)
    error = np.zeros(clip.scores.shape)
    for i, (parent, child) in enumerate(skeleton.bone_indices):
        error[..., child] = error[..., parent] + own[..., i]
    return error


def _with_bone_bias(
    clip: Clip, skeleton: Skeleton, bias: float, rng: np.random.Generator
) -> Float[np.ndarray, "*batch joint 2"]:
    """The 2D joints of the same pose with other bone lengths."""
    ends = [skeleton.joints[second] for _, second in skeleton.bone_indices]
    factor = [1.7 if any(p in e for p in SOFT) else 0.5 if e in TRUNK else 1.0 for e in ends]
    ratios = np.exp(rng.normal(0, bias * np.array(factor) * rng.uniform(0.3, 1.5)))
    moved = project(resize_bones(clip.joints_mm, ratios, skeleton), clip.intrinsics[0, 0])
    return np.where(np.isfinite(moved), moved, clip.keypoints_px)


def _correlated_noise(
    rng: np.random.Generator, shape: tuple[int, ...], noise: ClipNoiseSettings
) -> np.ndarray:
    """Noise of deviation 1, a share of it slow along the second axis."""
    slow = noise.slow_share * _slow_noise(rng, shape, noise.lasting_frames)
    return slow + np.sqrt(1 - noise.slow_share**2) * rng.normal(size=shape)


def _slow_noise(rng: np.random.Generator, shape: tuple[int, ...], frames: float) -> np.ndarray:
    """Noise of deviation 1 that is smooth along the second axis."""
    smooth = gaussian_filter1d(rng.normal(size=shape), frames, axis=1, mode="wrap")
    return smooth * np.sqrt(2 * np.sqrt(np.pi) * frames)


def _focal_px(clip: Clip) -> np.ndarray:
    """Geometric mean of the two focal lengths."""
    return np.sqrt(np.linalg.det(clip.intrinsics[..., :2, :2]))

"""The 3D recipe of videos: clips of 2D joints, exact, noisy or detected, to 3D joints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from Datasets.catalogue import open_sources
from Datasets.skeletons import SKELETONS, Skeleton
from Engine.errors import DataError
from Engine.module import AveragedModule
from Engine.sampling import Draw, SeededSampler
from Engine.trainer import FitSummary
from Engine.weights import load_initial
from PoseEstimation.codecs.rays import FEATURES, UNIT_MM, RayCodec
from PoseEstimation.inference.lifting import RATE
from PoseEstimation.losses import gaussian_nll
from PoseEstimation.losses.lifting import (
    bone_direction_distance,
    bone_length_distance,
    bone_nll,
    lifting_distance,
    moved_to,
    square_error,
    velocity_distance,
)
from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
from PoseEstimation.settings import ClipLiftingSettings
from PoseEstimation.structures import Clip
from PoseEstimation.training.clip_noise import (
    add_detection_noise,
    add_independent_noise,
    photo_noise,
    random_camera,
    resize_bones,
    with_depth,
)
from PoseEstimation.training.clip_tensors import tensors_of, true_shape, validation_items
from PoseEstimation.training.clips import (
    Sequence3D,
    labelled_sequences,
    load_detections,
    load_movement_bank,
    random_frames,
    stacked,
)
from PoseEstimation.training.given_joints import draw_given_joints
from PoseEstimation.training.weights import configured, train_and_write

Read = TypeVar("Read")

CLIPS_PER_EPOCH = 10_000

SLOW_FRAMES = 12
"""Frames of a clip whose frames are far apart."""

SHAPE_NOISE = 0.04
"""Error of the logarithm of bone lengths that are given to the network: own, and common."""

GREATEST_RADIUS = 1.0
"""Of clips that are learnt from: a trunk that is as long as it is far away is at the camera."""

TILT = 0.12
"""Standard deviation in radians of the angle of trunks to the vertical."""


class ClipLiftingModule(AveragedModule):
    """One training step and one validation step of the clip lifter."""

    def __init__(self, settings: ClipLiftingSettings) -> None:
        torch.manual_seed(settings.trainer.seed)
        network = make_clip_lifter(settings)
        load_initial(network, settings.initial_weights)
        super().__init__(network, settings.optimiser, settings.trainer)
        self.recipe, self.bones = settings, SKELETONS[settings.skeleton].bone_indices

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Loss of a batch of clips."""
        lifted = self.network(batch["features"], batch["radius"], batch["shape"])
        joints, log_lengths = lifted.joints, lifted.log_lengths
        target, mask, recipe = batch["target"], batch["mask"], self.recipe
        weak, strong = batch["weak"].view(-1, 1, 1, 1, 1), mask
        if weak.any():
            target = torch.where(weak, moved_to(joints, target, mask), target)
            strong = mask * ~weak[..., 0]
        loss = lifting_distance(joints, target, mask)
        if recipe.velocity_weight:
            loss = loss + recipe.velocity_weight * velocity_distance(joints, target, mask)
        if recipe.direction_weight:
            directions = bone_direction_distance(lifted, target, strong, self.bones)
            loss = loss + recipe.direction_weight * directions
        if recipe.bone_weight:
            bones = bone_length_distance(log_lengths, target, strong, self.bones)
            loss = loss + recipe.bone_weight * bones
        sigmas = _nll(lifted.log_sigma, joints, target, strong)
        own = batch["shape"].isnan().all(-1).flatten().float()
        sigmas = sigmas + bone_nll(lifted, target, strong, self.bones, own)
        return loss + recipe.sigma_weight * sigmas

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Mean error in millimetres without the root, of joints and of frame differences."""
        lifted = self.average(batch["features"], batch["radius"])
        joints, log_lengths = lifted.joints, lifted.log_lengths
        target, mask = batch["target"], batch["mask"]
        error = UNIT_MM * lifting_distance(joints, target, mask)
        kind = "observed" if batch["observed"].all() else "true"
        values = {
            f"validation_{kind}_mm": error,
            f"validation_{kind}_velocity": RATE * UNIT_MM * velocity_distance(joints, target, mask),
            f"validation_{kind}_body": bone_length_distance(log_lengths, target, mask, self.bones),
            f"validation_{kind}_nll": _nll(lifted.log_sigma, joints, target, mask),
            "validation_loss": error,
        }
        self.log_dict(values, batch_size=1)


def _nll(log_sigma: Tensor, joints: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Negative log-likelihood of the error bars."""
    return gaussian_nll(log_sigma, square_error(joints.detach(), target, mask), mask, axes=3)


def train_clip_lifting(
    settings: ClipLiftingSettings, output: Path, resume: bool = False
) -> FitSummary:
    """Train the clip lifter and write ``output/lifter.safetensors``.

    Args:
        settings: the whole recipe.
        output: folder of the run.
        resume: go on with the run that ``output`` holds.

    Raises:
        DataError: no data, or damaged data.
    """
    module, codec = ClipLiftingModule(settings), RayCodec(SKELETONS[settings.skeleton])
    loaders = make_loaders(settings)
    return train_and_write("lifter", module, codec, loaders, settings, output, resume)


def make_clip_lifter(settings: ClipLiftingSettings) -> ClipLifter:
    """Build the network of a recipe."""
    skeleton = SKELETONS[settings.skeleton]
    config = configured(
        ClipLifterConfig,
        settings.network,
        num_joints=len(skeleton),
        root_index=skeleton.root_index,
        bones=skeleton.bone_indices,
        twins=twin_bones(skeleton),
        in_features=FEATURES,
    )
    return ClipLifter(config)


def twin_bones(skeleton: Skeleton) -> tuple[int, ...]:
    """For each bone the number of the first with its length: itself or its mirror image."""
    return tuple(min(i, other) for i, other in enumerate(skeleton.mirrored_bones))


def make_loaders(settings: ClipLiftingSettings) -> tuple[DataLoader, DataLoader]:
    """Training and validation batches.

    Raises:
        DataError: a folder or file is not given or holds no data.
    """
    skeleton = SKELETONS[settings.skeleton]

    def read(load: Callable[[Path, Skeleton], list[Read]], paths: Sequence[Path]) -> list[Read]:
        return [sequence for path in paths for sequence in load(path, skeleton)]

    movements = read(load_movement_bank, settings.movement_banks)
    for dataset in open_sources(settings.train, skeleton) if settings.train else ():
        movements += labelled_sequences(dataset)
    if not movements:
        raise DataError("clip_lifting: no movements; give train or movement_banks")
    train = TrainingClips(
        movements,
        read(load_detections, settings.detections),
        read(load_detections, settings.detections_slow),
        settings,
        read(load_movement_bank, settings.posture_banks),
        read(load_detections, settings.detections_weak),
    )
    sampler = SeededSampler(CLIPS_PER_EPOCH, settings.trainer.seed)
    keys = DataLoader(
        _Keys(),
        batch_size=settings.batch_size,
        sampler=sampler,
        collate_fn=train,
        num_workers=settings.num_workers,
        persistent_workers=settings.num_workers > 0,
        drop_last=True,
    )
    items = cast(TorchDataset, validation_items(settings, skeleton))  # a list does as well
    return keys, DataLoader(items, batch_size=None)


class _Keys(TorchDataset):
    """Hands keys through, so that a whole batch is made at once."""

    def __len__(self) -> int:
        return CLIPS_PER_EPOCH

    def __getitem__(self, key: Draw) -> Draw:
        return key


class TrainingClips:
    """Turns keys into a batch of clips; the same keys give the same batch."""

    def __init__(
        self,
        movements: Sequence[Sequence3D],
        observed: Sequence[Clip],
        slow: Sequence[Clip],
        settings: ClipLiftingSettings,
        postures: Sequence[Sequence3D] = (),
        weak: Sequence[Clip] = (),
    ) -> None:
        self.movements, self.settings = movements, settings
        self.postures, self.weak = postures, weak
        self.observed, self.scattered = observed, [*observed, *slow]
        self.lasting = [clip for clip in self.scattered if len(clip.scores) > 1]
        self.skeleton = SKELETONS[settings.skeleton]
        self.codec = RayCodec(self.skeleton)

    def __call__(self, keys: Sequence[Draw]) -> dict[str, Tensor]:
        """Make the batch of these keys."""
        settings = self.settings
        seed = [settings.trainer.seed, keys[0].round, keys[0].item]
        rng = np.random.default_rng(seed)
        runs, frames, count = settings.runs, settings.frames, len(keys)
        kind = rng.random()
        if kind < settings.single_share:
            runs, frames, count = 1, 1, count * runs * frames // 4
        elif kind < settings.single_share + settings.slow_share:
            runs, frames, count = SLOW_FRAMES, 1, max(count * runs * frames // (2 * SLOW_FRAMES), 1)
        weak = round(count * settings.weak_share) if self.weak and runs * frames == 1 else 0
        clips = [self._weakly_labelled(rng) for _ in range(weak)]
        clips += [self.draw(runs, frames, rng) for _ in range(count - weak)]
        drawn = stacked(clips)
        batch = {**tensors_of(drawn, self.codec), "weak": torch.arange(count) < weak}
        batch["shape"] = self._given_shapes(drawn, batch["radius"].numpy(), rng)
        near = batch["radius"] < GREATEST_RADIUS
        batch["mask"] = batch["mask"] * near.view(-1, 1, 1, 1)
        return _turned_and_mirrored(batch, self.skeleton, rng)

    def _given_shapes(
        self, clip: Clip, radius: Float[np.ndarray, "clip"], rng: np.random.Generator
    ) -> Float[Tensor, "clip 1 1 bone"]:
        """Logs of bone lengths in units of the radius for a share of the clips, NaN for others.

        As from a fit: off by ``SHAPE_NOISE``.
        """
        shape = true_shape(clip, radius, self.skeleton)
        twins = list(twin_bones(self.skeleton))
        shape = shape + SHAPE_NOISE * rng.normal(size=shape.shape)[:, twins]
        shape = shape + SHAPE_NOISE * rng.normal(size=(len(shape), 1))
        shape[rng.random(len(shape)) >= self.settings.shape_share] = np.nan
        shape[~np.isfinite(shape).all(-1)] = np.nan
        return torch.from_numpy(shape[:, None, None].astype(np.float32))

    def _weakly_labelled(self, rng: np.random.Generator) -> Clip:
        """A photo whose 3D joints are known up to a translation."""
        clip = self._detected(self.weak, 1, 1, rng)
        clip = add_independent_noise(clip, photo_noise(self.settings.noise, rng), rng)
        return self._with_or_without_depth(clip, rng)

    def draw(self, runs: int, frames: int, rng: np.random.Generator) -> Clip:
        """Make one clip."""
        settings = self.settings
        observed = self.observed if frames > 1 else self.lasting if runs > 1 else self.scattered
        if observed and rng.random() < settings.detections_share:
            return self._with_or_without_depth(self._detected(observed, runs, frames, rng), rng)
        clip = random_camera(self._pose(runs, frames, rng), settings.cameras, rng)
        if rng.random() < settings.joint_sets_share:
            given = draw_given_joints(rng, self.skeleton)
            clip = replace(clip, scores=clip.scores * given)
        if rng.random() < settings.exact_share:
            whole = rng.random() < settings.rounded_share
            return replace(clip, keypoints_px=np.round(clip.keypoints_px)) if whole else clip
        noise = photo_noise(settings.noise, rng) if runs * frames == 1 else settings.noise
        clip = with_depth(clip, self.skeleton.root_index)
        clip = add_detection_noise(clip, self.skeleton, noise, rng)
        return self._with_or_without_depth(clip, rng)

    def _detected(
        self, clips: Sequence[Clip], runs: int, frames: int, rng: np.random.Generator
    ) -> Clip:
        """Frames of one of the clips with detections."""
        clip = clips[int(rng.integers(len(clips)))]
        return clip[random_frames(len(clip.scores), runs, frames, rng)]

    def _pose(
        self, runs: int, frames: int, rng: np.random.Generator
    ) -> Float[np.ndarray, "run frame joint 3"]:
        """Joints of an infant in motion, or in unrelated postures; world axes, mm."""
        settings = self.settings
        if frames == 1 and self.postures and rng.random() < settings.posture_share:
            still = self.postures[int(rng.integers(len(self.postures)))]
            return still[random_frames(len(still), runs, frames, rng)].astype(np.float64)
        movement = self.movements[int(rng.integers(len(self.movements)))]
        joints_mm = movement[random_frames(len(movement), runs, frames, rng)].astype(np.float64)
        if not settings.bone_spread:
            return joints_mm
        ratios = np.exp(settings.bone_spread * rng.normal(size=len(self.skeleton.bones)))
        return resize_bones(joints_mm, ratios[list(twin_bones(self.skeleton))], self.skeleton)

    def _with_or_without_depth(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """Remove the depths from a share of the clips."""
        if rng.random() < self.settings.depth_share:
            return clip
        return replace(clip, depth_px=np.full_like(clip.depth_px, np.nan))


def _turned_and_mirrored(
    batch: dict[str, Tensor], skeleton: Skeleton, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Turn each clip a little about the viewing axis, and mirror half of them."""
    features, target, mask = batch["features"], batch["target"], batch["mask"]
    count = len(features)
    angles = torch.as_tensor(rng.normal(0, TILT, count), dtype=torch.float32)
    mirrored = torch.as_tensor(rng.random(count) < 0.5)
    order = list(skeleton.flip_indices)
    features, target = turned(features, angles), turned(target, angles)
    chosen = mirrored.view(-1, 1, 1, 1, 1)
    features = torch.where(chosen, mirror(features[..., order, :]), features)
    target = torch.where(chosen, mirror(target[..., order, :]), target)
    mask = torch.where(chosen[..., 0], mask[..., order], mask)
    return {**batch, "features": features, "target": target, "mask": mask}


def turned(
    values: Float[Tensor, "clip *others value"], angles: Float[Tensor, "clip"]
) -> Float[Tensor, "clip *others value"]:
    """Rotate x and y, the first two of the last axis, by an angle (rad) per clip."""
    c, s = (f(angles).view(-1, *[1] * (values.ndim - 2)) for f in (torch.cos, torch.sin))
    x, y = values[..., 0], values[..., 1]
    return torch.cat([torch.stack([c * x - s * y, s * x + c * y], -1), values[..., 2:]], -1)


def mirror(values: Float[Tensor, "*batch value"]) -> Float[Tensor, "*batch value"]:
    """Change the sign of x, the first of the last axis."""
    return torch.cat([-values[..., :1], values[..., 1:]], -1)

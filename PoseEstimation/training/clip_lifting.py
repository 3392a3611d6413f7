"""The 3D recipe of videos: clips of 2D joints, true or as a network sees them, to 3D joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from Datasets.catalogue import open_sources
from Datasets.skeletons import MINI_RGBD_25, SKELETONS, Skeleton
from Datasets.skeletons.convert import joint_map
from Engine.errors import DataError
from Engine.module import AveragedModule
from Engine.sampling import Draw, SeededSampler
from Engine.trainer import FitSummary, fit
from Engine.weights import load_initial
from PoseEstimation.codecs.rays import FEATURES, UNIT_MM, RayCodec
from PoseEstimation.inference.lifting import RATE
from PoseEstimation.losses.lifting import (
    body_distance,
    gaussian_nll,
    lifting_distance,
    placed,
    velocity_distance,
)
from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
from PoseEstimation.settings import ClipLiftingSettings
from PoseEstimation.training.clips import (
    Clip,
    Movement,
    bone_lengths,
    cut,
    filmed,
    joined_clips,
    load_movements,
    load_observed,
    movements_of,
    photo_noise,
    rebuilt,
    roughened,
    stacked,
    true_clip,
    with_depth,
    worsened,
)
from PoseEstimation.training.weights import write_best

CLIPS_PER_EPOCH = 10_000

SLOW_FRAMES = 12
"""Frames of a clip whose frames are far apart."""

TILT = 0.12
"""Standard deviation in radians by which trunks stray from upright."""


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
        joints, log_sigma, log_lengths = self.network(batch["features"], batch["radius"])
        target, mask, recipe = batch["target"], batch["mask"], self.recipe
        weak, strong = batch["weak"].view(-1, 1, 1, 1, 1), mask
        if weak.any():
            target = torch.where(weak, placed(target, joints, mask), target)
            strong = mask * ~weak[..., 0]
        loss = lifting_distance(joints, target, mask)
        if recipe.velocity_weight:
            loss = loss + recipe.velocity_weight * velocity_distance(joints, target, mask)
        if recipe.bone_weight:
            bones = body_distance(log_lengths, target, strong, self.bones)
            loss = loss + recipe.bone_weight * bones
        return loss + recipe.sigma_weight * gaussian_nll(log_sigma, joints, target, strong)

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Mean error in millimetres without the root, of joints and of frame differences."""
        joints, log_sigma, log_lengths = self.average(batch["features"], batch["radius"])
        target, mask = batch["target"], batch["mask"]
        error = UNIT_MM * lifting_distance(joints, target, mask)
        kind = "observed" if batch["observed"].all() else "true"
        values = {
            f"validation_{kind}_mm": error,
            f"validation_{kind}_velocity": RATE * UNIT_MM * velocity_distance(joints, target, mask),
            f"validation_{kind}_body": body_distance(log_lengths, target, mask, self.bones),
            f"validation_{kind}_nll": gaussian_nll(log_sigma, joints, target, mask),
            "validation_loss": error,
        }
        self.log_dict(values, batch_size=1)


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
    module = ClipLiftingModule(settings)
    loaders = make_loaders(settings)
    summary = fit(module, *loaders, settings.trainer, output, resume, recipe=settings)
    codec = RayCodec(SKELETONS[settings.skeleton])
    write_best(output, "lifter", module.network, codec, settings.skeleton)
    return summary


def make_clip_lifter(settings: ClipLiftingSettings) -> ClipLifter:
    """Build the network of a recipe."""
    skeleton = SKELETONS[settings.skeleton]
    config = ClipLifterConfig(
        **vars(settings.network),
        num_joints=len(skeleton),
        root_index=skeleton.root_index,
        bones=skeleton.bone_indices,
        twins=twin_bones(skeleton),
        in_features=FEATURES,
    )
    return ClipLifter(config)


def twin_bones(skeleton: Skeleton) -> tuple[int, ...]:
    """For each bone the number of the first with its length: itself or its mirror image."""
    bones, flip = skeleton.bone_indices, skeleton.flip_indices
    return tuple(min(i, bones.index((flip[a], flip[b]))) for i, (a, b) in enumerate(bones))


def make_loaders(settings: ClipLiftingSettings) -> tuple[DataLoader, DataLoader]:
    """Training and validation batches.

    Raises:
        DataError: a folder or file is not given or holds no data.
    """
    skeleton = SKELETONS[settings.skeleton]
    movements = [m for path in settings.movement_banks for m in load_movements(path, skeleton)]
    for dataset in open_sources(settings.train, skeleton) if settings.train else ():
        movements += movements_of(dataset)
    observed, slow = (
        [m for path in paths for m in load_observed(path, skeleton)]
        for paths in (settings.detections, settings.detections_slow)
    )
    if not movements:
        raise DataError("clip_lifting: no movements; give train or movement_banks")
    if settings.validation is None:
        raise DataError("clip_lifting: validation must be given; name a data set with 3D labels")
    postures = [m for path in settings.posture_banks for m in load_movements(path, skeleton)]
    weak = [m for path in settings.detections_weak for m in load_observed(path, skeleton)]
    train = TrainingClips(movements, observed, slow, settings, postures, weak)
    return (
        DataLoader(
            _Keys(CLIPS_PER_EPOCH),
            batch_size=settings.batch_size,
            sampler=SeededSampler(CLIPS_PER_EPOCH, settings.trainer.seed),
            collate_fn=train,
            num_workers=settings.num_workers,
            persistent_workers=settings.num_workers > 0,
            drop_last=True,
        ),
        DataLoader(validation_items(settings, skeleton), batch_size=None),
    )


def validation_items(settings: ClipLiftingSettings, skeleton: Skeleton) -> list[dict[str, Tensor]]:
    """One item per sequence, from its true 2D, and from what a network saw of it; one of photos."""
    codec, items = RayCodec(skeleton), []
    dataset = open_sources([settings.validation], skeleton)[0]
    names = np.array([s.sequence for s in dataset.samples if s.joints_mm is not None])
    every = true_clip(dataset)
    for name in dict.fromkeys(names):
        items.append((every[names == name][None, None], False))
    if settings.validation_detections is not None:
        seen = load_observed(settings.validation_detections, skeleton)
        items += [(movement.observed[None, None], True) for movement in seen]
    if settings.validation_photos is not None:
        seen = load_observed(settings.validation_photos, skeleton)
        photos = joined_clips([movement.observed for movement in seen])
        items.append((photos[:, None, None], True))
    return [
        {**_tensors(clip, codec), "observed": torch.tensor(observed)} for clip, observed in items
    ]


class TrainingClips:
    """Turns keys into a batch of clips; the same keys give the same batch."""

    def __init__(
        self,
        movements: Sequence[Movement],
        observed: Sequence[Movement],
        slow: Sequence[Movement],
        settings: ClipLiftingSettings,
        postures: Sequence[Movement] = (),
        weak: Sequence[Movement] = (),
    ) -> None:
        self.movements, self.settings = movements, settings
        self.postures, self.weak = postures, weak
        self.observed, self.scattered = observed, [*observed, *slow]
        self.lasting = [m for m in self.scattered if len(m.joints_mm) > 1]
        self.skeleton = SKELETONS[settings.skeleton]
        self.codec = RayCodec(self.skeleton)
        labelled, _ = joint_map(MINI_RGBD_25, self.skeleton).index_lists
        self.in_mini_rgbd = np.isin(np.arange(len(self.skeleton)), labelled)
        self.lengths = [bone_lengths(m.joints_mm, self.skeleton) for m in movements]

    def __call__(self, keys: Sequence[Draw]) -> dict[str, Tensor]:
        """Make the batch of these keys."""
        settings = self.settings
        seed = [settings.trainer.seed, keys[0].round, keys[0].index]
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
        batch = {**_tensors(stacked(clips), self.codec), "weak": torch.arange(count) < weak}
        return _varied(batch, self.skeleton, rng)

    def _weakly_labelled(self, rng: np.random.Generator) -> Clip:
        """A photo whose joints are known but for their place."""
        movement = self.weak[rng.integers(len(self.weak))]
        clip = movement.observed[cut(movement, 1, 1, rng)]
        return self._hidden_depth(roughened(clip, photo_noise(self.settings.noise, rng), rng), rng)

    def draw(self, runs: int, frames: int, rng: np.random.Generator) -> Clip:
        """Make one clip."""
        settings = self.settings
        observed = self._fitting(runs, frames)
        if observed and rng.random() < settings.detections_share:
            movement = observed[rng.integers(len(observed))]
            clip = movement.observed[cut(movement, runs, frames, rng)]
            return self._hidden_depth(clip, rng)
        clip = filmed(self._posed(runs, frames, rng), settings.cameras, rng)
        if rng.random() < settings.exact_share:
            return self._labelled(clip, rng)
        noise = photo_noise(settings.noise, rng) if runs * frames == 1 else settings.noise
        clip = worsened(with_depth(clip, self.skeleton.root_index), self.skeleton, noise, rng)
        return self._hidden_depth(clip, rng)

    def _fitting(self, runs: int, frames: int) -> Sequence[Movement]:
        """What was observed that such a clip may be cut from."""
        if frames > 1:
            return self.observed
        return self.lasting if runs > 1 else self.scattered

    def _posed(self, runs: int, frames: int, rng: np.random.Generator) -> np.ndarray:
        """Joints of an infant in motion, or of one in postures that have nothing to do with it."""
        settings = self.settings
        if frames == 1 and self.postures and rng.random() < settings.posture_share:
            still = self.postures[rng.integers(len(self.postures))]
            return still.joints_mm[cut(still, runs, frames, rng)].astype(np.float64)
        number = int(rng.integers(len(self.movements)))
        movement = self.movements[number]
        joints_mm = movement.joints_mm[cut(movement, runs, frames, rng)].astype(np.float64)
        if not settings.body_mixing:
            return joints_mm
        other = self.lengths[rng.integers(len(self.lengths))]
        share = rng.uniform(-settings.body_mixing, 1 + settings.body_mixing)
        return rebuilt(joints_mm, 1 + share * (other / self.lengths[number] - 1), self.skeleton)

    def _labelled(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """Leave out what MINI-RGBD does not label in a share of the clips."""
        if rng.random() >= self.settings.mini_rgbd_share:
            return clip
        return replace(clip, scores=clip.scores * self.in_mini_rgbd)

    def _hidden_depth(self, clip: Clip, rng: np.random.Generator) -> Clip:
        """Leave the depths out of a share of the clips."""
        if rng.random() < self.settings.depth_share:
            return clip
        return replace(clip, depth_px=np.full_like(clip.depth_px, np.nan))


def _tensors(clip: Clip, codec: RayCodec) -> dict[str, Tensor]:
    """Features, radius, target and mask of clips."""
    features, sight = codec.encode_input(
        clip.keypoints_px, clip.scores, clip.intrinsics[:, 0, 0], clip.sigma_px, clip.depth_px
    )
    target = codec.encode_target(clip.joints_mm, sight)
    mask = np.isfinite(target).all(-1)
    mask[..., codec.skeleton.root_index] = False
    arrays = {
        "features": features,
        "radius": sight.radius,
        "target": np.where(mask[..., None], target, 0),
        "mask": mask,
    }
    return {k: torch.from_numpy(np.ascontiguousarray(v, np.float32)) for k, v in arrays.items()}


def _varied(
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


def turned(values: Tensor, angles: Tensor) -> Tensor:
    """Turn x and y, the first two of the last axis, by an angle (rad) per clip."""
    c, s = (f(angles).view(-1, *[1] * (values.ndim - 2)) for f in (torch.cos, torch.sin))
    x, y = values[..., 0], values[..., 1]
    return torch.cat([torch.stack([c * x - s * y, s * x + c * y], -1), values[..., 2:]], -1)


def mirror(values: Tensor) -> Tensor:
    """Change the sign of x, the first of the last axis."""
    return torch.cat([-values[..., :1], values[..., 1:]], -1)


class _Keys(TorchDataset):
    """Hands keys through, so that a whole batch is made at once."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, key: Draw | int) -> Draw | int:
        return key

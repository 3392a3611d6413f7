"""The 3D recipe: true 2D joints, made as bad as a network's, to 3D joints relative to the root."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from Datasets.catalogue import open_sources
from Datasets.loaders import Draw, SeededSampler, thinned
from Datasets.skeletons import MINI_RGBD_25, SKELETONS, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import DataError
from FasterRCNN.module import AveragedModule
from FasterRCNN.trainer import FitSummary, fit
from PoseEstimation.codecs.root_relative import UNIT_MM, RootRelativeCodec
from PoseEstimation.losses.lifting import gaussian_nll, lifting_distance, lifting_mse
from PoseEstimation.models.martinez import MartinezConfig, MartinezLifter
from PoseEstimation.settings import LiftingSettings, NoiseSettings
from PoseEstimation.training.pose_bank import PoseBank, bank_of, joined_banks, load_bank
from PoseEstimation.training.weights import load_initial, write_best

FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
ENDS = tuple(f"{side}_{end}" for side in ("left", "right") for end in ("wrist", "fingers", "toes"))


class LiftingModule(AveragedModule):
    """One training step and one validation step of the lifter."""

    def __init__(self, settings: LiftingSettings) -> None:
        torch.manual_seed(settings.trainer.seed)
        network = make_lifter(settings)
        load_initial(network, settings.initial_weights)
        super().__init__(network, settings.optimiser, settings.trainer)
        self.loss = lifting_mse if settings.loss == "mse" else lifting_distance
        self.sigma_weight = settings.sigma_weight

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Loss of a batch of poses."""
        joints, log_sigma = self.network(batch["features"])
        target, mask = batch["target"], batch["mask"]
        loss = self.loss(joints, target, mask)
        return loss + self.sigma_weight * gaussian_nll(log_sigma, joints, target, mask)

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Mean error in millimetres without the root, from true 2D and from noisy 2D."""
        errors = {}
        for kind in ("true", "noisy"):
            joints, log_sigma = self.average(batch[f"{kind}_features"])
            target, mask = batch[f"{kind}_target"], batch["mask"]
            errors[kind] = UNIT_MM * lifting_distance(joints, target, mask)
            nll = gaussian_nll(log_sigma, joints, target, mask)
        values = {f"validation_{kind}_2d_mm": error for kind, error in errors.items()}
        values |= {"validation_loss": errors["noisy"], "validation_sigma_nll": nll}
        self.log_dict(values, batch_size=len(joints))


def train_lifting(settings: LiftingSettings, output: Path, resume: bool = False) -> FitSummary:
    """Train the lifter and write ``output/lifter.safetensors``.

    Args:
        settings: the whole recipe.
        output: folder of the run.
        resume: go on with the run that ``output`` holds.

    Raises:
        DataError: no data, or damaged data.
    """
    module = LiftingModule(settings)
    train_loader, validation_loader = make_loaders(settings)
    summary = fit(
        module, train_loader, validation_loader, settings.trainer, output, resume, recipe=settings
    )
    write_best(output, "lifter", module.network, make_codec(settings), settings.skeleton)
    return summary


def make_codec(settings: LiftingSettings) -> RootRelativeCodec:
    """Build the codec of a recipe."""
    return RootRelativeCodec(SKELETONS[settings.skeleton], input=settings.input)


def make_lifter(settings: LiftingSettings) -> MartinezLifter:
    """Build the network of a recipe."""
    codec = make_codec(settings)
    config = MartinezConfig(
        num_joints=len(codec.skeleton),
        root_index=codec.skeleton.root_index,
        in_features=codec.in_features,
        width=settings.width,
        blocks=settings.blocks,
        dropout=settings.dropout,
    )
    return MartinezLifter(config)


def make_loaders(settings: LiftingSettings) -> tuple[DataLoader, DataLoader]:
    """Training and validation batches.

    Raises:
        DataError: a folder or file is not given or holds no data.
    """
    if settings.validation is None:
        raise DataError("lifting: validation must be given; name a data set with 3D labels")
    skeleton = SKELETONS[settings.skeleton]
    step = settings.frame_step
    banks = [bank_of(thinned(data, step)) for data in open_sources(settings.train, skeleton)]
    train = joined_banks([*banks, *(load_bank(path, skeleton) for path in settings.pose_banks)])
    validation = bank_of(open_sources([settings.validation], skeleton)[0])
    seed, size = settings.trainer.seed, min(settings.batch_size, len(train))
    return (
        DataLoader(
            _Keys(len(train)),
            batch_size=size,
            sampler=SeededSampler(len(train), seed),
            collate_fn=TrainingBatches(train, settings),
            num_workers=settings.num_workers,
            persistent_workers=settings.num_workers > 0,
            drop_last=True,
        ),
        DataLoader(
            _Keys(len(validation)),
            batch_size=1024,
            collate_fn=ValidationBatches(validation, settings),
        ),
    )


class TrainingBatches:
    """Turns keys into a batch: noise in pixels, the codec, then rotation and mirroring."""

    def __init__(self, bank: PoseBank, settings: LiftingSettings) -> None:
        self.bank, self.settings, self.codec = bank, settings, make_codec(settings)

    def __call__(self, keys: Sequence[Draw]) -> dict[str, Tensor]:
        """Make the batch of these keys; the same keys give the same batch."""
        settings, skeleton = self.settings, self.codec.skeleton
        seed = [settings.trainer.seed, keys[0].round, keys[0].index]
        generator = np.random.default_rng(seed)
        poses = self.bank.take([key.index for key in keys])
        if settings.noise is not None:
            poses = with_noise(poses, settings.noise, generator)
        features, target = encode(poses, self.codec)
        if settings.any_rotation:
            features, target = turned(generator.uniform(0, 2 * np.pi, len(keys)), features, target)
        if settings.flip:
            mirrored = generator.random(len(keys)) < 0.5
            features, target = flipped(mirrored, skeleton, features, target)
        return _tensors(features=features, target=target, mask=_mask(target, skeleton))


class ValidationBatches:
    """Turns row numbers into a batch with true and with noisy 2D, the same every time."""

    def __init__(self, bank: PoseBank, settings: LiftingSettings) -> None:
        self.bank, self.codec = bank, make_codec(settings)
        self.sigma = settings.validation_noise

    def __call__(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """Make the batch of these rows."""
        poses = self.bank.take(rows)
        generator = np.random.default_rng(rows[0])
        size = pose_size_px(poses)[:, None, None]
        moved = poses.keypoints_px + self.sigma * size * generator.normal(
            size=poses.keypoints_px.shape
        )
        features, target = encode(poses, self.codec)
        noisy = PoseBank(poses.skeleton, moved, poses.scores, poses.joints_mm, poses.intrinsics)
        noisy_features, noisy_target = encode(noisy, self.codec)
        return _tensors(
            true_features=features,
            true_target=target,
            noisy_features=noisy_features,
            noisy_target=noisy_target,
            mask=_mask(target, self.codec.skeleton),
        )


def encode(poses: PoseBank, codec: RootRelativeCodec) -> tuple[np.ndarray, np.ndarray]:
    """Features (pose, joint, feature) and targets (pose, joint, 3) of the lifter."""
    features, view = codec.encode_input(poses.keypoints_px, poses.scores, poses.intrinsics)
    return features, codec.encode_target(poses.joints_mm, view)


def pose_size_px(poses: PoseBank) -> Float[np.ndarray, "pose"]:
    """Root mean square distance of the 2D joints from their mean, pixels."""
    seen = (poses.scores > 0)[..., None]
    points = np.where(seen, poses.keypoints_px, 0)
    count = np.maximum(seen.sum(1, keepdims=True), 1)
    spread = (points - points.sum(1, keepdims=True) / count) ** 2 * seen
    return np.sqrt(spread.sum((1, 2)) / count[:, 0, 0])


def with_noise(poses: PoseBank, noise: NoiseSettings, generator: np.random.Generator) -> PoseBank:
    """Move and drop 2D joints as a heatmap network would."""
    count, joints = poses.scores.shape
    hard = np.isin(poses.skeleton.joints, FACE + ENDS)
    sigma = generator.uniform(0, noise.sigma, (count, 1)).astype(np.float32)
    sigma = sigma * np.where(hard, noise.hard_factor, 1).astype(np.float32)
    far = generator.random((count, joints)) < noise.outlier_share
    sigma = np.where(far, noise.outlier_sigma, sigma) * pose_size_px(poses)[:, None]
    offset = generator.standard_normal((count, joints, 2), dtype=np.float32)
    missing_share = generator.uniform(0, noise.missing_share, (count, 1))
    missing = generator.random((count, joints)) < missing_share
    face = [j in FACE for j in poses.skeleton.joints]
    missing |= (generator.random((count, 1)) < noise.face_missing_share) & face
    labelled, _ = joint_map(MINI_RGBD_25, poses.skeleton).index_lists
    beyond = ~np.isin(np.arange(joints), labelled)
    missing |= (generator.random((count, 1)) < noise.mini_rgbd_share) & beyond
    return PoseBank(
        poses.skeleton,
        poses.keypoints_px + offset * sigma[..., None],
        np.where(missing, 0, poses.scores),
        poses.joints_mm,
        poses.intrinsics,
    )


def turned(
    angles: Float[np.ndarray, "pose"], *poses: Float[np.ndarray, "pose joint 3"]
) -> tuple[np.ndarray, ...]:
    """Turn x and y of features or targets about the viewing axis, each pose by its angle (rad)."""
    c, s = np.cos(angles, dtype=np.float32), np.sin(angles, dtype=np.float32)
    matrix = np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2)
    xy = [pose[..., :2] @ np.swapaxes(matrix, -1, -2) for pose in poses]
    return tuple(np.concatenate([a, p[..., 2:]], axis=-1) for a, p in zip(xy, poses, strict=True))


def flipped(
    which: np.ndarray, skeleton: Skeleton, *poses: Float[np.ndarray, "pose joint 3"]
) -> tuple[np.ndarray, ...]:
    """Mirror features or targets of the chosen poses: x changes sign, left and right swap."""
    mirror = np.array([-1, 1, 1], dtype=np.float32)
    order, chosen = list(skeleton.flip_indices), which[:, None, None]
    return tuple(np.where(chosen, pose[:, order] * mirror, pose) for pose in poses)


class _Keys(TorchDataset):
    """Hands keys through, so that a whole batch is looked up at once."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, key: Draw | int) -> Draw | int:
        return key


def _mask(target: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """1 where a joint has a 3D label; the root, which is always zero, does not count."""
    mask = np.isfinite(target).all(-1)
    mask[..., skeleton.root_index] = False
    return mask.astype(np.float32)


def _tensors(**arrays: np.ndarray) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(np.ascontiguousarray(a, np.float32)) for name, a in arrays.items()
    }

"""Crops straight from the generator: a new body, pose, place and camera for every draw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from Datasets.geometry.boxes import box_from_points, clip_box
from Datasets.loaders import as_tensors
from Datasets.outlines import PADDING_PX, outline
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import INFANT, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import PoseSample
from Datasets.synthetic.profiles.mini_rgbd import PROFILES, SequencePlan, render_frames
from Datasets.transforms.presets import CROP_MARGIN, TrainTransforms, train_sample
from Engine.errors import DataError
from Engine.sampling import Draw

FPS = 30.0


class GeneratedCrops(TorchDataset):
    """Infants that nobody saw before; an item is a function of (seed, profile, round, index).

    Rendering takes a good part of a second on a CPU core: there, chains write pictures to disk
    between stages instead. On CUDA the renderer keeps up with training.
    """

    def __init__(
        self,
        profile: str,
        seed: int,
        size: int,
        margin: float = CROP_MARGIN,
        skeleton: Skeleton = INFANT,
        length: int = 10_000,
        source: int = 0,
        transforms: TrainTransforms | None = None,
    ) -> None:
        """Bind the choice.

        Args:
            profile: ``mini_rgbd`` or ``varied``.
            seed: of everything.
            size: side of the crops in pixels.
            margin: side of the crop over the longer side of the box.
            skeleton: joints of the labels.
            length: draws per round.
            source: number of the data set among several.
            transforms: how far crops stray.

        Raises:
            DataError: an unknown profile.
        """
        if profile not in PROFILES:
            known = ", ".join(PROFILES)
            raise DataError(f"generated: split is '{profile}'; choose a profile: {known}")
        self.profile, self.seed, self.size, self.margin = profile, seed, size, margin
        self.length, self.skeleton, self.source = length, skeleton, source
        self.transforms = transforms

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: Draw) -> dict[str, Tensor]:
        number = key.round * self.length + key.index
        frame = next(
            render_frames(SequencePlan(self.profile, self.seed, str(number), 1, FPS), range(1))
        )
        points = outline(frame.mask)
        if points is None:
            return self[Draw(key.round + 1_000_003, key.index)]
        image = Image.fromarray(frame.rgb)
        box = clip_box(box_from_points(points, PADDING_PX), image.size)
        mask = Image.fromarray(frame.mask.astype(np.uint8) * 255)
        rng = np.random.default_rng([self.seed, key.round, key.index])
        sample = self._sample(frame, number)
        cropped = train_sample(
            sample, image, mask, box, self.size, rng, self.transforms, self.margin
        )
        return as_tensors(cropped, key.index, self.source)

    def _sample(self, frame, number: int) -> PoseSample:
        """Labels of a frame in the joints that are wanted."""
        convert = joint_map(INFANT, self.skeleton)
        seen = convert.apply(frame.labels["visibility"][:, None], fill=0)[:, 0]
        return PoseSample(
            image_path=Path(f"{self.profile}-{self.seed}-{number}"),
            skeleton=self.skeleton,
            keypoints_px=convert.apply(frame.labels["keypoints_px"]),
            visibility=seen.astype(np.uint8),
            joints_mm=convert.apply(frame.labels["joints_mm"]),
            intrinsics=INTRINSICS,
        )

"""``labels.npz``: joints that a network predicted for unlabelled people.

skeleton      name of the convention
person (n,)   see ``person_keys``
keypoints_px (n, joint, 2), trusted (n, joint)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from Datasets.readers.base import load_npz
from Datasets.skeletons import Skeleton
from Datasets.structures import UNLABELLED, VISIBLE, Dataset, PoseSample
from Engine.errors import DataError
from Engine.files import write_npz

FILE = "labels.npz"


@dataclass(frozen=True)
class SelfLabels:
    """Joints of people, and which of them are trusted.

    Attributes:
        skeleton: convention of the joint axis.
        people: see ``person_keys``.
        keypoints_px: image pixels.
        trusted: the others count as unlabelled.
    """

    skeleton: Skeleton
    people: Sequence[str]
    keypoints_px: Float[np.ndarray, "n joint 2"]
    trusted: Bool[np.ndarray, "n joint"]

    def write(self, path: Path) -> None:
        """Write the file."""
        write_npz(
            path,
            skeleton=np.array(self.skeleton.name),
            person=np.array(self.people),
            keypoints_px=self.keypoints_px.astype(np.float32),
            trusted=self.trusted,
        )

    @classmethod
    def load(cls, path: Path, skeleton: Skeleton) -> SelfLabels:
        """Read the file.

        Raises:
            DataError: it is missing, damaged or in other joints.
        """
        names = ("skeleton", "person", "keypoints_px", "trusted")
        arrays = load_npz(path, "self-labels", names, "run its stage again")
        name, people, points, trusted = (arrays[key] for key in names)
        if name != skeleton.name:
            raise DataError(f"self-labels: {path} has the joints of {name}, not {skeleton.name}")
        return cls(skeleton, people.tolist(), points.astype(np.float64), trusted)

    def given_to(self, dataset: Dataset) -> Dataset:
        """Return the people with a trusted joint, labelled with these joints instead."""
        rows = {person: row for row, person in enumerate(self.people)}
        found = [rows.get(key) for key in person_keys(dataset)]
        samples = tuple(
            self._labelled(sample, row)
            for sample, row in zip(dataset.samples, found, strict=True)
            if row is not None and self.trusted[row].any()
        )
        if not samples:
            raise DataError(f"self-labels: none of {dataset.root} is labelled; trust more joints")
        return replace(dataset, samples=samples)

    def _labelled(self, sample: PoseSample, row: int) -> PoseSample:
        known = self.trusted[row]
        return replace(
            sample,
            keypoints_px=np.where(known[:, None], self.keypoints_px[row], np.nan),
            visibility=np.where(known, VISIBLE, UNLABELLED).astype(np.uint8),
            joints_mm=None,
        )


def person_keys(dataset: Dataset) -> list[str]:
    """Identify each person of the data set: image, frame and number of the annotation.

    Raises:
        DataError: two are the same.
    """
    keys = [
        f"{s.image_path.relative_to(dataset.root).as_posix()} {s.video_frame} {s.annotation_id}"
        for s in dataset.samples
    ]
    if len(set(keys)) < len(keys):
        raise DataError(f"self-labels: people of {dataset.root} are not distinguishable")
    return keys

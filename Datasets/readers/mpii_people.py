"""People as a file of MPII states them, on the way to samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from Datasets.geometry.boxes import LEAST_SIDE_PX
from Datasets.layouts.mpii import PERSON_PX, box_of, head_length
from Datasets.readers.base import inside
from Datasets.skeletons import MPII_16, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError


@dataclass(frozen=True)
class People:
    """Labels of n people, pixels from 1 as in the file.

    Attributes:
        source: the file.
        names: file name of each person's image.
        centre_px: (n, 2), before it is moved down; NaN where it is not known.
        scale: (n,) height over 200 px.
        joints_px: (n, 16, 2), any value where unlabelled.
        visibility: (n, 16) 0 unlabelled, 1 occluded, 2 visible.
        more: further attributes of each person's sample, in its own units (pixels from 0).
    """

    source: Path
    names: list[str]
    centre_px: Float[np.ndarray, "n 2"]
    scale: Float[np.ndarray, "n"]
    joints_px: Float[np.ndarray, "n joint 2"]
    visibility: UInt8[np.ndarray, "n joint"]
    more: list[dict[str, Any]]

    def faults(self) -> list[str]:
        """One line for every value that no person can have."""
        centred = ~np.isnan(self.centre_px).all(axis=1)
        lost = centred & ~np.isfinite(self.centre_px).all(axis=1)
        side_px = PERSON_PX * self.scale
        flat = centred & ~((side_px > LEAST_SIDE_PX) & np.isfinite(side_px))
        odd = ((self.visibility > 0) & ~np.isfinite(self.joints_px).all(axis=2)).any(axis=1)
        kinds = (
            (lost, "the centre is no finite number"),
            (flat, "the scale is no number above 0, or its box is of no size"),
            (odd, "a labelled joint is no finite number"),
        )
        return [
            f"{self.place(i)}: {text}; correct the file"
            for bad, text in kinds
            for i in np.flatnonzero(bad)
        ]

    def place(self, number: int) -> str:
        """Where a person stands in the file, for messages."""
        return place_of(self.source, number, self.names[number])

    def image_paths(self, root: Path) -> tuple[dict[str, Path], list[str]]:
        """Path of every image by name, and a line for every name that leaves the folder."""
        paths, faults = {}, []
        for name in dict.fromkeys(self.names):
            try:
                paths[name] = inside(root / "images", name, self.source)
            except DataError as error:
                faults.append(str(error))
        return paths, faults

    def dataset(
        self,
        root: Path,
        skeleton: Skeleton,
        faults: list[str],
        notes: tuple[str, ...] = (),
    ) -> Dataset:
        """Samples of everybody.

        Args:
            root: the folder that holds ``images``.
            skeleton: convention of the samples.
            faults: what was wrong when the file was read.
            notes: remarks for the user.

        Raises:
            DataError: there is a fault; it names the first.
        """
        paths, strangers = self.image_paths(root)
        faults = [*faults, *self.faults(), *strangers]
        if faults:
            raise DataError(faults[0])
        mapping = joint_map(MPII_16, skeleton)
        seen = (self.visibility > 0)[..., None]
        keypoints = mapping.apply(np.where(seen, self.joints_px - 1, np.nan))
        visibility = mapping.apply(self.visibility[..., None], fill=0)[..., 0].astype(np.uint8)
        boxes = box_of(self.centre_px, self.scale)
        known = ~np.isnan(self.centre_px).any(axis=1)
        samples = tuple(
            PoseSample(
                image_path=paths[name],
                skeleton=skeleton,
                keypoints_px=keypoints[i],
                visibility=visibility[i],
                box_xyxy=boxes[i] if known[i] else None,
                age="adult",
                **self.more[i],
            )
            for i, name in enumerate(self.names)
        )
        return Dataset("mpii", root, skeleton, samples, notes)


def place_of(source: Path, number: int, name: Any = None) -> str:
    """Where a person stands in a file, for messages: people count from 0."""
    image = f" ({name})" if isinstance(name, str) and name else ""
    return f"MPII: {source}, person {number}{image}"


def head_fields(head_xyxy: Float[np.ndarray, "4"]) -> dict[str, Any]:
    """Sample attributes of a head box in pixels from 1; none where it is not finite."""
    if not np.isfinite(head_xyxy).all():
        return {}
    box = np.asarray(head_xyxy, dtype=np.float64) - 1
    return {"head_box_xyxy": box, "head_length_px": head_length(box)}

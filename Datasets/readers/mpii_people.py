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
from Datasets.skeletons import MPII_16
from Datasets.structures import PoseSample
from Engine.errors import DataError


@dataclass(frozen=True)
class People:
    """Labels of n people, pixels from 1 as in a file of MPII.

    Attributes:
        source: the file.
        names: file name of each person's image.
        centre_px: (n, 2), before it is moved down; NaN where it is not known.
        scale: (n,) height over 200 px.
        joints_px: (n, 16, 2), any value where unlabelled.
        visibility: (n, 16) 0 unlabelled, 1 occluded, 2 visible.
        more: further attributes of each person's sample, in its own units (pixels from 0).
        unreadable: one line for every entry that is not in the layout.
    """

    source: Path
    names: list[str]
    centre_px: Float[np.ndarray, "n 2"]
    scale: Float[np.ndarray, "n"]
    joints_px: Float[np.ndarray, "n joint 2"]
    visibility: UInt8[np.ndarray, "n joint"]
    more: list[dict[str, Any]]
    unreadable: list[str]

    def faults(self, root: Path) -> list[str]:
        """One line for everything that is wrong with the people of a folder."""
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
        impossible = [
            f"{place_of(self.source, i, self.names[i])}: {text}; correct the file"
            for bad, text in kinds
            for i in np.flatnonzero(bad).tolist()
        ]
        return [*self.unreadable, *impossible, *self.image_paths(root)[1]]

    def image_paths(self, root: Path) -> tuple[dict[str, Path], list[str]]:
        """Path of every image by name, and a line for every name that leaves the folder."""
        paths, faults = {}, []
        for name in dict.fromkeys(self.names):
            try:
                paths[name] = inside(root / "images", name, self.source)
            except DataError as error:
                faults.append(str(error))
        return paths, faults

    def samples(self, root: Path) -> tuple[PoseSample, ...]:
        """One sample per person.

        Args:
            root: the folder that holds ``images``.

        Raises:
            DataError: there is a fault; it names the first.
        """
        fault = next(iter(self.faults(root)), None)
        if fault:
            raise DataError(fault)
        paths, _ = self.image_paths(root)
        keypoints = np.where((self.visibility > 0)[..., None], self.joints_px - 1, np.nan)
        boxes = box_of(self.centre_px, self.scale)
        known = ~np.isnan(self.centre_px).any(axis=1)
        return tuple(
            PoseSample(
                image_path=paths[name],
                skeleton=MPII_16,
                keypoints_px=keypoints[i],
                visibility=self.visibility[i],
                box_xyxy=boxes[i] if known[i] else None,
                age="adult",
                **self.more[i],
            )
            for i, name in enumerate(self.names)
        )


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

"""An image with all its people: what the detector is trained and evaluated on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from Datasets.outlines import outlines_of, true_box
from Datasets.structures import Dataset, PoseSample

CLASSES = ("background", "infant", "adult")
"""Classes of the detector; a label is a position in it."""

INFANT_LABEL, ADULT_LABEL = 1, 2


def label_of(age: str) -> int:
    """Class of a person by ``PoseSample.age``: infants and toddlers are ``infant``.

    Everyone else is ``adult``, people of unknown age too: data sets without ages show mostly
    adults, and a carer must not be labelled an infant.
    """
    return INFANT_LABEL if age in ("infant", "toddler") else ADULT_LABEL


@dataclass(frozen=True)
class Scene:
    """One image and everybody in it.

    Attributes:
        image: a sample that says where the image is.
        people: each with a mask, a box or joints; none where the image shows nobody.
        ignored_xyxy: boxes of regions that are not labelled one by one (COCO's crowds), pixels.
    """

    image: PoseSample
    people: tuple[PoseSample, ...]
    ignored_xyxy: tuple[Float[np.ndarray, "4"], ...] = ()

    @property
    def labels(self) -> Int[np.ndarray, "n"]:
        """Each person's position in ``CLASSES``."""
        return np.array([label_of(person.age) for person in self.people], dtype=np.int64)

    @property
    def main(self) -> int | None:
        """Position of the first infant, or of the first person where there is none."""
        return int(np.argmax(self.labels == INFANT_LABEL)) if self.people else None

    def boxes(self, label: int) -> Float[np.ndarray, "k 4"]:
        """Boxes of the people of one class, pixels: their own, else see ``box_target``.

        Raises:
            DataError: see ``outline_of``.
        """
        chosen = [person for person in self.people if label_of(person.age) == label]
        boxes = [true_box(p) for p in chosen]
        return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def scenes_of(dataset: Dataset) -> list[Scene]:
    """Group people by image, those without joints too; images in the order of appearance."""
    images: dict[tuple[Path, int | None], PoseSample] = {}
    people: dict[tuple[Path, int | None], list[PoseSample]] = defaultdict(list)
    for samples, may_be_empty in ((dataset.samples, False), (dataset.without_joints, True)):
        for sample in samples:
            place = sample.image_path, sample.video_frame
            images.setdefault(place, sample)
            if sample.box_xyxy is not None or not may_be_empty:
                people[place].append(sample)
    return [Scene(image, tuple(people[place])) for place, image in images.items()]


def scene_outlines(
    scenes: Sequence[Scene], cache: Path | None = None
) -> list[Float[np.ndarray, "n 64 2"]]:
    """Outlines of the people of each scene, pixels; see ``outlines_of``."""
    people = [person for scene in scenes for person in scene.people]
    ends = np.cumsum([len(scene.people) for scene in scenes])
    return np.split(outlines_of(people, cache)[0], ends[:-1])

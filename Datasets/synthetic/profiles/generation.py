"""What all profiles share: their sources of randomness, the record, and the loop over pictures.

To add a profile of single pictures: a ``PictureProfile`` in a file of its own. One of another kind
calls ``write_record``, ``random_source`` and ``collect`` itself; see ``slp``.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from Datasets.skeletons import INFANT, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.synthetic.workers import Progress, chunks, collect
from Engine.files import write_json

if TYPE_CHECKING:
    from Datasets.synthetic.compose.pictures import FigureLabels

GENERATOR_VERSION = "2"
VALIDATION_EVERY = 8


def random_source(seed: int, *words: str | int) -> np.random.Generator:
    """Return a generator that depends on a seed, and on names and numbers of a part of the data."""
    numbers = [zlib.crc32(word.encode()) if isinstance(word, str) else word for word in words]
    return np.random.default_rng([seed, *numbers])


def write_record(output: Path, **values: Any) -> None:
    """Write ``generator.json``: the version of the generator, and what was asked for."""
    write_json(Path(output) / "generator.json", {"generator": GENERATOR_VERSION, **values})


def is_validation(number: int) -> bool:
    """Whether an image belongs to the validation split: every eighth does."""
    return number % VALIDATION_EVERY == VALIDATION_EVERY - 1


def labels_as(skeleton: Skeleton, labels: FigureLabels) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (joint, 2) in pixels and visibility (joint,) of a person in another skeleton."""
    mapping = joint_map(INFANT, skeleton)
    visibility = mapping.apply(labels.visibility[:, None], fill=0)[:, 0].astype(np.uint8)
    return mapping.apply(labels.keypoints_px), visibility


@dataclass(frozen=True)
class PictureProfile:
    """A data set of single pictures.

    Attributes:
        name: as on the command line; part of the seed of every picture.
        seed: the default seed.
        write_picture: called with the output folder, the number of a picture from 0, and a function
            that returns its source of randomness, or another one for each number given to it.
            Renders and writes the image; returns the labels. Processes share it: a function of a
            module, or a ``partial`` of one.
        write_labels: called with the output folder and what ``write_picture`` returned, in order.
    """

    name: str
    seed: int
    write_picture: Callable[[Path, int, Callable[..., np.random.Generator]], Any]
    write_labels: Callable[[Path, list[Any]], Any]


def generate_pictures(
    profile: PictureProfile,
    output: Path,
    images: int,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> None:
    """Write a data set of single pictures.

    Args:
        profile: what is generated.
        output: folder to write to; made when missing.
        images: how many.
        seed: default is the profile's own.
        workers: processes; any number gives the same bytes.
        progress: called with (images written, images in all).
    """
    seed, output = profile.seed if seed is None else seed, Path(output)
    write_record(output, name=profile.name, seed=seed, images=images)
    jobs = [(profile, output, seed, chunk) for chunk in chunks(images)]
    profile.write_labels(
        output, [*chain.from_iterable(collect(write_pictures, jobs, workers, progress))]
    )


def write_pictures(profile: PictureProfile, output: Path, seed: int, numbers: range) -> list[Any]:
    """Render and write the pictures of some numbers; returns the labels of each."""

    def source(number: int) -> Callable[..., np.random.Generator]:
        return lambda *more: random_source(seed, profile.name, number, *more)

    return [profile.write_picture(output, number, source(number)) for number in numbers]

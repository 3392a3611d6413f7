"""Profiles ``coco`` (infants, children and carers) and ``syrip`` (infants), in COCO's layout."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from Datasets.geometry.boxes import box_fault, box_from_mask
from Datasets.skeletons import INFANT
from Datasets.structures import PoseSample
from Datasets.synthetic.profiles.mini_rgbd import GENERATOR_VERSION
from Datasets.synthetic.workers import collect
from Datasets.writers.coco import (
    CocoEntry,
    CocoPerson,
    CocoPicture,
    describe,
    write_coco,
    write_coco_image,
)
from Engine.errors import DataError
from Engine.files import write_json

if TYPE_CHECKING:
    from Datasets.synthetic.compose.figures import Figure
    from Datasets.synthetic.compose.pictures import Picture

VALIDATION_EVERY = 8
SIZES = ((640, 480), (640, 427), (480, 640), (640, 360), (500, 375))
TOGETHER = (
    (("infant",), 0.32),
    (("infant", "adult"), 0.24),
    (("toddler",), 0.08),
    (("toddler", "adult"), 0.08),
    (("infant", "infant"), 0.06),
    (("adult",), 0.06),
    (("infant", "child"), 0.05),
    (("infant", "adult", "adult"), 0.05),
    (("child", "adult", "elder"), 0.06),
)
"""Who is together, and how often."""
CROWD = 9
MIN_PIXELS = 60


CROWD_SHARE = 0.12
"""Share of pictures with many people in the background."""


@dataclass(frozen=True)
class Snapshot:
    """A picture and who is in it.

    Attributes:
        picture: pixels of people who are numbered after the guests are a crowd.
        guests: who is labelled one by one.
        more: further keys of the image, such as ``posture``.
    """

    picture: Picture
    guests: tuple[Figure, ...]
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Style:
    """A data set in COCO's layout.

    Attributes:
        name: of the profile.
        seed: the default seed.
        take: takes one picture; a function of a module, so that processes can share it.
        splits: names of training and validation.
        one_folder: all images lie in ``images``, else in a folder per split.
    """

    name: str
    seed: int
    take: Callable[[np.random.Generator], Snapshot]
    splits: tuple[str, str] = ("train2017", "val2017")
    one_folder: bool = False

    def split(self, number: int) -> str:
        """Split of an image."""
        return self.splits[number % VALIDATION_EVERY == VALIDATION_EVERY - 1]


def take_together(
    rng: np.random.Generator,
    groups: tuple[tuple[tuple[str, ...], float], ...] = TOGETHER,
    crowd_share: float = CROWD_SHARE,
    kinds: tuple[str, ...] = (),
) -> Snapshot:
    """Photograph people in a place, at times with many more behind them.

    Args:
        rng: source of randomness.
        groups: who is together, and how often.
        crowd_share: share of pictures with many people in the background.
        kinds: postures that all but the grown take, each as often; none: as they like.
    """
    from Datasets.synthetic.compose.pictures import photograph

    crowded = rng.random() < crowd_share
    guests = _guests(rng, groups, kinds)
    strangers = _strangers(rng) if crowded else []
    size = SIZES[int(rng.integers(len(SIZES)))]
    from_above = len(guests) == 1 and guests[0].age == "infant" and rng.random() < 0.5
    elevation = (35.0, 88.0) if from_above else (5.0, 70.0)
    if crowded:
        elevation = (2.0, 25.0)
    picture = photograph(rng, guests, size, elevation, (0.55, 1.3), strangers)
    return Snapshot(picture, tuple(guests), (("posture", guests[0].posed.kind),))


COCO = Style("coco", 50001, take_together)
SYRIP = Style(
    "syrip",
    51001,
    partial(take_together, groups=((("infant",), 0.75), (("toddler",), 0.25)), crowd_share=0.0),
    ("train200", "validate"),
    one_folder=True,
)


def syrip_of(kinds: tuple[str, ...]) -> Style:
    """``SYRIP`` of some postures only, see ``take_together``.

    Raises:
        DataError: an unknown posture.
    """
    from Datasets.synthetic.people.postures import FAMILIES

    unknown = [kind for kind in kinds if kind not in FAMILIES]
    if unknown:
        raise DataError(f"posture '{unknown[0]}' is unknown: choose from {', '.join(FAMILIES)}")
    return replace(SYRIP, take=partial(SYRIP.take, kinds=kinds))


def generate_coco(
    output: Path,
    images: int,
    seed: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    style: Style = COCO,
) -> None:
    """Write images, and annotations with masks, areas and crowds; every eighth image validates.

    Args:
        output: folder to write to; made when missing.
        images: how many.
        seed: default is the profile's own.
        workers: processes; any number gives the same bytes.
        progress: called with (images written, images in all).
        style: how pictures are taken, and what the splits are called.
    """
    seed, output = style.seed if seed is None else seed, Path(output)
    record = {"generator": GENERATOR_VERSION, "name": style.name, "seed": seed, "images": images}
    write_json(output / "generator.json", record)
    entries = collect(write_images, (output, seed, style), images, workers, progress)
    for split in style.splits:
        part = [entry for entry in entries if style.split(entry.image["id"]) == split]
        if part:
            write_coco(output, split, part)


def write_images(output: Path, seed: int, style: Style, numbers: range) -> list[CocoEntry]:
    """Render and write some images; returns what is in them."""
    return [_write_image(output, seed, number, style) for number in numbers]


def _write_image(output: Path, seed: int, number: int, style: Style) -> CocoEntry:
    taken = style.take(np.random.default_rng((seed, zlib.crc32(style.name.encode()), number)))
    picture = taken.picture
    name = f"{number:012d}.jpg"
    write_coco_image(
        output, "images" if style.one_folder else style.split(number), name, picture.rgb
    )
    people = [_person(picture, guest, i) for i, guest in enumerate(taken.guests)]
    crowd = picture.person >= len(people)
    return describe(
        CocoPicture(
            file_name=name,
            image_id=number,
            size=picture.camera.size,
            people=tuple(person for person in people if person is not None),
            crowds=(crowd,) if crowd.sum() >= MIN_PIXELS else (),
            more=(*taken.more, ("image_source", str(number))),
        )
    )


def _guests(
    rng: np.random.Generator,
    groups: tuple[tuple[tuple[str, ...], float], ...],
    kinds: tuple[str, ...],
) -> list[Figure]:
    """A group; whoever comes with an infant often bends over it."""
    from Datasets.synthetic.compose.figures import draw_figure, side_by_side

    together, shares = zip(*groups, strict=True)
    ages = together[int(rng.choice(len(groups), p=np.array(shares) / sum(shares)))]
    small = ages[0] in ("infant", "toddler")
    guests = []
    for age in ages:
        close = small and age == "adult" and rng.random() < 0.7
        kind = str(rng.choice(["caring", "kneeling", "sitting"])) if close else None
        if kinds and age in ("infant", "toddler"):
            kind = str(rng.choice(kinds))
        guests.append(draw_figure(rng, age, kind))
    return side_by_side(guests, apart=(-0.12, 0.15) if small else (0.0, 0.4))


def _strangers(rng: np.random.Generator) -> list[Figure]:
    """Many people close together."""
    from Datasets.synthetic.compose.figures import draw_figure, side_by_side

    return side_by_side(
        [draw_figure(rng, "adult", "standing") for _ in range(CROWD)], apart=(-0.1, 0.2)
    )


def _person(picture: Picture, guest: Figure, number: int) -> CocoPerson | None:
    """Labels and mask of somebody, or None who is hardly to be seen."""
    mask = picture.person == number
    box = box_from_mask(picture.beneath == number)
    if mask.sum() < MIN_PIXELS or box_fault(box, picture.camera.size):
        return None
    labels = picture.labels[number]
    sample = PoseSample(
        image_path=Path(),
        skeleton=INFANT,
        keypoints_px=np.where(labels.visibility[:, None] > 0, labels.keypoints_px, np.nan),
        visibility=labels.visibility,
        joints_mm=labels.joints_mm,
        intrinsics=picture.camera.intrinsics,
        box_xyxy=box,
        activity=f"{guest.age}, {guest.posed.kind}",
        age=guest.age,
    )
    return CocoPerson(sample, mask)

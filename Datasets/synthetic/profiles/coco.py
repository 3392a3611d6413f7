"""Profiles ``coco`` (infants, children and carers) and ``syrip`` (infants), in COCO's layout."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from Datasets.geometry.boxes import box_from_mask
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

if TYPE_CHECKING:
    from Datasets.synthetic.gathering import Guest, Picture

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


@dataclass(frozen=True)
class Style:
    """A data set in COCO's layout.

    Attributes:
        name: of the profile.
        seed: the default seed.
        groups: who is together, and how often.
        crowd_share: share of images with many people in the background.
        splits: names of training and validation.
        one_folder: all images lie in ``images``, else in a folder per split.
    """

    name: str
    seed: int
    groups: tuple[tuple[tuple[str, ...], float], ...]
    crowd_share: float
    splits: tuple[str, str]
    one_folder: bool

    def split(self, number: int) -> str:
        """Split of an image."""
        return self.splits[number % VALIDATION_EVERY == VALIDATION_EVERY - 1]


COCO = Style("coco", 50001, TOGETHER, 0.12, ("train2017", "val2017"), False)
SYRIP = Style("syrip", 51001, ((("infant",), 1.0),), 0.0, ("train200", "validate"), True)


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
        style: who is in the pictures, and what the splits are called.
    """
    seed, output = style.seed if seed is None else seed, Path(output)
    output.mkdir(parents=True, exist_ok=True)
    record = {"generator": GENERATOR_VERSION, "name": style.name, "seed": seed, "images": images}
    (output / "generator.json").write_text(json.dumps(record, indent=1) + "\n")
    entries = collect(write_images, (output, seed, style), images, workers, progress)
    for split in style.splits:
        part = [entry for entry in entries if style.split(entry.image["id"]) == split]
        if part:
            write_coco(output, split, part)


def write_images(output: Path, seed: int, style: Style, numbers: range) -> list[CocoEntry]:
    """Render and write some images; returns what is in them."""
    return [_write_image(output, seed, number, style) for number in numbers]


def _write_image(output: Path, seed: int, number: int, style: Style) -> CocoEntry:
    from Datasets.synthetic.gathering import photograph

    rng = np.random.default_rng((seed, zlib.crc32(style.name.encode()), number))
    crowded = rng.random() < style.crowd_share
    guests = _guests(rng, style)
    many = len(guests)
    strangers = _strangers(rng) if crowded else []
    size = SIZES[int(rng.integers(len(SIZES)))]
    from_above = many == 1 and guests[0].age == "infant" and rng.random() < 0.5
    elevation = (35.0, 88.0) if from_above else (5.0, 70.0)
    if crowded:
        elevation = (2.0, 25.0)
    picture = photograph(rng, guests, size, elevation, (0.55, 1.3), strangers)
    name = f"{number:012d}.jpg"
    write_coco_image(
        output, "images" if style.one_folder else style.split(number), name, picture.rgb
    )
    people = [_person(picture, guests[i], i) for i in range(many)]
    crowd = picture.person >= many
    return describe(
        CocoPicture(
            file_name=name,
            image_id=number,
            size=size,
            people=tuple(person for person in people if person is not None),
            crowds=(crowd,) if crowd.sum() >= MIN_PIXELS else (),
            more=(("posture", guests[0].posed.kind), ("image_source", str(number))),
        )
    )


def _guests(rng: np.random.Generator, style: Style) -> list[Guest]:
    """A group; whoever comes with an infant often bends over it."""
    from Datasets.synthetic.gathering import invite, seated

    groups, shares = zip(*style.groups, strict=True)
    ages = groups[int(rng.choice(len(groups), p=np.array(shares) / sum(shares)))]
    small = ages[0] in ("infant", "toddler")
    guests = []
    for age in ages:
        close = small and age == "adult" and rng.random() < 0.7
        kind = str(rng.choice(["caring", "kneeling", "sitting"])) if close else None
        guests.append(invite(rng, age, kind))
    return seated(guests, apart=(-0.12, 0.15) if small else (0.0, 0.4))


def _strangers(rng: np.random.Generator) -> list[Guest]:
    """Many people close together."""
    from Datasets.synthetic.gathering import invite, seated

    return seated([invite(rng, "adult", "standing") for _ in range(CROWD)], apart=(-0.1, 0.2))


def _person(picture: Picture, guest: Guest, number: int) -> CocoPerson | None:
    """Labels and mask of somebody, or None who is hardly to be seen."""
    mask = picture.person == number
    if mask.sum() < MIN_PIXELS:
        return None
    labels = picture.labels[number]
    sample = PoseSample(
        image_path=Path(),
        skeleton=INFANT,
        keypoints_px=np.where(labels.visibility[:, None] > 0, labels.keypoints_px, np.nan),
        visibility=labels.visibility,
        joints_mm=labels.joints_mm,
        intrinsics=picture.camera.intrinsics,
        box_xyxy=box_from_mask(mask),
        activity=f"{guest.age}, {guest.posed.kind}",
        age=guest.age,
    )
    return CocoPerson(sample, mask)

"""Profiles ``coco`` (infants, children and carers) and ``syrip`` (infants), in COCO's layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from Datasets.geometry.boxes import box_fault, box_from_mask
from Datasets.skeletons import INFANT
from Datasets.structures import PoseSample
from Datasets.synthetic.people.postures import FAMILIES
from Datasets.synthetic.profiles.generation import (
    PictureProfile,
    generate_pictures,
    is_validation,
)
from Datasets.synthetic.workers import Progress
from Datasets.writers.coco import (
    CocoEntry,
    CocoPerson,
    CocoPicture,
    describe,
    write_coco,
    write_coco_image,
)
from Engine.errors import DataError

if TYPE_CHECKING:
    from Datasets.synthetic.compose.figures import Figure
    from Datasets.synthetic.compose.pictures import Picture

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
"""Ages of the people in a picture, and how often."""
CROWD = 9
CLOSENESS = (0.72, 1.4)
"""Range of distances over the one at which the people just fit."""
MIN_PIXELS = 60
CROWD_SHARE = 0.12
"""Share of pictures with many people in the background."""


@dataclass(frozen=True)
class Snapshot:
    """A picture and the people in it.

    Attributes:
        picture: people numbered after the guests are a crowd.
        guests: the people that are labelled one by one.
        more: further keys of the image, such as ``posture``.
    """

    picture: Picture
    guests: tuple[Figure, ...]
    more: tuple[tuple[str, str], ...] = ()


def take_together(
    rng: np.random.Generator,
    groups: tuple[tuple[tuple[str, ...], float], ...] = TOGETHER,
    crowd_share: float = CROWD_SHARE,
    kinds: tuple[str, ...] = (),
) -> Snapshot:
    """Photograph people in a place, in some pictures with a crowd behind them.

    Args:
        rng: source of randomness.
        groups: ages of the people in a picture, and their shares.
        crowd_share: share of pictures with many people in the background.
        kinds: postures of infants and toddlers, equally often; none: those of their age.
    """
    from Datasets.synthetic.compose.carers import draw_helper
    from Datasets.synthetic.compose.pictures import photograph
    from Datasets.synthetic.compose.views import draw_view

    crowded = rng.random() < crowd_share
    guests = _guests(rng, groups, kinds)
    strangers = _strangers(rng) if crowded else []
    size = SIZES[int(rng.integers(len(SIZES)))]
    elevation, azimuth = draw_view(rng, guests[0].posed)
    if crowded:
        elevation = rng.uniform(2.0, 25.0)
    helper = draw_helper(rng, guests[0]) if len(guests) == 1 else None
    angles = (elevation, elevation), CLOSENESS, strangers, (azimuth, azimuth)
    picture = photograph(rng, guests, size, *angles, [helper] if helper else [])
    return Snapshot(picture, tuple(guests), (("posture", guests[0].posed.kind),))


def coco_profile(
    name: str,
    seed: int,
    take: Callable[[np.random.Generator], Snapshot],
    splits: tuple[str, str] = ("train2017", "val2017"),
    one_folder: bool = False,
    area_of_box: bool = False,
) -> PictureProfile:
    """A profile in COCO's layout.

    Args:
        name: of the profile.
        seed: the default seed.
        take: takes one picture; a function of a module, so that processes can share it.
        splits: names of training and validation.
        one_folder: all images lie in ``images``, else in a folder per split.
        area_of_box: a person's area, which OKS divides by, is the box's, else the mask's.
    """
    write_picture = partial(_write_picture, take, splits, one_folder, area_of_box)
    return PictureProfile(name, seed, write_picture, partial(_write_labels, splits))


def _write_picture(
    take: Callable[[np.random.Generator], Snapshot],
    splits: tuple[str, str],
    one_folder: bool,
    area_of_box: bool,
    output: Path,
    number: int,
    source: Callable[..., np.random.Generator],
) -> CocoEntry:
    taken, name = take(source()), f"{number:012d}.jpg"
    picture = taken.picture
    folder = "images" if one_folder else splits[is_validation(number)]
    write_coco_image(output, folder, name, picture.rgb)
    people = [_person(picture, g, i, area_of_box) for i, g in enumerate(taken.guests)]
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


def _write_labels(splits: tuple[str, str], output: Path, entries: list[CocoEntry]) -> None:
    for validates, split in enumerate(splits):
        part = [entry for entry in entries if is_validation(entry.image["id"]) == validates]
        if part:
            write_coco(output, split, part)


def _guests(
    rng: np.random.Generator,
    groups: tuple[tuple[tuple[str, ...], float], ...],
    kinds: tuple[str, ...],
) -> list[Figure]:
    """A group; adults beside an infant or toddler often bend over it."""
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


def _person(picture: Picture, guest: Figure, number: int, area_of_box: bool) -> CocoPerson | None:
    """Labels and mask of a person, or None where hardly any of it is visible."""
    mask = picture.person == number
    box = box_from_mask(picture.beneath == number)
    if box is None or mask.sum() < MIN_PIXELS or box_fault(box, picture.camera.size):
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
        area_px=float(np.prod(box[2:] - box[:2])) if area_of_box else None,
        activity=f"{guest.age}, {guest.posed.kind}",
        age=guest.age,
    )
    return CocoPerson(sample, mask)


def syrip_of(kinds: tuple[str, ...] = ()) -> PictureProfile:
    """``SYRIP`` of some postures only, see ``take_together``.

    Raises:
        DataError: an unknown posture.
    """
    unknown = [kind for kind in kinds if kind not in FAMILIES]
    if unknown:
        raise DataError(f"posture '{unknown[0]}' is unknown: choose from {', '.join(FAMILIES)}")
    groups = ((("infant",), 0.75), (("toddler",), 0.25))
    take = partial(take_together, groups=groups, crowd_share=0.0, kinds=kinds)
    splits = ("train200", "validate")
    return coco_profile("syrip", 51001, take, splits, one_folder=True, area_of_box=True)


COCO = coco_profile("coco", 50001, take_together)
SYRIP = syrip_of()


def generate_coco(
    output: Path,
    images: int,
    seed: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    style: PictureProfile = COCO,
) -> None:
    """Write images, and annotations with masks, areas and crowds; see ``generate_pictures``."""
    generate_pictures(style, output, images, seed, workers, progress)

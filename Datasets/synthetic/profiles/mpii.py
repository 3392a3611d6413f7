"""Profile ``mpii``: clothed people in everyday places, in all forms of MPII's layout."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from Datasets.skeletons import MPII_16
from Datasets.structures import PoseSample
from Datasets.synthetic.profiles.generation import (
    PictureProfile,
    generate_pictures,
    is_validation,
    labels_as,
)
from Datasets.writers.mpii import write_gt_valid_mat, write_mpii_h5, write_mpii_json, write_mpii_mat
from Engine.files import write_image

SIZES = ((640, 480), (640, 360), (640, 426), (480, 640), (720, 480), (426, 640))
AGES = ("adult", "child", "elder")
AGE_SHARES = (0.75, 0.15, 0.10)
MIN_JOINTS = 6
MIN_PIXELS = 150


def _write_picture(
    output: Path, number: int, source: Callable[..., np.random.Generator]
) -> list[PoseSample]:
    from Datasets.synthetic.compose.figures import draw_figure, side_by_side
    from Datasets.synthetic.compose.pictures import photograph

    rng = source()
    count = int(rng.choice([1, 2, 3, 4], p=[0.62, 0.22, 0.11, 0.05]))
    ages = rng.choice(AGES, count, p=AGE_SHARES)
    guests = side_by_side([draw_figure(rng, str(age)) for age in ages])
    size = SIZES[int(rng.integers(len(SIZES)))]
    picture = photograph(rng, guests, size)
    path = output / "images" / f"{number:09d}.jpg"
    quality = int(rng.integers(80, 96))
    write_image(path, Image.fromarray(picture.rgb), False, format="JPEG", quality=quality)
    samples: list[PoseSample] = []
    for guest, (age, labels) in enumerate(zip(ages, picture.labels, strict=True)):
        keypoints, visibility = labels_as(MPII_16, labels)
        if (visibility > 0).sum() < MIN_JOINTS or (picture.person == guest).sum() < MIN_PIXELS:
            continue
        samples.append(
            PoseSample(
                image_path=path,
                skeleton=MPII_16,
                keypoints_px=np.where(visibility[:, None] > 0, keypoints, np.nan).round(3),
                visibility=visibility,
                box_xyxy=_square(labels.outline_px),
                frame=len(samples),
                head_box_xyxy=labels.head_px.round(3),
                head_length_px=float(0.6 * np.linalg.norm(labels.head_px[2:] - labels.head_px[:2])),
                activity=f"{age}, {guests[guest].posed.kind}",
            )
        )
    return samples


def _square(box: np.ndarray) -> np.ndarray:
    """Square around a box, as MPII's scale is one length."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max() / 2
    return np.concatenate([middle - half, middle + half]).round(3)


def _write_labels(output: Path, pictures: list[list[PoseSample]]) -> None:
    """Write all forms of the labels: the .mat, HRNet's JSON and the h5 files."""
    people = [*chain.from_iterable(pictures)]
    held_out = [sample for sample in people if is_validation(int(sample.image_path.stem))]
    train = [sample for sample in people if not is_validation(int(sample.image_path.stem))]
    for name, part in (("train", train), ("valid", held_out)):
        write_mpii_json(output, name, part)
        if part:
            write_mpii_h5(output, name, part)
    if held_out:
        write_gt_valid_mat(output, held_out)
    write_mpii_mat(output, people)


MPII = PictureProfile("mpii", 40001, _write_picture, _write_labels)
generate_mpii = partial(generate_pictures, MPII)
"""Write ``images/``, the official .mat, HRNet's JSON with head boxes, and the h5 files."""

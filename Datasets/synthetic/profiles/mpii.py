"""Profile ``mpii``: clothed people in everyday places, in all forms of MPII's layout."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from Datasets.skeletons import INFANT, MPII_16
from Datasets.skeletons.convert import joint_map
from Datasets.structures import PoseSample
from Datasets.synthetic.profiles.mini_rgbd import GENERATOR_VERSION
from Datasets.synthetic.workers import collect
from Datasets.writers.mpii import write_gt_valid_mat, write_mpii_h5, write_mpii_json, write_mpii_mat
from Engine.files import write_image, write_json

SEED = 40001
VALIDATION_EVERY = 8
SIZES = ((640, 480), (640, 360), (640, 426), (480, 640), (720, 480), (426, 640))
AGES = ("adult", "child", "elder")
AGE_SHARES = (0.75, 0.15, 0.10)
MIN_JOINTS = 6
MIN_PIXELS = 150


def generate_mpii(
    output: Path,
    images: int,
    seed: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write ``images/``, the official .mat, HRNet's JSON with head boxes, and the h5 files.

    Every eighth image is for validation.

    Args:
        output: folder to write to; made when missing.
        images: how many.
        seed: default is the profile's own.
        workers: processes; any number gives the same bytes.
        progress: called with (images written, images in all).
    """
    seed = SEED if seed is None else seed
    output = Path(output)
    (output / "images").mkdir(parents=True, exist_ok=True)
    record = {"generator": GENERATOR_VERSION, "name": "mpii", "seed": seed, "images": images}
    write_json(output / "generator.json", record)
    people = collect(write_images, (output, seed), images, workers, progress)
    held_out = [s for s in people if _number(s) % VALIDATION_EVERY == VALIDATION_EVERY - 1]
    train = [s for s in people if _number(s) % VALIDATION_EVERY != VALIDATION_EVERY - 1]
    for name, part in (("train", train), ("valid", held_out)):
        write_mpii_json(output, name, part)
        if part:
            write_mpii_h5(output, name, part)
    if held_out:
        write_gt_valid_mat(output, held_out)
    write_mpii_mat(output, people)


def _number(sample: PoseSample) -> int:
    return int(sample.image_path.stem)


def write_images(output: Path, seed: int, numbers: range) -> list[PoseSample]:
    """Render and write some images; returns their people."""
    return [sample for number in numbers for sample in _write_image(output, seed, number)]


def _write_image(output: Path, seed: int, number: int) -> list[PoseSample]:
    from Datasets.synthetic.compose.figures import draw_figure, side_by_side
    from Datasets.synthetic.compose.pictures import photograph

    rng = np.random.default_rng((seed, zlib.crc32(b"mpii"), number))
    count = int(rng.choice([1, 2, 3, 4], p=[0.62, 0.22, 0.11, 0.05]))
    ages = rng.choice(AGES, count, p=AGE_SHARES)
    guests = side_by_side([draw_figure(rng, str(age)) for age in ages])
    size = SIZES[int(rng.integers(len(SIZES)))]
    picture = photograph(rng, guests, size)
    path = output / "images" / f"{number:09d}.jpg"
    quality = int(rng.integers(80, 96))
    write_image(path, Image.fromarray(picture.rgb), False, format="JPEG", quality=quality)
    samples = []
    mapping = joint_map(INFANT, MPII_16)
    for guest, (age, labels) in enumerate(zip(ages, picture.labels, strict=True)):
        visibility = mapping.apply(labels.visibility[:, None], fill=0)[:, 0].astype(np.uint8)
        if (visibility > 0).sum() < MIN_JOINTS or (picture.person == guest).sum() < MIN_PIXELS:
            continue
        keypoints = mapping.apply(labels.keypoints_px)
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

"""Tiny scenes: bright ellipses, the infants, on a dark noisy bed; adults are bright in blue only.

In MINI-RGBD's layout there is one infant in each image, in COCO's there is anybody.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.skeletons import COCO_17
from Datasets.structures import PoseSample
from Datasets.writers.coco import CocoPerson, CocoPicture, write_coco, write_coco_image
from Datasets.writers.mini_rgbd import write_frame

SIZE = (96, 72)

Somebody = tuple[str, tuple[float, float], tuple[float, float]]
"""Age, centre and radii in pixels; a radius below 10 makes somebody without joints."""


def ellipse(centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    """Mask of a filled ellipse."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    return ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 <= 1


def write_scenes(root: Path, sequences: int, frames: int, seed: int = 0) -> Path:
    """Write sequences 01, 02, ... and return the root."""
    generator = np.random.default_rng(seed)
    for number in range(sequences):
        for frame in range(frames):
            centre = generator.uniform([35, 28], [60, 44])
            mask = ellipse(tuple(centre), tuple(generator.uniform(10, 20, 2)))
            rgb = generator.integers(0, 80, (SIZE[1], SIZE[0], 3))
            rgb[mask] += 150
            joints = np.ones((25, 3))
            keypoints = np.tile(centre, (25, 1))
            depth = np.full(mask.shape, 900, np.uint16)
            folder = root / f"{number + 1:02d}"
            write_frame(folder, frame, rgb.astype(np.uint8), depth, mask, keypoints, joints)
    return root


def write_people(root: Path, split: str, *pictures: tuple[Somebody, ...], seed: int = 0) -> Path:
    """Write images 1, 2, ... in COCO's layout and return the root."""
    generator = np.random.default_rng(seed)
    entries = []
    for number, people in enumerate(pictures, 1):
        rgb = generator.integers(0, 80, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
        masks = [ellipse(centre, radii) for _, centre, radii in people]
        for (age, *_), mask in zip(people, masks, strict=True):
            rgb[mask] += np.array([150, 150, 150] if age == "infant" else [0, 0, 150], np.uint8)
        name = f"{number:012d}.jpg"
        write_coco_image(root, split, name, rgb)
        written = tuple(map(_person, people, masks))
        entries.append(CocoPicture(name, number, SIZE, written))
    write_coco(root, split, entries)
    return root


def _person(somebody: Somebody, mask: np.ndarray) -> CocoPerson:
    age, centre, radii = somebody
    sample = PoseSample.unlabelled(Path(), COCO_17, age=age)
    if min(radii) >= 10:
        sample.keypoints_px[0], sample.visibility[0] = centre, 2
    return CocoPerson(sample, mask)

"""Tiny scenes in the MINI-RGBD layout: a bright ellipse, the infant, on a dark noisy bed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.writers.mini_rgbd import write_frame

SIZE = (96, 72)


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

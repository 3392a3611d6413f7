"""Profile ``lsp``: people in sport, one per picture, in the layout of LSP."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from Datasets.skeletons import INFANT, LSP_14
from Datasets.skeletons.convert import joint_map
from Datasets.structures import PoseSample
from Datasets.synthetic.profiles.mini_rgbd import GENERATOR_VERSION
from Datasets.synthetic.workers import collect
from Datasets.writers.lsp import write_lsp, write_lsp_image
from Engine.files import write_json

if TYPE_CHECKING:
    from Datasets.synthetic.compose.pictures import Picture

SEED = 80001
SIZES = ((220, 260), (260, 220), (200, 240), (180, 256), (256, 180))
KINDS = ("sporting", "running", "bending", "squatting", "walking", "standing")


def generate_lsp(
    output: Path,
    images: int,
    seed: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write ``images/im0001.jpg`` ... and ``joints.mat``; the first half is for training.

    Args:
        output: folder to write to; made when missing.
        images: how many.
        seed: default is the profile's own.
        workers: processes; any number gives the same bytes.
        progress: called with (images written, images in all).
    """
    seed, output = SEED if seed is None else seed, Path(output)
    record = {"generator": GENERATOR_VERSION, "name": "lsp", "seed": seed, "images": images}
    write_json(output / "generator.json", record)
    write_lsp(output, collect(write_images, (output, seed), images, workers, progress))


def write_images(output: Path, seed: int, numbers: range) -> list[PoseSample]:
    """Render and write some images; returns who is in them."""
    return [_write_image(output, seed, number) for number in numbers]


def _write_image(output: Path, seed: int, number: int) -> PoseSample:
    """A picture that holds all 14 joints: the layout has no unlabelled ones."""
    mapping = joint_map(INFANT, LSP_14)
    for attempt in range(100):
        picture = _photograph(np.random.default_rng((seed, zlib.crc32(b"lsp"), number, attempt)))
        labels = picture.labels[0]
        visibility = mapping.apply(labels.visibility[:, None], fill=0)[:, 0].astype(np.uint8)
        if (visibility > 0).all():
            break
    path = write_lsp_image(output, number + 1, False, picture.rgb)
    return PoseSample(path, LSP_14, mapping.apply(labels.keypoints_px), visibility)


def _photograph(rng: np.random.Generator) -> Picture:
    from Datasets.synthetic.compose.figures import draw_figure
    from Datasets.synthetic.compose.pictures import photograph

    guest = draw_figure(rng, "adult", KINDS[int(rng.integers(len(KINDS)))])
    return photograph(rng, [guest], SIZES[int(rng.integers(len(SIZES)))], (-2.0, 25.0), (0.95, 1.3))

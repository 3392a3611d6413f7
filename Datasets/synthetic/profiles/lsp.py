"""Profile ``lsp``: people in sport, one per picture, in the layout of LSP."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from Datasets.skeletons import LSP_14
from Datasets.structures import PoseSample
from Datasets.synthetic.profiles.generation import PictureProfile, generate_pictures, labels_as
from Datasets.writers.lsp import write_lsp, write_lsp_image

if TYPE_CHECKING:
    from Datasets.synthetic.compose.pictures import Picture

SIZES = ((220, 260), (260, 220), (200, 240), (180, 256), (256, 180))
KINDS = ("sporting", "running", "bending", "squatting", "walking", "standing")


def _write_picture(
    output: Path, number: int, source: Callable[..., np.random.Generator]
) -> PoseSample:
    """A picture that holds all 14 joints: the layout has no unlabelled ones."""
    for attempt in range(100):
        picture = _photograph(source(attempt))
        keypoints_px, visibility = labels_as(LSP_14, picture.labels[0])
        if (visibility > 0).all():
            break
    path = write_lsp_image(output, number + 1, False, picture.rgb)
    return PoseSample(path, LSP_14, keypoints_px, visibility)


def _photograph(rng: np.random.Generator) -> Picture:
    from Datasets.synthetic.compose.figures import draw_figure
    from Datasets.synthetic.compose.pictures import photograph

    guest = draw_figure(rng, "adult", KINDS[int(rng.integers(len(KINDS)))])
    return photograph(rng, [guest], SIZES[int(rng.integers(len(SIZES)))], (-2.0, 25.0), (0.95, 1.3))


LSP = PictureProfile("lsp", 80001, _write_picture, write_lsp)
generate_lsp = partial(generate_pictures, LSP)
"""Write ``images/im0001.jpg`` ... and ``joints.mat``; the first half is for training."""

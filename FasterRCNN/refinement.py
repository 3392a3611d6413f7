"""Box refinement: the detector runs again on a window about each box, where edges are clearer."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.ops import box_iou

MARGIN = 0.25
"""Of a window beside its box, over the box's longer side."""

REFINED_IOU = 0.5
"""A box of the second pass that overlaps the first one by more replaces it."""

Window = tuple[int, int, int, int]
"""Left, top, right and bottom in whole pixels, as Pillow's ``crop`` takes them."""


def window(box: Float[Tensor, "4"], size: tuple[int, int]) -> Window:
    """Whole pixels of an image of (width, height) around a box and ``MARGIN``."""
    margin = MARGIN * float((box[2:] - box[:2]).max())
    whole = torch.tensor([*size, *size], dtype=torch.float64) - 1
    wide = box + margin * torch.tensor([-1, -1, 1, 1])
    x1, y1, x2, y2 = torch.minimum(wide.clamp_min(0), whole).tolist()
    return int(x1), int(y1), math.ceil(x2) + 1, math.ceil(y2) + 1


def refined_box(
    box: Float[Tensor, "4"], found: Float[Tensor, "n 4"], corner: tuple[int, int]
) -> Float[Tensor, "4"]:
    """The best fitting box of the second pass, or the first box where none fits.

    Args:
        box: of the first pass, image pixels.
        found: of the second pass, pixels of the window.
        corner: the window's left and top in the image.
    """
    moved = found + torch.tensor([*corner, *corner])
    overlap = box_iou(moved, box[None])[:, 0]
    if not (overlap > REFINED_IOU).any():
        return box
    return moved[overlap.argmax()]

"""A sheet of frames with their poses from the front and from the side, predicted over true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont

from Datasets.drawing.overlay import PoseDrawing, draw_poses
from Datasets.skeletons import Skeleton

TILE, COLUMNS, GAP = 220, 4, 8
PAPER, INK, TRUE, PREDICTED = (255, 255, 255), (40, 40, 40), (170, 170, 170), (200, 60, 40)


@dataclass(frozen=True)
class Comparison:
    """One frame.

    Attributes:
        image: the upright frame.
        keypoints_px: predicted joints in it.
        predicted_mm, target_mm: root-relative joints, camera axes; NaN where there is none.
        title: a few words.
    """

    image: Image.Image
    keypoints_px: Float[np.ndarray, "joint 2"]
    predicted_mm: Float[np.ndarray, "joint 3"]
    target_mm: Float[np.ndarray, "joint 3"]
    title: str


def comparison_sheet(frames: Sequence[Comparison], skeleton: Skeleton) -> Image.Image:
    """Draw frames in rows of four: the picture, the pose from the camera, the pose from the side.

    Args:
        frames: at least one.
        skeleton: convention of the joints.
    """
    cells = [_cell(frame, skeleton) for frame in frames]
    width, height = cells[0].size
    rows = -(-len(cells) // COLUMNS)
    columns = min(COLUMNS, len(cells))
    sheet = Image.new(
        "RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), (225, 225, 225)
    )
    for i, cell in enumerate(cells):
        row, column = divmod(i, COLUMNS)
        sheet.paste(cell, (GAP + column * (width + GAP), GAP + row * (height + GAP)))
    return sheet


def _cell(frame: Comparison, skeleton: Skeleton) -> Image.Image:
    """Title, cropped picture, and the two views side by side."""
    bar = 24
    cell = Image.new("RGB", (3 * TILE, TILE + bar), PAPER)
    font = ImageFont.load_default(size=15)
    ImageDraw.Draw(cell).text((6, 3), frame.title, fill=INK, font=font)
    cell.paste(_picture(frame, skeleton), (0, bar))
    reach = np.nanmax(np.abs(np.concatenate([frame.predicted_mm, frame.target_mm]))) * 1.15
    for place, axes in ((1, (0, 1)), (2, (2, 1))):
        view = _view(frame, skeleton, axes, reach)
        cell.paste(view, (place * TILE, bar))
    return cell


def _picture(frame: Comparison, skeleton: Skeleton) -> Image.Image:
    """The drawn frame around the infant."""
    drawn = draw_poses(frame.image, [PoseDrawing(frame.keypoints_px)], skeleton)
    points = frame.keypoints_px[np.isfinite(frame.keypoints_px).all(-1)]
    centre = (points.min(0) + points.max(0)) / 2
    half = max(0.6 * float((points.max(0) - points.min(0)).max()), 20.0)
    left, top, right, bottom = (round(float(v)) for v in (*(centre - half), *(centre + half)))
    part = drawn.crop((left, top, right, bottom))
    return part.resize((TILE, TILE), Image.Resampling.LANCZOS)


def _view(
    frame: Comparison, skeleton: Skeleton, axes: tuple[int, int], reach: float
) -> Image.Image:
    """Both poses along one direction, drawn large and reduced for smooth lines."""
    zoom = 3
    view = Image.new("RGB", (TILE * zoom, TILE * zoom), PAPER)
    draw = ImageDraw.Draw(view)
    for joints, colour, width in ((frame.target_mm, TRUE, 4), (frame.predicted_mm, PREDICTED, 2)):
        points = (joints[:, axes] / reach + 1) / 2 * TILE * zoom
        for first, second in skeleton.bone_indices:
            ends = points[[first, second]]
            if np.isfinite(ends).all():
                draw.line([tuple(end) for end in ends], fill=colour, width=width * zoom)
    font = ImageFont.load_default(size=13 * zoom)
    label = "from the camera" if axes == (0, 1) else "from the side"
    draw.text((5 * zoom, (TILE - 20) * zoom), label, fill=TRUE, font=font)
    return view.resize((TILE, TILE), Image.Resampling.LANCZOS)

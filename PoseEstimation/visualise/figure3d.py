"""A frame and its 3D pose side by side."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float
from numpy import ndarray
from PIL import Image

from Datasets.drawing.plot3d import plot_poses
from Datasets.skeletons import Skeleton

PAPER = (255, 255, 255)
COLUMN_WIDTH = 600
"""Pixels per pose that leave room for the axes' labels."""


def pose_figure(
    picture: Image.Image,
    poses: Mapping[str, Float[ndarray, "joint 3"]],
    skeleton: Skeleton,
    title: str = "",
    height: int = 1000,
) -> Image.Image:
    """Put an overlay beside its poses in space.

    Args:
        picture: the drawn frame.
        poses: title of each column to joints in mm, camera axes.
        skeleton: convention of the joints.
        title: text above the plots.
        height: of the figure in pixels.
    """
    plot = plot_poses(poses, skeleton, title, width=COLUMN_WIDTH * max(len(poses), 1))
    parts = [_to_height(picture, height), _to_height(plot, height)]
    figure = Image.new("RGB", (sum(p.width for p in parts), height), PAPER)
    figure.paste(parts[0], (0, 0))
    figure.paste(parts[1], (parts[0].width, 0))
    return figure


def _to_height(picture: Image.Image, height: int) -> Image.Image:
    width = round(picture.width * height / picture.height)
    return picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)

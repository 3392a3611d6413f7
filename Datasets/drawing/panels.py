"""One labelled sample on one panel: whole image, crop with heatmaps, and the pose in space."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageOps

from Datasets.drawing.overlay import PoseDrawing, draw_poses, side_colour
from Datasets.drawing.plot3d import plot_small
from Datasets.geometry.affine import warp_image
from Datasets.geometry.boxes import box_from_points
from Datasets.skeletons import Skeleton
from Datasets.structures import VISIBLE, Crop, PoseSample

HEATMAP_SIGMA = 1 / 32
"""Width of a drawn heatmap peak over the crop's side: 2 of 64 map pixels, as networks learn it."""


def sample_panel(
    sample: PoseSample,
    image: Image.Image,
    box_xyxy: Float[np.ndarray, "4"] | None,
    size: tuple[int, int] = (480, 288),
) -> Image.Image:
    """Draw a sample: its labels over the image, beside them heatmaps and the pose.

    Args:
        sample: the labels; occluded joints are drawn hollow.
        image: its image.
        box_xyxy: box to draw and crop, or None for the box of the joints.
        size: (width, height) of the panel; the tiles on the right are half its height.

    Returns:
        The panel: left the image with box and joints, upper right the crop under one Gaussian per
        joint, lower right the joints in space, or over the crop where there is no 3D.
    """
    side = size[1] // 2
    scores = np.where(sample.visibility == VISIBLE, 1.0, 0.0)
    whole = draw_poses(image, [PoseDrawing(sample.keypoints_px, scores, box_xyxy)], sample.skeleton)
    panel = Image.new("RGB", size, (20, 20, 24))
    room = (size[0] - side, size[1])
    fitted = ImageOps.contain(whole, room, Image.Resampling.LANCZOS)
    panel.paste(fitted, ((room[0] - fitted.width) // 2, (room[1] - fitted.height) // 2))
    box = box_from_points(sample.keypoints_px, padding=5) if box_xyxy is None else box_xyxy
    if box is None:
        return panel
    crop = Crop.around(box, side)
    cropped = warp_image(image.convert("RGB"), crop.matrix, crop.size)
    keypoints = crop.to_crop(sample.keypoints_px)
    panel.paste(heatmap_overlay(cropped, keypoints, sample.skeleton), (room[0], 0))
    if sample.joints_mm is not None and np.isfinite(sample.joints_mm).any():
        below = plot_small(sample.joints_mm, sample.skeleton, side)
    else:
        below = draw_poses(cropped, [PoseDrawing(keypoints, scores)], sample.skeleton)
    panel.paste(below, (room[0], side))
    return panel


def heatmap_overlay(
    image: Image.Image, keypoints_px: Float[np.ndarray, "joint 2"], skeleton: Skeleton
) -> Image.Image:
    """Lay one Gaussian per labelled joint over an image, in the colour of the joint's side."""
    width, height = image.size
    x, y = np.arange(width), np.arange(height)[:, None]
    glow = np.zeros((height, width, 3))
    sigma = HEATMAP_SIGMA * width
    for joint, point in enumerate(keypoints_px):
        if np.isfinite(point).all():
            peak = np.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2) / (2 * sigma**2))
            glow = np.maximum(glow, peak[..., None] * side_colour(skeleton, (joint,)))
    shown = 0.45 * np.asarray(image.convert("L"), np.float64)[..., None] + glow
    return Image.fromarray(np.clip(shown, 0, 255).astype(np.uint8))

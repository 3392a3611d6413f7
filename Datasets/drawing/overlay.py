"""Skeletons over an image: sides by colour, uncertain joints hollow, at any size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont

from Datasets.geometry.boxes import box_from_points
from Datasets.skeletons import Skeleton

Colour = tuple[int, int, int]

LEFT: Colour = (0, 150, 255)
RIGHT: Colour = (255, 130, 0)
MIDDLE: Colour = (240, 240, 240)
OUTLINE = (15, 15, 20, 190)
SIDE_COLOURS = {"left": LEFT, "right": RIGHT, "middle": MIDDLE}
"""Blue and orange stay apart for colour-blind eyes; left and right are the infant's own."""

CONFIDENT = 0.3
"""Joints with a lower score are drawn hollow, their bones thin."""


@dataclass(frozen=True)
class PoseDrawing:
    """One person to draw.

    Attributes:
        keypoints_px: (joint, 2) image pixels; NaN rows are left out.
        scores: (joint,) 0 to 1, or None when all are certain.
        box_xyxy: (4,) image pixels, or None.
        label: short text at the box, such as ``infant 1``.
    """

    keypoints_px: Float[np.ndarray, "joint 2"]
    scores: Float[np.ndarray, "joint"] | None = None
    box_xyxy: Float[np.ndarray, "4"] | None = None
    label: str = ""


def draw_poses(
    image: Image.Image,
    poses: Iterable[PoseDrawing],
    skeleton: Skeleton,
    caption: str = "",
    legend: bool = False,
) -> Image.Image:
    """Draw people over an image.

    Args:
        image: RGB; not changed.
        poses: people, in pixels of ``image``.
        skeleton: convention of their joints.
        caption: text in a band at the lower edge.
        legend: name the colours of left and right in that band.

    Returns:
        A new RGB image of the same size.
    """
    result = image.convert("RGB")
    for pose in poses:
        result = _draw_person(result, pose, skeleton)
    return _draw_band(result, caption, legend) if caption or legend else result


def side_colour(skeleton: Skeleton, joints: Sequence[int]) -> Colour:
    """Colour of a joint or bone: that of the side which any of its joints is on."""
    sides = {skeleton.side(skeleton.joints[joint]) for joint in joints} - {"middle"}
    return SIDE_COLOURS[sides.pop()] if len(sides) == 1 else MIDDLE


def line_width(pose: PoseDrawing, image_size: tuple[int, int]) -> float:
    """Width of a bone in pixels: a share of the person's extent, thin on small images."""
    extents = []
    for box in (box_from_points(pose.keypoints_px), pose.box_xyxy):
        if box is not None:
            extents.append(float(max(box[2] - box[0], box[3] - box[1])))
    extent = min(max(extents, default=0.0), 2.0 * max(image_size))
    return max(1.2, 0.013 * extent)


def _draw_person(image: Image.Image, pose: PoseDrawing, skeleton: Skeleton) -> Image.Image:
    """Draw on an enlarged layer of just the person's region, then reduce it: smooth lines."""
    width = line_width(pose, image.size)
    region = _region(pose, image.size, margin=4 * width + 4)
    if region is None:
        return image
    zoom = 4 if width < 4 else 3 if width < 12 else 2
    size = (region[2] - region[0], region[3] - region[1])
    layer = Image.new("RGBA", (size[0] * zoom, size[1] * zoom))
    pen = _Pen(ImageDraw.Draw(layer), np.array(region[:2], dtype=np.float64), zoom)
    if pose.box_xyxy is not None:
        _draw_box(pen, pose.box_xyxy, max(1.0, 0.5 * width))
    _draw_skeleton(pen, pose, skeleton, width)
    result = image.copy()
    drawn = layer.reduce(zoom)
    result.paste(drawn, region[:2], drawn)
    if pose.label and pose.box_xyxy is not None:
        _draw_label(result, pose.label, pose.box_xyxy)
    return result


@dataclass(frozen=True)
class _Pen:
    """Draws in image pixels on an enlarged layer whose first pixel is image pixel ``origin``."""

    draw: ImageDraw.ImageDraw
    origin: Float[np.ndarray, "2"]
    zoom: int

    def at(self, point: np.ndarray) -> tuple[float, float]:
        x, y = (np.asarray(point) - self.origin + 0.5) * self.zoom - 0.5
        return float(x), float(y)

    def line(self, points: Sequence[np.ndarray], width: float, colour: tuple[int, ...]) -> None:
        pixels = [self.at(point) for point in points]
        self.draw.line(pixels, fill=colour, width=max(1, round(width * self.zoom)), joint="curve")

    def disc(self, centre: np.ndarray, radius: float, colour: tuple[int, ...]) -> None:
        x, y = self.at(centre)
        r = radius * self.zoom
        self.draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def _region(
    pose: PoseDrawing, size: tuple[int, int], margin: float
) -> tuple[int, int, int, int] | None:
    """Whole pixels (x1, y1, x2, y2) of the image that the drawing touches, or None."""
    boxes = [box_from_points(pose.keypoints_px), pose.box_xyxy]
    found = np.array([box for box in boxes if box is not None and np.isfinite(box).all()])
    if len(found) == 0:
        return None
    low = np.floor(found[:, :2].min(axis=0) - margin)
    high = np.ceil(found[:, 2:].max(axis=0) + margin) + 1
    x1, y1 = (int(v) for v in np.clip(low, 0, size))
    x2, y2 = (int(v) for v in np.clip(high, 0, size))
    return (x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None


def _draw_skeleton(pen: _Pen, pose: PoseDrawing, skeleton: Skeleton, width: float) -> None:
    """Outlines first, so that none crosses a coloured line; uncertain parts below certain ones."""
    points = np.asarray(pose.keypoints_px, dtype=np.float64)
    usable = np.all(np.isfinite(points), axis=1)
    scores = np.ones(len(points)) if pose.scores is None else np.asarray(pose.scores)
    certain = usable & (scores >= CONFIDENT)
    bones = [b for b in skeleton.bone_indices if usable[b[0]] and usable[b[1]]]
    bones.sort(key=lambda b: bool(certain[b[0]] and certain[b[1]]))
    widths = [width if certain[a] and certain[b] else 0.4 * width for a, b in bones]
    joints = sorted(np.flatnonzero(usable).tolist(), key=lambda j: bool(certain[j]))
    radius, edge = 0.95 * width, max(0.6, 0.3 * width)
    for (a, b), thick in zip(bones, widths, strict=True):
        pen.line([points[a], points[b]], thick + 2 * edge, OUTLINE)
    for joint in joints:
        pen.disc(points[joint], radius + edge, OUTLINE)
    for (a, b), thick in zip(bones, widths, strict=True):
        pen.line([points[a], points[b]], thick, (*side_colour(skeleton, (a, b)), 255))
    for joint in joints:
        colour = (*side_colour(skeleton, (joint,)), 255)
        pen.disc(points[joint], radius, colour)
        if not certain[joint]:
            pen.disc(points[joint], 0.55 * radius, (*OUTLINE[:3], 255))


def _draw_box(pen: _Pen, box: np.ndarray, width: float) -> None:
    x1, y1, x2, y2 = (float(v) for v in box)
    corners = [np.array(p) for p in ((x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1), (x2, y1))]
    pen.line(corners, width + 2 * max(0.5, 0.3 * width), OUTLINE)
    pen.line(corners, width, (*MIDDLE, 255))


def _font(pixels: float):
    return ImageFont.load_default(size=max(9.0, pixels))


def _draw_label(image: Image.Image, label: str, box: np.ndarray) -> None:
    """Write the label above the box, or inside where there is no room, always within the image."""
    font = _font(min(image.size) / 30)
    draw = ImageDraw.Draw(image, "RGBA")
    left, top, right, bottom = draw.textbbox((0, 0), label, font=font)
    pad = (bottom - top) * 0.35
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    x = min(max(float(box[0]), 0.0), max(image.width - width, 0.0))
    above = float(box[1]) - height
    y = min(above if above >= 0 else float(box[1]), image.height - height)
    y = max(y, 0.0)
    draw.rectangle((x, y, x + width, y + height), fill=OUTLINE)
    draw.text((x + pad - left, y + pad - top), label, font=font, fill=MIDDLE)


def _draw_band(image: Image.Image, caption: str, legend: bool) -> Image.Image:
    """Write caption and legend in a dark band at the lower edge, shrunk to fit narrow images."""
    entries: list[tuple[str, Colour | None, bool]] = [(caption, None, False)] if caption else []
    if legend:
        entries += [("infant's left", LEFT, False), ("infant's right", RIGHT, False)]
        entries += [("unsure", MIDDLE, True)]
    result = image.copy()
    draw = ImageDraw.Draw(result, "RGBA")
    font = _font(min(image.size) / 28)
    words = sum(draw.textlength(text, font=font) for text, _, _ in entries)
    total = words + font.size * sum(2.0 if colour else 1.0 for _, colour, _ in entries)
    if total > image.width:
        font = ImageFont.load_default(size=max(5.0, font.size * image.width / total))
    size = font.size
    middle = image.height - 0.85 * size
    draw.rectangle((0, image.height - 1.7 * size, image.width, image.height), fill=OUTLINE)
    x = 0.5 * size
    for text, colour, hollow in entries:
        if colour:
            r, centre = 0.35 * size, x + 0.35 * size
            for radius, paint in ((r, colour), (0.55 * r, OUTLINE[:3])):
                if radius == r or hollow:
                    corners = (centre - radius, middle - radius, centre + radius, middle + radius)
                    draw.ellipse(corners, fill=paint)
            x += size
        draw.text((x, middle), text, font=font, fill=MIDDLE, anchor="lm")
        x += draw.textlength(text, font=font) + size
    return result

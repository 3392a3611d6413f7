"""Skeletons in space: millimetres, equal axes, prediction beside truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from PIL import Image

from Datasets.drawing.overlay import MIDDLE, side_colour
from Datasets.geometry.alignment import root_relative
from Datasets.skeletons import Skeleton


@dataclass(frozen=True)
class Viewpoint:
    """How camera-frame millimetres are laid on the axes of a plot.

    Attributes:
        name: for the title.
        order: camera axis (0 x, 1 y, 2 z) shown to the right, into the page and downwards.
        angles: elevation and azimuth of the eye in degrees.
    """

    name: str
    order: tuple[int, int, int]
    angles: tuple[float, float]


VIEWS = (
    Viewpoint("as the camera sees it", (0, 2, 1), (8.0, -80.0)),
    Viewpoint("from the side, camera above", (1, 0, 2), (14.0, -75.0)),
)
AXIS_NAMES = ("x: image right (mm)", "y: image down (mm)", "z: away from camera (mm)")

MIDDLE_ON_WHITE = (90, 90, 95)
"""The overlay's neutral white would vanish on paper."""


def plot_poses(
    poses: Mapping[str, Float[np.ndarray, "joint 3"]],
    skeleton: Skeleton,
    title: str = "",
    width: int = 1200,
) -> Image.Image:
    """Plot poses side by side, each from two sides, in one common scale.

    Args:
        poses: title of each column, such as ``predicted`` and ``target``, to joints in millimetres,
            camera frame or root-relative; drawn relative to the root, or to the mean of the known
            joints where the root is NaN. NaN joints are left out.
        skeleton: convention of the joints.
        title: text above all.
        width: of the picture in pixels.

    Returns:
        RGB image.
    """
    centred = {name: _centred(joints, skeleton) for name, joints in poses.items()}
    reach = max([float(np.nanmax(np.abs(j), initial=1.0)) for j in centred.values()], default=1.0)
    reach = 50.0 * np.ceil(1.05 * reach / 50.0)
    columns, dpi = max(len(centred), 1), 100
    height = width / columns * 0.92 * len(VIEWS) / dpi + 0.4
    figure = _figure(width / dpi, height)
    figure.suptitle(title, y=1 - 0.15 / height, va="center")
    for row, view in enumerate(VIEWS):
        for column, (name, joints) in enumerate(centred.items()):
            place = (len(VIEWS), columns, row * columns + column + 1)
            axes = figure.add_subplot(*place, projection="3d")
            axes.set_title(f"{name}, {view.name}" if name else view.name, fontsize=10, pad=-2)
            _prepare(axes, reach, view)
            _plot(axes, joints, skeleton, view)
    figure.subplots_adjust(0.01, 0.03, 0.97, 1 - 0.5 / height, wspace=0.06, hspace=0.08)
    return _picture(figure)


def plot_small(
    joints_mm: Float[np.ndarray, "joint 3"], skeleton: Skeleton, width: int
) -> Image.Image:
    """Plot one pose from its side as a square thumbnail: equal axes and a grid, no words.

    Args:
        joints_mm: millimetres, camera frame or root-relative; NaN joints are left out.
        skeleton: convention of the joints.
        width: of the picture in pixels.
    """
    centred = _centred(joints_mm, skeleton)
    figure = _figure(width / 100, width / 100)
    axes = figure.add_axes((0, 0, 1, 1), projection="3d")
    view = Viewpoint("from the side", VIEWS[0].order, (14.0, -50.0))
    _prepare(axes, float(np.nanmax(np.abs(centred), initial=1.0)), view)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_ticklabels([])
        axis.set_label_text("")
    _plot(axes, centred, skeleton, view)
    return _picture(figure)


def _figure(width: float, height: float):
    """Make a matplotlib figure of a size in inches, 100 pixels each, without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100)
    FigureCanvasAgg(figure)
    return figure


def _picture(figure) -> Image.Image:
    figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")


def _centred(joints_mm: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    joints_mm = np.asarray(joints_mm, dtype=np.float64)
    relative = root_relative(joints_mm, skeleton.root_index)
    known = np.isfinite(joints_mm).all(axis=1)
    if known[skeleton.root_index] or not known.any():
        return relative
    return joints_mm - joints_mm[known].mean(axis=0)


def _prepare(axes, reach: float, view: Viewpoint) -> None:
    """Equal axes in millimetres; the vertical one points down."""
    from matplotlib.ticker import MultipleLocator

    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_zlim(reach, -reach)
    axes.set_box_aspect((1, 1, 1), zoom=1.2)
    axes.set_proj_type("ortho")
    axes.view_init(*view.angles)
    step = 50.0 if reach <= 100 else 100.0 if reach <= 400 else 500.0
    names = [AXIS_NAMES[i] for i in view.order]
    for axis, name in zip((axes.xaxis, axes.yaxis, axes.zaxis), names, strict=True):
        axis.set_major_locator(MultipleLocator(step))
        axis.set_label_text(name, fontsize=8)
    axes.tick_params(labelsize=7, pad=1)
    # Seen almost end-on: its ticks would lie on one another.
    axes.yaxis.set_ticklabels([])


def _plot(axes, joints: Float[np.ndarray, "joint 3"], skeleton: Skeleton, view: Viewpoint) -> None:
    shown = joints[:, list(view.order)]
    for a, b in skeleton.bone_indices:
        if np.isfinite(shown[[a, b]]).all():
            ends = shown[[a, b]].T
            axes.plot(*ends, color=_paint(skeleton, (a, b)), linewidth=2.5, solid_capstyle="round")
    known = np.flatnonzero(np.isfinite(shown).all(axis=1)).tolist()
    colours = [_paint(skeleton, (joint,)) for joint in known]
    axes.scatter(*shown[known].T, c=colours, s=14, depthshade=False)


def _paint(skeleton: Skeleton, joints: tuple[int, ...]) -> tuple[float, ...]:
    """Colour of the overlay, but grey for the middle."""
    colour = side_colour(skeleton, joints)
    return tuple(channel / 255 for channel in (MIDDLE_ON_WHITE if colour == MIDDLE else colour))

"""Pictures of figures over a background, with every label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int, UInt8

from Datasets.geometry.boxes import box_from_points
from Datasets.geometry.camera import project
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE
from Datasets.synthetic.capture.camera_effects import CameraEffects, defocused, without_stairs
from Datasets.synthetic.compose.figures import Figure
from Datasets.synthetic.people.body import weight_of
from Datasets.synthetic.people.gaze import look_at
from Datasets.synthetic.people.postures import ON_SEAT
from Datasets.synthetic.places.background import Background
from Datasets.synthetic.places.camera import PlacedCamera, look_at_people
from Datasets.synthetic.places.place import Place
from Datasets.synthetic.places.rooms import make_outdoors, make_place
from Datasets.synthetic.render.renderer import Actor, Renderer, Rendering

ATTENDING_SHARES = {"infant": 0.75, "toddler": 0.75}
"""Share of people who look at the camera, or past it; of others ``ATTENDING``."""
ATTENDING = 0.3
HIDDEN_DEPTH = 0.2
"""How much nearer than a joint a surface must be to hide it, as a share of root to crown."""


@dataclass(frozen=True)
class PhotoStyle:
    """Shares of pictures with an effect.

    Attributes:
        grey: without colour.
        dark: noisy, taken in the dark.
        blurred: sharp only where the people are.
        clipped: bodies that reach beside the camera are cut off there, else they are left out.
    """

    grey: float = 0.06
    dark: float = 0.07
    blurred: float = 0.3
    clipped: bool = False


EVERYDAY = PhotoStyle()


@dataclass(frozen=True)
class FigureLabels:
    """Labels of one figure in a picture.

    Attributes:
        keypoints_px: (25, 2) ``infant`` joints in pixels, NaN behind the camera.
        joints_mm: (25, 3) millimetres, camera frame.
        visibility: (25,) 0 outside the image, 1 hidden, 2 seen.
        outline_px: (4,) box of the whole body, seen or not.
        head_px: (4,) box of the head.
    """

    keypoints_px: Float[np.ndarray, "25 2"]
    joints_mm: Float[np.ndarray, "25 3"]
    visibility: UInt8[np.ndarray, "25"]
    outline_px: Float[np.ndarray, "4"]
    head_px: Float[np.ndarray, "4"]


@dataclass(frozen=True)
class Picture:
    """A picture with its labels.

    Attributes:
        rgb: the picture.
        person: (height, width) number of the figure that each pixel shows, -1 elsewhere.
        beneath: the same without blankets and cables, which show a body's shape.
        labels: one per figure, in their order.
        camera: from where.
    """

    rgb: UInt8[np.ndarray, "height width 3"]
    person: Int[np.ndarray, "height width"]
    beneath: Int[np.ndarray, "height width"]
    labels: tuple[FigureLabels, ...]
    camera: PlacedCamera


def photograph(
    rng: np.random.Generator,
    figures: Sequence[Figure],
    size: tuple[int, int],
    elevation_degrees: tuple[float, float] = (-4.0, 40.0),
    closeness: tuple[float, float] = (0.55, 1.35),
    behind: Sequence[Figure] = (),
    azimuth_degrees: tuple[float, float] = (0.0, 360.0),
    helpers: Sequence[Figure] = (),
) -> Picture:
    """Choose a place, a light and a camera, and take a picture.

    Args:
        rng: source of randomness.
        figures: people around the origin.
        size: (width, height) pixels.
        elevation_degrees: range of the angle from which the camera looks down.
        closeness: range of distances over the one at which all of them just fit.
        behind: more people, who stand together some way behind, in the open; they are numbered
            after the others.
        azimuth_degrees: range of the direction in which the camera stands.
        helpers: people without number and label, whom the camera does not aim at.
    """
    points = np.concatenate([figure.posed.place for figure in figures])
    low, high = points.min(axis=0), points.max(axis=0)
    extent = 1.1 * float(np.linalg.norm(high - low))
    angles = elevation_degrees, closeness, azimuth_degrees
    camera = look_at_people(rng, size, (low + high) / 2, extent, *angles)
    figures = [_attending(rng, figure, camera) for figure in figures]
    taken = np.concatenate([points, *(helper.posed.place for helper in helpers)])
    place = Place(rng, camera, float(np.linalg.norm(taken[:, :2], axis=1).max()))
    seats = [figure.seat for figure in figures if figure.posed.kind == ON_SEAT]
    if behind:
        background = make_outdoors(place, seats)
    else:
        nursery = any(figure.age in ("infant", "toddler") for figure in figures)
        background = make_place(place, seats, nursery)
    angle = np.arctan2(-camera.position[1], -camera.position[0]) + rng.uniform(-0.4, 0.4)
    away = place.radius_m + rng.uniform(3.0, 7.0)
    back = away * np.array([np.cos(angle), np.sin(angle)])
    every = [*figures, *(one.moved(*back) for one in behind)]
    return take_picture(rng, background, every, helpers)


def _attending(rng: np.random.Generator, figure: Figure, camera: PlacedCamera) -> Figure:
    """The same figure, now and then with its head turned to the camera, or nearly so."""
    if rng.random() > ATTENDING_SHARES.get(figure.age, ATTENDING) or figure.posed.kind in (
        "walking",
        "running",
    ):
        return figure
    point = camera.position + rng.normal(0, 0.25, 3) * np.linalg.norm(camera.position)
    posed = look_at(figure.shape, figure.posed, point, rng.uniform(0.5, 1.0), rng.normal(0, 7))
    return replace(figure, posed=posed)


def take_picture(
    rng: np.random.Generator,
    background: Background,
    figures: Sequence[Figure],
    dolls: Sequence[Figure] = (),
    overlays: Sequence[Callable[[Rendering], Rendering]] = (),
    style: PhotoStyle = EVERYDAY,
) -> Picture:
    """Take a picture of figures over a background.

    Args:
        rng: source of randomness.
        background: with the camera.
        figures: people to label; the first is in focus.
        dolls: are drawn, and have neither number nor label.
        overlays: drawn over the rendered figures, in this order.
        style: shares of effects.
    """
    bodies, camera = [*figures, *dolls], background.camera
    actors = [Actor(one.shape, one.look, int(rng.integers(2**31))) for one in bodies]
    renderer = Renderer(background, actors, clipped=style.clipped)
    frame = renderer.render([(one.posed.turn, one.posed.place) for one in bodies])
    beneath = np.where(frame.person < len(figures), frame.person, -1)
    for overlay in overlays:
        frame = overlay(frame)
    focus = bodies[0].posed.place[0] if bodies else np.zeros(3)
    rgb = _developed(rng, frame, camera.to_camera(focus)[2], style)
    person = np.where(frame.person < len(figures), frame.person, -1)
    covered = (beneath >= 0) & (person != beneath)
    labels = tuple(_labels(one, camera, frame.depth_m, covered) for one in figures)
    return Picture(rgb, person, beneath, labels, camera)


def _developed(
    rng: np.random.Generator, frame: Rendering, focus_m: float, style: PhotoStyle
) -> np.ndarray:
    """A camera's picture: at times blurred before and behind the focus, dark, or grey."""
    effects, linear = CameraEffects.draw(rng), without_stairs(frame.linear, frame.person)
    if rng.random() < style.blurred:
        linear = defocused(linear, frame.depth_m, focus_m, rng.uniform(1.0, 5.0))
    if rng.random() < style.dark:
        effects = effects.in_the_dark(rng.uniform(2.0, 4.0))
    rgb = effects.develop(rng, linear, effects.gains(linear, frame.person == 0))
    if rng.random() < style.grey:
        rgb = np.repeat(rgb.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    return rgb


def _labels(
    figure: Figure, camera: PlacedCamera, depth_m: np.ndarray, covered: np.ndarray
) -> FigureLabels:
    joints_mm = 1000 * camera.to_camera(figure.joints())
    keypoints = project(joints_mm, camera.intrinsics)
    outline = project(1000 * camera.to_camera(figure.surface()), camera.intrinsics)
    limit = np.array(camera.size) - 1
    with np.errstate(invalid="ignore"):
        inside = ((keypoints >= 0) & (keypoints <= limit)).all(axis=1)
    x, y = np.clip(np.nan_to_num(keypoints).round(), 0, limit).astype(int).T
    hidden = depth_m[y, x] < joints_mm[:, 2] / 1000 - HIDDEN_DEPTH * figure.size_m
    seen = np.where(inside, np.where(hidden | covered[y, x], OCCLUDED, VISIBLE), UNLABELLED)
    return FigureLabels(
        keypoints_px=keypoints,
        joints_mm=joints_mm,
        visibility=seen.astype(np.uint8),
        outline_px=_box(outline),
        head_px=_box(outline[weight_of(("head", "eye")) > 0.5]),
    )


def _box(points: np.ndarray) -> np.ndarray:
    box = box_from_points(points)
    return np.full(4, np.nan) if box is None else box

"""Long-wave infrared pictures of a person in bed: temperatures, then grey levels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import warp as wp
from jaxtyping import Float, UInt8
from scipy.ndimage import gaussian_filter

from Datasets.layouts.slp import CELSIUS
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import weight_of
from Datasets.synthetic.people.clothing import Look
from Datasets.synthetic.places.camera import PlacedCamera
from Datasets.synthetic.render import depth as raster
from Datasets.synthetic.render.covers import Cover, VisibleCover

FINER = 3
"""Temperatures are drawn on a grid this many times finer than the camera's and averaged."""

PARTS = (
    (("root", "pelvis", "spine", "clavicle", "shoulder"), 34.3),
    (("neck", "head", "eye"), 34.6),
    (("upperarm",), 33.3),
    (("lowerarm",), 32.6),
    (("wrist", "finger", "metacarpal"), 31.2),
    (("upperleg",), 32.8),
    (("lowerleg",), 31.8),
    (("foot", "toe"), 29.6),
)
"""Skin temperature of body parts in a cool room, degrees Celsius."""


@dataclass(frozen=True)
class Warmth:
    """Temperatures of a person and a room.

    Attributes:
        room: temperature of bed and room, degrees Celsius.
        skin: (vertex,) temperature of the outermost surface, skin or cloth.
        imprint: (x, y) shift in metres of the warm place where the body lay before, its strength in
            degrees.
        noise: deviation of the sensor's noise in degrees.
        blur: of the lens, in pixels.
    """

    room: float
    skin: Float[np.ndarray, "vertex"]
    imprint: tuple[float, float, float]
    noise: float
    blur: float


def draw_warmth(rng: np.random.Generator, look: Look) -> Warmth:
    """Choose a room, a body's warmth and how well its clothes insulate."""
    room = rng.uniform(20.6, 24.5)
    skin = np.zeros(len(look.vertices))
    for names, celsius in PARTS:
        skin += weight_of(names) * (celsius + rng.normal(0, 0.5))
    skin += rng.normal(0, 0.5)
    skin = room + (skin - room) * rng.uniform(0.92, 1.03)
    lets = rng.uniform(0.55, 0.85)
    covered = np.clip(look.fields.max(axis=1) / 0.01, 0, 1)
    skin = room + (skin - room) * (1 - covered * (1 - lets))
    skin = np.where(look.face[:, 3] > 0.5, room + (skin - room) * 0.72, skin)
    return Warmth(
        room=room,
        skin=skin,
        imprint=(*rng.normal(0, 0.12, 2), rng.uniform(0.3, 2.2)),
        noise=rng.uniform(0.05, 0.2),
        blur=rng.uniform(0.5, 0.9),
    )


def finer(camera: PlacedCamera) -> PlacedCamera:
    """The camera with the grid that temperatures are drawn on."""
    scale = np.diag([FINER, FINER, 1.0])
    scale[:2, 2] = (FINER - 1) / 2
    size = (camera.size[0] * FINER, camera.size[1] * FINER)
    return replace(camera, intrinsics=scale @ camera.intrinsics, size=size)


def heat_picture(
    warmth: Warmth, world: Float[np.ndarray, "vertex 3"], camera: PlacedCamera
) -> Float[np.ndarray, "fine_height fine_width"]:
    """Temperatures in degrees Celsius on a grid ``FINER`` than the camera's."""
    grid, seen = finer(camera), camera.to_camera(world)
    pixels = seen @ grid.intrinsics.T
    screen = np.column_stack([pixels[:, :2] / pixels[:, 2:], 1 / seen[:, 2]])
    faces = bodies.rig().faces
    uploaded: wp.array = wp.array(faces, dtype=wp.vec3i)
    points, nearness = raster.rasterise(screen, uploaded, grid.size)
    winners = raster.winning_faces(points, uploaded, nearness).numpy()
    body = winners >= 0
    celsius = np.where(body, warmth.skin[faces[np.maximum(winners, 0)]].mean(axis=-1), warmth.room)
    shift_x, shift_y, strength = warmth.imprint
    pixels_per_m = FINER * camera.intrinsics[0, 0] / camera.position[2]
    before = np.roll(body, (int(-shift_y * pixels_per_m), int(shift_x * pixels_per_m)), (0, 1))
    left = gaussian_filter(before.astype(float), 0.05 * pixels_per_m) * strength
    return np.where(body, celsius, warmth.room + left)


def insulated(celsius: np.ndarray, room: float, cover: Cover, seen: VisibleCover) -> np.ndarray:
    """Temperatures with a cover on: less, spread out, uneven along folds."""
    spread = gaussian_filter(celsius, 0.012 * celsius.shape[0])
    folds = cover.at(cover.folds, seen.point[..., :2])
    lets = cover.lets * np.clip(1 - 14 * np.abs(folds), 0.55, 1)
    return np.where(seen.mask, room + lets * (spread - room), celsius)


def grey_levels(
    rng: np.random.Generator,
    warmth: Warmth,
    celsius: Float[np.ndarray, "fine_height fine_width"],
) -> UInt8[np.ndarray, "height width"]:
    """Picture values, 0 to 255 for 20 to 40 degrees Celsius."""
    height, width = (n // FINER for n in celsius.shape)
    coarse = celsius.reshape(height, FINER, width, FINER).mean(axis=(1, 3))
    coarse = gaussian_filter(coarse, warmth.blur)
    drift = gaussian_filter(rng.normal(size=coarse.shape), 25)
    coarse += 0.25 * drift / max(np.abs(drift).max(), 1e-9)
    coarse += rng.normal(0, warmth.noise, coarse.shape)
    low, high = CELSIUS
    return np.clip((coarse - low) / (high - low) * 255, 0, 255).round().astype(np.uint8)

"""Beds seen from above: a sheet that fills the picture, or a mattress in a room.

World frame: metres, the bed is z = 0, z up.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from Datasets.synthetic.places import surfaces
from Datasets.synthetic.places.background import Background, draw_lights, temperature
from Datasets.synthetic.places.camera import PlacedCamera
from Datasets.synthetic.places.place import Place, paint_background
from Datasets.synthetic.places.sheets import sheet_albedo


def make_sheet(rng: np.random.Generator, camera: PlacedCamera) -> Background:
    """A bed that fills the picture, with a random sheet, folds and lights."""
    ground = camera.bed_points()
    albedo = sheet_albedo(rng, ground[..., :2])
    lights = draw_lights(rng)
    ambient = temperature(rng.uniform(4500, 9000)) * rng.uniform(0.18, 0.5)
    normals = _fold_normals(rng, ground[..., :2])
    return Background(camera, lights, ambient, ground, albedo, normals)


def _fold_normals(rng: np.random.Generator, xy: Float[np.ndarray, "height width 2"]) -> np.ndarray:
    """Normals of a sheet with long creases, soft waves and a fine weave."""
    height = np.zeros(xy.shape[:2])
    warp = gaussian_filter(rng.normal(size=xy.shape[:2]), rng.uniform(15, 40))
    warp *= rng.uniform(0.01, 0.05) / max(np.abs(warp).max(), 1e-9)
    for _ in range(int(rng.integers(2, 14))):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.5, 0.5)
        across = xy[..., 0] * np.cos(angle) + xy[..., 1] * np.sin(angle) - offset + warp
        along = xy[..., 1] * np.cos(angle) - xy[..., 0] * np.sin(angle)
        window = np.exp(-(((along - rng.uniform(-0.4, 0.4)) / rng.uniform(0.08, 0.5)) ** 2))
        width = rng.uniform(0.004, 0.03)
        height += rng.uniform(0.1, 0.35) * width * np.exp(-((across / width) ** 2)) * window
    waves = gaussian_filter(rng.normal(size=xy.shape[:2]), rng.uniform(8, 25))
    height += waves * rng.uniform(0.0, 0.004) / max(waves.std(), 1e-9)
    pixel = np.abs(xy[1:, :, 1] - xy[:-1, :, 1]).mean()
    slope_y, slope_x = np.gradient(height, pixel)
    normals = np.stack([-slope_x, slope_y, np.ones_like(height)], axis=-1)
    return normals / np.linalg.norm(normals, axis=-1, keepdims=True)


def make_bed(camera: PlacedCamera, half_width_m: float, seed: int) -> Background:
    """A made bed in a room, the same from every camera over it; the pillow lies towards +y.

    Args:
        camera: looks down on it.
        half_width_m: of the mattress, which is twice as long as wide.
        seed: of its sheets, the floor and the light.
    """
    rng = np.random.default_rng(seed)
    place, width, length = Place(rng, camera), half_width_m, 2 * half_width_m
    place.add_plane([0, 0, -0.55], [0, 0, 1], surfaces.FLOORS)
    middle = [rng.normal(0, 0.03), 0.8 * length, 0.0]
    place.add([0, 0, -0.1], [width, length, 0.1], (surfaces.fabric,))
    place.add([0, 0, -0.35], [width + 0.04, length + 0.04, 0.14], (surfaces.wood,))
    pillow = [0.62 * width, 0.16 * length, 0.012]
    place.add(middle, pillow, (surfaces.fabric,), rng.normal(0, 0.06))
    ambient = temperature(rng.uniform(3500, 7500)) * rng.uniform(0.3, 0.6)
    background = paint_background(place, draw_lights(rng), ambient)
    shadows = replace(background.shadows, size=480, span_m=2.6, bias_m=0.015)
    return replace(background, shadows=shadows)

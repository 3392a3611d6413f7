"""Things that stand between the camera and people, and hide a part of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.places import surfaces
from Datasets.synthetic.places.bed import Camera
from Datasets.synthetic.places.builder import Setting
from Datasets.synthetic.places.solids import Ball, Box, Drum, Foliage, viewing_rays

BARS = 24


def stand_before(
    rng: np.random.Generator, camera: Camera, setting: Setting, nearest_m: float
) -> None:
    """Add something to a setting at a side or at the bottom of the picture.

    Args:
        rng: source of randomness.
        camera: which sees it.
        setting: is added to.
        nearest_m: distance of the nearest person from the camera.
    """
    away = nearest_m * rng.uniform(0.4, 0.75)
    make = (_clutter, _clutter, _foliage, _bars)[int(rng.integers(4))]
    make(rng, camera, setting, away)


def _spot(rng: np.random.Generator, camera: Camera, away: float) -> Float[np.ndarray, "3"]:
    """A world point near the left, right or lower edge of the picture."""
    edge = rng.integers(3)
    low, high = [((0.0, 0.2), (0.12, 0.9)), ((0.88, 0.2), (1.0, 0.9)), ((0.2, 0.9), (0.8, 1.0))][
        edge
    ]
    x, y = (rng.uniform(low, high) * (np.array(camera.size) - 1)).astype(int)
    ray = viewing_rays(camera)[y, x]
    return camera.position + away * ray / np.linalg.norm(ray)


def _clutter(rng: np.random.Generator, camera: Camera, setting: Setting, away: float) -> None:
    """The edge of a piece of furniture, or something round."""
    half = away * rng.uniform(0.04, 0.14, 3)
    solid = (Box, Box, Drum, Ball)[int(rng.integers(4))]
    centre = _spot(rng, camera, away)
    if solid is not Ball and centre[2] > 0:
        top = centre[2] + half[2]
        half[2], centre[2] = top / 2, top / 2
    material = setting.material(surfaces.FURNITURE)
    setting.solids.append(solid(centre, half, rng.uniform(0, np.pi), material))


def _foliage(rng: np.random.Generator, camera: Camera, setting: Setting, away: float) -> None:
    """Leaves that reach into the picture."""
    middle, material = _spot(rng, camera, away), setting.material(surfaces.PLANTS)
    for _ in range(9):
        centre = middle + rng.normal(0, 0.07 * away, 3)
        half = away * rng.uniform(0.008, 0.05, 3)
        setting.solids.append(Foliage(centre, half, rng.uniform(0, np.pi), material))


def _bars(rng: np.random.Generator, camera: Camera, setting: Setting, away: float) -> None:
    """The side of a cot."""
    away = min(away, 0.8)
    ray = camera.rotation[2] + camera.rotation[1] * rng.uniform(0.0, 0.25)
    middle = camera.position + away * ray
    along = camera.rotation[0] * [1, 1, 0]
    along /= np.linalg.norm(along)
    top, step = max(middle[2], 0.2), rng.uniform(0.06, 0.12)
    thick, material = rng.uniform(0.004, 0.009), setting.material((surfaces.wood, surfaces.plaster))
    yaw = float(np.arctan2(along[1], along[0]))
    rail = np.array([BARS * step / 2, 0.012, 0.02])
    setting.solids.append(Box(np.array([*middle[:2], top]), rail, yaw, material))
    for number in range(BARS):
        spot = middle[:2] + along[:2] * step * (number - BARS / 2)
        half = np.array([thick, thick, top / 2])
        setting.solids.append(Drum(np.array([*spot, top / 2]), half, yaw, material))

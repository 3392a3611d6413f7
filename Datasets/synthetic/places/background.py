"""Backgrounds: surface point, albedo and normal of each pixel without people, and the lights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.places.camera import PlacedCamera


@dataclass(frozen=True)
class Light:
    """A distant light: direction towards it (unit, world), linear RGB, shadow blur in metres."""

    towards: Float[np.ndarray, "3"]
    colour: Float[np.ndarray, "3"]
    softness: float


@dataclass(frozen=True)
class ShadowMaps:
    """Resolution of the shadow maps.

    Attributes:
        size: pixels of a map's side.
        span_m: length of that side in the world, metres, around the origin.
        bias_m: slack against a surface's shadow on itself.
        margin_px: how far from a body its shadow is drawn in the image.
        raised: bodies may also stand lower than z = 0, beside the bed.
    """

    size: int = 224
    span_m: float = 1.15
    bias_m: float = 0.010
    margin_px: int = 90
    raised: bool = False


@dataclass(frozen=True)
class Background:
    """Everything in a picture but the people; constant over a sequence.

    Attributes:
        camera: the camera.
        lights: one to three lights.
        ambient: linear RGB of the ambient light.
        ground: (height, width, 3) the point that each pixel shows, metres, world.
        albedo: (height, width, 3) linear RGB.
        normals: (height, width, 3) unit normals, world.
        shadows: how shadows of bodies are drawn.
        lit: (light, height, width) share of each light that reaches the background, or None where
            nothing but bodies casts shadows.
    """

    camera: PlacedCamera
    lights: tuple[Light, ...]
    ambient: Float[np.ndarray, "3"]
    ground: Float[np.ndarray, "height width 3"]
    albedo: Float[np.ndarray, "height width 3"]
    normals: Float[np.ndarray, "height width 3"]
    shadows: ShadowMaps = ShadowMaps()
    lit: Float[np.ndarray, "light height width"] | None = None


def temperature(kelvin: float) -> np.ndarray:
    """Rough linear RGB of a black body, green at 1."""
    warm = np.clip((6500 - kelvin) / 4000, -1, 1)
    return np.array([1 + 0.35 * warm, 1.0, 1 - 0.45 * warm])


def draw_lights(rng: np.random.Generator) -> tuple[Light, ...]:
    """One to three lights from above."""
    count = int(rng.choice([1, 2, 3], p=[0.45, 0.35, 0.2]))
    lights = []
    for share in rng.dirichlet(np.full(count, 1.5)) * rng.uniform(0.55, 1.0):
        elevation, azimuth = np.radians(rng.uniform(32, 88)), rng.uniform(0, 2 * np.pi)
        along = np.cos(elevation)
        towards = [along * np.cos(azimuth), along * np.sin(azimuth), np.sin(elevation)]
        colour = temperature(rng.uniform(2800, 8000)) * share
        lights.append(Light(np.array(towards), colour, rng.uniform(0.006, 0.03)))
    return tuple(lights)

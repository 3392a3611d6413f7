"""How pictures of lying infants look: clothes, bed, light and camera, one row per look.

A look that is held out is for benchmarks alone: its ground, light, cloth and camera have values
that the others never take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.capture.camera_effects import CameraEffects
from Datasets.synthetic.people.body import BodyShape
from Datasets.synthetic.people.clothing import Look, Material
from Datasets.synthetic.people.outfits import dress
from Datasets.synthetic.places.background import (
    Background,
    Light,
    ShadowMaps,
    temperature,
)
from Datasets.synthetic.places.bed import make_sheet
from Datasets.synthetic.places.camera import PlacedCamera
from Datasets.synthetic.places.sheets import noise

TILE_M = 0.30
"""Side of a tile of a foam mat."""

FOAM = np.array(
    [[0.62, 0.05, 0.05], [0.03, 0.16, 0.55], [0.72, 0.45, 0.02], [0.05, 0.36, 0.10]]
)  # fmt: skip
"""Linear RGB of its tiles."""


@dataclass(frozen=True)
class SequenceLook:
    """A row.

    Attributes:
        clothe: function of (rng, shape): what the infant wears.
        place: function of (rng, camera): bed or floor, and lights.
        capture: function of (rng): the camera's processing.
        held_out: no data to train from look like it.
    """

    clothe: Callable[[np.random.Generator, BodyShape], Look]
    place: Callable[[np.random.Generator, PlacedCamera], Background]
    capture: Callable[[np.random.Generator], CameraEffects]
    held_out: bool = False


def _in_large_patterns(rng: np.random.Generator, shape: BodyShape) -> Look:
    """Clothes in two deep colours, in stripes and checks as wide as a hand."""
    look = dress(rng, shape)
    return replace(look, materials=tuple(_bold(rng, material) for material in look.materials))


def _bold(rng: np.random.Generator, material: Material) -> Material:
    first, second = FOAM[rng.permutation(len(FOAM))[:2]][:, rng.permutation(3)]
    colours = np.stack([first, 0.3 * second + rng.uniform(0.0, 0.5)])
    pattern = int(rng.choice([1, 3]))
    return Material(colours, pattern, rng.uniform(0.06, 0.12), rng.uniform(0, np.pi))


def _play_mat(rng: np.random.Generator, camera: PlacedCamera) -> Background:
    """A mat of interlocking foam tiles under one low, warm and hard lamp."""
    ground = camera.bed_points()
    elevation, azimuth = np.radians(rng.uniform(17, 29)), rng.uniform(0, 2 * np.pi)
    along = np.cos(elevation)
    towards = np.array([along * np.cos(azimuth), along * np.sin(azimuth), np.sin(elevation)])
    lamp = Light(towards, 1.6 * temperature(rng.uniform(2000, 2700)), 0.003)
    ambient = temperature(rng.uniform(9500, 12000)) * rng.uniform(0.25, 0.4)
    albedo, normals = _foam(rng, ground[..., :2])
    shadows = ShadowMaps(margin_px=220)
    return Background(camera, (lamp,), ambient, ground, albedo, normals, shadows)


def _foam(rng: np.random.Generator, xy: Float[np.ndarray, "height width 2"]):
    """Albedo and normals: tiles that interlock in waves, and their fine bumps."""
    angle = rng.uniform(0, np.pi)
    c, s = np.cos(angle), np.sin(angle)
    cell = np.stack([xy @ [c, s], xy @ [-s, c]], axis=-1) / TILE_M + rng.uniform(0, 1, 2)
    cell = cell + 0.04 * np.sin(6 * np.pi * cell[..., ::-1])
    tones = FOAM[rng.permutation(len(FOAM))] * rng.uniform(0.8, 1.2)
    which = (np.floor(cell) @ np.array([1.0, 2.0])).astype(int) % len(tones)
    seam = np.abs(cell % 1.0 - 0.5).max(axis=-1) > 0.488
    grain = 1 + 0.06 * noise(rng, xy, 0.006)
    albedo = tones[which] * (grain * np.where(seam, 0.35, 1.0))[..., None]
    bumps = np.stack([0.07 * noise(rng, xy, 0.010) for _ in range(2)], axis=-1)
    normals = np.concatenate([bumps, np.ones((*xy.shape[:2], 1))], axis=-1)
    return np.clip(albedo, 0.005, 0.97), normals / np.linalg.norm(normals, axis=-1, keepdims=True)


def _cheap_camera(rng: np.random.Generator) -> CameraEffects:
    """Bright, flat, soft, noisy, off balance and much compressed."""
    return CameraEffects(
        target=rng.uniform(0.44, 0.52),
        balance=np.array([0.86, 1.0, 1.16]) * rng.normal(1, 0.03, 3),
        blur_px=rng.uniform(1.1, 1.5),
        shot_noise=rng.uniform(0.035, 0.05),
        read_noise=rng.uniform(0.009, 0.014),
        gamma=rng.uniform(2.7, 3.0),
        quality=int(rng.integers(35, 60)),
    )


LOOKS = {
    "bed": SequenceLook(dress, make_sheet, CameraEffects.draw),
    "play mat": SequenceLook(_in_large_patterns, _play_mat, _cheap_camera, held_out=True),
}

"""Night pictures by near-infrared lamps at the camera: grey, flat, bright in the middle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people.clothing import Look
from Datasets.synthetic.places.background import Background, Light
from Datasets.synthetic.places.solids import length

DARK, BRIGHT = (0.05, 0.14), (0.68, 0.9)
"""Reflectances of dark and bright cloth: few dyes show in near infrared, all skin is between."""


def infrared_background(rng: np.random.Generator, background: Background) -> Background:
    """The same background, lit by a lamp at the camera only."""
    camera = background.camera
    away = background.ground - camera.position
    far = length(away)
    facing = np.clip((away @ camera.rotation[2]) / np.maximum(far, 1e-6), 0, 1)
    near = float(np.quantile(far, 0.2))
    falloff = facing ** rng.uniform(2, 7) / np.maximum(far / near, 0.6) ** 2
    aside = camera.rotation[0] * rng.normal(0, 0.08) - camera.rotation[2]
    return replace(
        background,
        lights=(Light(aside / np.linalg.norm(aside), np.full(3, 0.9), 0.006),),
        ambient=np.full(3, rng.uniform(0.03, 0.1)),
        albedo=_grey(background.albedo, (0.2, 0.75)),
        lit=np.clip(falloff, 0, 1.5)[None],
    )


def infrared_look(rng: np.random.Generator, look: Look) -> Look:
    """Bright skin, whatever its tone, and clothes that differ little from one another."""
    cloth = [
        replace(m, colours=_grey(m.colours, BRIGHT if rng.random() < 0.5 else DARK))
        for m in look.materials
    ]
    skin, hair = np.full(3, rng.uniform(0.4, 0.48)), _grey(look.hair, (0.15, 0.4))
    return replace(look, materials=tuple(cloth), skin=skin, hair=hair)


def _grey(
    albedo: Float[np.ndarray, "*shape 3"], between: tuple[float, float]
) -> Float[np.ndarray, "*shape 3"]:
    """Without colour, mapped to the reflectance of black and of white."""
    low, high = between
    shown = low + (high - low) * np.sqrt(np.clip(albedo.mean(axis=-1, keepdims=True), 0, 1))
    return np.broadcast_to(shown, albedo.shape).copy()

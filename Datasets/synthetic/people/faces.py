"""Faces: what is painted on heads, per vertex, and hair that stands off them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people.body import SIDES, BodyShape, weight_of

HAIR_M = (0.001, 0.011)
"""How far hair stands off the head."""


def face_marks(
    rng: np.random.Generator, shape: BodyShape, head: Float[np.ndarray, "vertex"]
) -> Float[np.ndarray, "vertex 4"]:
    """Draw eyes, brows, lips and hair.

    Args:
        rng: source of randomness.
        shape: the body.
        head: how far each vertex is from the base of the neck (0) to the crown (1).

    Returns:
        Eyeball, 0 or 1; on the eyeball how near it is to where it looks, 1 at the pupil, elsewhere
        how dark brows and lashes are; lips; hair.
    """
    face = np.zeros((len(shape.vertices), 4))
    eyes, nose = shape.face_points[1:3], shape.face_points[0]
    apart = float(np.linalg.norm(eyes[0] - eyes[1]))
    skin = weight_of(("head",)) > 0.3
    asleep = rng.random() < 0.15
    dark = rng.uniform(0.25, 0.8)
    for side, eye in zip(SIDES, eyes, strict=True):
        ball = weight_of((f"eye.{side}",)) > 0.5
        outward = shape.vertices[ball] - shape.vertices[ball].mean(axis=0)
        outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
        if not asleep:
            face[ball, 0], face[ball, 1] = 1.0, np.clip(-outward[:, 1], 0, 1)
        x, _, z = ((shape.vertices - eye) / apart).T
        near = skin & ~ball & (shape.vertices[:, 1] < eye[1] + 0.35 * apart)
        arch = z - 0.34 + 0.45 * (np.abs(x) - 0.05) ** 2
        brow = dark * np.exp(-((arch / 0.075) ** 2) - (x / 0.33) ** 4)
        lash = 0.8 * np.exp(-(((np.hypot(x, 1.7 * z) - 0.2) / 0.05) ** 2)) * (z > -0.02)
        face[:, 1] = np.where(near, np.maximum(face[:, 1], np.maximum(brow, lash)), face[:, 1])
    middle = eyes.mean(axis=0)
    drop = middle[2] - nose[2]
    mouth = np.array([middle[0], nose[1], nose[2] - 1.05 * drop])
    away = (shape.vertices - mouth) / np.array([0.95, 1.6, 0.42]) / drop
    near = skin & (shape.vertices[:, 1] < middle[1])
    face[:, 2] = np.where(near, np.exp(-np.sum(away**2, axis=1)), 0)
    face[:, 3] = _hair(rng, shape, head)
    return face


def _hair(rng: np.random.Generator, shape: BodyShape, head: np.ndarray) -> np.ndarray:
    """None, down, or hair to a line that runs from the forehead over the ears to the nape."""
    density = (0.0, rng.uniform(0.25, 0.7), rng.uniform(0.8, 1.2))[
        rng.choice(3, p=[0.15, 0.35, 0.5])
    ]
    own = weight_of(("head",)) > 0.8
    y = shape.vertices[:, 1]
    front, back = y[own].min(), y[own].max()
    along = (2 * y - front - back) / (back - front)
    line = rng.uniform(0.60, 0.74)
    scalp = (head - line) * 9 + np.where(along > 0, 4.2, 5.5) * (along + rng.uniform(0.05, 0.4))
    thin = np.where((along > 0.3) & (head < 0.7), rng.uniform(0.6, 1.0), 1.0)
    return density * thin * np.clip(scalp, 0, 1)


def hair_lift(
    rng: np.random.Generator, shape: BodyShape, hair: Float[np.ndarray, "vertex"]
) -> Float[np.ndarray, "vertex"]:
    """How far hair moves the head's surface outwards, metres: smooth, tousled or in curls."""
    tousle = rng.uniform(0.0, 0.5)
    x, y, z = (shape.vertices * rng.uniform(60, 160)).T
    waves = np.sin(x + 2 * np.sin(0.7 * z)) * np.sin(y + 2 * np.sin(0.6 * x))
    return rng.uniform(*HAIR_M) * np.clip(hair, 0, 1) * (1 + tousle * waves)

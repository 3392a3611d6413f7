"""What people wear: the small at least a nappy, the grown always something on trunk and hips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape
from Datasets.synthetic.people.clothing import (
    Garment,
    Look,
    SurfaceCoordinates,
    surface_coordinates,
    unlike_skin,
    wear,
)

Garments = list[Garment | None]
"""One or none per slot of ``wear``."""


def dress(rng: np.random.Generator, shape: BodyShape) -> Look:
    """Choose skin, hair and clothes at random: a nappy always, more over it or not."""
    where = surface_coordinates(shape)
    return wear(rng, shape, where, _infant_garments(rng, where))


def dress_person(rng: np.random.Generator, shape: BodyShape, age: str) -> Look:
    """Clothe a body of a group of ``AGES`` in colours that differ from its skin."""
    if age in ("infant", "toddler"):
        look = dress(rng, shape)
        return replace(look, materials=tuple(unlike_skin(rng, look, m) for m in look.materials))
    where = surface_coordinates(shape)
    look = wear(rng, shape, where, _grown_garments(rng, where))
    larger = [replace(m, period_m=m.period_m * rng.uniform(1.0, 3.0)) for m in look.materials]
    cloth = tuple(unlike_skin(rng, look, m) for m in larger)
    return replace(look, materials=cloth, face=_with_hair(rng, shape, where, look.face))


def _infant_garments(rng: np.random.Generator, where: SurfaceCoordinates) -> Garments:
    """Nappy, suit, socks or trousers, hat."""
    waist = rng.uniform(0.18, 0.34) * where.scale
    thigh = 0.13 * where.scale  # metres per unit of ``leg``, roughly
    off_arms = (-0.05 - where.arm) * thigh * 2
    nappy_leg = (rng.uniform(0.2, 0.38) - where.leg) * thigh * 2
    nappy = np.minimum.reduce([waist - where.height, nappy_leg, off_arms])
    garments: Garments = [("nappy", nappy, rng.uniform(0.006, 0.013)), None, None, None]
    kinds = ("none", "bodysuit", "shirt", "sleepsuit")
    kind = kinds[rng.choice(4, p=[0.34, 0.34, 0.12, 0.2])]
    sleeves = {"bodysuit": rng.choice([0.05, 0.45, 1.85]), "shirt": rng.choice([0.45, 1.85])}
    if kind != "none":
        neck = (rng.uniform(-0.08, 0.04) - where.head) * 0.3 * where.scale
        cuff = (sleeves.get(kind, 1.95) - where.arm) * thigh * 1.6
        bodysuit, sleepsuit = rng.uniform(0.15, 0.38), rng.choice([1.9, 3.5])
        leg = {"bodysuit": bodysuit, "shirt": 0.3, "sleepsuit": sleepsuit}[kind]
        suit = np.minimum.reduce([neck, cuff, (leg - where.leg) * thigh * 2])
        if kind == "shirt":
            suit = np.minimum(suit, where.height - rng.uniform(0.02, 0.2) * where.scale)
        garments[1] = (kind, suit, rng.uniform(0.001, 0.004))
    draw = rng.random()
    if kind != "sleepsuit" and draw < 0.22:
        garments[2] = ("socks", (where.leg - rng.uniform(1.7, 1.92)) * thigh * 1.5, 0.002)
    elif kind in ("shirt", "bodysuit") and draw < 0.45:
        cuff = (rng.choice([0.7, 1.85]) - where.leg) * thigh * 2
        below = waist * 0.9 - where.height
        garments[2] = ("trousers", np.minimum.reduce([below, off_arms, cuff]), 0.003)
    if rng.random() < 0.15:
        line = where.head - rng.uniform(0.62, 0.72)
        garments[3] = ("hat", line * 0.3 * where.scale, rng.uniform(0.003, 0.006))
    return garments


def _grown_garments(rng: np.random.Generator, where: SurfaceCoordinates) -> Garments:
    """Trousers, top, shoes and hat; trousers reach over the hips and the top over the waist."""
    scale, thigh = where.scale, 0.3 * where.scale
    off_arms = (-0.05 - where.arm) * thigh
    cuff = rng.choice([rng.uniform(0.42, 0.85), rng.uniform(1.2, 1.75), 1.88], p=[0.3, 0.15, 0.55])
    waist = rng.uniform(0.12, 0.26) * scale
    legs = np.minimum(np.minimum(waist - where.height, (cuff - where.leg) * thigh), off_arms)
    trousers: Garment = ("trousers", legs, rng.uniform(0.002, 0.016))
    sleeve = rng.choice([0.05, rng.uniform(0.25, 0.7), 1.88], p=[0.15, 0.4, 0.45])
    neck = (rng.uniform(-0.1, 0.12) - where.head) * 0.3 * scale
    top = np.minimum(neck, (sleeve - where.arm) * thigh)
    gown = rng.random() < 0.12
    hem = rng.uniform(0.35, 1.1) if gown else rng.uniform(-0.12, 0.08)
    below = (hem - where.leg) * thigh if gown else where.height - hem * scale
    shirt: Garment = ("gown" if gown else "top", np.minimum(top, below), rng.uniform(0.003, 0.022))
    feet = (where.leg - rng.choice([1.75, 1.93])) * thigh
    shoes: Garment | None = ("shoes", feet, rng.uniform(0.003, 0.01))
    if rng.random() < 0.2:
        shoes = None
    line = (where.head - rng.uniform(0.68, 0.78)) * 0.3 * scale
    hat: Garment | None = ("hat", line, rng.uniform(0.004, 0.012)) if rng.random() < 0.12 else None
    return [trousers, shirt, shoes, hat]


def _with_hair(
    rng: np.random.Generator,
    shape: BodyShape,
    where: SurfaceCoordinates,
    face: np.ndarray,
) -> np.ndarray:
    """Marks of the face with short, long or no hair."""
    style = rng.choice(3, p=[0.08, 0.52, 0.4])
    back = (shape.vertices[:, 1] - shape.heads[bodies.rig().index("head")][1]) / where.scale
    line = rng.uniform(0.55, 0.66)
    scalp = (where.head - line) * 5 + back * 5
    if style == 2:
        long = np.minimum((where.head - rng.uniform(-0.1, 0.25)) * 6, (back - 0.01) * 30)
        scalp = np.maximum(scalp, long)
    hair = 0.0 if style == 0 else rng.uniform(0.85, 1.0)
    return np.column_stack([face[:, :3], hair * np.clip(scalp, 0, 1)])

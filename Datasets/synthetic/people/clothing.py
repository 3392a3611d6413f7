"""Clothes and skin: garments as scalar fields over the body, and the colours they take.

A garment covers the points where its field (metres, smooth over the surface) is positive; the
renderer interpolates fields per pixel, so that hems are sharp lines and not triangle edges. Every
infant wears at least a nappy.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape, weight_of
from Datasets.synthetic.people.faces import face_marks, hair_lift

Garment = tuple[str, np.ndarray, float]
"""Name, field over the vertices in metres (positive is covered), thickness in metres."""

LAYERS = 4
"""Garment slots of the renderer, innermost first: nappy, suit, legs or socks, hat."""


SKIN_TONES = np.array(
    [[0.78, 0.53, 0.42], [0.70, 0.44, 0.32], [0.58, 0.33, 0.21], [0.42, 0.21, 0.12],
     [0.25, 0.115, 0.062], [0.12, 0.055, 0.032]]
)  # fmt: skip
"""Linear RGB from light to dark."""
LEAST_UNLIKE = 0.16
"""Least ``unlikeness`` of cloth and skin."""


@dataclass(frozen=True)
class Material:
    """Two colours and a pattern: 0 plain, 1 stripes, 2 dots, 3 checks, 4 mottled."""

    colours: Float[np.ndarray, "2 3"]
    pattern: int
    period_m: float
    angle: float


@dataclass(frozen=True)
class Look:
    """What covers one infant.

    Attributes:
        vertices: (vertex, 3) rest vertices moved outwards under the cloth, metres.
        fields: (vertex, 4) garment fields, metres; positive is covered.
        materials: one per garment slot.
        face: (vertex, 4) eyeball, iris, lips and hair, 0 to 1.
        skin: linear RGB of the skin.
        hair: linear RGB of the hair.
        names: the garments worn, for the record.
    """

    vertices: Float[np.ndarray, "vertex 3"]
    fields: Float[np.ndarray, "vertex 4"]
    materials: tuple[Material, ...]
    face: Float[np.ndarray, "vertex 4"]
    skin: Float[np.ndarray, "3"]
    hair: Float[np.ndarray, "3"]
    names: tuple[str, ...]


@dataclass(frozen=True)
class SurfaceCoordinates:
    """Where a vertex lies along the body: what hems and cuffs are cut by.

    ``arm``: 0 shoulder, 1 elbow, 2 wrist, 3 finger tips (below 0 on the trunk); ``leg``: 0 hip,
    1 knee, 2 ankle, 3 toes; ``head``: 0 base of the neck, 1 crown; ``height``: metres over root;
    ``scale``: metres from root to crown.
    """

    arm: np.ndarray
    leg: np.ndarray
    head: np.ndarray
    height: np.ndarray
    scale: float


def surface_coordinates(shape: BodyShape) -> SurfaceCoordinates:
    """Project every vertex on the bones of its limb."""
    names = bodies.rig().bones
    arms = ("upperarm", "lowerarm", "wrist", "finger", "metacarpal")
    legs = ("upperleg", "lowerleg", "foot", "toe")
    ends = {arms: ("upperarm01", "lowerarm01", "wrist", "finger3-3"),
            legs: ("upperleg01", "lowerleg01", "foot", "toe2-3")}  # fmt: skip
    along = {limb: np.full(len(shape.vertices), -1.0) for limb in ends}
    for limb, bones in ends.items():
        for side, sign in (("L", 1), ("R", -1)):
            chain = [shape.heads[names.index(f"{bone}.{side}")] for bone in bones]
            on_side = shape.vertices[:, 0] * sign > 0
            along[limb] = np.where(on_side, _along(shape, chain, limb), along[limb])
    top, base = shape.vertices[:, 2].max(), shape.heads[names.index("neck01")][2]
    weight = weight_of(("neck", "head", "eye"))
    crown = np.where(weight > 0.02, (shape.vertices[:, 2] - base) / (top - base), -0.2)
    root = shape.heads[0][2]
    height, scale = shape.vertices[:, 2] - root, shape.heads[:, 2].max() - root
    return SurfaceCoordinates(along[arms], along[legs], crown, height, scale)


def _along(shape: BodyShape, chain: list[np.ndarray], prefixes: tuple[str, ...]) -> np.ndarray:
    """Position along a chain of three segments, blended to -0.3 where the limb's weight fades."""
    weights = [weight_of(prefixes[:1]), weight_of(prefixes[1:2]), weight_of(prefixes[2:])]
    total = np.zeros(len(shape.vertices))
    for k in range(3):
        axis = chain[k + 1] - chain[k]
        low = -0.3 if k == 0 else -0.05
        part = np.clip((shape.vertices - chain[k]) @ axis / (axis @ axis), low, 1.2)
        total += weights[k] * (k + part)
    return total + (1 - sum(weights)) * -0.3


def wear(
    rng: np.random.Generator,
    shape: BodyShape,
    where: SurfaceCoordinates,
    garments: Sequence[Garment | None],
) -> Look:
    """Put garments on, one or none per slot, and choose colours, skin and hair at random."""
    normals = bodies.vertex_normals(shape.vertices)
    vertices = shape.vertices.copy()
    fields = np.full((len(vertices), LAYERS), -1.0)
    names = []
    for slot, garment in enumerate(garments):
        if garment is None:
            continue
        name, field, thickness = garment
        fields[:, slot] = field
        puff = np.clip(field / 0.012, 0, 1)
        vertices += normals * (thickness * puff * puff * (3 - 2 * puff))[:, None]
        names.append(name)
    tone = skin_tone(rng)
    face = face_marks(rng, shape, where.head)
    under_hat = garments[-1] is not None
    if not under_hat:
        vertices += normals * hair_lift(rng, shape, face[:, 3])[:, None]
    return Look(
        vertices=vertices,
        fields=fields,
        materials=tuple(material(rng, g[0] if g else "none") for g in garments),
        face=face,
        skin=tone,
        hair=hair_colour(rng, tone),
        names=tuple(names),
    )


def colour(
    rng: np.random.Generator, saturation: float = 0.85, value: tuple = (0.25, 0.95)
) -> np.ndarray:
    """A random linear RGB cloth colour; a third are near white, as bedding and baby clothes are."""
    if rng.random() < 0.33:
        grey = rng.uniform(0.6, 0.95)
        return np.clip(grey + rng.normal(0, 0.03, 3), 0.02, 0.97)
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.beta(1.2, 1.6) * saturation, rng.uniform(*value))
    return np.clip(np.array(rgb) ** 1.8, 0.01, 0.97)


def material(rng: np.random.Generator, name: str) -> Material:
    """Colours and pattern of a garment; nappies are pale, plain or dotted."""
    pale, pattern = rng.random() < 0.8, int(rng.choice(5, p=[0.4, 0.2, 0.17, 0.08, 0.15]))
    first = np.full(3, rng.uniform(0.75, 0.95)) if name == "nappy" and pale else colour(rng)
    if name == "nappy":
        pattern = int(rng.choice([0, 0, 2]))
    second = first if rng.random() < 0.2 else colour(rng)
    angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    return Material(np.stack([first, second]), pattern, rng.uniform(0.008, 0.045), angle)


def unlike_skin(rng: np.random.Generator, look: Look, cloth: Material) -> Material:
    """Cloth of which no colour can be taken for the wearer's skin."""
    while min(unlikeness(tone, look.skin) for tone in cloth.colours) < LEAST_UNLIKE:
        cloth = replace(cloth, colours=np.stack([colour(rng), colour(rng)]))
    return cloth


def unlikeness(first: np.ndarray, second: np.ndarray) -> float:
    """How far two linear RGB colours are apart, 0 to 1, as a picture shows them."""
    return float(np.abs(np.sqrt(first) - np.sqrt(second)).max())


def skin_tone(rng: np.random.Generator) -> np.ndarray:
    """Linear RGB along the range of human skin, even from light to dark, slightly varied."""
    position = rng.uniform(0, len(SKIN_TONES) - 1.001)
    low, part = int(position), position % 1
    tone = SKIN_TONES[low] * (1 - part) + SKIN_TONES[low + 1] * part
    return np.clip(tone * rng.normal(1, 0.05, 3) * rng.uniform(0.9, 1.12), 0.02, 0.95)


def hair_colour(rng: np.random.Generator, skin: np.ndarray) -> np.ndarray:
    """Linear RGB, darker on darker skin."""
    dark = np.array([0.02, 0.014, 0.01])
    fair = np.array([0.30, 0.19, 0.09])
    light = rng.beta(1, 2) if skin[0] > 0.45 else 0.0
    return dark + light * (fair - dark)

"""Dolls and plush animals: hard negatives for an infant detector, never labelled.

Dolls are the body model of any age, shrunk, stiff, of one colour and dressed; plush animals are
made of balls.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from Datasets.synthetic.compose.figures import Figure
from Datasets.synthetic.people.body import BodyShape, Posed, rig, weight_of
from Datasets.synthetic.people.clothing import (
    Look,
    SurfaceCoordinates,
    colour,
    surface_coordinates,
    unlike_skin,
)
from Datasets.synthetic.people.outfits import dress_person
from Datasets.synthetic.people.phenotypes import draw_person
from Datasets.synthetic.people.resizing import scaled
from Datasets.synthetic.people.stance import Stance, pose_still
from Datasets.synthetic.places import surfaces
from Datasets.synthetic.places.furniture import Part
from Datasets.synthetic.places.solids import Ball

DOLL = "doll"
LENGTH_M = (0.22, 0.5)
STIFF = {"supine": 5, "prone": 1.5, "on the side": 1.5, "sitting": 3}
"""How dolls lie or sit, and how often."""

PLASTIC = np.array(
    [[0.8, 0.5, 0.36], [0.85, 0.6, 0.47], [0.62, 0.36, 0.22], [0.3, 0.14, 0.08], [0.8, 0.42, 0.3],
     [0.82, 0.7, 0.6], [0.85, 0.83, 0.78], [0.55, 0.5, 0.42]]
)  # fmt: skip
"""Linear RGB of plastic and of unbleached cloth."""
PAINTED_HAIR = np.array(
    [[0.02, 0.012, 0.008], [0.12, 0.05, 0.02], [0.6, 0.36, 0.06], [0.45, 0.08, 0.03],
     [0.7, 0.2, 0.4]]
)  # fmt: skip
ARMS = ((0.35, 0.1, -1.0), (1.0, 0.15, -0.1), (0.3, 1.0, -0.1), (0.25, 0.25, 1.0))
"""Directions of the arms."""
ARM_SHARES = {"prone": (0.5, 0.4, 0.0, 0.1), "on the side": (0.6, 0.0, 0.25, 0.15)}
"""How often each is taken where the floor is in the way of some."""
PITCH = {"supine": -89.0, "prone": 87.0, "on the side": -89.0}


def make_doll(rng: np.random.Generator, kind: str | None = None) -> Figure:
    """Make a dressed doll in a stiff posture, around the origin.

    Args:
        rng: source of randomness.
        kind: a key of ``STIFF`` or ``standing``; None draws one.
    """
    age = ("infant", "toddler", "child", "adult")[int(rng.choice(4, p=[0.55, 0.24, 0.14, 0.07]))]
    grown = age in ("child", "adult")
    shape = _big_headed(draw_person(rng, age), rng.uniform(1.2 if grown else 1.0, 1.5))
    look = _painted(rng, shape, dress_person(rng, shape, age))
    if kind is None:
        kinds, shares = zip(*STIFF.items(), strict=True)
        kind = kinds[int(rng.choice(len(kinds), p=np.array(shares) / sum(shares)))]
    doll = Figure(DOLL, shape, look, _stiff(rng, shape, kind))
    return _shrunk(doll, rng.uniform(*LENGTH_M) / float(np.ptp(shape.vertices[:, 2])))


def _big_headed(shape: BodyShape, factor: float) -> BodyShape:
    """The body with its head enlarged from the neck."""
    names, parents = rig().bones, rig().parents
    neck, head = shape.heads[names.index("neck03")], names.index("head")
    weight = weight_of(("head", "eye"))[:, None]
    carried = {head}
    for bone, parent in enumerate(parents):
        if parent in carried:
            carried.add(bone)
    of_head = np.isin(np.arange(len(names)), list(carried))[:, None]
    return replace(
        shape,
        vertices=shape.vertices + weight * (factor - 1) * (shape.vertices - neck),
        heads=np.where(of_head, neck + factor * (shape.heads - neck), shape.heads),
        face_points=neck + factor * (shape.face_points - neck),
    )


def _painted(rng: np.random.Generator, shape: BodyShape, look: Look) -> Look:
    """One colour of skin, painted eyes, lips and hair; clothes that differ from the skin."""
    tone = PLASTIC[int(rng.integers(len(PLASTIC)))] * rng.uniform(0.8, 1.1)
    if rng.random() < 0.25:
        tone = colour(rng, 0.9, (0.3, 0.95))
    where = surface_coordinates(shape)
    hair = PAINTED_HAIR[int(rng.integers(len(PAINTED_HAIR)))]
    face = np.column_stack([*_eyes(rng, shape), look.face[:, 2], _hair(rng, shape, where)])
    painted = replace(look, skin=np.clip(tone, 0.02, 0.95), hair=hair, face=face)
    cloth = tuple(unlike_skin(rng, painted, m) for m in look.materials)
    return replace(painted, materials=cloth)


def _eyes(rng: np.random.Generator, shape: BodyShape) -> tuple[np.ndarray, np.ndarray]:
    """White and dark discs (vertex,) around the eyes, 0 or 1; some dolls have dots or none."""
    points = shape.face_points[1:3]
    apart = np.linalg.norm(points[0] - points[1])
    radius = apart * rng.uniform(0.17, 0.32)
    share = rng.choice([1.0, rng.uniform(0.5, 0.8)])
    front = shape.vertices[:, 1] < points[:, 1].max() + 0.2 * apart
    front &= weight_of(("head", "eye")) > 0.3
    first, second = (np.hypot(*(shape.vertices - point)[:, [0, 2]].T) for point in points)
    away = np.where(front, np.minimum(first, second), np.inf)
    if rng.random() < 0.12:
        away = np.full_like(away, np.inf)
    return (away < radius).astype(float), (away < share * radius).astype(float)


def _hair(rng: np.random.Generator, shape: BodyShape, where: SurfaceCoordinates) -> np.ndarray:
    """Painted on in one piece: none, a cap, or down to the neck. Over 1 is without gaps."""
    style, size = rng.choice(3, p=[0.2, 0.5, 0.3]), np.ptp(shape.vertices[:, 2])
    back = (shape.vertices[:, 1] - shape.heads[rig().index("head")][1]) / size
    scalp = np.clip((where.head - rng.uniform(0.6, 0.75)) * 8 + back * 14, 0, 1)
    if style == 2:
        scalp = np.maximum(scalp, np.clip(np.minimum((where.head - 0.1) * 8, back * 60), 0, 1))
    return 0.0 * scalp if style == 0 else 5.0 * scalp


def _stiff(rng: np.random.Generator, shape: BodyShape, kind: str) -> Posed:
    """Straight limbs, both sides alike."""
    pitch, sitting = PITCH.get(kind, rng.uniform(-8, 6)), kind == "sitting"
    roll = rng.choice([-84.0, 84.0]) if kind == "on the side" else 0.0
    shares = ARM_SHARES.get(kind, (0.35, 0.3, 0.25, 0.1))
    arm = [*ARMS[int(rng.choice(4, p=shares))], rng.uniform(0.95, 0.99)]
    apart = rng.uniform(0.05, 0.3) if sitting else rng.uniform(0, 0.2)
    leg = [apart, 1.0, -0.06, 0.97] if sitting else [apart, 0, -1, 0.985]
    stance = Stance(
        trunk=np.array([[pitch, roll, 0.0, 0.0, 0.0]]),
        neck=np.array([[rng.normal(0, 5), 0.0, rng.choice([0.0, rng.normal(0, 30)])]]),
        wrists=np.array([[arm, arm]]),
        elbows=np.array([[[0.7, -0.6, -0.4]] * 2]),
        ankles=np.array([[leg, leg]]),
        knees=np.array([[[0.15, 0.4, 1.0] if sitting else [0.1, 1.0, 0.1]] * 2]),
        fists=np.full((1, 2), rng.uniform(0.1, 0.5)),
        upright=np.array([[float(kind in ("sitting", "standing")), 0.0]]),
        soles=np.zeros((1, 2)),
        pointed=np.full((1, 2), rng.uniform(5, 40)),
        level=np.zeros((1, 1)),
        resting=np.array([[float(kind != "standing")]]),
    )
    posed = pose_still(shape, stance, kind).centred()
    return posed.moved(yaw_degrees=rng.uniform(-180, 180))


def _shrunk(doll: Figure, factor: float) -> Figure:
    """The same in another size; prints on the clothes stay as large."""
    shape, look, posed = doll.shape, doll.look, doll.posed
    return replace(
        doll,
        shape=scaled(shape, factor),
        look=replace(look, vertices=factor * look.vertices, fields=factor * look.fields),
        posed=replace(posed, place=factor * posed.place),
    )


def plush(rng: np.random.Generator, lying: bool | None = None) -> list[Part]:
    """A plush animal that sits and looks towards -y, or lies on its back."""
    unit = rng.uniform(0.14, 0.42) / 3.0
    long_eared, fur = rng.random() < 0.3, (surfaces.carpet, surfaces.carpet, surfaces.rug)
    ear = ((0.52, 0.0, 2.8), (0.27, 0.13, 0.27))
    if long_eared:
        ear = ((0.35, 0.0, 3.3), (0.16, 0.1, 0.7))
    pale, dark = (surfaces.carpet, surfaces.plaster), (surfaces.dark,)
    pairs = [
        Part(*ear, 0, fur),
        Part((0.85, -0.3, 1.3), (0.28, 0.42, 0.4), 0, fur),
        Part((0.55, -0.9, 0.32), (0.32, 0.62, 0.32), 0, fur),
        Part((0.55, -1.45, 0.34), (0.22, 0.1, 0.22), 1, pale),
        Part((0.24, -0.62, 2.4), (0.08, 0.08, 0.08), 2, dark),
    ]
    parts = [
        Part((0.0, 0.0, 0.9), (0.75, 0.66, 0.92), 0, fur),
        Part((0.0, -0.1, 2.2), (0.7, 0.64, 0.64), 0, fur),
        Part((0.0, -0.6, 2.05), (0.32, 0.28, 0.24), 1, pale),
        Part((0.0, -0.88, 2.14), (0.1, 0.07, 0.08), 2, dark),
    ]
    if rng.random() < 0.6:
        parts.append(Part((0.0, -0.3, 0.9), (0.5, 0.42, 0.6), 1, pale))
    parts += [p._replace(centre=(s * p.centre[0], *p.centre[1:])) for p in pairs for s in (-1, 1)]
    laid = rng.random() < 0.5 if lying is None else lying
    return [_ball(part, unit, laid) for part in parts]


def _ball(part: Part, unit: float, laid: bool) -> Part:
    """A part as a ball, in multiples of a unit, upright or on its back."""
    (x, y, z), (a, b, c) = part.centre, part.half
    if laid:
        y, z, b, c = z - 1.5, 0.7 - y, c, b
    centre, half = (unit * x, unit * y, unit * z), (unit * a, unit * b, unit * c)
    return Part(centre, half, part.made_of, part.painters, Ball)

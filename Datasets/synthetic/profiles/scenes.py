"""Profile ``scenes``: what a detector of infants must tell apart, in COCO's layout.

Infants alone and with carers, carers alone, dolls, empty beds, and infants half hidden. Dolls and
beds carry no annotation; every person's age is written. An image's ``scene`` is the kind of
picture, its ``place`` what the small lie on.
"""

from __future__ import annotations

import numpy as np

from Datasets.synthetic.profiles.coco import Snapshot, coco_profile

SIZES = ((480, 360), (480, 320), (360, 480), (480, 270), (400, 300))
"""Detectors shrink pictures to fewer pixels still."""
GROWN = (("adult",), ("adult",), ("adult", "adult"), ("child",), ("child", "adult"), ("elder",),
         ("child", "child"))  # fmt: skip
EVERYDAY_SHARE = 0.4
"""How often people without an infant are anywhere, rather than at an empty bed."""


def take_scene(rng: np.random.Generator) -> Snapshot:
    """Draw a kind of scene and photograph it."""
    from Datasets.synthetic.compose.composition import shoot
    from Datasets.synthetic.compose.kinds import KINDS, draw_kind

    kind, size = draw_kind(rng), SIZES[int(rng.integers(len(SIZES)))]
    if kind == "grown" and rng.random() < EVERYDAY_SHARE:
        return _everyday(rng, size)
    made = KINDS[kind][0](rng)
    picture = shoot(made, size)
    more: tuple[tuple[str, str], ...] = (("scene", kind), ("place", made.place.name))
    if made.figures:
        more = (("posture", made.figures[0].posed.kind), *more)
    return Snapshot(picture, tuple(made.figures), more)


def _everyday(rng: np.random.Generator, size: tuple[int, int]) -> Snapshot:
    """People without an infant anywhere."""
    from Datasets.synthetic.compose.figures import draw_figure, side_by_side
    from Datasets.synthetic.compose.pictures import photograph

    ages = GROWN[int(rng.integers(len(GROWN)))]
    guests = side_by_side([draw_figure(rng, age) for age in ages], apart=(0.0, 0.4))
    picture = photograph(rng, guests, size, (0.0, 60.0), (0.55, 1.3))
    more = (("posture", guests[0].posed.kind), ("scene", "grown"), ("place", "anywhere"))
    return Snapshot(picture, tuple(guests), more)


STYLE = coco_profile("scenes", 52001, take_scene)

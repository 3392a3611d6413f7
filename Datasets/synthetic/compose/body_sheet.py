"""A sheet of infants of all ages at rest and with bent limbs, to look at their bodies.

``python -m Datasets.synthetic.compose.body_sheet PICTURE`` writes it.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from Datasets.drawing.sheets import contact_sheet
from Datasets.geometry.camera import intrinsics_from_fov
from Datasets.synthetic.people.body import BodyShape, Posed
from Datasets.synthetic.people.clothing import Look
from Datasets.synthetic.people.outfits import dress_person
from Datasets.synthetic.people.phenotypes import AGES, LYING_INFANT, Build, draw_body
from Datasets.synthetic.people.stance import Stance, pose_still
from Datasets.synthetic.places.bed import make_sheet
from Datasets.synthetic.places.camera import PlacedCamera, rotation_towards
from Datasets.synthetic.render.renderer import Actor, Renderer
from Engine.files import write_image
from Engine.process import exit_code

SIZE = (150, 190)
FIELD_OF_VIEW = 22.0
"""Degrees, over the width."""


@dataclass(frozen=True)
class View:
    """A posture, alike on both sides, and from where it is seen.

    Attributes:
        wrist, ankle: direction (out, front, up) and reach; see ``Stance``.
        elbow, knee: direction in which it points.
        camera: position over the length of the body, world axes; the head lies towards +y.
    """

    wrist: tuple[float, float, float, float]
    elbow: tuple[float, float, float]
    ankle: tuple[float, float, float, float]
    knee: tuple[float, float, float]
    camera: tuple[float, float, float]


ABOVE, BESIDE = (0.0, -0.02, 3.25), (1.9, -0.9, 0.9)
VIEWS = (
    View((0.8, 0.1, -0.5, 0.93), (0.9, -0.2, -0.4), (0.25, 0.05, -1, 0.97), (0.3, 1, 0.1), ABOVE),
    View((0.7, 0.3, 0.6, 0.7), (0.9, -0.2, -0.4), (0.35, 0.6, -0.6, 0.6), (0.6, 1, 0.2), ABOVE),
    View((0.3, 0.9, 0.1, 0.75), (0.9, -0.3, -0.4), (0.2, 1.0, 0.3, 0.75), (0.4, 0.8, 0.6), BESIDE),
)
"""At rest, bent, and legs in the air."""


def body_sheet(infants: int = 60, seed: int = 0, age: str | None = None) -> Image.Image:
    """Render each infant in all ``VIEWS``; its age, length and joint convention stand below.

    Args:
        infants: how many, the youngest first.
        seed: decides all of them.
        age: a key of ``AGES`` to draw instead of infants of up to 30 weeks.
    """
    build = LYING_INFANT if age is None else Build(AGES[age])
    sources = [np.random.default_rng([seed, number]) for number in range(infants)]
    drawn = [(draw_body(rng, build), rng) for rng in sources]
    drawn.sort(key=lambda pair: pair[0].age_weeks)
    strips, labels = [], []
    for shape, rng in drawn:
        look = dress_person(rng, shape, age or "infant")
        pictures = [_picture(rng, shape, look, view) for view in VIEWS]
        strips.append(Image.fromarray(np.concatenate(pictures, axis=1)))
        labels.append(
            f"{shape.age_weeks:.0f} weeks, {100 * shape.length_m:.0f} cm, {shape.joint_places}"
        )
    return contact_sheet(strips, labels, columns=4, cell=strips[0].size)


def _picture(rng: np.random.Generator, shape: BodyShape, look: Look, view: View) -> np.ndarray:
    """One view (height, width, 3), bytes."""
    posed = _posed(shape, view).centred()
    position = np.array(view.camera) * shape.length_m
    rotation = rotation_towards(position, np.array([0.0, 0.0, 0.05]))
    camera = PlacedCamera(intrinsics_from_fov(SIZE, FIELD_OF_VIEW), SIZE, rotation, position)
    actor = Actor(shape, look, seed=int(rng.integers(2**31)))
    renderer = Renderer(make_sheet(rng, camera), [actor])
    linear = renderer.render([(posed.turn, posed.place)]).linear
    return (255 * np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.uint8)


def _posed(shape: BodyShape, view: View) -> Posed:
    """The body on its back in the posture of a view."""
    stance = Stance(
        trunk=np.array([[-90.0, 0, 5, 0, 0]]),
        neck=np.array([[5.0, 0, 0]]),
        wrists=np.array([[view.wrist] * 2]),
        elbows=np.array([[view.elbow] * 2]),
        ankles=np.array([[view.ankle] * 2]),
        knees=np.array([[view.knee] * 2]),
        fists=np.full((1, 2), 0.4),
        upright=np.zeros((1, 2)),
        soles=np.zeros((1, 2)),
        pointed=np.full((1, 2), 20.0),
        level=np.zeros((1, 1)),
        resting=np.ones((1, 1)),
    )
    return pose_still(shape, stance, "supine")


def main(arguments: list[str] | None = None) -> int:
    """Write the sheet; returns the exit code."""
    parser = argparse.ArgumentParser(
        "python -m Datasets.synthetic.compose.body_sheet", description=__doc__
    )
    parser.add_argument("picture", type=Path, help="file to write, .jpg or .png")
    parser.add_argument("--infants", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--age", choices=AGES, help="another group than infants of up to 30 weeks")
    options = parser.parse_args(arguments)

    def run() -> int:
        write_image(options.picture, body_sheet(options.infants, options.seed, options.age))
        print(options.picture)
        return 0

    return exit_code("body_sheet", run)


if __name__ == "__main__":
    sys.exit(main())

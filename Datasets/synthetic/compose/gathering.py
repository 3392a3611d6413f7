"""People together in a place, and the picture that a camera takes of them, with every label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int, UInt8

from Datasets.geometry.boxes import box_from_points
from Datasets.geometry.camera import project
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE
from Datasets.synthetic.capture.camera_effects import CameraEffects, defocused, without_stairs
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape, Posed, weight_of
from Datasets.synthetic.people.clothing import Look
from Datasets.synthetic.people.outfits import dress_person
from Datasets.synthetic.people.phenotypes import draw_person
from Datasets.synthetic.people.postures import ON_SEAT, draw_posture
from Datasets.synthetic.places.bed import Camera, Scene
from Datasets.synthetic.places.everyday import Seat, look_at_people, make_outdoors, make_place
from Datasets.synthetic.render.studio import Actor, Shot, Studio

HIDDEN_DEPTH = 0.2
"""How much nearer than a joint a surface must be to hide it, as a share of root to crown."""


@dataclass(frozen=True)
class Footage:
    """How pictures look.

    Attributes:
        grey: share of pictures without colour.
        dark: share of noisy pictures, taken in the dark.
        blurred: share of pictures that are sharp only where the people are.
        clipped: whoever reaches beside the camera is cut off there, else is not in the picture.
    """

    grey: float = 0.06
    dark: float = 0.07
    blurred: float = 0.35
    clipped: bool = False


EVERYDAY = Footage()


@dataclass(frozen=True)
class Guest:
    """Somebody at a place."""

    age: str
    shape: BodyShape
    look: Look
    posed: Posed

    @property
    def size_m(self) -> float:
        """Root to crown at rest, metres."""
        return float(self.shape.heads[:, 2].max() - self.shape.heads[0][2])

    def moved(self, x: float, y: float) -> Guest:
        """The same person elsewhere on the floor, shifted by metres."""
        return replace(self, posed=self.posed.moved(x, y))

    def surface(self) -> Float[np.ndarray, "vertex 3"]:
        """Clothed vertices in the world, metres."""
        return bodies.skin(self.shape, self.posed.turn, self.posed.place, self.look.vertices)

    def joints(self) -> Float[np.ndarray, "25 3"]:
        """The ``infant`` joints in the world, metres."""
        return bodies.infant_joints(self.shape, self.posed.turn[None], self.posed.place[None])[0]


@dataclass(frozen=True)
class Labels:
    """One guest in a picture.

    Attributes:
        keypoints_px: (25, 2) ``infant`` joints in pixels, NaN behind the camera.
        joints_mm: (25, 3) millimetres, camera frame.
        visibility: (25,) 0 outside the image, 1 hidden, 2 seen.
        outline_px: (4,) box of the whole body, seen or not.
        head_px: (4,) box of the head.
    """

    keypoints_px: Float[np.ndarray, "25 2"]
    joints_mm: Float[np.ndarray, "25 3"]
    visibility: UInt8[np.ndarray, "25"]
    outline_px: Float[np.ndarray, "4"]
    head_px: Float[np.ndarray, "4"]


@dataclass(frozen=True)
class Picture:
    """What the camera took.

    Attributes:
        rgb: the picture.
        person: (height, width) number of the guest that each pixel shows, -1 elsewhere.
        beneath: the same as it would be without blankets and cables, which show a body's shape.
        labels: one per guest, in their order.
        camera: where from.
    """

    rgb: UInt8[np.ndarray, "height width 3"]
    person: Int[np.ndarray, "height width"]
    beneath: Int[np.ndarray, "height width"]
    labels: tuple[Labels, ...]
    camera: Camera


def invite(rng: np.random.Generator, age: str, kind: str | None = None) -> Guest:
    """Draw somebody, clothed and in a posture, around the origin."""
    shape = draw_person(rng, age)
    look = dress_person(rng, shape, age)
    return Guest(age, shape, look, draw_posture(rng, shape, age, kind))


def seated(guests: Sequence[Guest], apart: tuple[float, float] = (0.0, 0.45)) -> list[Guest]:
    """Set people side by side so that they do not stand in one another.

    Args:
        guests: around the origin; the first stays there.
        apart: range of the free space between neighbours, metres.
    """
    placed: list[Guest] = []
    taken: list[tuple[np.ndarray, float]] = []
    for number, guest in enumerate(guests):
        reach = reach_of(guest)
        spot = np.zeros(2)
        angle = 2.4 * number
        step = 0.0
        while any(np.linalg.norm(spot - s) < reach + r + apart[0] for s, r in taken):
            step += 0.06
            spot = step * np.array([np.cos(angle), np.sin(angle)])
        if taken:
            gap = apart[1] * (np.sin(37.7 * number) * 0.5 + 0.5)
            spot = (step + gap) * np.array([np.cos(angle), np.sin(angle)])
        taken.append((spot, reach))
        placed.append(guest.moved(*spot))
    return placed


def reach_of(guest: Guest) -> float:
    """Radius that somebody needs; hands and feet of neighbours may cross."""
    away = np.linalg.norm(guest.posed.place[:, :2], axis=1)
    return float(np.quantile(away, 0.85)) + 0.06


def photograph(
    rng: np.random.Generator,
    guests: Sequence[Guest],
    size: tuple[int, int],
    elevation_degrees: tuple[float, float] = (-4.0, 40.0),
    closeness: tuple[float, float] = (0.55, 1.35),
    behind: Sequence[Guest] = (),
) -> Picture:
    """Choose a place, a light and a camera, and take a picture.

    Args:
        rng: source of randomness.
        guests: people around the origin.
        size: (width, height) pixels.
        elevation_degrees: range of the angle from which the camera looks down.
        closeness: range of distances over the one at which everybody just fits.
        behind: more people, who stand together some way behind, in the open.

    Returns:
        The picture; whoever is behind is numbered after the guests.
    """
    points = np.concatenate([guest.posed.place for guest in guests])
    low, high = points.min(axis=0), points.max(axis=0)
    extent = 1.1 * float(np.linalg.norm(high - low))
    camera = look_at_people(rng, size, (low + high) / 2, extent, elevation_degrees, closeness)
    radius = float(np.linalg.norm(points[:, :2], axis=1).max())
    seats = [seat_of(g) for g in guests if g.posed.kind == ON_SEAT]
    if behind:
        scene = make_outdoors(rng, camera, radius, seats)
    else:
        nursery = any(guest.age in ("infant", "toddler") for guest in guests)
        scene = make_place(rng, camera, radius, seats, nursery)
    return expose(rng, scene, [*guests, *_set_back(rng, behind, camera, radius)])


def expose(
    rng: np.random.Generator,
    scene: Scene,
    guests: Sequence[Guest],
    dolls: Sequence[Guest] = (),
    lay: Sequence[Callable[[Shot], Shot]] = (),
    footage: Footage = EVERYDAY,
) -> Picture:
    """Take a picture of people in a scene.

    Args:
        rng: source of randomness.
        scene: where, with the camera.
        guests: who; the first is in focus.
        dolls: bodies that are nobody: they are drawn, and have neither number nor label.
        lay: what is laid over the rendered people, in this order.
        footage: how pictures look.
    """
    everybody = [*guests, *dolls]
    actors = [Actor(g.shape, g.look, int(rng.integers(2**31))) for g in everybody]
    studio = Studio(scene, actors, clipped=footage.clipped)
    shot = studio.shoot([(g.posed.turn, g.posed.place) for g in everybody])
    beneath = np.where(shot.person < len(guests), shot.person, -1)
    for over in lay:
        shot = over(shot)
    focus = everybody[0].posed.place[0] if everybody else np.zeros(3)
    rgb = _developed(rng, shot, scene.camera.to_camera(focus)[2], footage)
    person = np.where(shot.person < len(guests), shot.person, -1)
    covered = (beneath >= 0) & (person != beneath)
    labels = tuple(_labels(guest, scene.camera, shot.depth_m, covered) for guest in guests)
    return Picture(rgb, person, beneath, labels, scene.camera)


def _developed(
    rng: np.random.Generator, shot: Shot, focus_m: float, footage: Footage
) -> np.ndarray:
    """What a camera makes of it: at times blurred before and behind, in the dark, or grey."""
    effects, linear = CameraEffects.draw(rng), without_stairs(shot.linear, shot.person)
    if rng.random() < footage.blurred:
        linear = defocused(linear, shot.depth_m, focus_m, rng.uniform(1.5, 8.0))
    if rng.random() < footage.dark:
        noisier = rng.uniform(2.0, 4.0)
        effects = replace(
            effects,
            target=0.4 * effects.target,
            shot_noise=noisier * effects.shot_noise,
            read_noise=noisier * effects.read_noise,
        )
    rgb = effects.develop(rng, linear, effects.gains(linear))
    if rng.random() < footage.grey:
        rgb = np.repeat(rgb.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    return rgb


def _set_back(
    rng: np.random.Generator, group: Sequence[Guest], camera: Camera, radius: float
) -> list[Guest]:
    """Move a group behind what the camera looks at."""
    angle = np.arctan2(-camera.position[1], -camera.position[0]) + rng.uniform(-0.4, 0.4)
    away = (radius + rng.uniform(3.0, 7.0)) * np.array([np.cos(angle), np.sin(angle)])
    return [guest.moved(*away) for guest in group]


def seat_of(guest: Guest) -> Seat:
    """What somebody sits on, up to just under the hips."""
    pelvis = guest.posed.place[0]
    return pelvis[:2], 0.26 * guest.size_m, max(pelvis[2] - 0.13 * guest.size_m, 0.05)


def _labels(guest: Guest, camera: Camera, depth_m: np.ndarray, covered: np.ndarray) -> Labels:
    joints_mm = 1000 * camera.to_camera(guest.joints())
    keypoints = project(joints_mm, camera.intrinsics)
    surface = 1000 * camera.to_camera(guest.surface())
    outline = project(surface, camera.intrinsics)
    head = outline[weight_of(("head", "eye")) > 0.5]
    limit = np.array(camera.size) - 1
    with np.errstate(invalid="ignore"):
        inside = ((keypoints >= 0) & (keypoints <= limit)).all(axis=1)
    x, y = np.clip(np.nan_to_num(keypoints).round(), 0, limit).astype(int).T
    hidden = depth_m[y, x] < joints_mm[:, 2] / 1000 - HIDDEN_DEPTH * guest.size_m
    hidden |= covered[y, x]
    seen = np.where(inside, np.where(hidden, OCCLUDED, VISIBLE), UNLABELLED)
    return Labels(
        keypoints_px=keypoints,
        joints_mm=joints_mm,
        visibility=seen.astype(np.uint8),
        outline_px=_box(outline),
        head_px=_box(head),
    )


def _box(points: np.ndarray) -> np.ndarray:
    box = box_from_points(points)
    return np.full(4, np.nan) if box is None else box

"""Rooms and open land around people: walls, furniture, occluders, light and sky.

World frame: metres, z up; the people are around the origin, on z = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.places import furniture, surfaces
from Datasets.synthetic.places.background import Background, draw_lights, temperature
from Datasets.synthetic.places.camera import PlacedCamera
from Datasets.synthetic.places.place import Place, paint_background
from Datasets.synthetic.places.solids import Ball, Box, Drum, Foliage

OUTDOOR_SHARE, NURSERY_OUTDOOR_SHARE = 0.35, 0.12
OCCLUDER_SHARE = 0.18
"""Share of pictures with an occluder between the camera and the people."""
RAISED_M = (0.3, 0.9)
"""Height of a bed or changing table that infants are on, over the floor."""
FLAT_M = 0.01
"""Things that are no higher may lie under people."""
BARS = 24
"""Bars of a cot's side that stands before the camera."""

Seat = tuple[np.ndarray, float, float]
"""Seat of a person: (x, y) of its middle, half its width and its height, metres."""


def make_place(place: Place, seats: Sequence[Seat] = (), nursery: bool = False) -> Background:
    """Build a room, or open land now and then, around people.

    Args:
        place: may hold solids already.
        seats: of the people who sit.
        nursery: a place for infants: soft ground, cots and toys, seldom outdoors.
    """
    outdoors = place.rng.random() < (NURSERY_OUTDOOR_SHARE if nursery else OUTDOOR_SHARE)
    return make_outdoors(place, seats) if outdoors else make_room(place, seats, nursery)


def make_room(place: Place, seats: Sequence[Seat] = (), nursery: bool = False) -> Background:
    """Build a furnished room with floor, walls and ceiling; see ``make_place``."""
    rng = place.rng
    add_seats(place, seats)
    raised = nursery and not seats and place.radius_m < 0.75 and rng.random() < 0.4
    place.floor_m = -rng.uniform(*RAISED_M) if raised else 0.0
    enclose(place, surfaces.SOFT_FLOORS if nursery and not raised else surfaces.FLOORS)
    if raised:
        _add_table(place)
    elif rng.random() < 0.3:
        _add_rug(place)
    if nursery:
        _strew(place, int(rng.choice([0, 1, 3, 6])))
    return furnish_room(place, furniture.NURSERY if nursery else furniture.INDOORS)


def make_outdoors(place: Place, seats: Sequence[Seat] = ()) -> Background:
    """Build open land under a sky, with buildings, hedges and trees far off; see ``make_place``."""
    rng, position, place.floor_m = place.rng, place.camera.position, 0.0
    add_seats(place, seats)
    place.add_plane([0, 0, 0], [0, 0, 1], surfaces.LANDS)
    front = np.arctan2(position[1], position[0])
    spots = []
    for _ in range(int(rng.integers(0, 14))):
        angle, away = front + np.pi + rng.normal(0, 1.0), place.radius_m + rng.uniform(4, 30)
        spots.append((away * np.array([np.cos(angle), np.sin(angle)]), rng.uniform(0, np.pi)))
    free = [(np.zeros(2), place.radius_m + 2.0), (position[:2], 3.0)]
    place.furnish(spots, free, furniture.FAR_OFF)
    if rng.random() < 0.5:
        _furnish_around(place, int(rng.integers(1, 5)), furniture.GARDEN)
    if rng.random() < 0.1:
        _add_rug(place)
    add_occluder(place)
    lights = draw_lights(rng)[:1]
    ambient = temperature(rng.uniform(5800, 8000)) * rng.uniform(0.35, 0.7)
    return paint_background(place, lights, ambient, _sky(rng, place.camera))


def make_green_studio(camera: PlacedCamera, reach_m: float, seed: int) -> Background:
    """A closed green studio, the same from every camera.

    Args:
        camera: one of several inside it.
        reach_m: half of its width, metres.
        seed: of its light and green.
    """
    rng, place = np.random.default_rng(seed), Place(np.random.default_rng(seed), camera)
    green = np.array([0.05, 0.38, 0.09]) * rng.uniform(0.7, 1.4)
    place.add_plane([0, 0, 0], [0, 0, 1], (partial(surfaces.even, green),))
    place.add_plane([0, 0, 4.5], [0, 0, -1], (partial(surfaces.even, np.full(3, 0.08)),))
    for inward in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)):
        painter = partial(surfaces.even, green * rng.uniform(0.8, 1.0))
        place.add_plane(-reach_m * np.array(inward, dtype=float), inward, (painter,))
    ambient = temperature(rng.uniform(4500, 7000)) * rng.uniform(0.4, 0.6)
    return paint_background(place, draw_lights(rng), ambient)


def enclose(
    place: Place,
    floors: tuple[surfaces.Painter, ...],
    walls: tuple[surfaces.Painter, ...] = surfaces.WALLS,
) -> None:
    """Put floor, ceiling and four walls around people and camera, painted by one of some each."""
    rng, position = place.rng, place.camera.position
    place.add_plane([0, 0, place.floor_m], [0, 0, 1], floors)
    height = max(place.floor_m + rng.uniform(2.3, 3.4), position[2] + 0.2)
    place.add_plane([0, 0, height], [0, 0, -1], surfaces.CEILINGS)
    yaw = np.arctan2(position[1], position[0]) + rng.uniform(-0.7, 0.7)
    for quarter in range(4):
        turn = yaw + quarter * np.pi / 2
        inward = -np.array([np.cos(turn), np.sin(turn), 0.0])
        room = place.radius_m + rng.uniform(0.15, 2.5)
        room = max(room, -(position @ inward) + 0.3)
        foot = -inward * room + [0, 0, place.floor_m]
        place.add_plane(foot, inward, walls)
        _hang_on_wall(place, foot, inward)


def furnish_room(place: Place, pieces: Sequence[furniture.Piece]) -> Background:
    """Put pieces of furniture around people and light the room, dimly now and then."""
    rng = place.rng
    _furnish_around(place, int(rng.integers(1, 7)), pieces)
    add_occluder(place)
    dim = rng.uniform(0.12, 0.4) if rng.random() < 0.15 else 1.0
    ambient = temperature(rng.uniform(3500, 8000)) * rng.uniform(0.35, 0.85) * dim
    return paint_background(place, draw_lights(rng), ambient)


def add_seats(place: Place, seats: Sequence[Seat]) -> None:
    """Add a box under every person who sits on a seat."""
    for spot, half, height in seats:
        size = [half, half * place.rng.uniform(0.8, 1.3), height / 2]
        yaw = place.rng.uniform(0, np.pi)
        place.add([*spot, height / 2], size, surfaces.FURNITURE, yaw)


def _add_table(place: Place) -> None:
    """Put a bed or a table under the people, with its top at z = 0."""
    rng = place.rng
    half = np.array([*(place.radius_m + rng.uniform(0.05, 0.6, 2)), 0.06])
    yaw, spot = rng.uniform(0, np.pi), rng.normal(0, 0.03, 2)
    high = (-place.floor_m - 0.1) / 2
    place.add([*spot, -half[2]], half, surfaces.BEDDING, yaw)
    frame = [half[0] + 0.02, half[1] + 0.02, high]
    place.add([*spot, place.floor_m + high], frame, furniture.WOODEN, yaw)


def _add_rug(place: Place) -> None:
    """Lay a mat under the people, too thin to hide feet."""
    rng = place.rng
    half = [rng.uniform(0.5, 1.4), rng.uniform(0.5, 1.4), 0.001]
    middle, yaw = [*rng.normal(0, 0.3, 2), 0.0], rng.uniform(0, np.pi)
    place.add(middle, half, (surfaces.rug, surfaces.rug, surfaces.bedding), yaw)


def _strew(place: Place, count: int) -> None:
    """Leave toys and cushions around people, and cloths under them, on what they are on."""
    rng = place.rng
    for _ in range(count):
        parts = furniture.CLUTTER[int(rng.integers(len(furniture.CLUTTER)))](rng)
        size = np.max([part.half for part in parts], axis=0)
        beside = float(size[:2].max()) if size[2] > FLAT_M else 0.0
        angle, yaw = rng.uniform(0, 2 * np.pi, 2)
        away = place.radius_m * rng.uniform(0.75, 1.5)
        if beside:
            away = max(away, 0.9 * place.radius_m + beside)
        spot = np.array([away * np.cos(angle), away * np.sin(angle), 0.0])
        place.solids += place.piece(parts, spot, yaw)


def _hang_on_wall(place: Place, foot: np.ndarray, inward: np.ndarray) -> None:
    """Pictures, windows and doors on a wall, as flat boxes."""
    rng, along = place.rng, np.array([-inward[1], inward[0], 0.0])
    yaw = float(np.arctan2(along[1], along[0]))
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.3, 0.3, 0.25, 0.15]))):
        half = np.array([rng.uniform(0.12, 0.6), 0.012, rng.uniform(0.12, 0.5)])
        low, paint, draw = rng.uniform(1.0, 1.9), surfaces.framed, rng.random()
        if draw < 0.25:
            half, low = np.array([rng.uniform(0.38, 0.5), 0.03, 1.02]), 1.02
            paint = surfaces.door
        elif draw < 0.5:
            half, low = np.array([rng.uniform(0.3, 1.1), 0.015, rng.uniform(0.35, 0.7)]), 1.5
            paint = surfaces.window
        middle = foot + along * rng.uniform(-1.8, 1.8) + [0, 0, low]
        place.add(middle, half, (partial(paint, half),), yaw)


def _furnish_around(place: Place, count: int, pieces: Sequence[furniture.Piece]) -> None:
    """Put furniture beside and behind the people, not on them nor around the camera."""
    rng, position, spots = place.rng, place.camera.position, []
    front = np.arctan2(position[1], position[0])
    for _ in range(count):
        angle = front + np.pi + rng.uniform(-1.9, 1.9)
        away = place.radius_m + rng.uniform(0.35, 2.2)
        spot = np.array([np.cos(angle), np.sin(angle)]) * away
        spots.append((spot, rng.choice([front - np.pi / 2, rng.uniform(0, 2 * np.pi)])))
    place.furnish(spots, [(np.zeros(2), place.radius_m + 0.05), (position[:2], 0.5)], pieces)


def add_occluder(place: Place, share: float = OCCLUDER_SHARE) -> None:
    """In a share of places, hide a side or the bottom of the picture by a thing before people."""
    nearest = float(np.linalg.norm(place.camera.position)) - place.radius_m
    if place.rng.random() < share and nearest > 0.4:
        away = nearest * place.rng.uniform(0.4, 0.75)
        makers = (_add_clutter, _add_clutter, _add_foliage, _add_bars)
        makers[int(place.rng.integers(4))](place, away)


def _at_edge(place: Place, away: float) -> Float[np.ndarray, "3"]:
    """A world point near the left, right or lower edge of the picture."""
    edges = ((0.0, 0.2), (0.12, 0.9)), ((0.88, 0.2), (1.0, 0.9)), ((0.2, 0.9), (0.8, 1.0))
    low, high = edges[place.rng.integers(3)]
    x, y = (place.rng.uniform(low, high) * (np.array(place.camera.size) - 1)).astype(int)
    ray = place.camera.rays()[y, x]
    return place.camera.position + away * ray / np.linalg.norm(ray)


def _add_clutter(place: Place, away: float) -> None:
    """The edge of a piece of furniture, or a round thing."""
    rng = place.rng
    half = away * rng.uniform(0.04, 0.14, 3)
    solid = (Box, Box, Drum, Ball)[int(rng.integers(4))]
    centre = _at_edge(place, away)
    if solid is not Ball and centre[2] > 0:
        half[2] = centre[2] = (centre[2] + half[2]) / 2
    place.add(centre, half, surfaces.FURNITURE, rng.uniform(0, np.pi), solid)


def _add_foliage(place: Place, away: float) -> None:
    """Leaves that reach into the picture."""
    rng, middle, material = place.rng, _at_edge(place, away), place.material(surfaces.PLANTS)
    for _ in range(9):
        centre = middle + rng.normal(0, 0.07 * away, 3)
        half = away * rng.uniform(0.008, 0.05, 3)
        place.add(centre, half, material, rng.uniform(0, np.pi), Foliage)


def _add_bars(place: Place, away: float) -> None:
    """The side of a cot."""
    rng, camera, away = place.rng, place.camera, min(away, 0.8)
    ray = camera.rotation[2] + camera.rotation[1] * rng.uniform(0.0, 0.25)
    middle = camera.position + away * ray
    along = camera.rotation[0] * [1, 1, 0]
    along /= np.linalg.norm(along)
    top, step = max(middle[2], 0.2), rng.uniform(0.06, 0.12)
    thick, material = rng.uniform(0.004, 0.009), place.material((surfaces.wood, surfaces.plaster))
    yaw = float(np.arctan2(along[1], along[0]))
    place.add([*middle[:2], top], [BARS * step / 2, 0.012, 0.02], material, yaw)
    for number in range(BARS):
        spot = middle[:2] + along[:2] * step * (number - BARS / 2)
        place.add([*spot, top / 2], [thick, thick, top / 2], material, yaw, Drum)


def _sky(rng: np.random.Generator, camera: PlacedCamera) -> Float[np.ndarray, "height width 3"]:
    """Sky with clouds, and a line of trees or hills at the horizon."""
    rays = camera.rays()
    rays = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    elevation, azimuth = rays[..., 2], np.arctan2(rays[..., 1], rays[..., 0])
    high, low = np.array([0.25, 0.45, 0.85]), np.array([0.75, 0.82, 0.9])
    high = high + rng.random() * (0.65 - high)
    sky = low + (high - low) * np.clip(elevation * rng.uniform(1, 3), 0, 1)[..., None]
    over = np.stack([azimuth * 3, elevation * 6], axis=-1)
    clouds = surfaces.noise(rng, over, 2.5) + 0.4 * surfaces.noise(rng, over, 0.7)
    clouds = 1 / (1 + np.exp(-3 * (clouds + rng.uniform(-1.5, 1))))
    sky = sky + (0.92 - sky) * 0.8 * clouds[..., None]
    around = np.stack([azimuth * 2, np.zeros_like(azimuth)], axis=-1)
    line = rng.uniform(-0.02, 0.16) + 0.05 * surfaces.noise(rng, around, rng.uniform(0.2, 1.5))
    line = line + 0.012 * surfaces.noise(rng, around, 0.05)
    leaf = np.array([0.07, 0.1, 0.05]) * rng.uniform(0.5, 2.0)
    leaves = leaf * np.clip(1 + 0.5 * surfaces.noise(rng, over * 8, 1.0), 0.3, 2)[..., None]
    leaves = leaves + rng.uniform(0.05, 0.4) * (low - leaves)
    return np.clip(np.where((elevation < line)[..., None], leaves, sky), 0.005, 1.2)

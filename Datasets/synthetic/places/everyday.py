"""Everyday places around a group of people: rooms and open land, and a camera that looks at them.

World frame: metres, the floor is z = 0, z up, the people are around the origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Float

from Datasets.geometry.camera import intrinsics_from_fov
from Datasets.synthetic.places import furniture, surfaces
from Datasets.synthetic.places.bed import Camera, Scene, draw_lights, temperature
from Datasets.synthetic.places.builder import Setting, light_up
from Datasets.synthetic.places.foreground import stand_before
from Datasets.synthetic.places.furniture import furnish
from Datasets.synthetic.places.solids import Box, viewing_rays

OUTDOOR_SHARE, NURSERY_OUTDOOR_SHARE = 0.35, 0.12
HIDDEN_SHARE = 0.18
"""How often something stands between the camera and the people."""
RAISED_M = (0.3, 0.9)
"""Height of a bed or changing table that is the ground for infants, over the floor."""


def look_at_people(
    rng: np.random.Generator,
    size: tuple[int, int],
    target: Float[np.ndarray, "3"],
    extent_m: float,
    elevation_degrees: tuple[float, float] = (-5.0, 50.0),
    closeness: tuple[float, float] = (1.0, 2.2),
    azimuth_degrees: tuple[float, float] = (0.0, 360.0),
) -> Camera:
    """Place a camera somewhere around people so that they are in the picture.

    Args:
        rng: source of randomness.
        size: (width, height) pixels.
        target: middle of the people, metres.
        extent_m: how much around it must fit into the shorter side at ``closeness`` 1.
        elevation_degrees: range of the angle from which the camera looks down.
        closeness: range of distances over the one at which ``extent_m`` just fits.
        azimuth_degrees: range of the direction, from the people, in which the camera stands.
    """
    fov = rng.uniform(35, 80)
    intrinsics = intrinsics_from_fov(size, fov)
    fitting = extent_m / 2 * intrinsics[0, 0] / (min(size) / 2)
    distance = fitting * rng.uniform(*closeness)
    elevation = np.radians(rng.uniform(*elevation_degrees))
    yaw = rng.uniform(*np.radians(azimuth_degrees))
    away = np.array([np.cos(yaw) * np.cos(elevation), np.sin(yaw) * np.cos(elevation), 0])
    away[2] = np.sin(elevation)
    position = target + distance * away
    position[2] = max(position[2], 0.15)
    aim = target + rng.normal(0, 0.06 * extent_m, 3)
    forward = (aim - position) / np.linalg.norm(aim - position)
    roll = np.radians(rng.normal(0, 5))
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    turned = np.cos(roll) * right + np.sin(roll) * down
    rotation = np.stack([turned, np.cross(forward, turned), forward])
    return Camera(intrinsics, size, rotation, position)


Seat = tuple[np.ndarray, float, float]
"""What somebody sits on: (x, y) of its middle, half its width and its height, metres."""


def make_place(
    rng: np.random.Generator,
    camera: Camera,
    radius_m: float,
    seats: Sequence[Seat] = (),
    nursery: bool = False,
) -> Scene:
    """A room, or open land now and then, around people.

    Args:
        rng: source of randomness.
        camera: where from.
        radius_m: the people are within this distance of the origin.
        seats: what they sit on.
        nursery: a place for infants: soft ground, cots and toys, seldom outdoors.
    """
    outdoors = rng.random() < (NURSERY_OUTDOOR_SHARE if nursery else OUTDOOR_SHARE)
    if outdoors:
        return make_outdoors(rng, camera, radius_m, seats)
    return make_room(rng, camera, radius_m, seats, nursery)


def make_room(
    rng: np.random.Generator,
    camera: Camera,
    radius_m: float,
    seats: Sequence[Seat] = (),
    nursery: bool = False,
) -> Scene:
    """A furnished room with floor, walls and ceiling; see ``make_place``."""
    setting = Setting()
    put_seats(rng, setting, seats)
    raised = nursery and not seats and radius_m < 0.75 and rng.random() < 0.55
    floor = -rng.uniform(*RAISED_M) if raised else 0.0
    soft = nursery and not raised
    enclose(
        rng, camera, setting, radius_m, floor, surfaces.SOFT_FLOORS if soft else surfaces.FLOORS
    )
    if raised:
        _raise(rng, setting, radius_m, floor)
    elif rng.random() < 0.3:
        setting.solids.append(_rug(rng, setting))
    pieces = furniture.NURSERY if nursery else furniture.INDOORS
    return furnished(rng, camera, setting, radius_m, pieces, floor)


def enclose(
    rng: np.random.Generator,
    camera: Camera,
    setting: Setting,
    radius_m: float,
    floor: float,
    floors: tuple[surfaces.Painter, ...],
    walls: tuple[surfaces.Painter, ...] = surfaces.WALLS,
) -> None:
    """Put floor, ceiling and four walls around people and camera.

    Args:
        rng: source of randomness.
        camera: inside.
        setting: is added to.
        radius_m: the people are within this distance of the origin.
        floor: its height, metres.
        floors: what paints the floor.
        walls: what paints the walls.
    """
    setting.plane([0, 0, floor], [0, 0, 1], floors)
    height = max(floor + rng.uniform(2.3, 3.4), camera.position[2] + 0.2)
    setting.plane([0, 0, height], [0, 0, -1], surfaces.CEILINGS)
    yaw = np.arctan2(camera.position[1], camera.position[0]) + rng.uniform(-0.7, 0.7)
    for quarter in range(4):
        turn = yaw + quarter * np.pi / 2
        inward = -np.array([np.cos(turn), np.sin(turn), 0.0])
        room = radius_m + rng.uniform(0.15, 2.5)
        room = max(room, -(camera.position @ inward) + 0.3)
        foot = -inward * room + [0, 0, floor]
        setting.plane(foot, inward, walls)
        _hang(rng, setting, foot, inward)


def furnished(
    rng: np.random.Generator,
    camera: Camera,
    setting: Setting,
    radius_m: float,
    pieces: Sequence[furniture.Piece],
    floor: float = 0.0,
) -> Scene:
    """Furnish a room around people and light it, dimly now and then.

    Args:
        rng: source of randomness.
        camera: where from.
        setting: what is there already.
        radius_m: the people are within this distance of the origin.
        pieces: what may stand around them.
        floor: its height, metres.
    """
    _put_furniture(rng, camera, setting, radius_m, int(rng.integers(1, 7)), pieces, floor)
    _hide(rng, camera, setting, radius_m)
    dim = rng.uniform(0.12, 0.4) if rng.random() < 0.15 else 1.0
    ambient = temperature(rng.uniform(3500, 8000)) * rng.uniform(0.25, 0.6) * dim
    return light_up(rng, camera, setting, draw_lights(rng), ambient)


def make_green_studio(camera: Camera, reach_m: float, seed: int) -> Scene:
    """A closed studio of one green, the same from every camera.

    Args:
        camera: one of several inside it.
        reach_m: half of its width, metres.
        seed: of its light and green.
    """
    rng, setting = np.random.default_rng(seed), Setting()
    green = np.array([0.05, 0.38, 0.09]) * rng.uniform(0.7, 1.4)
    setting.plane([0, 0, 0], [0, 0, 1], (partial(surfaces.even, green),))
    setting.plane([0, 0, 4.5], [0, 0, -1], (partial(surfaces.even, np.full(3, 0.08)),))
    for inward in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)):
        point = -reach_m * np.array(inward, dtype=float)
        setting.plane(point, inward, (partial(surfaces.even, green * rng.uniform(0.8, 1.0)),))
    ambient = temperature(rng.uniform(4500, 7000)) * rng.uniform(0.4, 0.6)
    return light_up(np.random.default_rng(seed), camera, setting, draw_lights(rng), ambient)


def make_outdoors(
    rng: np.random.Generator,
    camera: Camera,
    radius_m: float,
    seats: Sequence[Seat] = (),
    setting: Setting | None = None,
) -> Scene:
    """Open land under a sky, with buildings, hedges and trees far off; see ``make_place``.

    ``setting`` is what is there already.
    """
    setting = Setting() if setting is None else setting
    put_seats(rng, setting, seats)
    setting.plane([0, 0, 0], [0, 0, 1], surfaces.LANDS)
    front = np.arctan2(camera.position[1], camera.position[0])
    free = [(np.zeros(2), radius_m + 2.0), (camera.position[:2], 3.0)]
    spots = []
    for _ in range(int(rng.integers(0, 14))):
        angle, away = front + np.pi + rng.normal(0, 1.0), radius_m + rng.uniform(4, 30)
        spots.append((away * np.array([np.cos(angle), np.sin(angle)]), rng.uniform(0, np.pi)))
    setting.solids += furnish(rng, spots, setting.material, free, furniture.FAR_OFF)
    if rng.random() < 0.5:
        count = int(rng.integers(1, 5))
        _put_furniture(rng, camera, setting, radius_m, count, furniture.GARDEN)
    if rng.random() < 0.1:
        setting.solids.append(_rug(rng, setting))
    _hide(rng, camera, setting, radius_m)
    lights = draw_lights(rng)[:1]
    ambient = temperature(rng.uniform(5800, 8000)) * rng.uniform(0.35, 0.7)
    return light_up(rng, camera, setting, lights, ambient, _sky(rng, camera))


def put_seats(rng: np.random.Generator, setting: Setting, seats: Sequence[Seat]) -> None:
    """Add a box under everybody who sits."""
    for spot, half, height in seats:
        material = setting.material(surfaces.FURNITURE)
        size = np.array([half, half * rng.uniform(0.8, 1.3), height / 2])
        centre = np.array([*spot, height / 2])
        setting.solids.append(Box(centre, size, rng.uniform(0, np.pi), material))


def _raise(rng: np.random.Generator, setting: Setting, radius_m: float, floor: float) -> None:
    """Put a bed or a table under the people, with its top at z = 0."""
    half = np.array([*(radius_m + rng.uniform(0.05, 0.6, 2)), 0.06])
    yaw, spot = rng.uniform(0, np.pi), rng.normal(0, 0.03, 2)
    top = Box(np.array([*spot, -half[2]]), half, yaw, setting.material(surfaces.BEDDING))
    frame = np.array([half[0] + 0.02, half[1] + 0.02, (-floor - 0.1) / 2])
    centre = np.array([*spot, floor + frame[2]])
    setting.solids += [top, Box(centre, frame, yaw, setting.material(furniture.WOODEN))]


def _hang(rng: np.random.Generator, setting: Setting, point, inward) -> None:
    """Pictures, windows and doors on a wall, as flat boxes."""
    along = np.array([-inward[1], inward[0], 0.0])
    yaw = float(np.arctan2(along[1], along[0]))
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.3, 0.3, 0.25, 0.15]))):
        half = np.array([rng.uniform(0.12, 0.6), 0.012, rng.uniform(0.12, 0.5)])
        low, painter = rng.uniform(1.0, 1.9), surfaces.framed(half)
        draw = rng.random()
        if draw < 0.25:
            half, low = np.array([rng.uniform(0.38, 0.5), 0.03, 1.02]), 1.02
            painter = surfaces.door(half)
        elif draw < 0.5:
            half, low = np.array([rng.uniform(0.3, 1.1), 0.015, rng.uniform(0.35, 0.7)]), 1.5
            painter = surfaces.window(half)
        middle = point + along * rng.uniform(-1.8, 1.8) + [0, 0, low]
        setting.solids.append(Box(middle, half, yaw, setting.material((painter,))))


def _rug(rng: np.random.Generator, setting: Setting) -> Box:
    """A mat under the people; too thin to hide feet."""
    half = np.array([rng.uniform(0.5, 1.4), rng.uniform(0.5, 1.4), 0.001])
    material = setting.material((surfaces.rug, surfaces.rug, surfaces.bedding))
    return Box(np.array([*rng.normal(0, 0.3, 2), 0.0]), half, rng.uniform(0, np.pi), material)


def _put_furniture(
    rng: np.random.Generator,
    camera: Camera,
    setting: Setting,
    radius_m: float,
    count: int,
    pieces: Sequence[furniture.Piece],
    floor: float = 0.0,
) -> None:
    """Furnish beside and behind the people, not on them nor around the camera."""
    spots = []
    front = np.arctan2(camera.position[1], camera.position[0])
    for _ in range(count):
        angle = front + np.pi + rng.uniform(-1.9, 1.9)
        spot = np.array([np.cos(angle), np.sin(angle)]) * (radius_m + rng.uniform(0.35, 2.2))
        spots.append((spot, rng.choice([front - np.pi / 2, rng.uniform(0, 2 * np.pi)])))
    free = [(np.zeros(2), radius_m + 0.05), (camera.position[:2], 0.5)]
    setting.solids += furnish(rng, spots, setting.material, free, pieces, floor)


def _hide(rng: np.random.Generator, camera: Camera, setting: Setting, radius_m: float) -> None:
    """Stand something before the people now and then."""
    nearest = np.linalg.norm(camera.position) - radius_m
    if rng.random() < HIDDEN_SHARE and nearest > 0.4:
        stand_before(rng, camera, setting, nearest)


def _sky(rng: np.random.Generator, camera: Camera) -> Float[np.ndarray, "height width 3"]:
    """Sky with clouds, and a line of trees or hills at the horizon."""
    rays = viewing_rays(camera)
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

"""Everyday places around a group of people: rooms and open land, and a camera that looks at them.

World frame: metres, the floor is z = 0, z up, the people are around the origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from Datasets.geometry.camera import intrinsics_from_fov
from Datasets.synthetic import surfaces
from Datasets.synthetic.furniture import furnish
from Datasets.synthetic.scene import Camera, Light, Scene, ShadowMaps, draw_lights, temperature
from Datasets.synthetic.solids import Box, Plane, View, look, reaching, viewing_rays
from Datasets.synthetic.surfaces import Painter, paint

SHADE_STEP = 3
OUTDOOR_SHARE = 0.35


@dataclass
class _Setting:
    """Planes and boxes of a place, and the painters of each material, while it is being built."""

    planes: list[Plane] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    painters: list[tuple[Painter, ...]] = field(default_factory=list)

    def material(self, painters: tuple[Painter, ...]) -> int:
        """Number of a new material that one of some painters will paint."""
        self.painters.append(painters)
        return len(self.painters) - 1

    def furniture(self) -> int:
        """Number of a new material of furniture."""
        return self.material(surfaces.FURNITURE)

    def plane(self, point, normal, painters: tuple[Painter, ...]) -> None:
        """Add a wall, floor or ceiling."""
        point, normal = np.array(point, dtype=float), np.array(normal, dtype=float)
        self.planes.append(Plane(point, normal / np.linalg.norm(normal), self.material(painters)))


def look_at_people(
    rng: np.random.Generator,
    size: tuple[int, int],
    target: Float[np.ndarray, "3"],
    extent_m: float,
    elevation_degrees: tuple[float, float] = (-5.0, 50.0),
    closeness: tuple[float, float] = (1.0, 2.2),
) -> Camera:
    """Place a camera somewhere around people so that they are in the picture.

    Args:
        rng: source of randomness.
        size: (width, height) pixels.
        target: middle of the people, metres.
        extent_m: how much around it must fit into the shorter side at ``closeness`` 1.
        elevation_degrees: range of the angle from which the camera looks down.
        closeness: range of distances over the one at which ``extent_m`` just fits.
    """
    fov = rng.uniform(35, 80)
    intrinsics = intrinsics_from_fov(size, fov)
    fitting = extent_m / 2 * intrinsics[0, 0] / (min(size) / 2)
    distance = fitting * rng.uniform(*closeness)
    elevation, yaw = np.radians(rng.uniform(*elevation_degrees)), rng.uniform(0, 2 * np.pi)
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
    rng: np.random.Generator, camera: Camera, radius_m: float, seats: Sequence[Seat] = ()
) -> Scene:
    """A room, or open land now and then, around people within ``radius_m`` of the origin."""
    make = make_outdoors if rng.random() < OUTDOOR_SHARE else make_room
    return make(rng, camera, radius_m, seats)


def make_room(
    rng: np.random.Generator, camera: Camera, radius_m: float, seats: Sequence[Seat] = ()
) -> Scene:
    """A furnished room with floor, walls and ceiling."""
    setting = _Setting()
    _put_seats(rng, setting, seats)
    setting.plane([0, 0, 0], [0, 0, 1], surfaces.FLOORS)
    height = max(rng.uniform(2.3, 3.4), camera.position[2] + 0.2)
    setting.plane([0, 0, height], [0, 0, -1], (surfaces.plaster,))
    yaw = np.arctan2(camera.position[1], camera.position[0]) + rng.uniform(-0.7, 0.7)
    for quarter in range(4):
        turn = yaw + quarter * np.pi / 2
        inward = -np.array([np.cos(turn), np.sin(turn), 0.0])
        room = radius_m + rng.uniform(0.15, 2.5)
        room = max(room, -(camera.position @ inward) + 0.3)
        setting.plane(-inward * room, inward, surfaces.WALLS)
        _hang_pictures(rng, setting, -inward * room, inward)
    spots = _spots(rng, camera, radius_m, int(rng.integers(1, 7)))
    setting.boxes += furnish(rng, spots, setting.furniture, _free(camera, radius_m))
    if rng.random() < 0.3:
        setting.boxes.append(_rug(rng, setting))
    lights = draw_lights(rng)
    dim = rng.uniform(0.12, 0.4) if rng.random() < 0.15 else 1.0
    ambient = temperature(rng.uniform(3500, 8000)) * rng.uniform(0.25, 0.6) * dim
    return _light_up(rng, camera, setting, lights, ambient, None)


def make_green_studio(camera: Camera, reach_m: float, seed: int) -> Scene:
    """A closed studio of one green, the same from every camera.

    Args:
        camera: one of several inside it.
        reach_m: half of its width, metres.
        seed: of its light and green.
    """
    rng, setting = np.random.default_rng(seed), _Setting()
    green = np.array([0.05, 0.38, 0.09]) * rng.uniform(0.7, 1.4)
    setting.plane([0, 0, 0], [0, 0, 1], (partial(surfaces.even, green),))
    setting.plane([0, 0, 4.5], [0, 0, -1], (partial(surfaces.even, np.full(3, 0.08)),))
    for inward in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)):
        point = -reach_m * np.array(inward, dtype=float)
        setting.plane(point, inward, (partial(surfaces.even, green * rng.uniform(0.8, 1.0)),))
    ambient = temperature(rng.uniform(4500, 7000)) * rng.uniform(0.4, 0.6)
    return _light_up(np.random.default_rng(seed), camera, setting, draw_lights(rng), ambient, None)


def make_outdoors(
    rng: np.random.Generator, camera: Camera, radius_m: float, seats: Sequence[Seat] = ()
) -> Scene:
    """Open land under a sky, with buildings, fences or trees far off."""
    setting = _Setting()
    _put_seats(rng, setting, seats)
    setting.plane([0, 0, 0], [0, 0, 1], surfaces.LANDS)
    for _ in range(int(rng.integers(0, 9))):
        yaw, away = rng.uniform(0, 2 * np.pi), rng.uniform(4 + radius_m, 30)
        half = rng.uniform([0.5, 0.5, 0.4], [6, 4, 6]) * min(away / 12, 1.5)
        centre = np.array([np.cos(yaw) * away, np.sin(yaw) * away, half[2]])
        material = setting.material(surfaces.BUILDINGS)
        if np.linalg.norm(centre[:2] - camera.position[:2]) > np.linalg.norm(half[:2]) + 1:
            setting.boxes.append(Box(centre, half, rng.uniform(0, np.pi), material))
    if rng.random() < 0.4:
        spots = _spots(rng, camera, radius_m, int(rng.integers(1, 4)))
        setting.boxes += furnish(rng, spots, setting.furniture, _free(camera, radius_m))
    lights = draw_lights(rng)[:1]
    ambient = temperature(rng.uniform(6500, 11000)) * rng.uniform(0.35, 0.7)
    return _light_up(rng, camera, setting, lights, ambient, _sky(rng, camera))


def _put_seats(rng: np.random.Generator, setting: _Setting, seats: Sequence[Seat]) -> None:
    for spot, half, height in seats:
        material = setting.material(surfaces.FURNITURE)
        size = np.array([half, half * rng.uniform(0.8, 1.3), height / 2])
        centre = np.array([*spot, height / 2])
        setting.boxes.append(Box(centre, size, rng.uniform(0, np.pi), material))


def _hang_pictures(rng: np.random.Generator, setting: _Setting, point, inward) -> None:
    """Flat boxes on a wall: pictures, doors, windows."""
    along = np.array([-inward[1], inward[0], 0.0])
    yaw = float(np.arctan2(along[1], along[0]))
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.35, 0.3, 0.2, 0.15]))):
        half = np.array([rng.uniform(0.12, 0.6), 0.012, rng.uniform(0.12, 0.5)])
        middle = point + along * rng.uniform(-1.8, 1.8) + [0, 0, rng.uniform(1.0, 1.9)]
        if rng.random() < 0.25:
            half[2], middle[2] = 1.0, 1.0
        setting.boxes.append(Box(middle, half, yaw, setting.material(surfaces.PICTURES)))


def _rug(rng: np.random.Generator, setting: _Setting) -> Box:
    """A mat under the people; too thin to hide feet."""
    half = np.array([rng.uniform(0.5, 1.4), rng.uniform(0.5, 1.4), 0.001])
    material = setting.material((surfaces.rug,))
    return Box(np.array([*rng.normal(0, 0.3, 2), 0.0]), half, rng.uniform(0, np.pi), material)


def _spots(
    rng: np.random.Generator, camera: Camera, radius_m: float, count: int
) -> list[tuple[np.ndarray, float]]:
    """Places for furniture: beside and behind the people, never between them and the camera."""
    spots = []
    front = np.arctan2(camera.position[1], camera.position[0])
    for _ in range(count):
        angle = front + np.pi + rng.uniform(-1.9, 1.9)
        spot = np.array([np.cos(angle), np.sin(angle)]) * (radius_m + rng.uniform(0.35, 2.2))
        spots.append((spot, rng.choice([front, rng.uniform(0, 2 * np.pi)])))
    return spots


def _free(camera: Camera, radius_m: float) -> list[tuple[np.ndarray, float]]:
    """Where no furniture may stand: around the people, and around the camera."""
    return [(np.zeros(2), radius_m + 0.05), (camera.position[:2], 0.5)]


def _light_up(
    rng: np.random.Generator,
    camera: Camera,
    setting: _Setting,
    lights: tuple[Light, ...],
    ambient: np.ndarray,
    sky: np.ndarray | None,
) -> Scene:
    """Paint what is seen and let furniture cast shadows."""
    view = look(camera, setting.planes, setting.boxes)
    albedo = np.full((*view.material.shape, 3), 0.5)
    names = []
    for number, painters in enumerate(setting.painters):
        seen = view.material == number
        if seen.any():
            albedo[seen] = paint(rng, painters, view.local[seen])
            names.append(str(number))
    if sky is not None:
        bright = ambient + 0.5 * sum(light.colour for light in lights)
        albedo = np.where((view.material < 0)[..., None], sky / bright, albedo)
    albedo = albedo * _corners(view)[..., None]
    shares = np.stack([_light_share(view, light, setting.boxes) for light in lights])
    return Scene(
        camera=camera,
        lights=lights,
        ambient=ambient,
        ground=view.point,
        albedo=albedo,
        normals=view.normal,
        pattern="+".join(names),
        shadows=ShadowMaps(size=640, span_m=5.0, bias_m=0.025, margin_px=max(camera.size)),
        lit=shares,
    )


def _corners(view: View) -> Float[np.ndarray, "height width"]:
    """Less light near the floor on what stands, and where depth jumps."""
    low = np.where(view.normal[..., 2] < 0.5, np.exp(-np.clip(view.point[..., 2], 0, 5) / 0.12), 0)
    return 1 - 0.4 * low


def _light_share(view: View, light: Light, boxes: list[Box]) -> Float[np.ndarray, "height width"]:
    """Share of a light that gets past the furniture, softened."""
    coarse = view.point[::SHADE_STEP, ::SHADE_STEP]
    large = [box for box in boxes if box.half.max() > 0.1 and box.half[2] > 0.01]
    clear = reaching(coarse.reshape(-1, 3), light.towards, large).reshape(coarse.shape[:2])
    fine = np.repeat(np.repeat(clear.astype(np.float32), SHADE_STEP, 0), SHADE_STEP, 1)
    fine = gaussian_filter(fine[: view.point.shape[0], : view.point.shape[1]], 2.5)
    return 0.15 + 0.85 * np.where(view.material < 0, 1.0, fine)


def _sky(rng: np.random.Generator, camera: Camera) -> Float[np.ndarray, "height width 3"]:
    """Sky with clouds, and a line of trees or hills at the horizon."""
    rays = viewing_rays(camera)
    rays = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    elevation, azimuth = rays[..., 2], np.arctan2(rays[..., 1], rays[..., 0])
    high, low = np.array([0.25, 0.45, 0.85]), np.array([0.75, 0.82, 0.9])
    grey = rng.random()
    high = high + grey * (0.65 - high)
    sky = low + (high - low) * np.clip(elevation * rng.uniform(1, 3), 0, 1)[..., None]
    over = np.stack([azimuth * 3, elevation * 6], axis=-1)
    clouds = 1 / (1 + np.exp(-3 * (surfaces.noise(rng, over, 2.5) + rng.uniform(-1.5, 1))))
    sky = sky + (0.92 - sky) * 0.8 * clouds[..., None]
    line = rng.uniform(-0.02, 0.22) + 0.06 * surfaces.noise(
        rng, np.stack([azimuth * 2, np.zeros_like(azimuth)], axis=-1), rng.uniform(0.2, 1.5)
    )
    leaf = np.array([0.06, 0.11, 0.03]) * rng.uniform(0.5, 2.0, 3)
    leaves = leaf * (1 + 0.5 * surfaces.noise(rng, over * 8, 1.0))[..., None]
    return np.clip(np.where((elevation < line)[..., None], leaves, sky), 0.005, 1.2)

"""A resting place with whoever and whatever is on and around it, and the picture of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.capture.night import by_infrared, in_infrared
from Datasets.synthetic.compose.dolls import DOLL
from Datasets.synthetic.compose.gathering import Footage, Guest, Picture, expose, seat_of
from Datasets.synthetic.people.body import weight_of
from Datasets.synthetic.people.postures import ON_SEAT
from Datasets.synthetic.places.bed import Camera, Scene, ShadowMaps
from Datasets.synthetic.places.builder import Setting
from Datasets.synthetic.places.everyday import (
    enclose,
    furnished,
    furniture,
    look_at_people,
    make_outdoors,
    put_seats,
    surfaces,
)
from Datasets.synthetic.places.furniture import Part, placed
from Datasets.synthetic.places.resting import RestingPlace, spare_cot
from Datasets.synthetic.places.solids import Ball, Box, Drum
from Datasets.synthetic.render.studio import Shot
from Datasets.synthetic.render.veils import Tube, hang, lead

FOOTAGE = Footage(grey=0.0, dark=0.12, blurred=0.25, clipped=True)
"""Never without colour, where clothes may look like skin; what ``night`` shows is grey."""
NIGHT = Footage(grey=1.0, dark=0.35, blurred=0.15, clipped=True)
NIGHT_SHARE = 0.12
ELBOW_ROOM_M = 0.3
"""Least distance of the camera from a carer's skin."""
NARROW_M = 0.42
"""Half of the width of what one does not lie across."""
TRIES = 16
CLOSENESS = (0.55, 1.25)
SKIN_M = 0.045
"""Radius around every twentieth vertex of a carer within which nothing behind it is seen."""
SMALL = ("infant", DOLL)
CLINIC_FLOORS = (surfaces.tiles, surfaces.concrete, surfaces.vinyl)
CLINIC_WALLS = (surfaces.plaster, surfaces.plaster, surfaces.tiles)
HOME = (furniture.case, furniture.case, furniture.bed, furniture.sofa, spare_cot, spare_cot,
        furniture.chair, furniture.toys, furniture.toys, furniture.lamp, furniture.plant,
        furniture.curtain)  # fmt: skip
CLINIC = (furniture.case, furniture.case, furniture.table, furniture.screen, furniture.chair,
          furniture.lamp, furniture.curtain)  # fmt: skip
LEADS = (("foot", "toe"), ("wrist", "metacarpal"), ("spine02", "spine01"), ("head",))
"""Parts of the body that cables and tubes go to."""

Lay = Callable[[Scene, Shot], Shot]


@dataclass
class Stage:
    """What a picture will show; filled step by step.

    Attributes:
        place: what the small lie on.
        guests: whoever is labelled.
        dolls: bodies that are nobody.
        things: pieces with (x, y, z) and turn in radians.
        lay: what is laid over the rendered bodies, in this order.
        watched: points that the camera looks at, each (n, 3), metres.
        azimuth_degrees, elevation_degrees: from where the camera looks.
        shown: share of everybody small that no carer should hide.
    """

    place: RestingPlace
    guests: list[Guest] = field(default_factory=list)
    dolls: list[Guest] = field(default_factory=list)
    things: list[tuple[Sequence[Part], np.ndarray, float]] = field(default_factory=list)
    lay: list[Lay] = field(default_factory=list)
    watched: list[np.ndarray] = field(default_factory=list)
    azimuth_degrees: tuple[float, float] = (-180.0, 180.0)
    elevation_degrees: tuple[float, float] = (8.0, 88.0)
    shown: float = 0.6
    _taken: list[tuple[np.ndarray, float]] = field(default_factory=list)

    def free_spot(self, rng: np.random.Generator, reach_m: float) -> Float[np.ndarray, "2"]:
        """A point (x, y) on the place with room around it, or the one with the most."""
        room = np.maximum(np.array(self.place.half_m) - 0.8 * reach_m, 0.02)
        first = np.clip(rng.normal(0, 0.05, 2), -room, room)
        spots = rng.uniform(-1, 1, (24, 2)) * room if self._taken else first[None]
        gaps = [min([np.linalg.norm(s - t) - r for t, r in self._taken], default=0) for s in spots]
        best = spots[int(np.argmax(np.minimum(gaps, reach_m)))]
        self._taken.append((best, reach_m))
        return best

    def settle(self, rng: np.random.Generator, guest: Guest, reach_m: float) -> Guest:
        """Put somebody small, or a doll, on a free spot; who lies in a narrow place lies along."""
        if min(self.place.half_m) < NARROW_M:
            along = 90.0 if self.place.long else 0.0
            guest = headed(guest, along + rng.choice([0.0, 0.0, 180.0]) + rng.normal(0, 12))
        spot = self.free_spot(rng, reach_m)
        settled = guest.moved(*spot)
        self.watched.append(settled.posed.place)
        return settled

    def put(self, rng: np.random.Generator, parts: Sequence[Part], reach_m: float) -> None:
        """Put a thing on a free spot."""
        spot = np.append(self.free_spot(rng, reach_m), 0.0)
        self.things.append((parts, spot, rng.uniform(-np.pi, np.pi)))

    def scatter_toys(self, rng: np.random.Generator, count: int) -> None:
        """Put toys on the place."""
        for _ in range(count):
            toy = small_toy(rng)
            self.put(rng, toy, max(toy[0].half))

    def connect(self, rng: np.random.Generator, guest: Guest, count: int) -> None:
        """Lead cables and tubes from somebody over the edge of the place."""
        tubes = [_lead_of(rng, guest, self.place) for _ in range(count)]
        self.lay.append(partial(lead, tubes))


def headed(guest: Guest, degrees: float) -> Guest:
    """Turned so that the head of who lies points there; 90 is +y. Who sits stays."""
    from Datasets.synthetic.people.body import rig

    head = guest.posed.place[rig().index("head")] - guest.posed.place[0]
    if head[2] > 0.7 * np.linalg.norm(head):
        return guest
    now = np.degrees(np.arctan2(head[1], head[0]))
    return replace(guest, posed=guest.posed.moved(0.0, 0.0, degrees - now))


def small_toy(rng: np.random.Generator) -> list[Part]:
    """A ball, a block, a ring of beads or a rattle, on z = 0."""
    size, kind = rng.uniform(0.015, 0.05), int(rng.integers(5))
    paint = (surfaces.vinyl, surfaces.vinyl, surfaces.rug)
    if kind < 3:
        half = (size,) * 3 if kind == 0 else tuple(size * rng.uniform(0.4, 1.3, 3))
        return [Part((0, 0, half[2]), half, 0, paint, (Ball, Box, Drum)[kind])]
    if kind == 3:
        bead = 0.32 * size
        turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        return [
            Part((size * np.cos(t), size * np.sin(t), bead), (bead,) * 3, n % 3, paint, Ball)
            for n, t in enumerate(turns)
        ]
    stick = Part((1.6 * size, 0, 0.5 * size), (size, 0.2 * size, 0.2 * size), 1, paint)
    return [Part((0, 0, 0.6 * size), (0.8 * size, 0.6 * size, 0.6 * size), 0, paint, Ball), stick]


def top_of(guest: Guest, xy: np.ndarray, radius_m: float) -> float:
    """Height of somebody's surface around a point, 0 beside it, metres."""
    world = guest.surface()
    near = np.linalg.norm(world[:, :2] - xy, axis=1) < radius_m
    return float(world[near, 2].max(initial=0.0))


def _lead_of(rng: np.random.Generator, guest: Guest, place: RestingPlace) -> Tube:
    world = guest.surface()
    own = np.flatnonzero(weight_of(LEADS[int(rng.integers(len(LEADS)))]) > 0.6)
    high = own[world[own, 2] >= np.quantile(world[own, 2], 0.8)]
    start = world[int(rng.choice(high))]
    edge = rng.uniform(-1, 1, 2) * place.half_m
    axis = int(rng.integers(2))
    edge[axis] = (1.1 * place.half_m[axis] + 0.03) * (1 if start[axis] > 0 else -1)
    end = np.append(edge, rng.uniform(0.01, 0.04))
    shares = np.array([0.12, 0.35, 0.6, 0.82])[:, None]
    middle = start + shares * (end - start)
    middle[:, :2] += rng.normal(0, 0.035, (4, 2))
    middle[:, 2] = [start[2] + 0.012, 0.4 * start[2] + 0.01, 0.008, 0.01]
    away = np.array([*(1.15 * edge), -0.15])
    clear = rng.random() < 0.5
    tone = (
        np.array([0.7, 0.75, 0.75]) if clear else rng.choice([0.02, 0.8]) + rng.uniform(0, 0.1, 3)
    )
    return Tube(np.vstack([start, middle, end, away]), rng.uniform(0.0012, 0.0032), tone)


def dangle(rng: np.random.Generator, camera: Camera, nearest_m: float) -> Tube:
    """A cable that hangs across the picture, between the camera and who is filmed."""
    away = nearest_m * rng.uniform(0.5, 0.85)
    wide = away * camera.size[0] / camera.intrinsics[0, 0]
    x = np.linspace(-0.7, 0.7, 6) * wide
    y = rng.uniform(-0.3, 0.3) * wide + rng.normal(0, 0.08 * wide, 6)
    seen = np.stack([x, y, away * (1 + rng.normal(0, 0.04, 6))], axis=1)
    points = seen @ camera.rotation + camera.position
    return Tube(points, rng.uniform(0.0012, 0.003), np.full(3, rng.choice([0.02, 0.3, 0.8])))


def shoot(rng: np.random.Generator, stage: Stage, size: tuple[int, int]) -> Picture:
    """Choose a camera, the room around and the light, and take the picture."""
    camera = _camera(rng, stage, size)
    scene = _around(rng, stage, camera)
    guests, dolls, footage = stage.guests, stage.dolls, FOOTAGE
    if rng.random() < NIGHT_SHARE and not stage.place.outdoors:
        scene, footage = by_infrared(rng, scene), NIGHT
        guests = [replace(g, look=in_infrared(rng, g.look)) for g in guests]
        dolls = [replace(g, look=in_infrared(rng, g.look)) for g in dolls]
    lay = [*stage.lay, partial(lead, stage.place.tubes), partial(hang, stage.place.veils)]
    return expose(rng, scene, guests, dolls, [partial(over, scene) for over in lay], footage)


def _camera(rng: np.random.Generator, stage: Stage, size: tuple[int, int]) -> Camera:
    """Look at what is watched, from where no carer stands before it, else from farther off."""
    points = np.concatenate(stage.watched)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = 1.1 * float(np.linalg.norm(high - low)) + 0.15
    small = [g for g in (*stage.guests, *stage.dolls) if g.age in SMALL]
    skins = [g.surface()[::20] for g in stage.guests if g.age not in SMALL]
    before = np.concatenate([*skins, np.empty((0, 3))])
    best, most = None, -2.0
    for number in range(TRIES):
        far = (1 + number / TRIES) * np.array(CLOSENESS)
        camera = look_at_people(
            rng, size, (low + high) / 2, extent, stage.elevation_degrees, tuple(far),
            stage.azimuth_degrees,
        )  # fmt: skip
        close = np.linalg.norm(before - camera.position, axis=1).min(initial=1.0) < ELBOW_ROOM_M
        shown = min([_shown(camera, g.posed.place, before) for g in small], default=1.0) - close
        if shown > most:
            best, most = camera, shown
        if shown >= stage.shown:
            break
    return best


def _shown(camera: Camera, points: np.ndarray, before: np.ndarray) -> float:
    """Share of points that no skin hides from a camera."""
    seen, near = camera.to_camera(points[::4]), camera.to_camera(before)
    near = near[near[:, 2] > 0.1]
    apart = seen[:, None, :2] / seen[:, None, 2:] - near[None, :, :2] / near[None, :, 2:]
    covered = np.linalg.norm(apart, axis=-1) < SKIN_M / near[None, :, 2]
    covered &= near[None, :, 2] < seen[:, None, 2] - 0.03
    return float(1 - covered.any(axis=1).mean())


def _around(rng: np.random.Generator, stage: Stage, camera: Camera) -> Scene:
    """The place in a room or on a lawn."""
    place, setting = stage.place, Setting()
    seats = [seat_of(guest) for guest in stage.guests if guest.posed.kind == ON_SEAT]
    setting.solids += placed(place.parts, np.zeros(3), 0.0, setting.material)
    for parts, spot, yaw in stage.things:
        setting.solids += placed(parts, spot, yaw, setting.material)
    bodies = [np.linalg.norm(g.posed.place[:, :2], axis=1).max() for g in stage.guests]
    radius = max([place.radius_m + 0.08, *bodies])
    if place.outdoors:
        return make_outdoors(rng, camera, radius, seats, setting)
    put_seats(rng, setting, seats)
    floors = CLINIC_FLOORS if place.clinic else surfaces.FLOORS
    walls = CLINIC_WALLS if place.clinic else surfaces.WALLS
    enclose(rng, camera, setting, radius, place.floor_m, floors, walls)
    pieces = CLINIC if place.clinic else HOME
    scene = furnished(rng, camera, setting, radius, pieces, place.floor_m)
    return replace(scene, shadows=_shadows(scene.shadows, radius, place.floor_m < -0.1))


def _shadows(maps: ShadowMaps, radius_m: float, raised: bool) -> ShadowMaps:
    """Maps that are as fine and no larger than the people need."""
    span = min(2 * radius_m + 1.6, maps.span_m)
    return replace(maps, span_m=span, size=round(maps.size * span / maps.span_m), raised=raised)

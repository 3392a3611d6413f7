"""A composition: a resting place with figures and things on and around it, and its picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from jaxtyping import Float

from Datasets.synthetic.capture.night import infrared_background, infrared_look
from Datasets.synthetic.compose.dolls import DOLL
from Datasets.synthetic.compose.figures import Figure
from Datasets.synthetic.compose.pictures import PhotoStyle, Picture, take_picture
from Datasets.synthetic.people.body import weight_of
from Datasets.synthetic.people.postures import ON_SEAT
from Datasets.synthetic.places import furniture, surfaces
from Datasets.synthetic.places.background import Background
from Datasets.synthetic.places.camera import PlacedCamera, look_at_people
from Datasets.synthetic.places.furniture import Part, Tube
from Datasets.synthetic.places.place import Place
from Datasets.synthetic.places.resting_places import RestingPlace, spare_cot
from Datasets.synthetic.places.rooms import add_seats, enclose, furnish_room, make_outdoors
from Datasets.synthetic.render.overlays import draw_tubes, draw_veils
from Datasets.synthetic.render.renderer import Rendering

DAY = PhotoStyle(grey=0.0, dark=0.12, blurred=0.25, clipped=True)
"""Always in colour: without it clothes may look like skin."""
NIGHT = PhotoStyle(grey=1.0, dark=0.35, blurred=0.15, clipped=True)
NIGHT_SHARE = 0.12
ELBOW_ROOM_M = 0.3
"""Least distance of the camera from a carer's skin."""
NARROW_M = 0.42
"""Half of the width of a place in which infants lie lengthwise only."""
TRIES = 16
CLOSENESS = (0.55, 1.25)
SKIN_M = 0.045
"""Radius around every twentieth vertex of a carer within which nothing behind it is seen."""
INFANT_OR_DOLL = ("infant", DOLL)
CLINIC_FLOORS = (surfaces.tiles, surfaces.concrete, surfaces.vinyl)
CLINIC_WALLS = (surfaces.plaster, surfaces.plaster, surfaces.tiles)
HOME = (furniture.case, furniture.case, furniture.bed, furniture.sofa, spare_cot, spare_cot,
        furniture.chair, furniture.toys, furniture.toys, furniture.lamp, furniture.plant,
        furniture.curtain)  # fmt: skip
CLINIC = (furniture.case, furniture.case, furniture.table, furniture.screen, furniture.chair,
          furniture.lamp, furniture.curtain)  # fmt: skip
LEADS = (("foot", "toe"), ("wrist", "metacarpal"), ("spine02", "spine01"), ("head",))
"""Parts of the body that cables and tubes go to."""

Overlay = Callable[[Background, Rendering], Rendering]


@dataclass
class Composition:
    """The content of a picture, added step by step.

    Attributes:
        rng: source of randomness.
        place: the resting place.
        figures: people to label.
        dolls: figures without label.
        things: pieces with (x, y, z) and turn in radians.
        overlays: drawn over the rendered figures, in this order.
        aims: points that the camera looks at, each (n, 3), metres.
        azimuth_degrees, elevation_degrees: from where the camera looks.
        visible: share of every infant and doll that no carer should hide.
    """

    rng: np.random.Generator
    place: RestingPlace
    figures: list[Figure] = field(default_factory=list)
    dolls: list[Figure] = field(default_factory=list)
    things: list[tuple[Sequence[Part], np.ndarray, float]] = field(default_factory=list)
    overlays: list[Overlay] = field(default_factory=list)
    aims: list[np.ndarray] = field(default_factory=list)
    azimuth_degrees: tuple[float, float] = (-180.0, 180.0)
    elevation_degrees: tuple[float, float] = (8.0, 88.0)
    visible: float = 0.6
    _taken: list[tuple[np.ndarray, float]] = field(default_factory=list)

    def free_spot(self, reach_m: float) -> Float[np.ndarray, "2"]:
        """A point (x, y) on the place with room around it, or the one with the most."""
        room = np.maximum(np.array(self.place.half_m) - 0.8 * reach_m, 0.02)
        first = np.clip(self.rng.normal(0, 0.05, 2), -room, room)
        spots = self.rng.uniform(-1, 1, (24, 2)) * room if self._taken else first[None]
        gaps = [
            min([float(np.linalg.norm(s - t)) - r for t, r in self._taken], default=0.0)
            for s in spots
        ]
        best = spots[int(np.argmax(np.minimum(np.array(gaps), reach_m)))]
        self._taken.append((best, reach_m))
        return best

    def settle(self, figure: Figure) -> Figure:
        """Lay an infant or a doll on a free spot, lengthwise in a narrow place."""
        rng, reach = self.rng, figure.reach_m
        if min(self.place.half_m) < NARROW_M:
            along = 90.0 if self.place.half_m[1] > self.place.half_m[0] else 0.0
            figure = figure.headed(along + rng.choice([0.0, 0.0, 180.0]) + rng.normal(0, 12))
        settled = figure.moved(*self.free_spot(reach))
        self.aims.append(settled.posed.place)
        return settled

    def put(self, parts: Sequence[Part], reach_m: float) -> None:
        """Put a thing on a free spot."""
        spot = np.append(self.free_spot(reach_m), 0.0)
        self.things.append((parts, spot, self.rng.uniform(-np.pi, np.pi)))

    def scatter_toys(self, count: int) -> None:
        """Put toys on the place."""
        for _ in range(count):
            toy = furniture.small_toy(self.rng)
            self.put(toy, max(toy[0].half))

    def connect(self, figure: Figure, count: int) -> None:
        """Lead cables and tubes from a figure over the edge of the place."""
        tubes = [_lead_of(self.rng, figure, self.place) for _ in range(count)]
        self.overlays.append(partial(draw_tubes, tubes))


def _lead_of(rng: np.random.Generator, figure: Figure, place: RestingPlace) -> Tube:
    """A cable from a figure's skin along the place and over its edge."""
    world = figure.surface()
    own = np.flatnonzero(weight_of(LEADS[int(rng.integers(len(LEADS)))]) > 0.6)
    high = own[world[own, 2] >= np.quantile(world[own, 2], 0.8)]
    start = world[int(rng.choice(high))]
    edge = rng.uniform(-1, 1, 2) * place.half_m
    axis = int(rng.integers(2))
    edge[axis] = (1.1 * place.half_m[axis] + 0.03) * (1 if start[axis] > 0 else -1)
    end = np.append(edge, rng.uniform(0.01, 0.04))
    middle = start + np.array([[0.12], [0.35], [0.6], [0.82]]) * (end - start)
    middle[:, :2] += rng.normal(0, 0.035, (4, 2))
    middle[:, 2] = [start[2] + 0.012, 0.4 * start[2] + 0.01, 0.008, 0.01]
    away, tone = np.array([*(1.15 * edge), -0.15]), np.array([0.7, 0.75, 0.75])
    if rng.random() >= 0.5:
        tone = rng.choice([0.02, 0.8]) + rng.uniform(0, 0.1, 3)
    return Tube(np.vstack([start, middle, end, away]), rng.uniform(0.0012, 0.0032), tone)


def dangling_cable(rng: np.random.Generator, camera: PlacedCamera, nearest_m: float) -> Tube:
    """A cable that hangs across the picture, nearer to the camera than ``nearest_m``."""
    away = nearest_m * rng.uniform(0.5, 0.85)
    wide = away * camera.size[0] / camera.intrinsics[0, 0]
    x = np.linspace(-0.7, 0.7, 6) * wide
    y = rng.uniform(-0.3, 0.3) * wide + rng.normal(0, 0.08 * wide, 6)
    seen = np.stack([x, y, away * (1 + rng.normal(0, 0.04, 6))], axis=1)
    points = seen @ camera.rotation + camera.position
    return Tube(points, rng.uniform(0.0012, 0.003), np.full(3, rng.choice([0.02, 0.3, 0.8])))


def shoot(made: Composition, size: tuple[int, int]) -> Picture:
    """Choose a camera, the room around and the light, and take the picture, (width, height)."""
    rng, camera = made.rng, _camera(made, size)
    background = _background(made, camera)
    figures, dolls, style = made.figures, made.dolls, DAY
    if rng.random() < NIGHT_SHARE and not made.place.outdoors:
        background, style = infrared_background(rng, background), NIGHT
        figures, dolls = (
            [replace(one, look=infrared_look(rng, one.look)) for one in some]
            for some in (figures, dolls)
        )
    tubes, veils = made.place.tubes, made.place.veils
    every: list[Overlay] = [*made.overlays]
    every += [partial(draw_tubes, tubes), partial(draw_veils, veils)]
    overlays = [partial(overlay, background) for overlay in every]
    return take_picture(rng, background, figures, dolls, overlays, style)


def _camera(made: Composition, size: tuple[int, int]) -> PlacedCamera:
    """Look at the aims from where no carer stands before them, else from farther off."""
    points = np.concatenate(made.aims)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = 1.1 * float(np.linalg.norm(high - low)) + 0.15
    small = [one for one in (*made.figures, *made.dolls) if one.age in INFANT_OR_DOLL]
    skins = [one.surface()[::20] for one in made.figures if one.age not in INFANT_OR_DOLL]
    before = np.concatenate([*skins, np.empty((0, 3))])
    views: list[tuple[float, PlacedCamera]] = []
    for number in range(TRIES):
        far = (1 + number / TRIES) * np.array(CLOSENESS)
        angles = made.elevation_degrees, tuple(far), made.azimuth_degrees
        camera = look_at_people(made.rng, size, (low + high) / 2, extent, *angles)
        close = np.linalg.norm(before - camera.position, axis=1).min(initial=1.0) < ELBOW_ROOM_M
        shown = [_visible_share(camera, one.posed.place, before) for one in small]
        views.append((min(shown, default=1.0) - close, camera))
        if views[-1][0] >= made.visible:
            break
    return max(views, key=lambda view: view[0])[1]


def _visible_share(camera: PlacedCamera, points: np.ndarray, before: np.ndarray) -> float:
    """Share of points that no skin hides from a camera."""
    seen, near = camera.to_camera(points[::4]), camera.to_camera(before)
    near = near[near[:, 2] > 0.1]
    apart = seen[:, None, :2] / seen[:, None, 2:] - near[None, :, :2] / near[None, :, 2:]
    covered = np.linalg.norm(apart, axis=-1) < SKIN_M / near[None, :, 2]
    covered &= near[None, :, 2] < seen[:, None, 2] - 0.03
    return float(1 - covered.any(axis=1).mean())


def _background(made: Composition, camera: PlacedCamera) -> Background:
    """The resting place in a room or on a lawn."""
    resting = made.place
    reaches = [np.linalg.norm(one.posed.place[:, :2], axis=1).max() for one in made.figures]
    radius = max([float(np.hypot(*resting.half_m)) + 0.08, *reaches])
    place = Place(made.rng, camera, radius, resting.floor_m)
    seats = [one.seat for one in made.figures if one.posed.kind == ON_SEAT]
    for parts, spot, yaw in [(resting.parts, np.zeros(3), 0.0), *made.things]:
        place.solids += place.piece(parts, spot, yaw)
    if resting.outdoors:
        return make_outdoors(place, seats)
    add_seats(place, seats)
    if resting.clinic:
        enclose(place, CLINIC_FLOORS, CLINIC_WALLS)
    else:
        enclose(place, surfaces.FLOORS)
    background = furnish_room(place, CLINIC if resting.clinic else HOME)
    # shadow maps as fine and no larger than the people need
    maps, raised = background.shadows, resting.floor_m < -0.1
    span = min(2 * radius + 1.6, maps.span_m)
    size = round(maps.size * span / maps.span_m)
    return replace(background, shadows=replace(maps, span_m=span, size=size, raised=raised))

"""Rooms, open land and resting places: whole, out of the way of people, no two alike."""

from functools import partial

import numpy as np
import pytest

from Datasets.geometry.camera import intrinsics_from_fov, project
from Datasets.synthetic.places import furniture, surfaces
from Datasets.synthetic.places.camera import PlacedCamera, look_at_people, rotation_towards
from Datasets.synthetic.places.place import Place
from Datasets.synthetic.places.resting_places import RESTING_PLACES
from Datasets.synthetic.places.rooms import add_occluder, make_outdoors, make_place, make_room
from Datasets.synthetic.places.solids import (
    cast_rays,
)
from Datasets.synthetic.render.renderer import Renderer

SIZE = (96, 72)


def camera_at(position, target=(0.0, 0.0, 0.8), size=SIZE):
    """A level camera that looks at a point."""
    position = np.array(position, dtype=float)
    rotation = rotation_towards(position, np.array(target))
    return PlacedCamera(intrinsics_from_fov(size, 60.0), size, rotation, position)


def test_cameras_look_at_the_people_from_above_the_floor():
    rng = np.random.default_rng(3)
    target = np.array([0.3, -0.2, 0.9])
    heights, fovs = [], []
    for _ in range(100):
        camera = look_at_people(rng, (640, 480), target, 1.8)
        x, y = project(camera.to_camera(target), camera.intrinsics)
        assert 100 < x < 540
        assert 60 < y < 420
        assert np.allclose(camera.rotation @ camera.rotation.T, np.eye(3))
        assert np.linalg.det(camera.rotation) == pytest.approx(1)
        heights.append(camera.position[2])
        fovs.append(2 * np.degrees(np.arctan(320 / camera.intrinsics[0, 0])))
    assert min(heights) >= 0.15
    assert max(heights) > 2
    assert min(fovs) >= 34
    assert max(fovs) < 90


def test_same_seed_same_place_and_no_two_places_alike():
    def shown(seed):
        rng = np.random.default_rng(seed)
        camera = look_at_people(rng, SIZE, np.array([0, 0, 0.8]), 2.0)
        return Renderer(make_place(Place(rng, camera, 0.6), nursery=seed % 3 == 0), []).empty

    pictures = [shown(seed) for seed in range(24)]
    assert np.array_equal(pictures[0], shown(0))
    tone = [(p / p.mean()) ** 0.5 for p in pictures]
    apart = [np.abs(a - b).mean() for i, a in enumerate(tone) for b in tone[:i]]
    assert min(apart) > 0.08


@pytest.mark.parametrize("make", [make_room, make_outdoors])
def test_places_are_whole_and_leave_room_for_the_people(make):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        camera = look_at_people(rng, SIZE, np.array([0, 0, 0.8]), 2.0, (-5, 40))
        background = make(Place(rng, camera, 0.5), [(np.array([0.2, 0.0]), 0.2, 0.4)])
        for values in (background.ground, background.albedo, background.normals, *background.lit):
            assert np.isfinite(values).all()
        assert background.albedo.min() >= 0
        assert np.allclose(np.linalg.norm(background.normals, axis=-1), 1, atol=1e-6)
        among = np.linalg.norm(background.ground[..., :2], axis=-1) < 0.5
        high = background.ground[..., 2]
        standing = among & (np.abs(high) > 0.01) & (high < 1.8)
        seat = np.linalg.norm(background.ground[..., :2] - [0.2, 0], axis=-1) < 0.4
        assert not (standing & ~seat & (high > 0)).any()
        assert camera.to_camera(background.ground)[..., 2].min() > 0.05


def test_furniture_stands_on_the_floor_and_out_of_the_way():
    rng = np.random.default_rng(5)
    every = {*furniture.INDOORS, *furniture.NURSERY, *furniture.GARDEN, *furniture.FAR_OFF}
    for piece in sorted(every, key=lambda piece: piece.__name__):
        place = Place(rng, camera_at([3.0, 0.0, 1.0]))
        parts = place.piece(piece(rng), np.array([1.0, 2.0, -0.4]), 0.5)
        low = min(part.centre[2] - part.half[2] for part in parts)
        assert low < -0.4 + 0.13, piece.__name__
        assert {part.material for part in parts} <= set(range(len(place.painters)))
    free = [(np.array([1.0, 2.0]), 0.3)]
    spots = [(np.array([1.0, 2.0]), 0.5)] * 20
    pieces = (furniture.bed, furniture.sofa, furniture.case)
    place = Place(rng, camera_at([3.0, 0.0, 1.0]))
    place.furnish(spots, free, pieces)
    assert place.solids == []
    place.furnish(spots[:1], [], pieces)
    assert place.solids


def test_occluders_are_nearer_than_the_people():
    seen = 0
    for seed in range(8):
        camera = camera_at([2.5, 0.0, 1.0])
        radius = np.linalg.norm(camera.position) - 1.5
        place = Place(np.random.default_rng(seed), camera, radius)
        place.add_plane([0, 0, 0], [0, 0, 1], surfaces.FLOORS)
        floor = cast_rays(camera, place.planes, []).material
        add_occluder(place, share=1.0)
        hits = cast_rays(camera, place.planes, place.solids)
        hidden = hits.material != floor
        seen += hidden.any()
        assert hidden.mean() < 0.5
        assert np.linalg.norm(hits.point - camera.position, axis=-1)[hidden].max(initial=0) < 2.0
    assert seen >= 6


@pytest.mark.parametrize("make", RESTING_PLACES)
def test_resting_surfaces_are_level_with_the_origin(make):
    for seed in range(4):
        place = make(np.random.default_rng(seed))
        assert min(place.half_m) > 0.12 and place.floor_m <= 0
        tops = [
            part.centre[2] + part.half[2]
            for part in place.parts
            if np.all(np.abs(part.centre[:2]) < part.half[:2]) and part.centre[2] < 0.3
        ]
        if place.floor_m < 0:
            assert min(abs(top) for top in tops) < 0.005
        assert place.azimuth_degrees[0] < place.azimuth_degrees[1]


@pytest.mark.parametrize(
    "painters",
    [
        surfaces.FLOORS,
        surfaces.SOFT_FLOORS,
        surfaces.WALLS * 9,
        surfaces.CEILINGS,
        surfaces.FURNITURE,
        surfaces.BUILDINGS,
        surfaces.FENCES,
        surfaces.LANDS,
        surfaces.PLANTS,
        surfaces.STEMS,
        tuple(
            partial(paint, np.array([0.5, 0.01, 0.7]))
            for paint in (surfaces.framed, surfaces.window)
        ),
        (partial(surfaces.door, np.array([0.45, 0.02, 1.0])),),
    ],
)
def test_surfaces_are_physical_colours_that_repeat_with_the_seed(painters):
    xy = np.random.default_rng(0).uniform(-1, 1, (300, 2, 2))
    for number, painter in enumerate(painters):
        shown, used = surfaces.paint(np.random.default_rng(number), (painter,), xy)
        again, _ = surfaces.paint(np.random.default_rng(number), (painter,), xy)
        assert used is painter
        assert shown.shape == (300, 3)
        assert np.array_equal(shown, again)
        assert shown.min() > 0
        assert shown.max() <= surfaces.BRIGHTEST

"""Rendering: people before and behind things and one another, shadows, the camera among them."""

from dataclasses import replace

import numpy as np
import pytest

from Datasets.geometry.camera import intrinsics_from_fov
from Datasets.synthetic.compose.figures import draw_figure
from Datasets.synthetic.places import surfaces
from Datasets.synthetic.places.background import draw_lights
from Datasets.synthetic.places.camera import PlacedCamera, look_at_people, rotation_towards
from Datasets.synthetic.places.place import Place, paint_background
from Datasets.synthetic.places.rooms import make_room
from Datasets.synthetic.places.solids import (
    Box,
)
from Datasets.synthetic.render.renderer import Actor, Renderer

SIZE = (96, 72)


SMALL = (200, 150)


def camera_at(position, target=(0.0, 0.0, 0.8), size=SIZE):
    """A level camera that looks at a point."""
    position = np.array(position, dtype=float)
    rotation = rotation_towards(position, np.array(target))
    return PlacedCamera(intrinsics_from_fov(size, 60.0), size, rotation, position)


@pytest.fixture(scope="module")
def figures():
    rng = np.random.default_rng(8)
    pair = [draw_figure(rng, age, "standing") for age in ("adult", "child")]
    return [pair[0].moved(0.0, 0.0), pair[1].moved(0.5, 0.0)]


@pytest.fixture(scope="module")
def room():
    """An empty room seen from above."""
    rng = np.random.default_rng(8)
    camera = look_at_people(rng, SMALL, np.zeros(3), 1.1, (70.0, 80.0), (1.0, 1.0))
    return make_room(Place(rng, camera, 1.0))


def renderer_with(figures, solids=(), size=(160, 120)):
    place = Place(np.random.default_rng(4), camera_at([3.0, 0.0, 1.0], size=size))
    place.add_plane([0, 0, 0], [0, 0, 1], surfaces.FLOORS)
    place.solids += solids
    lights, sky = draw_lights(place.rng), np.full((120, 160, 3), 0.7)
    background = paint_background(place, lights, np.full(3, 0.4), sky)
    return Renderer(background, [Actor(g.shape, g.look, 1) for g in figures])


def poses(figures):
    return [(g.posed.turn, g.posed.place) for g in figures]


def test_the_nearer_person_hides_the_farther_one(figures):
    shot = renderer_with(figures).render(poses(figures))
    alone = [renderer_with([figure]).render(poses([figure])) for figure in figures]
    both = alone[0].mask & alone[1].mask
    assert both.sum() > 100
    assert (shot.person[both] == 1).all()  # the second stands nearer to the camera
    assert np.array_equal(shot.mask, alone[0].mask | alone[1].mask)
    assert np.array_equal(shot.depth_m, np.minimum(alone[0].depth_m, alone[1].depth_m))
    swapped = renderer_with(figures[::-1]).render(poses(figures[::-1]))
    assert (swapped.person[both] == 0).all()
    assert np.abs(shot.linear[shot.person == 1] - alone[1].linear[shot.person == 1]).mean() < 0.05


def test_furniture_before_a_person_hides_it_and_behind_does_not(figures):
    plain = renderer_with(figures[:1]).render(poses(figures[:1]))
    box = Box(np.array([1.5, 0, 0.4]), np.array([0.05, 0.6, 0.4]), 0.0, 0)
    before = renderer_with(figures[:1], [box]).render(poses(figures[:1]))
    behind = replace(box, centre=np.array([-1.0, 0, 0.4]))
    after = renderer_with(figures[:1], [behind]).render(poses(figures[:1]))
    assert np.array_equal(after.mask, plain.mask)
    assert 0.2 < before.mask.sum() / plain.mask.sum() < 0.8
    assert not (before.mask & ~plain.mask).any()


def test_people_cast_shadows_on_the_floor_and_only_there(figures):
    renderer = renderer_with(figures)
    shot = renderer.render(poses(figures))
    darker = (shot.linear - renderer.empty).sum(axis=-1) < -0.02
    on_floor = np.abs(renderer.background.ground[..., 2]) < 0.01
    assert (darker & on_floor & ~shot.mask).sum() > 50
    far = np.linalg.norm(renderer.background.ground[..., :2], axis=-1) > 6
    change = np.abs(shot.linear - renderer.empty)[far & ~shot.mask]
    assert change.max() < 1e-6


def test_a_body_at_the_camera_is_left_out(figures):
    beside = figures[0].moved(3.0, 0.0)
    shot = renderer_with([figures[1], beside]).render(poses([figures[1], beside]))
    assert set(np.unique(shot.person)) == {-1, 0}


def test_bodies_that_reach_beside_the_camera_are_cut_off_where_asked(room):
    infant = draw_figure(np.random.default_rng(5), "infant", "supine")
    up = -room.camera.rotation[2]
    at_camera = room.camera.position - 0.15 * up
    posed = infant.posed.moved(*at_camera[:2], 0.0, at_camera[2])
    masks = [
        Renderer(room, [Actor(infant.shape, infant.look, 1)], clipped).render(
            [(posed.turn, posed.place)]
        ).mask
        for clipped in (False, True)
    ]  # fmt: skip
    assert not masks[0].any()
    assert masks[1].any()

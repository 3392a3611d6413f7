"""Rooms and open land: nearest surfaces, people before and behind things, no two places alike."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from Datasets.geometry.camera import intrinsics_from_fov, project
from Datasets.synthetic.capture.camera_effects import defocused, without_stairs
from Datasets.synthetic.compose.figures import draw_figure, side_by_side
from Datasets.synthetic.compose.pictures import photograph
from Datasets.synthetic.places import furniture, surfaces
from Datasets.synthetic.places.background import draw_lights
from Datasets.synthetic.places.camera import PlacedCamera, look_at_people, rotation_towards
from Datasets.synthetic.places.place import Place, paint_background
from Datasets.synthetic.places.rooms import add_occluder, make_outdoors, make_place, make_room
from Datasets.synthetic.places.solids import (
    FAR_M,
    Ball,
    Box,
    Drum,
    Foliage,
    Plane,
    cast_rays,
    reaching,
)
from Datasets.synthetic.render.renderer import Actor, Renderer

SIZE = (96, 72)
SOLIDS = (Box, Ball, Drum)


def camera_at(position, target=(0.0, 0.0, 0.8), size=SIZE):
    """A level camera that looks at a point."""
    position = np.array(position, dtype=float)
    rotation = rotation_towards(position, np.array(target))
    return PlacedCamera(intrinsics_from_fov(size, 60.0), size, rotation, position)


def level(solid, points):
    """0 on the surface of a solid, below inside, above outside."""
    x, y, z = (np.abs(solid.to_local(points - solid.centre)) / solid.half).T
    if isinstance(solid, Box):
        return np.maximum(np.maximum(x, y), z) - 1
    if isinstance(solid, Ball):
        return np.sqrt(x**2 + y**2 + z**2) - 1
    return np.maximum(np.sqrt(x**2 + y**2), z) - 1


@pytest.mark.parametrize("kind", SOLIDS)
def test_rays_stop_where_they_first_touch_a_solid(kind):
    rng = np.random.default_rng(1)
    solid = kind(np.array([0.2, 0.1, 0.9]), np.array([0.5, 0.3, 0.4]), 0.7, 0)
    origin = np.array([2.5, -1.0, 1.4])
    rays = solid.centre + rng.uniform(-0.9, 0.9, (400, 3)) - origin
    reach = solid.entry(origin, rays)
    hit = np.isfinite(reach)
    assert 20 < hit.sum() < 380
    touched = origin + rays[hit] * reach[hit, None]
    assert np.abs(level(solid, touched)).max() < 1e-9
    steps = np.linspace(0.01, 1.6, 400)[:, None, None]
    along = level(solid, (origin + steps * rays).reshape(-1, 3)).reshape(400, -1)
    assert (along[:, ~hit] > 0).all()
    before = steps[..., 0] < reach[hit] - 1e-6
    assert (along[:, hit][before] > 0).all()
    normals, _ = solid.surface(solid.to_local(touched - solid.centre))
    assert np.allclose(np.linalg.norm(normals, axis=1), 1)
    assert ((solid.to_world(normals) * rays[hit]).sum(axis=1) < 1e-9).all()
    inside = solid.centre + 0.2 * solid.half * rng.uniform(-1, 1, (9, 3))
    up = np.array([0.0, 0.0, 1.0])
    assert not reaching(inside - [0, 0, 2.0], up, [solid]).any()
    assert reaching(inside + [0, 0, 2.0], up, [solid]).all()


def test_foliage_is_a_ball_with_a_ragged_rim():
    given = np.zeros(3), np.full(3, 0.5), 0.0, 0
    origin, rays = np.array([3.0, 0, 0]), np.random.default_rng(2).normal(0, 0.25, (4000, 3))
    rays[:, 0] = -1
    whole, ragged = (np.isfinite(kind(*given).entry(origin, rays)) for kind in (Ball, Foliage))
    assert 0.5 < (whole & ragged).sum() / whole.sum() < 0.98
    assert not (ragged & ~whole).any()


def test_every_pixel_sees_the_nearest_surface():
    floor = Plane(np.zeros(3), np.array([0, 0, 1.0]), 0)
    near = Box(np.array([1.0, 0, 0.8]), np.array([0.1, 0.2, 0.2]), 0.0, 1)
    far = Drum(np.array([0.0, 0, 0.8]), np.array([0.5, 0.5, 0.8]), 0.0, 2)
    camera = camera_at([3.0, 0.0, 0.8])
    hits = cast_rays(camera, [floor], [near, far])
    centre = SIZE[1] // 2, SIZE[0] // 2
    assert hits.material[centre] == 1
    assert hits.point[centre][0] == pytest.approx(1.1)
    assert set(np.unique(hits.material)) == {-1, 0, 1, 2}
    assert np.abs(hits.point[hits.material == 0][:, 2]).max() < 1e-9
    assert np.array_equal(hits.material, cast_rays(camera, [floor], [far, near]).material)
    away = camera.to_camera(hits.point)[..., 2]
    assert np.allclose(away[hits.material < 0], FAR_M)
    seen = project(camera.to_camera(hits.point), camera.intrinsics)
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    assert np.abs(seen - np.stack([x, y], axis=-1)).max() < 1e-6


def test_a_wall_is_seen_from_its_front_only():
    wall = Plane(np.array([-1.0, 0, -0.4]), np.array([1.0, 0, 0]), 0)
    hits = cast_rays(camera_at([3.0, 0, 0.8]), [wall], [])
    assert (hits.material == 0).all()
    assert np.allclose(hits.local[..., 1], hits.point[..., 2] + 0.4)  # upwards from its foot
    assert (cast_rays(camera_at([-3.0, 0, 0.8]), [wall], []).material == -1).all()


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


@pytest.fixture(scope="module")
def figures():
    rng = np.random.default_rng(8)
    pair = [draw_figure(rng, age, "standing") for age in ("adult", "child")]
    return [pair[0].moved(0.0, 0.0), pair[1].moved(0.5, 0.0)]


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


def test_occluders_are_nearer_than_the_people():
    seen = 0
    for seed in range(8):
        camera = camera_at([2.5, 0.0, 1.0])
        place = Place(np.random.default_rng(seed), camera)
        place.add_plane([0, 0, 0], [0, 0, 1], surfaces.FLOORS)
        floor = cast_rays(camera, place.planes, []).material
        add_occluder(place, 1.5)
        hits = cast_rays(camera, place.planes, place.solids)
        hidden = hits.material != floor
        seen += hidden.any()
        assert hidden.mean() < 0.5
        assert np.linalg.norm(hits.point - camera.position, axis=-1)[hidden].max(initial=0) < 2.0
    assert seen >= 6


def test_a_group_keeps_its_distance(figures):
    crowd = side_by_side([figures[0]] * 4)
    middles = np.stack([figure.posed.place[0, :2] for figure in crowd])
    apart = np.linalg.norm(middles[:, None] - middles, axis=-1) + np.eye(4)
    assert apart.min() > 0.25


def test_labels_of_a_picture_fit_the_visible_people(figures):
    picture = photograph(np.random.default_rng(12), figures, (200, 160))
    assert picture.rgb.shape == (160, 200, 3)
    for number, labels in enumerate(picture.labels):
        seen = labels.visibility == 2
        x, y = labels.keypoints_px[seen].round().astype(int).T
        assert seen.sum() > 5
        assert (picture.person[y, x] == number).mean() > 0.6
        rows, columns = np.nonzero(picture.person == number)
        left, top, right, bottom = labels.outline_px
        assert left - 1 <= columns.min()
        assert columns.max() <= right + 1
        assert top - 1 <= rows.min()
        assert rows.max() <= bottom + 1


def test_defocus_keeps_the_focused_part_and_the_light():
    rng = np.random.default_rng(6)
    linear = rng.uniform(0, 1, (40, 60, 3)).astype(np.float32)
    depth = np.where(np.arange(60) < 30, 2.0, 20.0) * np.ones((40, 1))
    shown = defocused(linear, depth, 2.0, 6.0)
    assert np.array_equal(shown[:, :30], linear[:, :30])
    assert shown[:, 40:].std() < 0.5 * linear[:, 40:].std()
    assert shown[:, 40:].mean() == pytest.approx(linear[:, 40:].mean(), abs=0.02)
    even = np.full_like(linear, 0.4)
    assert np.allclose(defocused(even, depth, 2.0, 6.0), even, atol=0.02)


def test_outlines_are_softened_and_nothing_else():
    linear = np.random.default_rng(7).uniform(0, 1, (20, 30, 3)).astype(np.float32)
    person = np.full((20, 30), -1)
    person[5:15, 10:20] = 0
    changed = (without_stairs(linear, person) != linear).any(axis=-1)
    rows, columns = np.nonzero(changed)
    assert changed[5, 10:20].all()
    assert not changed[7:13, 12:18].any()
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 15, 9, 20)
    assert np.array_equal(without_stairs(linear, np.full((20, 30), -1)), linear)

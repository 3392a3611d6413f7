"""Rooms and open land: nearest surfaces, people before and behind things, no two places alike."""

from dataclasses import replace

import numpy as np
import pytest

from Datasets.geometry.camera import intrinsics_from_fov, project
from Datasets.synthetic.capture.camera_effects import defocused, without_stairs
from Datasets.synthetic.compose.gathering import invite, photograph, seated
from Datasets.synthetic.places import everyday as places
from Datasets.synthetic.places.bed import Camera
from Datasets.synthetic.places.builder import Setting, light_up
from Datasets.synthetic.places.everyday import (
    furniture,
    look_at_people,
    make_outdoors,
    make_place,
    make_room,
    surfaces,
)
from Datasets.synthetic.places.foreground import stand_before
from Datasets.synthetic.places.solids import FAR_M, Ball, Box, Drum, Foliage, Plane, look, reaching
from Datasets.synthetic.render.studio import Actor, Studio

SIZE = (96, 72)
SOLIDS = (Box, Ball, Drum)


def camera_at(position, target=(0.0, 0.0, 0.8), size=SIZE):
    """A level camera that looks at a point."""
    position = np.array(position, dtype=float)
    forward = np.array(target) - position
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return Camera(intrinsics_from_fov(size, 60.0), size, rotation, position)


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
    view = look(camera, [floor], [near, far])
    centre = SIZE[1] // 2, SIZE[0] // 2
    assert view.material[centre] == 1
    assert view.point[centre][0] == pytest.approx(1.1)
    assert set(np.unique(view.material)) == {-1, 0, 1, 2}
    assert np.abs(view.point[view.material == 0][:, 2]).max() < 1e-9
    assert np.array_equal(view.material, look(camera, [floor], [far, near]).material)
    away = camera.to_camera(view.point)[..., 2]
    assert np.allclose(away[view.material < 0], FAR_M)
    seen = project(camera.to_camera(view.point), camera.intrinsics)
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    assert np.abs(seen - np.stack([x, y], axis=-1)).max() < 1e-6


def test_a_wall_is_seen_from_its_front_only():
    wall = Plane(np.array([-1.0, 0, -0.4]), np.array([1.0, 0, 0]), 0)
    view = look(camera_at([3.0, 0, 0.8]), [wall], [])
    assert (view.material == 0).all()
    assert np.allclose(view.local[..., 1], view.point[..., 2] + 0.4)  # upwards from its foot
    assert (look(camera_at([-3.0, 0, 0.8]), [wall], []).material == -1).all()


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
        return Studio(make_place(rng, camera, 0.6, nursery=seed % 3 == 0), []).empty

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
        scene = make(rng, camera, 0.5, [(np.array([0.2, 0.0]), 0.2, 0.4)])
        for values in (scene.ground, scene.albedo, scene.normals, *scene.lit):
            assert np.isfinite(values).all()
        assert scene.albedo.min() >= 0
        assert np.allclose(np.linalg.norm(scene.normals, axis=-1), 1, atol=1e-6)
        among = np.linalg.norm(scene.ground[..., :2], axis=-1) < 0.5
        standing = among & (np.abs(scene.ground[..., 2]) > 0.01) & (scene.ground[..., 2] < 1.8)
        seat = np.linalg.norm(scene.ground[..., :2] - [0.2, 0], axis=-1) < 0.4
        assert not (standing & ~seat & (scene.ground[..., 2] > 0)).any()
        assert camera.to_camera(scene.ground)[..., 2].min() > 0.05


def test_furniture_stands_on_the_floor_and_out_of_the_way():
    rng = np.random.default_rng(5)
    every = {*furniture.INDOORS, *furniture.NURSERY, *furniture.GARDEN, *furniture.FAR_OFF}
    for piece in sorted(every, key=lambda piece: piece.__name__):
        setting = Setting()
        parts = furniture.placed(piece(rng), np.array([1.0, 2.0, -0.4]), 0.5, setting.material)
        low = min(part.centre[2] - part.half[2] for part in parts)
        assert low < -0.4 + 0.13, piece.__name__
        assert {part.material for part in parts} <= set(range(len(setting.painters)))
    free = [(np.array([1.0, 2.0]), 0.3)]
    spots = [(np.array([1.0, 2.0]), 0.5)] * 20
    pieces = (furniture.bed, furniture.sofa, furniture.case)
    assert furniture.furnish(rng, spots, Setting().material, free, pieces) == []
    assert furniture.furnish(rng, spots[:1], Setting().material, [], pieces)


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
        tuple(make(np.array([0.5, 0.01, 0.7])) for make in (surfaces.framed, surfaces.window)),
        (surfaces.door(np.array([0.45, 0.02, 1.0])),),
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
def guests():
    rng = np.random.default_rng(8)
    pair = [invite(rng, age, "standing") for age in ("adult", "child")]
    return [pair[0].moved(0.0, 0.0), pair[1].moved(0.5, 0.0)]


def studio_with(guests, solids=(), size=(160, 120)):
    rng, setting = np.random.default_rng(4), Setting()
    setting.plane([0, 0, 0], [0, 0, 1], surfaces.FLOORS)
    setting.solids += solids
    camera = camera_at([3.0, 0.0, 1.0], size=size)
    lights = places.draw_lights(rng)
    scene = light_up(rng, camera, setting, lights, np.full(3, 0.4), np.full((120, 160, 3), 0.7))
    return Studio(scene, [Actor(g.shape, g.look, 1) for g in guests])


def poses(guests):
    return [(g.posed.turn, g.posed.place) for g in guests]


def test_the_nearer_person_hides_the_farther_one(guests):
    shot = studio_with(guests).shoot(poses(guests))
    alone = [studio_with([guest]).shoot(poses([guest])) for guest in guests]
    both = alone[0].mask & alone[1].mask
    assert both.sum() > 100
    assert (shot.person[both] == 1).all()  # the second stands nearer to the camera
    assert np.array_equal(shot.mask, alone[0].mask | alone[1].mask)
    assert np.array_equal(shot.depth_m, np.minimum(alone[0].depth_m, alone[1].depth_m))
    swapped = studio_with(guests[::-1]).shoot(poses(guests[::-1]))
    assert (swapped.person[both] == 0).all()
    assert np.abs(shot.linear[shot.person == 1] - alone[1].linear[shot.person == 1]).mean() < 0.05


def test_furniture_before_a_person_hides_it_and_behind_does_not(guests):
    plain = studio_with(guests[:1]).shoot(poses(guests[:1]))
    box = Box(np.array([1.5, 0, 0.4]), np.array([0.05, 0.6, 0.4]), 0.0, 0)
    before = studio_with(guests[:1], [box]).shoot(poses(guests[:1]))
    behind = replace(box, centre=np.array([-1.0, 0, 0.4]))
    after = studio_with(guests[:1], [behind]).shoot(poses(guests[:1]))
    assert np.array_equal(after.mask, plain.mask)
    assert 0.2 < before.mask.sum() / plain.mask.sum() < 0.8
    assert not (before.mask & ~plain.mask).any()


def test_people_cast_shadows_on_the_floor_and_only_there(guests):
    studio = studio_with(guests)
    shot = studio.shoot(poses(guests))
    darker = (shot.linear - studio.empty).sum(axis=-1) < -0.02
    on_floor = np.abs(studio.scene.ground[..., 2]) < 0.01
    assert (darker & on_floor & ~shot.mask).sum() > 50
    far = np.linalg.norm(studio.scene.ground[..., :2], axis=-1) > 6
    change = np.abs(shot.linear - studio.empty)[far & ~shot.mask]
    assert change.max() < 1e-6


def test_a_body_at_the_camera_is_left_out(guests):
    beside = guests[0].moved(3.0, 0.0)
    shot = studio_with([guests[1], beside]).shoot(poses([guests[1], beside]))
    assert set(np.unique(shot.person)) == {-1, 0}


def test_what_stands_before_people_is_nearer_than_they_are():
    seen = 0
    for seed in range(8):
        setting, camera = Setting(), camera_at([2.5, 0.0, 1.0])
        setting.plane([0, 0, 0], [0, 0, 1], surfaces.FLOORS)
        floor = look(camera, setting.planes, []).material
        stand_before(np.random.default_rng(seed), camera, setting, 1.5)
        view = look(camera, setting.planes, setting.solids)
        hidden = view.material != floor
        seen += hidden.any()
        assert hidden.mean() < 0.5
        assert np.linalg.norm(view.point - camera.position, axis=-1)[hidden].max(initial=0) < 2.0
    assert seen >= 6


def test_a_group_keeps_its_distance(guests):
    crowd = seated([guests[0]] * 4)
    middles = np.stack([guest.posed.place[0, :2] for guest in crowd])
    apart = np.linalg.norm(middles[:, None] - middles, axis=-1) + np.eye(4)
    assert apart.min() > 0.25


def test_labels_of_a_picture_fit_who_is_seen(guests):
    picture = photograph(np.random.default_rng(12), guests, (200, 160))
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


def test_defocus_keeps_what_is_sharp_and_the_light():
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

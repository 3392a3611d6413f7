"""Solids: rays stop at the first surface, and every pixel shows the nearest one."""

import numpy as np
import pytest

from Datasets.geometry.camera import intrinsics_from_fov, project
from Datasets.synthetic.places.camera import PlacedCamera, rotation_towards
from Datasets.synthetic.places.solids import (
    FAR_M,
    Ball,
    Bars,
    Box,
    Drum,
    Foliage,
    Plane,
    cast_rays,
    reaching,
)

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


def test_bars_are_many_boxes():
    bars = Bars(np.array([0.1, 0.0, 0.2]), np.array([0.011, 0.3, 0.25]), 0.4, 0)
    count, thick = round(0.6 / Bars.apart), Bars.thick / 2
    boxes = []
    for number in range(count + 1):
        along = bars.to_world(np.array([0.0, -0.3 + number * 0.6 / count, 0.0]))
        half = np.array([0.011, thick, 0.25])
        boxes.append(Box(bars.centre + along, half, 0.4, 0))
    rng = np.random.default_rng(4)
    origin = np.array([1.2, -0.9, 0.6])
    rays = bars.centre + bars.to_world(rng.uniform(-0.98, 0.98, (3000, 3)) * bars.half) - origin
    expected = np.min([box.entry(origin, rays) for box in boxes], axis=0)
    reach = bars.entry(origin, rays)
    # the outer halves of the first and last bar are beyond the box that holds them
    inner = np.abs(bars.to_local(origin + rays - bars.centre)[:, 1]) < 0.25
    same = np.isclose(reach, expected, atol=1e-6) | (np.isinf(reach) & np.isinf(expected))
    assert 0.2 < np.isfinite(reach).mean() < 0.98
    assert same[inner].all()
    hit = np.flatnonzero(np.isfinite(reach))
    normals, _ = bars.surface(bars.to_local(origin + rays[hit] * reach[hit, None] - bars.centre))
    assert (np.einsum("ij,ij->i", bars.to_world(normals), rays[hit]) < 1e-6).mean() > 0.999


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

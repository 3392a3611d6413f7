"""Matrices, boxes, cameras and alignments against oracles and hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from Datasets.geometry.affine import (
    horizontal_flip,
    resize_matrix,
    rotation,
    scale_of,
    transform_points,
    translation,
    warp_image,
)
from Datasets.geometry.alignment import procrustes, root_relative, scale_align
from Datasets.geometry.boxes import box_fault, box_from_mask, box_from_points, clip_box, iou
from Datasets.geometry.camera import (
    intrinsics_from_fov,
    intrinsics_matrix,
    project,
    rays,
    root_position,
    rotation_to_axis,
)
from Datasets.structures import Crop

CAMERA = intrinsics_matrix(590.0, 600.0, 322.0, 237.0)


def dot_picture(x: float, y: float, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A soft dot centred at (x, y)."""
    columns, rows = np.arange(size[0]), np.arange(size[1])[:, None]
    values = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 4.0**2))
    return Image.fromarray(values.astype(np.uint8)).convert("RGB")


def centroid(picture: Image.Image) -> np.ndarray:
    values = np.asarray(picture, dtype=np.float64)[..., 0]
    rows, columns = np.mgrid[: values.shape[0], : values.shape[1]]
    return np.array([(columns * values).sum(), (rows * values).sum()]) / values.sum()


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("degrees", [0.0, 33.0, -150.0])
@pytest.mark.parametrize("side", [60.0, 130.0, 420.0])
def test_a_dot_lands_where_its_label_lands(side: float, degrees: float, flip: bool) -> None:
    dot = np.array([301.3, 222.6])
    box = np.array([310 - side / 2, 230 - side / 2, 310 + side / 2, 230 + side / 2])
    crop = Crop.around(box, 192, degrees=degrees)
    crop = crop.then(horizontal_flip(192)) if flip else crop
    found = centroid(warp_image(dot_picture(*dot), crop.matrix, crop.size))
    assert np.abs(found - crop.to_crop(dot)).max() < 0.25
    np.testing.assert_allclose(crop.to_image(crop.to_crop(dot)), dot, atol=1e-9)


def test_resize_keeps_edges() -> None:
    matrix = resize_matrix((640, 480), (64, 48))
    np.testing.assert_allclose(matrix @ [-0.5, -0.5, 1], [-0.5, -0.5, 1], atol=1e-12)
    np.testing.assert_allclose(matrix @ [639.5, 479.5, 1], [63.5, 47.5, 1])


def test_flip_and_rotation_conventions() -> None:
    assert transform_points(horizontal_flip(10), np.array([[0, 3]])).tolist() == [[9, 3]]
    np.testing.assert_allclose(rotation(90) @ [1, 0, 1], [0, 1, 1], atol=1e-12)
    assert scale_of(rotation(20) @ translation(5, 6)) == pytest.approx(1)


def test_crop_is_a_camera() -> None:
    points = np.random.default_rng(0).normal([0, 0, 900], 80, (40, 3))
    crop = Crop.around(np.array([200, 100, 420, 400]), 256, degrees=25, shift=(0.1, -0.05))
    through_image = crop.to_crop(project(points, CAMERA))
    np.testing.assert_allclose(project(points, crop.intrinsics(CAMERA)), through_image, atol=1e-9)


def test_procrustes_equals_scipy() -> None:
    generator = np.random.default_rng(1)
    target = generator.normal(size=(16, 3)) * 100
    predicted = target + generator.normal(size=(16, 3)) * 10
    p, t = predicted - predicted.mean(0), target - target.mean(0)
    turn, _ = Rotation.align_vectors(t, p)
    turned = turn.apply(p)
    expected = turned * (turned * t).sum() / (p**2).sum() + target.mean(0)
    np.testing.assert_allclose(procrustes(predicted, target), expected, atol=1e-4)


def test_procrustes_undoes_a_similarity_but_not_a_mirror() -> None:
    generator = np.random.default_rng(2)
    target = generator.normal(size=(16, 3)) * 100
    moved = 1.7 * target @ Rotation.random(rng=generator).as_matrix().T + [5, -80, 1000]
    np.testing.assert_allclose(procrustes(moved, target), target, atol=1e-9)
    mirrored = target * [-1, 1, 1]
    assert np.abs(procrustes(mirrored, target) - target).max() > 10


def test_scale_alignment_is_least_squares() -> None:
    generator = np.random.default_rng(3)
    target = root_relative(generator.normal(size=(16, 3)), 6)
    predicted = target * 0.5 + generator.normal(size=(16, 3)) * 0.05
    best = np.linalg.norm(scale_align(predicted, target) - target)
    for factor in (1.8, 1.9, 2.1, 2.2):
        assert best <= np.linalg.norm(factor * predicted - target)
    assert (root_relative(target + 7, 6)[6] == 0).all()


def test_boxes_by_hand() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[4:9, 10:15] = True
    assert box_from_mask(mask, 5).tolist() == [5, 0, 19, 13]
    assert box_from_mask(np.zeros((5, 5), dtype=bool)) is None
    assert box_from_points(np.array([[1, 2], [np.nan, 9], [4, 8]]), 1).tolist() == [0, 1, 5, 9]
    assert box_from_points(np.full((1, 2), np.nan)) is None
    assert clip_box(np.array([-4, 2, 40, 9]), (30, 20)).tolist() == [0, 2, 29, 9]


def test_iou_by_hand() -> None:
    boxes = [[0.0, 0, 10, 10], [0, 0, 0, 0]]
    others = [[0.0, 0, 10, 10], [5, 0, 15, 10], [10, 10, 20, 20]]
    expected = [[1, 1 / 3, 0], [0, 0, 0]]
    np.testing.assert_allclose(iou(np.array(boxes), np.array(others)), expected)


def test_projection_and_rays_are_inverse() -> None:
    points = np.random.default_rng(4).normal([0, 0, 900], 80, (40, 3))
    back = rays(project(points, CAMERA), CAMERA) * points[:, 2:]
    np.testing.assert_allclose(back, points, atol=1e-9)
    assert np.isnan(project(np.array([[0, 0, -5.0]]), CAMERA)).all()


def test_field_of_view() -> None:
    camera = intrinsics_from_fov((640, 480), 90)
    assert camera[0, 0] == pytest.approx(320)
    assert camera[:2, 2].tolist() == [319.5, 239.5]


def test_rotation_to_axis_is_the_smallest() -> None:
    ray = np.array([0.3, -0.2, 1.0])
    turn = rotation_to_axis(ray)
    np.testing.assert_allclose(turn @ ray / np.linalg.norm(ray), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    angle = np.arccos((np.trace(turn) - 1) / 2)
    assert angle == pytest.approx(np.arccos(1 / np.linalg.norm(ray)))


def test_root_position_recovers_a_known_root() -> None:
    generator = np.random.default_rng(5)
    relative = root_relative(generator.normal(size=(16, 3)) * 80, 6)
    root = np.array([40.0, -60.0, 1100.0])
    keypoints = project(relative + root, CAMERA)
    np.testing.assert_allclose(root_position(keypoints, relative, CAMERA), root, atol=1e-6)
    keypoints[3] = np.nan
    keypoints[5] += 300
    weights = np.ones(16)
    weights[5] = 0
    np.testing.assert_allclose(root_position(keypoints, relative, CAMERA, weights), root, atol=1e-6)
    keypoints[:14] = np.nan
    assert np.isnan(root_position(keypoints, relative, CAMERA)).all()


def test_a_box_of_somebody_has_room_for_joints_and_lies_in_the_image() -> None:
    def fault(*box: float) -> str:
        return box_fault(np.array(box, dtype=np.float64), (100, 80))

    for side in (1.2, 3.9, 4.0):
        for box in ([5, 5, 5 + side, 5 + side], [5, 5, 5 + side, 60], [5, 5, 60, 5 + side]):
            assert fault(*box) == "a box with a side of 4 px or less"
    assert fault(5, 5, 9.1, 9.1) == fault(-5, 0, 5, 10) == ""
    assert fault(-6, 0, 5, 10) == "a box far outside the image"
    assert fault(*[np.nan] * 4) == "a box with a side of 4 px or less"

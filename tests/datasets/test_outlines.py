"""Box targets and their outlines."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image
from scenes import SIZE, ellipse, write_scenes

from Datasets.geometry.affine import rotation, transform_points
from Datasets.geometry.boxes import box_from_mask, box_from_points
from Datasets.outlines import box_target, boxes_of, outline, outlines_of, rounded
from Datasets.readers.mini_rgbd import read_mini_rgbd
from Engine.errors import DataError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return read_mini_rgbd(write_scenes(tmp_path_factory.mktemp("data"), 2, 3))


def test_box_is_the_masks_box_and_five_pixels(dataset):
    for sample, box in zip(dataset.samples, boxes_of(dataset), strict=True):
        mask = np.asarray(Image.open(sample.mask_path)) > 127
        np.testing.assert_allclose(box_target(sample), box_from_mask(mask, 5.0))
        np.testing.assert_allclose(box, box_from_mask(mask, 5.0))


def test_box_stays_inside_the_image():
    mask = np.zeros((30, 40), bool)
    mask[0:4, 37:40] = True
    points = outline(mask)
    np.testing.assert_array_equal(box_from_points(points), [37, 0, 39, 3])


@pytest.mark.parametrize("degrees", [0, 17, 45, 90, 133])
def test_turned_outline_has_the_box_of_the_turned_mask(degrees):
    mask = ellipse((40, 35), (30, 12)) | ellipse((60, 50), (8, 16))
    every = np.argwhere(mask)[:, ::-1].astype(float)
    turned = box_from_points(transform_points(rotation(degrees), every))
    ours = box_from_points(transform_points(rotation(degrees), outline(mask)))
    np.testing.assert_allclose(ours, turned, atol=0.15)


def test_without_a_mask_the_keypoints_bound_the_infant(dataset):
    keypoints = np.full((25, 2), np.nan)
    keypoints[:2] = [[20, 30], [50, 40]]
    bare = dataclasses.replace(dataset.samples[0], mask_path=None, keypoints_px=keypoints)
    np.testing.assert_allclose(box_target(bare), [15, 25, 55, 45])
    nothing = dataclasses.replace(bare, keypoints_px=np.full((25, 2), np.nan))
    with pytest.raises(DataError, match="neither mask"):
        box_target(nothing)


NOWHERE = np.full((1, 2), np.nan)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_upright_the_outline_of_a_box_has_that_box(degrees):
    box = np.array([20.0, 30, 60, 90])
    turn = rotation(degrees)
    expected = box_from_points(transform_points(turn, box.reshape(2, 2)))
    for keypoints in (NOWHERE, np.array([[20.0, 30], [61, 88], [40, 95]])):
        found = box_from_points(transform_points(turn, rounded(box, keypoints)))
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_nobody_fills_the_corners_of_a_box_but_a_joint_may_lie_there():
    box, turn = np.array([0.0, 0, 40, 40]), rotation(45)
    empty = box_from_points(transform_points(turn, rounded(box, NOWHERE)))
    np.testing.assert_allclose(empty[2:] - empty[:2], [40, 40], atol=1e-9)
    reaching = box_from_points(transform_points(turn, rounded(box, np.array([[40.0, 40]]))))
    assert reaching[3] == pytest.approx(40 * np.sqrt(2))


def test_an_empty_mask_is_named(dataset, tmp_path):
    path = tmp_path / "mask.png"
    Image.new("L", SIZE).save(path)
    with pytest.raises(DataError, match=r"mask\.png is empty"):
        box_target(dataclasses.replace(dataset.samples[0], mask_path=path))


def test_cache_gives_the_same_and_notices_changed_masks(tmp_path):
    dataset = read_mini_rgbd(write_scenes(tmp_path / "data", 1, 2))
    cache = tmp_path / "run" / "outlines.npz"
    first, sizes = outlines_of(dataset.samples, cache)
    stamp = cache.stat().st_mtime_ns
    again, _ = outlines_of(dataset.samples, cache)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(sizes, [SIZE, SIZE])
    assert cache.stat().st_mtime_ns == stamp
    mask = ellipse((30, 30), (9, 9))
    Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(dataset.samples[0].mask_path)
    changed, _ = outlines_of(dataset.samples, cache)
    np.testing.assert_array_equal(box_from_points(changed[0]), [21, 21, 39, 39])


def test_cache_notices_changed_boxes(dataset, tmp_path):
    box = np.array([10.0, 10, 40, 30])
    for right in (40.0, 50.0):
        box[2] = right
        bare = dataclasses.replace(dataset.samples[0], mask_path=None, box_xyxy=box)
        (points,), _ = outlines_of([bare], tmp_path / "outlines.npz")
        assert points[:, 0].max() == right

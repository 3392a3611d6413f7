"""Panels show box, joints, heatmaps and, where there is 3D, the pose in space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.drawing.overlay import LEFT, RIGHT
from Datasets.drawing.panels import heatmap_overlay, sample_panel
from Datasets.skeletons import COCO_17
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE, PoseSample

GREY = Image.new("RGB", (320, 200), (90, 90, 90))
SIZE = (480, 288)


@pytest.fixture
def sample() -> PoseSample:
    keypoints = np.random.default_rng(1).uniform((80, 40), (220, 160), (17, 2))
    visibility = np.full(17, VISIBLE, np.uint8)
    return PoseSample(Path("none.jpg"), COCO_17, keypoints, visibility)


def test_heatmaps_peak_at_the_joints_in_the_colour_of_their_side() -> None:
    keypoints = np.full((17, 2), np.nan)
    keypoints[COCO_17.index("left_knee")], keypoints[COCO_17.index("right_knee")] = (
        (30, 40),
        (80, 20),
    )
    shown = np.asarray(heatmap_overlay(Image.new("RGB", (100, 100)), keypoints, COCO_17), float)
    assert np.abs(shown[40, 30] - LEFT).max() < 2 and np.abs(shown[20, 80] - RIGHT).max() < 2
    assert shown[90, 50].max() < 1
    y, x = np.unravel_index(shown.sum(-1)[:, :55].argmax(), (100, 55))
    assert (x, y) == (30, 40)


def test_a_panel_has_three_parts_and_leaves_the_sample_alone(sample: PoseSample) -> None:
    before = sample.keypoints_px.copy()
    panel = np.asarray(sample_panel(sample, GREY, None, SIZE))
    assert panel.shape == (288, 480, 3)
    assert np.array_equal(before, sample.keypoints_px)
    tiles = panel[:, :336], panel[:144, 336:], panel[144:, 336:]
    assert all(len(np.unique(tile.reshape(-1, 3), axis=0)) > 100 for tile in tiles)


def test_with_3d_the_lower_tile_is_the_pose_in_space(sample: PoseSample) -> None:
    joints = np.random.default_rng(2).normal(0, 200, (17, 3))
    flat = np.asarray(sample_panel(sample, GREY, None, SIZE))
    deep = np.asarray(sample_panel(replace(sample, joints_mm=joints), GREY, None, SIZE))
    assert np.array_equal(flat[:144], deep[:144])
    assert deep[144:, 336:].mean() > flat[144:, 336:].mean() + 50  # paper instead of photo


def test_hidden_and_missing_joints_look_different(sample: PoseSample) -> None:
    hidden = replace(sample, visibility=np.full(17, OCCLUDED, np.uint8))
    assert sample_panel(hidden, GREY, None, SIZE) != sample_panel(sample, GREY, None, SIZE)
    none = replace(
        sample, keypoints_px=np.full((17, 2), np.nan), visibility=np.full(17, UNLABELLED, np.uint8)
    )
    panel = np.asarray(sample_panel(none, GREY, None, SIZE))
    assert len(np.unique(panel[:, 336:].reshape(-1, 3), axis=0)) == 1

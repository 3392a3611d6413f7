"""Drawings show what they are told: sides, doubt, place, at any size."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from Datasets.drawing.overlay import (
    LEFT,
    MIDDLE,
    RIGHT,
    PoseDrawing,
    draw_poses,
    line_width,
    side_colour,
)
from Datasets.drawing.plot3d import plot_poses
from Datasets.drawing.sheets import contact_sheet
from Datasets.skeletons import INFANT

GREY = (128, 128, 128)


def pose(size: tuple[int, int]) -> np.ndarray:
    """Joints spread over the middle of an image."""
    fractions = np.random.default_rng(0).uniform(0.2, 0.8, (25, 2))
    return fractions * size


def colour_at(image: Image.Image, point: np.ndarray) -> tuple[int, ...]:
    return image.getpixel(tuple(round(v) for v in point))


@pytest.mark.parametrize("size", [(48, 36), (640, 480), (1200, 2400)])
def test_joints_have_the_colour_of_their_side(size: tuple[int, int]) -> None:
    keypoints = np.full((25, 2), np.nan)
    for joint, place in (("left_wrist", 0.3), ("right_wrist", 0.7), ("nose", 0.5)):
        keypoints[INFANT.index(joint)] = np.array(size) * [place, 0.5]
    before = Image.new("RGB", size, GREY)
    after = draw_poses(before, [PoseDrawing(keypoints)], INFANT)
    assert before.getextrema() == ((128, 128),) * 3
    for joint, colour in (("left_wrist", LEFT), ("right_wrist", RIGHT), ("nose", MIDDLE)):
        found = np.array(colour_at(after, keypoints[INFANT.index(joint)]))
        assert np.abs(found - colour).max() < 60, joint


def test_bones_take_the_side_of_their_limb() -> None:
    indices = {name: INFANT.index(name) for name in INFANT.joints}
    assert side_colour(INFANT, (indices["left_hip"], indices["left_knee"])) == LEFT
    assert side_colour(INFANT, (indices["pelvis"], indices["right_hip"])) == RIGHT
    assert side_colour(INFANT, (indices["left_hip"], indices["right_hip"])) == MIDDLE
    assert side_colour(INFANT, (indices["pelvis"], indices["thorax"])) == MIDDLE


def test_uncertain_joints_are_hollow_and_missing_ones_absent() -> None:
    keypoints = np.full((25, 2), np.nan)
    keypoints[INFANT.index("left_wrist")] = [100, 100]
    keypoints[INFANT.index("right_wrist")] = [300, 300]
    scores = np.full(25, np.nan)
    scores[INFANT.index("left_wrist")], scores[INFANT.index("right_wrist")] = 0.1, 0.9
    blank = Image.new("RGB", (400, 400), GREY)
    drawn = draw_poses(blank, [PoseDrawing(keypoints, scores)], INFANT)
    assert max(colour_at(drawn, np.array([100, 100]))) < 90
    assert colour_at(drawn, np.array([300, 300])) == RIGHT
    changed = (np.asarray(drawn) != 128).any(axis=2)
    assert changed[:90].sum() == 0 and 0 < changed.mean() < 0.01


def test_lines_are_smooth_and_grow_with_the_person() -> None:
    size = (800, 800)
    small, large = PoseDrawing(pose(size) / 4), PoseDrawing(pose(size))
    assert line_width(large, size) == pytest.approx(4 * line_width(small, size), rel=0.01)
    drawn = draw_poses(Image.new("RGB", size, GREY), [large], INFANT)
    assert len(drawn.getcolors(maxcolors=100_000)) > 40


def test_nothing_to_draw_leaves_the_image() -> None:
    blank = Image.new("RGB", (64, 48), GREY)
    nothing = PoseDrawing(np.full((25, 2), np.nan))
    outside = PoseDrawing(pose((64, 48)) + 5000)
    for poses in ([], [nothing], [outside]):
        np.testing.assert_array_equal(draw_poses(blank, poses, INFANT), blank)


@pytest.mark.parametrize("size", [(20, 30), (33, 17), (640, 480)])
def test_box_label_caption_and_legend_fit_any_image(size: tuple[int, int]) -> None:
    box = np.array([-5.0, -5.0, size[0] * 0.9, size[1] * 1.2])
    one = PoseDrawing(pose(size), np.ones(25), box, "infant 1  0.97")
    drawn = draw_poses(Image.new("RGB", size, GREY), [one], INFANT, "frame 3  0.12 s", legend=True)
    assert drawn.size == size and drawn.mode == "RGB"
    band = np.asarray(drawn)[-2:].mean()
    assert band < 100


def test_legend_names_both_sides_with_their_colours() -> None:
    blank = Image.new("RGB", (640, 480), GREY)
    band = np.asarray(draw_poses(blank, [], INFANT, legend=True))[440:].reshape(-1, 3).astype(int)
    for colour in (LEFT, RIGHT):
        assert (np.abs(band - colour).max(axis=1) == 0).sum() > 20


def test_plot_shows_sides_in_equal_scale() -> None:
    joints = np.random.default_rng(0).normal([0, 0, 900], 60, (25, 3))
    joints[3] = np.nan
    drawn = plot_poses({"predicted": joints, "target": joints + 500}, INFANT, "one", width=600)
    assert drawn.width == 600 and drawn.mode == "RGB"
    pixels = np.asarray(drawn).reshape(drawn.height, 600, 3).astype(int)
    for colour in (LEFT, RIGHT):
        hit = np.abs(pixels - colour).max(axis=2) < 4
        left, right = hit[:, :300], hit[:, 300:]
        # Root-relative: a shifted pose is the same picture beside itself.
        assert left.sum() > 200 and abs(left.sum() - right.sum()) < 0.05 * left.sum()


def test_plot_without_root_or_without_any_joint() -> None:
    joints = np.random.default_rng(0).normal([0, 0, 900], 60, (25, 3))
    joints[INFANT.root_index] = np.nan
    pixels = np.asarray(plot_poses({"": joints}, INFANT, width=300)).astype(int)
    assert (np.abs(pixels - LEFT).max(axis=2) < 4).any()
    assert plot_poses({"": np.full((25, 3), np.nan)}, INFANT, width=300).width == 300


def test_contact_sheet_keeps_shapes_and_order() -> None:
    pictures = [Image.new("RGB", (40, 80), (200, 0, 0)), Image.new("RGB", (80, 40), (0, 0, 200))]
    sheet = contact_sheet(pictures, ["tall", "wide"], columns=2, cell=(100, 100), title="two")
    pixels = np.asarray(sheet)
    red, blue = ((pixels[..., c] > 190) & (pixels[..., 1] < 10) for c in (0, 2))
    for mask, shape in ((red, (100, 50)), (blue, (50, 100))):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == shape
    assert np.flatnonzero(red.any(axis=0)).max() < np.flatnonzero(blue.any(axis=0)).min()
    with pytest.raises(ValueError, match="2 pictures, 1 labels"):
        contact_sheet(pictures, ["one"])

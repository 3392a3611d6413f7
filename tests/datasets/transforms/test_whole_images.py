"""Whole images with their people: repeatable variations, boxes that follow the pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from Datasets.transforms.settings import WholeImageTransforms
from Datasets.transforms.whole_images import OutlinedPeople, train_whole_image

SIZE = (128, 96)


def square(x, y, side):
    """An outline of 64 points whose box is a square."""
    corners = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], float)
    return np.repeat(corners, 16, axis=0)


def people(load_mask=None):
    return OutlinedPeople(
        np.stack([square(20, 20, 30), square(60, 30, 20)]), np.array([5.0, 0]), 0, load_mask
    )


def picture():
    values = np.full((72, 96, 3), 40, np.uint8)
    values[20:51, 20:51] = [250, 0, 0]
    values[30:51, 60:81] = [0, 0, 250]
    return Image.fromarray(values)


def drawn(seed, load_mask=None, **settings):
    generator = np.random.default_rng(seed)
    transforms = WholeImageTransforms(**settings)
    return train_whole_image(picture(), people(load_mask), SIZE, generator, transforms)


RECORDED = {
    7: ([[0.0, 1.886, 61.376, 64.915], [62.689, 36.751, 103.375, 77.437]], [True, True], 93.9),
    8: ([[11.2, 39.477, 54.38, 82.657], [64.052, 44.549, 91.506, 72.003]], [True, True], 37.1),
}
"""Seed to both boxes, who is labelled, and the canvas's mean brightness."""


@pytest.mark.parametrize("seed", RECORDED)
def test_a_seed_gives_the_same_canvas_as_ever(seed):
    canvas, boxes, labelled = drawn(seed)
    expected_boxes, expected_labelled, mean = RECORDED[seed]
    np.testing.assert_allclose(boxes, expected_boxes, atol=1e-3)
    assert labelled.tolist() == expected_labelled
    assert canvas.mean() == pytest.approx(mean, abs=0.5)
    again, *_ = drawn(seed)
    np.testing.assert_array_equal(canvas, again)


def test_the_mask_is_read_for_the_share_with_another_background_only():
    read = []

    def load_mask():
        read.append(1)
        return Image.new("L", (96, 72), 255)

    plain = {"occlusion_share": 0, "photometric_share": 0, "empty_share": 0}
    kept, *_ = drawn(1, load_mask, background_share=0, **plain)
    assert not read
    laid, *_ = drawn(1, load_mask, background_share=1, **plain)
    assert len(read) == 1
    # the mask holds the whole image: only what lies beside it changes
    changed = (kept != laid).any(axis=-1)
    assert 0 < changed.mean() < 0.9


@pytest.mark.parametrize("index", [0, 1])
def test_boxes_follow_the_pixels(index):
    plain = {"occlusion_share": 0, "photometric_share": 0, "empty_share": 0}
    for seed in range(20):
        canvas, boxes, labelled = drawn(seed, any_angle_share=0, degrees=0, **plain)
        colour = canvas.astype(int)[..., [0, 2][index]] - canvas.astype(int)[..., [2, 0][index]]
        rows, columns = np.nonzero(colour[2:-2, 2:-2] > 200)
        if not labelled[index] or len(rows) == 0:
            continue
        padding = [5.0, 0][index] * SIZE[1] / 480
        low, high = boxes[index, :2] + padding, boxes[index, 2:] - padding
        seen = np.array([columns.min(), rows.min(), columns.max(), rows.max()]) + 2
        clipped = np.clip([*low, *high], 2, [SIZE[0] - 3, SIZE[1] - 3] * 2)
        np.testing.assert_allclose(seen, clipped, atol=1.6)
